"""Arithmetic, elementary functions, comparison and choice, against NumPy in float64 and at the edges."""

from __future__ import annotations

import math
from collections.abc import Callable

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import tt_tensor as tt
from hypothesis import given
from tt_tensor import Array, Tensor

INF = float("inf")
NAN = float("nan")

reals = st.floats(-50, 50, allow_nan=False, width=64)
arrays = hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), elements=reals)


def pairs() -> st.SearchStrategy[tuple[Array, Array]]:
    shapes = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=4)

    def fill(found: hnp.BroadcastableShapes) -> st.SearchStrategy[tuple[Array, Array]]:
        first, second = found.input_shapes
        return st.tuples(hnp.arrays(np.float64, first, elements=reals), hnp.arrays(np.float64, second, elements=reals))

    return shapes.flatmap(fill)


UNARY: list[tuple[Callable[[Tensor], Tensor], Callable[[Array], Array]]] = [
    (tt.negative, np.negative),
    (tt.abs, np.abs),
    (tt.exp, np.exp),
    (tt.sin, np.sin),
    (tt.cos, np.cos),
    (tt.tanh, np.tanh),
    (tt.erf, np.vectorize(math.erf, otypes=[np.float64])),
    (tt.floor, np.floor),
    (tt.sign, np.sign),
    (lambda x: tt.log(tt.abs(x) + 1.0), lambda x: np.log(np.abs(x) + 1.0)),
    (lambda x: tt.log1p(tt.abs(x)), lambda x: np.log1p(np.abs(x))),
    (lambda x: tt.sqrt(tt.abs(x)), lambda x: np.sqrt(np.abs(x))),
]
BINARY: list[tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Array, Array], Array]]] = [
    (tt.add, np.add),
    (tt.subtract, np.subtract),
    (tt.multiply, np.multiply),
    (tt.maximum, np.maximum),
    (tt.minimum, np.minimum),
    (tt.equal, np.equal),
    (tt.not_equal, np.not_equal),
    (tt.less, np.less),
    (tt.less_equal, np.less_equal),
    (tt.greater, np.greater),
    (tt.greater_equal, np.greater_equal),
    (lambda x, y: x / (tt.abs(y) + 1), lambda x, y: x / (np.abs(y) + 1)),
    (lambda x, y: (tt.abs(x) + 1) ** (y / 50), lambda x, y: (np.abs(x) + 1) ** (y / 50)),
]


@pytest.mark.parametrize(("ours", "numpys"), UNARY)
@given(x=arrays)
def test_one_argument_as_numpy(ours: Callable[[Tensor], Tensor], numpys: Callable[[Array], Array], x: Array) -> None:
    result = ours(Tensor(x, dtype=np.float64))
    assert result.dtype == np.float64
    np.testing.assert_allclose(result.data, numpys(x), rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize(("ours", "numpys"), BINARY)
@given(xy=pairs())
def test_two_arguments_broadcast_as_numpy(
    ours: Callable[[Tensor, Tensor], Tensor], numpys: Callable[[Array, Array], Array], xy: tuple[Array, Array]
) -> None:
    result = ours(Tensor(xy[0], dtype=np.float64), Tensor(xy[1], dtype=np.float64))
    expected = numpys(*xy)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result.data, expected, rtol=1e-13)


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=4))
def test_broadcast_shape_as_numpy(shapes: hnp.BroadcastableShapes) -> None:
    assert tt.broadcast_shape(*shapes.input_shapes) == shapes.result_shape


def test_broadcast_shape_stretches_ones_even_to_zero() -> None:
    assert tt.broadcast_shape((3, 1), (1, 0)) == (3, 0)
    assert tt.broadcast_shape() == ()
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(2, 4\).*axis -1"):
        tt.broadcast_shape((2, 3), (2, 4))
    with pytest.raises(ValueError, match="axis -2"):
        tt.broadcast_shape((2, 3), (5, 3))


@pytest.mark.parametrize("name", ["add", "divide", "remainder", "maximum", "less"])
def test_shapes_that_do_not_broadcast_name_the_operation(name: str) -> None:
    x, y = tt.ones(2, 3), tt.ones(2, 4)
    with pytest.raises(ValueError, match=rf"{name}.*\(2, 3\).*\(2, 4\).*axis -1"):
        tt.primitives()[name](x, y)


def test_division_and_logarithm_are_silent_where_infinity_is_the_answer() -> None:
    x = Tensor([1.0, -1.0, 0.0])
    assert (x / 0).tolist()[:2] == [INF, -INF]  # type: ignore[index]  # tolist of a 1-D tensor is a list
    assert tt.isnan(x / 0).tolist() == [False, False, True]
    assert tt.log(Tensor([0.0])).item() == -INF
    assert tt.exp(Tensor([1e4])).item() == INF
    assert tt.log1p(Tensor([-1.0])).item() == -INF
    assert tt.isnan(tt.sqrt(Tensor([-1.0]))).item()
    assert tt.isnan(tt.sin(Tensor([INF]))).item()
    assert tt.isnan(tt.cos(Tensor([INF]))).item()


