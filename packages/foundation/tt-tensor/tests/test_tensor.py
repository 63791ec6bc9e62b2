"""The tensor itself: what it holds, shares, shows and refuses."""

from __future__ import annotations

import copy
import inspect
import pickle

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import tt_tensor as tt
from hypothesis import given
from tt_tensor import Array, Tensor


class TestElementTypes:
    def test_floating_input_becomes_float32_unless_asked(self) -> None:
        assert Tensor(1.5).dtype == np.float32
        assert Tensor(np.zeros(2, np.float64)).dtype == np.float32
        assert Tensor(np.zeros(2, np.float16)).dtype == np.float32
        assert Tensor(np.zeros(2), dtype=np.float64).dtype == np.float64
        assert Tensor([]).dtype == np.float32

    @pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint8, np.int32, np.int64])
    def test_integers_and_booleans_stay(self, dtype: type[np.generic]) -> None:
        assert Tensor(np.zeros(2, dtype)).dtype == dtype

    def test_python_numbers_are_weakly_typed(self) -> None:
        for dtype in (np.float16, np.float32, np.float64):
            x = tt.ones(2, dtype=dtype)
            assert (x + 1).dtype == (2.5 * x).dtype == (x / 3).dtype == (x**2).dtype == dtype
        small = tt.ones(2, dtype=np.int8)
        assert (small + 1).dtype == np.int8
        assert (small + 0.5).dtype == np.float32
        with pytest.raises(OverflowError):
            small + 1000

    def test_float64_comes_only_where_asked(self) -> None:
        ints, singles = tt.ones(2, dtype=np.int64), tt.ones(2)
        assert (ints + singles).dtype == np.float32
        assert (ints / ints).dtype == np.float32
        assert (singles * np.ones(2)).dtype == np.float32
        assert (singles + np.float64(2)).dtype == np.float32
        assert tt.exp(ints).dtype == np.float32
        assert (singles + tt.ones(2, dtype=np.float64)).dtype == np.float64
        assert singles.astype(np.float64).dtype == np.float64
        assert singles.astype(np.int64).dtype == np.int64
        assert ints.astype(np.float64).dtype == np.float64

    @pytest.mark.parametrize("data", ["text", [None], [1j], {"a": 1}])
    def test_what_is_no_number(self, data: list[float]) -> None:
        with pytest.raises(TypeError, match="numbers"):
            Tensor(data)
        with pytest.raises(TypeError, match="dtype"):
            Tensor([1], dtype=np.complex64)

    def test_ragged_rows(self) -> None:
        with pytest.raises(ValueError, match="same length"):
            Tensor([[1, 2], [3]])


class TestAttributes:
    def test_of_a_matrix(self) -> None:
        x = Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        assert (x.shape, x.ndim, x.size, x.nbytes, len(x)) == ((2, 3), 2, 6, 24, 2)
        assert x.T.shape == (3, 2)
        assert [row.tolist() for row in x] == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
        assert 5.0 in x
        assert 7.0 not in x

    def test_gradient(self) -> None:
        x = Tensor([1.0], requires_grad=True)
        assert x.requires_grad
        assert x.is_leaf
        assert x.grad is None
        x.grad = Tensor([2.0])
        assert x.grad.tolist() == [2.0]
        x.zero_grad()
        assert [x.grad] == [None]
        with pytest.raises(ValueError, match=r"shape \(1,\); got \(2,\)"):
            x.grad = Tensor([1.0, 2.0])
        with pytest.raises(TypeError, match="ndarray"):
            setattr(x, "grad", np.ones(1))  # noqa: B010  # a mistake that the types would refuse
        x.requires_grad = False
        assert not x.requires_grad
        with pytest.raises(TypeError, match="int64"):
            Tensor([1], requires_grad=True)

    def test_backward_without_tt_autograd_says_what_to_install(self) -> None:
        with tt.use_interpreter(tt.Evaluate()), pytest.raises(RuntimeError, match="tt-autograd"):
            Tensor([1.0]).sum().backward()


