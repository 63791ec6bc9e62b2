"""Indexing, gathering, triangles and order."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import tt_tensor as tt
from hypothesis import given
from tt_tensor import Array, Tensor

arrays = hnp.arrays(
    np.float64, hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5), elements=st.integers(-3, 3).map(float)
)


@given(x=arrays, data=st.data())
def test_basic_indexing_as_numpy(x: Array, data: st.DataObject) -> None:
    key = data.draw(hnp.basic_indices(x.shape, allow_newaxis=True, allow_ellipsis=True))
    result = tt.from_numpy(x)[key]
    expected = x[key]
    assert result.shape == np.shape(expected)
    np.testing.assert_array_equal(result.data, expected)
    assert result.size == 0 or np.shares_memory(result.data, x)


@given(x=arrays, data=st.data())
def test_integer_and_boolean_indexing_as_numpy(x: Array, data: st.DataObject) -> None:
    indices = data.draw(hnp.arrays(np.int64, st.integers(0, 4), elements=st.integers(-x.shape[0], x.shape[0] - 1)))
    np.testing.assert_array_equal(Tensor(x, np.float64)[Tensor(indices)].data, x[indices])
    mask = data.draw(hnp.arrays(np.bool_, x.shape))
    np.testing.assert_array_equal(Tensor(x, np.float64)[Tensor(mask)].data, x[mask])


@given(x=arrays, data=st.data(), descending=st.booleans())
def test_order_is_stable(x: Array, data: st.DataObject, descending: bool) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    tensor = Tensor(x, dtype=np.float64)
    key = -x if descending else x  # a stable sort of -x is a stable descending sort of x
    expected = np.argsort(key, axis, kind="stable")
    np.testing.assert_array_equal(tt.argsort(tensor, axis, descending=descending).data, expected)
    np.testing.assert_array_equal(
        tt.sort(tensor, axis, descending=descending).data, np.take_along_axis(x, expected, axis)
    )
    k = data.draw(st.integers(0, x.shape[axis]))
    values, indices = tt.topk(tensor, k, axis)
    largest = np.argsort(-x, axis, kind="stable")
    np.testing.assert_array_equal(indices.data, np.take(largest, range(k), axis))
    np.testing.assert_array_equal(values.data, np.take_along_axis(x, indices.data, axis))


def test_keys_may_hold_tensors_and_lists() -> None:
    x = tt.arange(12).reshape(3, 4)
    assert x[[0, 2], [1, 3]].tolist() == [1, 11]
    assert x[Tensor([0, 2]), 1].tolist() == [1, 9]
    assert x[1, 2].item() == 6
    assert x[-1].tolist() == [8, 9, 10, 11]
    assert x[..., None].shape == (3, 4, 1)
    assert x[x > 8].tolist() == [9, 10, 11]
    assert x[[]].shape == (0, 4)


def test_index_out_of_range_names_index_and_size() -> None:
    x = tt.ones(3, 4)
    with pytest.raises(IndexError, match=r"index 3 .*size 3"):
        x[3]
    with pytest.raises(IndexError, match=r"index -5 .*size 4"):
        x[:, -5]
    with pytest.raises(IndexError, match="too many"):
        x[0, 0, 0]


def test_take() -> None:
    x = tt.arange(6).reshape(3, 2)
    assert tt.take(x, [[2, 0]], axis=0).tolist() == [[[4, 5], [0, 1]]]
    assert x.take([1], axis=1).tolist() == [[1], [3], [5]]
    assert tt.take(x, Tensor([-1, 0])).tolist() == [5, 0]
    assert tt.take(x, Tensor(np.zeros(0, np.int64)), axis=0).shape == (0, 2)
    for indices, wrong in (([3], 3), ([0, -4], -4)):
        with pytest.raises(IndexError, match=f"take: index {wrong} .*size 3"):
            tt.take(x, indices, axis=0)
    with pytest.raises(TypeError, match="float32"):
        tt.take(x, [0.0], axis=0)


def test_gather() -> None:
    x = Tensor([[1, 2, 3], [4, 5, 6]])
    assert tt.gather(x, [[2], [0]], axis=1).tolist() == [[3], [4]]
    assert x.gather([[1, 0, 1]], axis=0).tolist() == [[4, 2, 6]]
    assert tt.gather(x, [[-1, -3], [0, 0]], axis=-1).tolist() == [[3, 1], [4, 4]]
    with pytest.raises(IndexError, match=r"gather: index 3 .*size 3"):
        tt.gather(x, [[3], [0]], axis=1)
    with pytest.raises(ValueError, match=r"gather: indices \(1, 1\) .* x \(2, 3\)"):
        tt.gather(x, [[0]], axis=1)
    with pytest.raises(ValueError, match="gather: axis 2"):
        tt.gather(x, [[0], [0]], axis=2)
    with pytest.raises(TypeError, match="integers"):
        tt.gather(x, [[0.5], [0.5]], axis=1)


def test_one_hot() -> None:
    hot = tt.one_hot(Tensor([[0, 2]]), 3)
    assert hot.tolist() == [[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]]
    assert hot.dtype == np.float32
    assert tt.one_hot(Tensor(1), 2).tolist() == [0.0, 1.0]
    assert tt.one_hot(Tensor(np.zeros(0, np.int64)), 4).shape == (0, 4)
    for wrong in (3, -1):
        with pytest.raises(IndexError, match=f"one_hot: index {wrong} .*size 3"):
            tt.one_hot(Tensor([0, wrong]), 3)
    with pytest.raises(TypeError, match="integers"):
        tt.one_hot(Tensor([0.0]), 3)


@pytest.mark.parametrize("k", [-1, 0, 1])
def test_triangles(k: int, rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(tt.tril(Tensor(x), k).data, np.tril(x, k))
    np.testing.assert_array_equal(Tensor(x).triu(k).data, np.triu(x, k))
    np.testing.assert_array_equal(Tensor(x).tril(k).data, np.tril(x, k))
    np.testing.assert_array_equal(tt.triu(Tensor(x), k).data, np.triu(x, k))
    for name in ("tril", "triu"):
        with pytest.raises(ValueError, match=rf"{name}: needs at least 2 axes, got shape \(3,\)"):
            tt.primitives()[name](tt.ones(3))


def test_nan_counts_as_the_largest() -> None:
    x = Tensor([2.0, float("nan"), 1.0])
    assert tt.argsort(x).tolist() == [2, 0, 1]
    assert tt.argsort(x, descending=True).tolist() == [1, 0, 2]
    assert x.sort().tolist()[:2] == [1.0, 2.0]  # type: ignore[index]  # a list
    assert x.argsort().tolist() == [2, 0, 1]


def test_topk() -> None:
    values, indices = Tensor([[1.0, 3.0, 3.0], [9.0, 8.0, 7.0]]).topk(2)
    assert (values.tolist(), indices.tolist()) == ([[3.0, 3.0], [9.0, 8.0]], [[1, 2], [0, 1]])
    for k in (-1, 4):
        with pytest.raises(ValueError, match=f"topk: k .* 3, .*got {k}"):
            tt.topk(tt.ones(2, 3), k)


def test_a_number_alone_has_no_order() -> None:
    for function in (tt.sort, tt.argsort, lambda x: tt.topk(x, 1)):
        with pytest.raises(np.exceptions.AxisError, match="axis -1 is out of bounds for array of dimension 0"):
            function(Tensor(3.0))


def test_axes_that_are_not_there_are_named() -> None:
    with pytest.raises(np.exceptions.AxisError, match="axis 5 is out of bounds for array of dimension 1"):
        tt.take(Tensor([1.0]), [0], axis=5)
    with pytest.raises(ValueError, match=r"gather: indices \(2,\) may differ from x \(2, 2\) only at axis 1"):
        tt.gather(tt.ones(2, 2), [0, 1], axis=1)