@pytest.mark.parametrize("kind", [np.bool_, np.int8, np.uint8, np.int16, np.int32, np.int64])
@pytest.mark.parametrize("name", ["exp", "log", "log1p", "sqrt", "sin", "cos", "tanh", "erf"])
def test_functions_of_integers_are_float32(name: str, kind: type[np.generic]) -> None:
    x = tt.from_numpy(np.array([1, 50], kind))
    found = getattr(tt, name)(x)
    assert found.dtype == np.float32
    with np.errstate(all="ignore"):
        exact = [getattr(math, name)(value) for value in (1.0, float(x.data[1]))]
    np.testing.assert_allclose(found.data, exact, rtol=1e-6)


def test_integers_divide_to_float32() -> None:
    result = Tensor([1, 2]) / Tensor([2, 2])
    assert result.dtype == np.float32
    assert result.tolist() == [0.5, 1.0]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("exponent", [-4, -3, -2, -1, 0, 1, 3, 4, 5, 7, 2.5, np.inf, -np.inf, np.nan, 2.0**15])
def test_powers_of_negative_numbers(exponent: float, kind: type[np.floating], rng: np.random.Generator) -> None:
    special = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, np.inf, -np.inf, np.nan]
    x = np.array([*special, *rng.normal(size=50)], kind)
    with np.errstate(all="ignore"):
        expected = np.power(x.astype(np.float64), np.float64(exponent)).astype(kind)
    found = tt.power(tt.from_numpy(x), tt.from_numpy(np.array(exponent, kind))).data
    assert found.dtype == kind
    np.testing.assert_allclose(found, expected, rtol=4 * float(np.finfo(kind).eps), atol=0)
    np.testing.assert_array_equal(np.signbit(found[~np.isnan(found)]), np.signbit(expected[~np.isnan(found)]))


def test_power() -> None:
    assert (Tensor([0.0, 0.0, 2.0]) ** Tensor([0.0, 2.0, 0.5])).tolist() == [1.0, 0.0, pytest.approx(2**0.5)]
    assert (Tensor([0]) ** 0).item() == 1
    assert (Tensor([2, 3]) ** 2).tolist() == [4, 9]
    assert (Tensor([2, 3]) ** 2).dtype == np.int64
    assert (2 ** Tensor([2.0, 3.0])).tolist() == [4.0, 8.0]
    reciprocal = Tensor([2, 4]) ** -1
    assert reciprocal.dtype == np.float32
    assert reciprocal.tolist() == [0.5, 0.25]
    assert (Tensor([0.0]) ** -1.0).item() == INF
    assert (Tensor([3.0], dtype=np.float64) ** 2).dtype == np.float64


def test_erf_errs_by_five_units_in_the_last_place_in_float32(rng: np.random.Generator) -> None:
    x = np.concatenate([rng.normal(0, 2, 20_000), np.linspace(-6, 6, 2001), 10.0 ** -np.arange(30)]).astype(np.float32)
    exact = np.array([math.erf(float(v)) for v in x])
    ours = tt.erf(Tensor(x))
    assert ours.dtype == np.float32
    assert np.all(np.abs(ours.data - exact) <= 5 * np.spacing(np.abs(exact).astype(np.float32)))