class TestConversions:
    def test_item_and_python_numbers(self) -> None:
        assert Tensor([[2.5]]).item() == float(Tensor(2.5)) == 2.5
        assert int(Tensor(3)) == [0, 1, 2, 3, 4].index(3) == range(10)[Tensor(3)]
        assert bool(Tensor([True]))
        with pytest.raises(ValueError, match=r"\(2,\)"):
            Tensor([1, 2]).item()
        with pytest.raises(ValueError, match="any"):
            bool(Tensor([1, 2]))
        with pytest.raises(TypeError, match="index"):
            range(10)[Tensor(3.0)]
        with pytest.raises(TypeError, match="0-d"):
            len(Tensor(1))

    def test_numpy_shares_and_refuses_to_lose_a_gradient(self) -> None:
        x = Tensor([1.0])
        assert x.numpy() is x.data
        x.requires_grad = True
        with pytest.raises(RuntimeError, match="detach"):
            x.numpy()
        assert np.shares_memory(x.detach().numpy(), x.data)
        assert not x.detach().requires_grad

    def test_tensor_copies_and_from_numpy_shares(self) -> None:
        array = np.zeros(2, np.float32)
        copied, shared = Tensor(array), tt.from_numpy(array)
        array[0] = 5
        assert (copied.tolist(), shared.tolist()) == ([0.0, 0.0], [5.0, 0.0])
        assert tt.wrap(array).data is array
        assert Tensor(copied).data is not copied.data
        with pytest.raises(TypeError, match="list"):
            tt.from_numpy([1.0])  # type: ignore[arg-type]  # the mistake under test
        with pytest.raises(TypeError, match="byte order"):
            tt.from_numpy(np.zeros(2, np.dtype(np.float32).newbyteorder()))

    def test_copies(self) -> None:
        x = Tensor([1.0, 2.0], requires_grad=True)
        x.grad = Tensor([3.0, 4.0])
        for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
            assert twin.tolist() == x.tolist()
            assert twin.requires_grad
            assert not np.shares_memory(twin.data, x.data)
        assert not np.shares_memory(x.detach().copy().data, x.data)
        twin = copy.deepcopy(x)
        assert twin.grad is not None
        assert twin.grad.tolist() == [3.0, 4.0]
        assert not np.shares_memory(twin.grad.data, x.grad.data)


class TestProtocols:
    @given(x=hnp.arrays(np.float32, hnp.array_shapes(max_dims=3)))
    def test_array(self, x: Array) -> None:
        tensor = tt.from_numpy(x)
        assert np.asarray(tensor) is x
        np.testing.assert_array_equal(np.array(tensor, dtype=np.float64), x.astype(np.float64))

    def test_array_with_settings(self) -> None:
        x = Tensor([1.0, 2.0])
        assert not np.shares_memory(np.array(x, copy=True), x.data)
        with pytest.raises(ValueError, match="copy"):
            np.asarray(x, dtype=np.int64, copy=False)
        with pytest.raises(RuntimeError, match="detach"):
            np.asarray(Tensor([1.0], requires_grad=True))

    def test_ufuncs_become_our_operations(self) -> None:
        x = Tensor([0.0, 1.0])
        assert isinstance(np.exp(x), Tensor)
        assert np.maximum(x, 0.5).tolist() == [0.5, 1.0]
        results: list[object] = [np.ones(2, np.float32) + x, np.float32(2) * x, np.ones((2, 2)) @ x]
        assert [type(result) for result in results] == [Tensor, Tensor, Tensor]
        assert (np.ones(2, np.float32) + x).tolist() == [1.0, 2.0]
        with pytest.raises(TypeError, match=r"np\.arctan2"):
            np.arctan2(x, x)
        with pytest.raises(TypeError, match=r"np\.add\.reduce"):
            np.add.reduce(x)
        with pytest.raises(TypeError, match="out"):
            np.add(x, x, out=np.zeros(2))

    def test_dlpack(self) -> None:
        x = Tensor([1.0, 2.0])
        seen = np.from_dlpack(x)  # type: ignore[arg-type]  # NumPy asks for CapsuleType, which 3.11 cannot name
        np.testing.assert_array_equal(seen, x.data)
        assert np.shares_memory(seen, x.data)


def test_numbers_alone_are_arrays_too() -> None:
    one = Tensor(1.0)
    for number in (one + one, one.exp(), one.sum(), tt.ones(3).mean(), tt.ones(3) @ tt.ones(3), tt.ones(2)[0], one > 0):
        assert type(number.data) is np.ndarray
        assert number.shape == ()


