"""Reductions: against NumPy in float64, their accuracy in float32, and the edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import tt_tensor as tt
from hypothesis import given
from tt_tensor import Array, Tensor

INF = float("inf")
NAN = float("nan")
Axis = int | tuple[int, ...] | None


class Reduction(Protocol):
    def __call__(self, x: Tensor, axis: Axis = None, *, keepdims: bool = False) -> Tensor: ...


def numpy_logsumexp(x: Array, axis: Axis, keepdims: bool) -> Array:
    total: Array = np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))
    return total


def numpy_norm(x: Array, axis: Axis, keepdims: bool) -> Array:
    total: Array = np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))
    return total


REDUCTIONS: list[tuple[Reduction, Callable[[Array, Axis, bool], Array]]] = [
    (tt.sum, lambda x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims)),
    (tt.mean, lambda x, axis, keepdims: np.mean(x, axis=axis, keepdims=keepdims)),
    (tt.var, lambda x, axis, keepdims: np.var(x, axis=axis, keepdims=keepdims)),
    (tt.std, lambda x, axis, keepdims: np.std(x, axis=axis, keepdims=keepdims)),
    (tt.prod, lambda x, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims)),
    (tt.max, lambda x, axis, keepdims: np.max(x, axis=axis, keepdims=keepdims)),
    (tt.min, lambda x, axis, keepdims: np.min(x, axis=axis, keepdims=keepdims)),
    (tt.any, lambda x, axis, keepdims: np.any(x, axis=axis, keepdims=keepdims)),
    (tt.all, lambda x, axis, keepdims: np.all(x, axis=axis, keepdims=keepdims)),
    (tt.logsumexp, numpy_logsumexp),
    (lambda x, axis=None, *, keepdims=False: tt.norm(x, axis=axis, keepdims=keepdims), numpy_norm),
]
reals = st.floats(-30, 30, allow_nan=False, allow_subnormal=False, width=64)


@st.composite
def arrays_and_axes(draw: st.DrawFn) -> tuple[Array, Axis]:
    x = draw(hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=4, max_side=4), elements=reals))
    axes = st.lists(st.integers(-x.ndim, x.ndim - 1), min_size=1, unique_by=lambda a: a % x.ndim).map(tuple)
    return x, draw(st.one_of(st.none(), st.integers(-x.ndim, x.ndim - 1), axes))


@pytest.mark.parametrize(("ours", "numpys"), REDUCTIONS)
@given(case=arrays_and_axes(), keepdims=st.booleans())
def test_as_numpy(
    ours: Reduction, numpys: Callable[[Array, Axis, bool], Array], case: tuple[Array, Axis], keepdims: bool
) -> None:
    x, axis = case
    result, expected = ours(Tensor(x, dtype=np.float64), axis, keepdims=keepdims), numpys(x, axis, keepdims)
    assert result.shape == np.shape(expected)
    assert result.dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(result.data, expected, rtol=1e-12, atol=1e-10)


@given(case=arrays_and_axes(), keepdims=st.booleans())
def test_arg_extremes_and_cumsum_as_numpy(case: tuple[Array, Axis], keepdims: bool) -> None:
    x, axis = case
    one = axis if isinstance(axis, int) else None
    tensor = Tensor(x, dtype=np.float64)
    np.testing.assert_array_equal(tt.argmax(tensor, one, keepdims=keepdims).data, np.argmax(x, one, keepdims=keepdims))
    np.testing.assert_array_equal(tt.argmin(tensor, one, keepdims=keepdims).data, np.argmin(x, one, keepdims=keepdims))
    along = 0 if one is None else one
    np.testing.assert_allclose(tt.cumsum(tensor, along).data, np.cumsum(x, along), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "axis"), [((100_000,), None), ((5_000, 7), 0), ((7, 5_000), 1), ((40, 9, 50), (0, 2))]
)
def test_float32_sums_are_float64_sums_rounded(shape: tuple[int, ...], axis: Axis, rng: np.random.Generator) -> None:
    x = (rng.normal(size=shape) + 3).astype(np.float32)
    wide = x.astype(np.float64)
    pairs = [
        (tt.sum(Tensor(x), axis), np.sum(wide, axis)),
        (tt.mean(Tensor(x), axis), np.mean(wide, axis)),
        (tt.var(Tensor(x), axis), np.var(wide, axis)),
        (tt.std(Tensor(x), axis), np.std(wide, axis)),
        (tt.norm(Tensor(x), axis=axis), np.sqrt(np.sum(wide * wide, axis))),
    ]
    for ours, exact in pairs:
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours.data, exact, rtol=1.2e-7)


def test_sum_survives_cancellation() -> None:
    assert tt.sum(Tensor([1e8, 1.0, -1e8]), axis=0).item() == 1.0
    assert tt.sum(Tensor([1e8, 1.0, -1e8] * 2000)).item() == 2000.0
    assert tt.cumsum(Tensor([1e8, 1.0, -1e8])).tolist() == [1e8, 1e8, 1.0]


def test_mean_of_many_float16_ones() -> None:
    ones = tt.ones(70_000, dtype=np.float16)
    assert tt.mean(ones).item() == 1.0
    assert tt.mean(ones).dtype == np.float16
    assert tt.sum(ones).item() == INF


def test_variance_around_a_large_mean() -> None:
    x = Tensor([1e8, 1e8 + 8, 1e8 + 16])
    assert tt.var(x, correction=1).item() == 64.0
    assert tt.std(x, correction=1).item() == 8.0
    assert tt.var(x).item() == pytest.approx(128 / 3)
    assert x.var(correction=1).item() == 64.0
    assert x.std(correction=1).item() == 8.0


def test_too_few_for_a_variance_is_nan() -> None:
    assert tt.isnan(tt.var(Tensor([1.0]), correction=1)).item()
    assert tt.var(Tensor([1.0])).item() == 0.0


def test_of_integers() -> None:
    x = Tensor([1, 2, 4])
    assert tt.sum(x).item() == 7
    assert tt.prod(x).item() == 8
    assert tt.mean(x).item() == pytest.approx(7 / 3)
    assert tt.sum(x).dtype == tt.prod(x).dtype == np.int64
    assert tt.mean(x).dtype == np.float32
    assert tt.var(x).dtype == tt.std(x).dtype == tt.norm(x).dtype == tt.logsumexp(x).dtype == np.float32
    assert tt.sum(Tensor([True, True])).item() == 2
    assert tt.sum(Tensor(np.full(300, 100), dtype=np.int8)).item() == 30_000
    assert tt.cumsum(Tensor([100, 100], dtype=np.int8)).tolist() == [100, 200]


def test_integers_never_wrap() -> None:
    large = Tensor([2**62, 2**62])
    for operation in (tt.sum, tt.cumsum, tt.prod):
        with pytest.raises(OverflowError, match="int64"):
            operation(large)
    assert tt.sum(Tensor([2**62, 2**62, -(2**62)])).item() == 2**62
    assert tt.cumsum(Tensor([2**62, -(2**62), 2**62])).tolist() == [2**62, 0, 2**62]
    assert tt.prod(Tensor([2**62, 0])).item() == 0
    assert tt.prod(Tensor([2**31, 2**31])).item() == 2**62
    assert tt.sum(Tensor([-(2**62), -(2**62)])).item() == -(2**63)
    unsigned = Tensor(np.array([2**63, 1], np.uint64))
    assert tt.sum(unsigned[1:]).item() == tt.prod(unsigned[1:]).item() == 1
    with pytest.raises(OverflowError, match="int64"):
        tt.sum(unsigned)


def test_prod_with_zeros() -> None:
    assert tt.prod(Tensor([2.0, 0.0, 3.0])).item() == 0.0
    assert tt.prod(Tensor([[2.0, 0.0], [3.0, 4.0]]), axis=1).tolist() == [0.0, 12.0]


def test_of_nothing() -> None:
    empty = tt.zeros(0, 3)
    assert tt.sum(empty, axis=0).tolist() == [0.0, 0.0, 0.0]
    assert tt.prod(empty, axis=0).tolist() == [1.0, 1.0, 1.0]
    assert tt.isnan(tt.mean(empty)).item()
    assert tt.mean(empty, axis=1).shape == (0,)
    assert tt.logsumexp(empty, axis=0).tolist() == [-INF, -INF, -INF]
    assert tt.norm(empty).item() == 0.0
    assert tt.sum(tt.zeros(0, dtype=np.int64)).item() == 0
    assert tt.max(empty, axis=1).shape == (0,)
    for name in ("max", "min", "argmax", "argmin"):
        with pytest.raises(ValueError, match=rf"{name}.*\(0, 3\)"):
            tt.primitives()[name](empty, axis=0)


def test_extremes_take_nan_and_the_first_of_equals() -> None:
    assert tt.isnan(tt.max(Tensor([1.0, NAN, 3.0]))).item()
    assert tt.isnan(tt.min(Tensor([1.0, NAN, 3.0]))).item()
    assert tt.argmax(Tensor([1.0, 7.0, 7.0])).item() == 1
    assert tt.argmin(Tensor([1.0, -7.0, -7.0])).item() == 1
    assert tt.argmax(Tensor([[1, 9], [8, 2]]), axis=0, keepdims=True).tolist() == [[1, 0]]


def test_logsumexp_at_the_edges() -> None:
    assert tt.logsumexp(Tensor([-INF, -INF])).item() == -INF
    assert tt.logsumexp(Tensor([INF, 0.0])).item() == INF
    assert tt.isnan(tt.logsumexp(Tensor([NAN, 0.0]))).item()
    assert tt.logsumexp(Tensor([3e38, -3e38])).item() == Tensor(3e38).item()
    assert tt.logsumexp(Tensor([-1e4, -1e4])).item() == pytest.approx(-1e4 + np.log(2))
    assert tt.logsumexp(Tensor([[-INF, 0.0], [-INF, -INF]]), axis=1).tolist() == [0.0, -INF]
    assert tt.logsumexp(Tensor([[0.0, 0.0]]), axis=(0, 1), keepdims=True).shape == (1, 1)


def test_norms() -> None:
    x = Tensor([3.0, -4.0])
    assert [tt.norm(x, ord).item() for ord in (1, 2, INF)] == [7.0, 5.0, 4.0]
    assert tt.norm(x, 3).item() == pytest.approx((27 + 64) ** (1 / 3))
    assert tt.norm(Tensor([3e38, 4.0])).item() == Tensor(3e38).item()
    assert tt.norm(Tensor([3e200, 4e200], dtype=np.float64)).item() == pytest.approx(5e200)
    assert tt.norm(Tensor([3e-200, 4e-200], dtype=np.float64)).item() == pytest.approx(5e-200)
    assert tt.norm(Tensor([INF, 1.0])).item() == INF
    assert x.norm().item() == 5.0
    with pytest.raises(ValueError, match="positive"):
        tt.norm(x, 0)


def test_infinities_add_up_silently() -> None:
    assert tt.isnan(tt.sum(Tensor([INF, -INF]), axis=0)).item()
    assert tt.sum(Tensor([3e38, 3e38]), axis=0).item() == INF


def test_methods_are_the_functions(rng: np.random.Generator) -> None:
    x = Tensor(rng.normal(size=(3, 4)))
    for name in ("sum", "mean", "var", "std", "prod", "max", "min", "argmax", "argmin", "any", "all", "logsumexp"):
        assert getattr(x, name)(1, keepdims=True).tolist() == getattr(tt, name)(x, 1, keepdims=True).tolist(), name
        assert getattr(x, name)(1).shape == getattr(tt, name)(x, 1).shape == (3,), name
    assert x.cumsum(1).tolist() == tt.cumsum(x, 1).tolist()


def test_an_axis_out_of_range() -> None:
    with pytest.raises(ValueError, match="axis 2"):
        tt.sum(tt.ones(2, 2), axis=2)


@pytest.mark.parametrize("function", [tt.var, tt.std, tt.sum, tt.mean, tt.norm, tt.logsumexp])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("axis", [None, 0, -1, ()])
def test_a_number_alone_is_its_own_axis(
    function: Callable[..., Tensor], dtype: type[np.number], axis: int | tuple[()] | None
) -> None:
    out = function(Tensor(3, dtype=dtype), axis=axis)
    assert out.shape == ()
    assert out.item() == (0 if function in (tt.var, tt.std) else 3)


@pytest.mark.parametrize("function", [tt.var, tt.std, tt.sum, tt.mean, tt.norm, tt.logsumexp, tt.max, tt.cumsum])
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_an_axis_that_is_not_there_is_named(function: Callable[..., Tensor], dtype: type[np.number]) -> None:
    for axis in (2, -3):
        with pytest.raises(np.exceptions.AxisError, match=f"axis {axis} is out of bounds for array of dimension 2"):
            function(tt.ones(2, 3, dtype=dtype), axis=axis)
