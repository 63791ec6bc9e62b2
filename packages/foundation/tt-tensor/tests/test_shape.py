"""Shapes: against NumPy, what shares memory, and what an error says."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import tt_tensor as tt
from hypothesis import given
from tt_tensor import Array, Tensor

arrays = hnp.arrays(np.float32, hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))


def counting(*shape: int) -> Tensor:
    return tt.arange(int(np.prod(shape))).reshape(shape)


@given(x=arrays, data=st.data())
def test_order_of_axes_as_numpy(x: Array, data: st.DataObject) -> None:
    axes = tuple(data.draw(st.permutations(range(x.ndim))))
    tensor = tt.from_numpy(x)
    a, b = data.draw(st.integers(-x.ndim, x.ndim - 1)), data.draw(st.integers(-x.ndim, x.ndim - 1))
    np.testing.assert_array_equal(tt.transpose(tensor, axes).data, x.transpose(axes))
    np.testing.assert_array_equal(tt.permute(tensor, axes).data, x.transpose(axes))
    np.testing.assert_array_equal(tensor.permute(*axes).data, x.transpose(axes))
    np.testing.assert_array_equal(tensor.T.data, x.T)
    np.testing.assert_array_equal(tt.swapaxes(tensor, a, b).data, np.swapaxes(x, a, b))
    np.testing.assert_array_equal(tt.flip(tensor, a).data, np.flip(x, a))
    np.testing.assert_array_equal(tt.expand_dims(tensor, a).data, np.expand_dims(x, a))
    assert np.shares_memory(tt.transpose(tensor, axes).data, x)


@given(x=arrays, y=arrays, data=st.data())
def test_joining_as_numpy(x: Array, y: Array, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    twice = np.concatenate([x, x], axis)
    np.testing.assert_array_equal(tt.concat([Tensor(x), Tensor(x)], axis).data, twice)
    np.testing.assert_array_equal(tt.stack([Tensor(x), Tensor(x)], axis).data, np.stack([x, x], axis))
    parts = tt.split(Tensor(twice), 2, axis)
    assert len(parts) == 2
    for part in parts:
        np.testing.assert_array_equal(part.data, x)


@given(x=arrays, data=st.data())
def test_padding_and_repeating_as_numpy(x: Array, data: st.DataObject) -> None:
    sides = st.tuples(st.integers(0, 2), st.integers(0, 2))
    width = data.draw(st.lists(sides, min_size=x.ndim, max_size=x.ndim))
    tensor = Tensor(x)
    np.testing.assert_array_equal(tt.pad(tensor, width, 2.5).data, np.pad(x, width, constant_values=2.5))
    reps = data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=4))
    np.testing.assert_array_equal(tt.tile(tensor, reps).data, np.tile(x, reps))
    repeats, axis = data.draw(st.integers(0, 3)), data.draw(st.integers(-x.ndim, x.ndim - 1))
    np.testing.assert_array_equal(tt.repeat(tensor, repeats, axis).data, np.repeat(x, repeats, axis))
    np.testing.assert_array_equal(tensor.repeat(repeats).data, np.repeat(x, repeats))


def test_reshape() -> None:
    x = counting(2, 6)
    assert x.reshape(3, -1).shape == x.reshape((3, 4)).shape == tt.reshape(x, [-1, 4]).shape == (3, 4)
    assert tt.reshape(x, 12).shape == (12,)
    assert tt.reshape(Tensor(5.0), (1, 1)).tolist() == [[5.0]]
    assert np.shares_memory(x.reshape(12).data, x.data)
    assert tt.zeros(0, 3).reshape(0, 5).shape == (0, 5)
    for shape in ((5,), (-1, -1), (-1, 5)):
        with pytest.raises(ValueError, match=r"reshape: 12 elements of shape \(2, 6\)"):
            tt.reshape(x, shape)


def test_view_never_copies() -> None:
    x = counting(2, 3)
    assert np.shares_memory(x.view(6).data, x.data)
    assert x.view(-1, 2).shape == x.view((3, 2)).shape == (3, 2)
    assert tt.zeros(0, 3).view(0).shape == (0,)
    with pytest.raises(ValueError, match=r"strides .* use reshape"):
        x.T.view(6)


def test_flatten() -> None:
    x = counting(2, 3, 4)
    assert x.flatten().shape == (24,)
    assert x.flatten(1).shape == tt.flatten(x, -2).shape == (2, 12)
    assert tt.zeros(0, 3, 4).flatten(1).shape == (0, 12)
    assert tt.flatten(Tensor(1.0)).shape == (1,)
    with pytest.raises(ValueError, match="flatten: axis 3"):
        x.flatten(3)


def test_axes_that_do_not_fit() -> None:
    x = counting(2, 3)
    with pytest.raises(ValueError, match=r"transpose: axes \(0, 0\)"):
        tt.transpose(x, (0, 0))
    with pytest.raises(ValueError, match="swapaxes: axis 2"):
        x.swapaxes(0, 2)
    with pytest.raises(ValueError, match="axis"):
        tt.expand_dims(x, 5)
    with pytest.raises(ValueError, match="axis"):
        tt.flip(x, 5)


def test_squeeze() -> None:
    x = tt.zeros(1, 3, 1)
    assert x.squeeze().shape == (3,)
    assert x.squeeze(0).shape == (3, 1)
    assert tt.squeeze(x, (0, -1)).shape == (3,)
    assert x.expand_dims(0).shape == (1, 1, 3, 1)
    with pytest.raises(ValueError, match=r"squeeze: axis 1 of shape \(1, 3, 1\)"):
        x.squeeze(1)


def test_broadcast_to_copies_nothing() -> None:
    x = tt.ones(3, 1)
    wide = x.broadcast_to(2, 3, 1000)
    assert wide.shape == tt.broadcast_to(x, (2, 3, 1000)).shape == (2, 3, 1000)
    assert np.shares_memory(wide.data, x.data)
    assert wide.data.strides[0] == wide.data.strides[2] == 0
    with pytest.raises(ValueError, match=r"broadcast_to: shape \(3, 1\) does not stretch to \(2, 2\)"):
        x.broadcast_to((2, 2))


def test_concat_and_stack_say_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"concat: shapes \(2, 3\), \(3, 2\) may differ only at axis 0"):
        tt.concat([counting(2, 3), counting(3, 2)])
    with pytest.raises(ValueError, match=r"stack: all shapes must be equal, got \(2, 3\), \(3, 2\)"):
        tt.stack([counting(2, 3), counting(3, 2)])
    with pytest.raises(ValueError, match="concat: got no tensors"):
        tt.concat([])
    with pytest.raises(ValueError, match="stack: got no tensors"):
        tt.stack([])
    assert tt.concat([tt.zeros(0, 2), tt.ones(1, 2)]).shape == (1, 2)


def test_split() -> None:
    x = counting(6, 2)
    assert [part.shape for part in x.split([1, 2, 3])] == [(1, 2), (2, 2), (3, 2)]
    assert [part.tolist() for part in tt.split(x, 2, axis=-1)][1] == [[1], [3], [5], [7], [9], [11]]
    assert [part.shape for part in tt.split(x, [0, 6])] == [(0, 2), (6, 2)]
    assert np.shares_memory(tt.split(x, 2)[1].data, x.data)
    wrong: list[tuple[int | list[int], str]] = [
        (4, "4 equal parts"), (0, "0 equal parts"), ([1, 2], "add up to 3"), ([7, -1], "at least 0")
    ]  # fmt: skip
    for sections, complaint in wrong:
        with pytest.raises(ValueError, match=complaint):
            tt.split(x, sections)
    with pytest.raises(ValueError, match="split: axis 2"):
        tt.split(x, 2, axis=2)


def test_pad() -> None:
    x = counting(1, 2)
    assert tt.pad(x, 1, value=9).tolist() == [[9, 9, 9, 9], [9, 0, 1, 9], [9, 9, 9, 9]]
    assert tt.pad(x, 1).dtype == np.int64
    assert tt.pad(Tensor(1.0), []).item() == 1.0
    for width in ([(1, 1)], [(1, 1), (-1, 0)], [(1, 1, 1), (0, 0)]):
        with pytest.raises(ValueError, match="pad"):
            tt.pad(x, width)


def test_tile_flip_repeat() -> None:
    x = Tensor([1, 2])
    assert x.tile(2, 1).tolist() == [[1, 2], [1, 2]]
    assert tt.tile(x, 2).tolist() == [1, 2, 1, 2]
    assert x.flip().tolist() == [2, 1]
    assert x.repeat(2, 0).tolist() == [1, 1, 2, 2]
    with pytest.raises(ValueError, match="repeat"):
        tt.repeat(x, -1)


def test_sizes_may_be_numbers_of_numpy() -> None:
    six: Any = np.prod((2, 3))
    three: Any = np.int64(3)
    assert tt.ones(2, 3).reshape(six).shape == tt.reshape(tt.ones(2, 3), six).shape == (6,)
    assert tt.ones(six).view(six).shape == (6,)
    assert tt.tile(tt.ones(2), six).shape == (12,)
    assert tt.pad(tt.ones(2), three).shape == (8,)
    assert [part.shape for part in tt.split(tt.ones(6), three)] == [(2,)] * 3


def test_what_cannot_be_joined_is_said_truly() -> None:
    row = Tensor([1.0])
    for join in (tt.concat, tt.stack):
        with pytest.raises(np.exceptions.AxisError, match="axis 4 is out of bounds"):
            join([row, row], axis=4)
    with pytest.raises(ValueError, match="concat: numbers alone have no axis to be joined along; use stack"):
        tt.concat([Tensor(1.0), Tensor(2.0)])
    with pytest.raises(np.exceptions.AxisError, match="axis 9 is out of bounds for array of dimension 1"):
        tt.squeeze(row, 9)
    with pytest.raises(ValueError, match=r"pad: width needs a pair \(before, after\) for each axis, got \[1, 1\]"):
        tt.pad(row, [1, 1])  # type: ignore[list-item]  # wrong on purpose