class TestWritingInPlace:
    def test_views_count_writes_together(self) -> None:
        x = tt.zeros(2, 3)
        views = [x.T, x.reshape(6), x[0], x[:, 1:], x.detach(), x.expand_dims(0), x.flip(0), x[0, 0]]
        copies = [x.copy(), x + 0, x[[0, 1]], x.T.reshape(6)]
        x.assign_(1.0)
        assert x.version == 1
        assert [view.version for view in views] == [1] * len(views)
        assert [other.version for other in copies] == [0] * len(copies)
        views[0][0] = 5.0
        assert x.version == 2
        assert x.tolist() == [[5.0, 1.0, 1.0], [5.0, 1.0, 1.0]]

    def test_assign(self) -> None:
        x = tt.zeros(2, 2)
        memory = x.data
        assert x.assign_([1.0, 2.0]) is x
        assert x.data is memory
        assert x.tolist() == [[1.0, 2.0], [1.0, 2.0]]
        for wrong in ([1.0, 2.0, 3.0], tt.ones(3, 2, 2)):
            with pytest.raises(ValueError, match=r"\(2, 2\)"):
                x.assign_(wrong)
        with pytest.raises(ValueError, match="int64"):
            tt.zeros(2, dtype=np.int64).assign_(Tensor([0.5, 0.5]))
        assert x.version == 1

    def test_setitem(self) -> None:
        x = tt.zeros(3)
        x[1:] = 2
        x[Tensor([True, False, False])] = Tensor(7.0)
        assert x.tolist() == [7.0, 2.0, 2.0]
        assert x.version == 2
        with pytest.raises(RuntimeError, match="where"):
            Tensor([1.0], requires_grad=True)[0] = 2.0

    def test_increment_version(self) -> None:
        x = tt.zeros(2)
        row = x[:1]
        x.data[0] = 1
        tt.increment_version(x)
        assert (x.version, row.version) == (1, 1)

    def test_data_has_no_setter(self) -> None:
        with pytest.raises(AttributeError):
            tt.zeros(2).data = np.ones(2)  # type: ignore[misc]  # the mistake under test


class TestRepr:
    def test_small(self) -> None:
        assert repr(Tensor([1.0, 2.5])) == "Tensor([1. , 2.5], shape=(2,), dtype=float32)"
        assert repr(Tensor(3)) == "Tensor(3, shape=(), dtype=int64)"
        assert repr(Tensor([1.0], requires_grad=True)).endswith("dtype=float32, requires_grad=True)")
        assert "shape=(0, 3)" in repr(tt.zeros(0, 3))

    def test_large_stays_readable(self) -> None:
        shown = repr(tt.zeros(1000, 1000))
        assert "..." in shown
        assert "shape=(1000, 1000), dtype=float32" in shown
        assert len(shown) < 1000
        assert max(map(len, shown.splitlines())) <= 120


def test_tensors_are_keys_by_identity() -> None:
    x, y = Tensor([1.0]), Tensor([1.0])
    assert {x: 1, y: 2}[x] == 1


class _Made:
    name = "exp"


def test_a_result_with_history_is_not_written_copied_or_pickled() -> None:
    x = Tensor([1.0])
    x.grad_fn = _Made()
    assert x.requires_grad
    assert not x.is_leaf
    assert "grad_fn=exp" in repr(x)
    with pytest.raises(RuntimeError, match=r"exp.*detach"):
        x.assign_(2.0)
    with pytest.raises(RuntimeError, match=r"exp.*detach"):
        copy.deepcopy(x)
    with pytest.raises(TypeError, match=r"exp.*detach"):
        pickle.dumps(x)
    with pytest.raises(RuntimeError, match="detach"):
        x.requires_grad = False


def test_a_number_that_does_not_fit_is_refused() -> None:
    for number, dtype in ((300, np.int8), (-1, np.uint8)):
        with pytest.raises(OverflowError, match=f"{number} out of bounds for {np.dtype(dtype).name}"):
            Tensor([number], dtype=dtype)
    assert Tensor([2.7, -1.0], dtype=np.int8).tolist() == [2, -1]
    assert Tensor(np.array([300]), dtype=np.int8).tolist() == [44]  # an array's elements are cast, as NumPy's astype


def test_one_number_is_formatted_as_one() -> None:
    assert f"{Tensor(1.25):.1f} {Tensor([3]):>3}" == "1.2   3"
    assert f"{Tensor([1.0, 2.0])}" == str(Tensor([1.0, 2.0]))
    with pytest.raises(ValueError, match=r"tensor of one element; this one has shape \(2,\)"):
        f"{Tensor([1.0, 2.0]):.1f}"


NOT_ALIKE = {"broadcast_to", "permute", "reshape", "tile", "transpose", "view"}  # as methods they take loose numbers


def test_a_method_takes_what_its_function_takes() -> None:
    alike = [name for name in tt.__all__ if callable(getattr(Tensor, name, None)) and name not in NOT_ALIKE]
    assert len(alike) >= 40
    for name in alike:
        ours, functions = (
            [(each.default, each.kind) for each in list(inspect.signature(face).parameters.values())[1:]]
            for face in (getattr(Tensor, name), getattr(tt, name))
        )
        assert ours == functions, name