def test_erf_to_float64_rounding() -> None:
    x = np.concatenate([np.linspace(-7, 7, 4001), 10.0 ** -np.arange(30)])
    exact = np.array([math.erf(v) for v in x])
    ours = tt.erf(Tensor(x, dtype=np.float64))
    np.testing.assert_allclose(ours.data, exact, rtol=1e-15, atol=0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_erf_at_the_edges(dtype: type[np.floating]) -> None:
    x = Tensor(np.array([INF, -INF, NAN, 0.0, -0.0]), dtype=dtype)
    ours = tt.erf(x)
    assert ours.dtype == dtype
    np.testing.assert_array_equal(ours.data, np.array([1, -1, NAN, 0, -0.0], dtype))
    assert np.signbit(ours.data[4])
    assert tt.erf(tt.zeros(2, 0)).shape == (2, 0)
    assert tt.erf(Tensor(1)).dtype == np.float32


def test_clip() -> None:
    x = Tensor([-2.0, 0.5, 2.0, NAN])
    assert x.clip(-1, 1).tolist()[:3] == [-1.0, 0.5, 1.0]  # type: ignore[index]  # a list
    assert tt.isnan(x.clip(-1, 1)).tolist() == [False, False, False, True]
    assert tt.clip(x, low=0.0).tolist()[0] == 0.0  # type: ignore[index]  # a list
    assert tt.clip(x, high=0.0).tolist()[2] == 0.0  # type: ignore[index]  # a list
    unbounded = tt.clip(x)
    assert not np.shares_memory(unbounded.data, x.data)
    with pytest.raises(ValueError, match="low 2 is above high 1"):
        tt.clip(x, 2, 1)


def test_where_and_masked_fill() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert tt.where(x > 2, x, 0).tolist() == [[0.0, 0.0], [3.0, 4.0]]
    assert tt.where(Tensor([True, False]), x, -x).tolist() == [[1.0, -2.0], [3.0, -4.0]]
    filled = x.masked_fill(Tensor([True, False]), -INF)
    assert filled.dtype == np.float32
    assert filled.tolist() == [[-INF, 2.0], [-INF, 4.0]]
    assert tt.masked_fill(Tensor([1, 2]), [True, False], 9).tolist() == [9, 2]
    with pytest.raises(TypeError, match="boolean"):
        tt.masked_fill(x, Tensor([1, 0]), 0.0)
    with pytest.raises(ValueError, match="masked_fill"):
        tt.masked_fill(Tensor([1.0, 2.0]), Tensor([[True, False], [False, True]]), 0.0)


def test_tests_of_elements() -> None:
    x = Tensor([1.0, INF, NAN])
    assert tt.isfinite(x).tolist() == [True, False, False]
    assert tt.isnan(x).tolist() == [False, False, True]
    assert tt.logical_not(Tensor([0.0, 2.0])).tolist() == [True, False]
    assert (~Tensor([True, False])).tolist() == [False, True]


def test_operators_and_their_reflections() -> None:
    x = Tensor([1.0, 2.0])
    assert (x + 1).tolist() == (1 + x).tolist() == [2.0, 3.0]
    assert (x - 1).tolist() == [0.0, 1.0]
    assert (1 - x).tolist() == [0.0, -1.0]
    assert (x * 3).tolist() == (3 * x).tolist() == [3.0, 6.0]
    assert (x / 2).tolist() == [0.5, 1.0]
    assert (2 / x).tolist() == [2.0, 1.0]
    assert (x**2).tolist() == [1.0, 4.0]
    assert (2**x).tolist() == [2.0, 4.0]
    assert (-x).tolist() == [-1.0, -2.0]
    assert (+x).tolist() == [1.0, 2.0]
    assert abs(-x).tolist() == [1.0, 2.0]
    assert ((1.0, 1.0) + x).tolist() == [2.0, 3.0]  # noqa: RUF005  # the tensor's own reflected addition
    assert (x == 1).tolist() == [True, False]
    assert (x != 1).tolist() == [False, True]
    assert ((x < 2).tolist(), (x <= 1).tolist()) == ([True, False], [True, False])
    assert ((x > 1).tolist(), (x >= 2).tolist()) == ([False, True], [False, True])
    assert bool(x == "text") is False


def test_methods_are_the_functions() -> None:
    x = Tensor([0.25, 0.5])
    for name in ("abs", "exp", "log", "log1p", "sqrt", "sin", "cos", "tanh", "erf"):
        assert getattr(x, name)().tolist() == getattr(tt, name)(x).tolist(), name


def test_blocks_do_not_show(rng: np.random.Generator) -> None:
    x = rng.normal(size=50_001)
    whole = tt.erf(Tensor(x, dtype=np.float64)).data
    piece = tt.erf(Tensor(x[40_000:], dtype=np.float64)).data
    np.testing.assert_array_equal(whole[40_000:], piece)


@pytest.mark.parametrize("number", [-1, 255, 256, 300, -(2**63), 2**63, 2**200, -(2**2000)])
def test_a_number_beyond_the_element_type_is_compared_as_what_it_is(number: int) -> None:
    x = Tensor([0, 1, 255], np.uint8)
    elements = [0, 1, 255]
    assert (x == number).tolist() == [e == number for e in elements]
    assert (x != number).tolist() == [e != number for e in elements]
    assert (x < number).tolist() == tt.less(x, number).tolist() == [e < number for e in elements]
    assert (number <= x).tolist() == [number <= e for e in elements]
    assert (number in x) == (number in elements)
    if not 0 <= number <= 255:
        with pytest.raises(OverflowError):
            x + number


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.float16, np.float32, np.float64])
def test_whole_division_is_pythons(kind: type[np.generic]) -> None:
    pairs = [(a, b) for a in (-7, -6, 0, 5, 7) for b in (-3, -2, 1, 2, 4)]
    x, y = (tt.from_numpy(np.array(column, kind)) for column in zip(*pairs, strict=True))
    assert (x // y).dtype == (x % y).dtype == np.dtype(kind)
    assert (x // y).tolist() == tt.floor_divide(x, y).tolist() == [a // b for a, b in pairs]
    assert (x % y).tolist() == tt.remainder(x, y).tolist() == [a % b for a, b in pairs]
    assert (7 // y).tolist() == [7 // b for _, b in pairs]
    assert (7 % y).tolist() == [7 % b for _, b in pairs]
    assert (x // 2).tolist() == [a // 2 for a, _ in pairs]
    assert np.remainder(x, 4).tolist() == [a % 4 for a, _ in pairs]


def test_whole_division_by_zero() -> None:
    assert (Tensor([1.0, -1.0]) // 0).tolist() == [INF, -INF]
    assert tt.isnan(Tensor([1.0]) % 0).item()
    for divide in (tt.floor_divide, tt.remainder):
        with pytest.raises(ZeroDivisionError, match=f"{divide.__name__}.*integer"):
            divide(Tensor([1, 2]), Tensor([1, 0]))
