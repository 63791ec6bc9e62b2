"""Activations that work element by element: values, edges, dtypes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.testing as npt
import pytest
import tt_activations as act
from hypothesis import given
from hypothesis import strategies as st
from tt_tensor import Tensor, from_numpy

Function = Callable[[Tensor], Tensor]
POINTS = [-30.0, -5.0, -1.5, -0.3, -1e-3, 0.0, 1e-3, 0.7, 2.0, 6.0, 30.0]


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


ORACLES: dict[str, tuple[Function, Callable[[float], float]]] = {
    "relu": (act.relu, lambda x: x if x > 0 else 0.0),
    "leaky_relu": (lambda x: act.leaky_relu(x, 0.2), lambda x: x if x > 0 else 0.2 * x),
    "leaky_relu_flat": (lambda x: act.leaky_relu(x, slope=0.0), lambda x: max(x, 0)),
    "leaky_relu_steep": (lambda x: act.leaky_relu(x, slope=3.0), lambda x: x if x > 0 else 3 * x),
    "sigmoid": (act.sigmoid, logistic),
    "tanh": (act.tanh, math.tanh),
    "gelu": (act.gelu, lambda x: x * 0.5 * math.erfc(-x / math.sqrt(2))),
    "gelu_tanh": (
        lambda x: act.gelu(x, approximate="tanh"),
        lambda x: x * 0.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    ),
    "silu": (act.silu, lambda x: x * logistic(x)),
    "softplus": (act.softplus, lambda x: math.log1p(math.exp(x))),
    "softplus_beta": (lambda x: act.softplus(x, beta=2.5), lambda x: math.log1p(math.exp(2.5 * x)) / 2.5),
    "elu": (act.elu, lambda x: x if x > 0 else math.expm1(x)),
    "elu_alpha": (lambda x: act.elu(x, alpha=0.3), lambda x: x if x > 0 else 0.3 * math.expm1(x)),
}


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_agree_with_the_formula(name: str, dtype: type[np.float32 | np.float64]) -> None:
    function, oracle = ORACLES[name]
    out = function(Tensor(POINTS, dtype=dtype))
    exact = [oracle(float(x)) for x in np.array(POINTS, dtype)]
    tolerance = 2e-6 if dtype is np.float32 else 1e-12
    assert out.dtype == dtype
    npt.assert_allclose(out.data, exact, rtol=tolerance, atol=tolerance)


def test_sigmoid_keeps_its_relative_precision_far_below_zero() -> None:
    npt.assert_allclose(act.sigmoid(Tensor([-30.0, -80.0])).data, np.exp([-30.0, -80.0]), rtol=1e-5)


def test_softplus_keeps_its_relative_precision_far_below_zero() -> None:
    npt.assert_allclose(act.softplus(Tensor([-30.0, -80.0])).data, np.exp([-30.0, -80.0]), rtol=1e-5)


def test_elu_keeps_its_relative_precision_close_to_zero() -> None:
    npt.assert_allclose(act.elu(Tensor([-1e-6, -1e-10])).data, [-1e-6, -1e-10], rtol=1e-5)


def test_gelu_keeps_the_digits_of_its_tails_in_float32() -> None:
    x = np.concatenate([np.linspace(-13, 13, 26_001), 10.0 ** -np.arange(30), -(10.0 ** -np.arange(30))])
    x = x.astype(np.float32).astype(np.float64)
    exact = np.array([0.5 * v * math.erfc(-v / math.sqrt(2)) for v in x])
    units = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    assert np.all(np.abs(act.gelu(Tensor(x)).data - exact) <= (8 + x * x / 2) * units)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_gelu_of_minus_infinity_is_its_limit(dtype: type[np.floating]) -> None:
    assert act.gelu(Tensor([-math.inf], dtype=dtype)).item() == 0.0


@pytest.mark.parametrize("order", [(0, 3, 1, 2), (3, 2, 1, 0), (0, 1, 2, 3)])
def test_gelu_lies_in_memory_as_its_input(order: tuple[int, ...], rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3, 4, 5)).astype(np.float32).transpose(order)
    out = act.gelu(from_numpy(x))
    assert out.data.strides == x.strides
    npt.assert_array_equal(out.data, act.gelu(Tensor(x.copy())).data)


def test_blocks_of_gelu_do_not_show(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 20_001)).astype(np.float32)
    npt.assert_array_equal(act.gelu(Tensor(x)).data[2, 19_000:], act.gelu(Tensor(x[2, 19_000:])).data)


def test_no_finite_input_gives_nan_or_a_warning(elementwise: Function, extremes: Tensor) -> None:
    assert np.isfinite(elementwise(extremes).data).all()


def test_far_to_the_right_they_are_the_identity_or_one(elementwise: Function) -> None:
    out = elementwise(Tensor([3e38])).item()
    assert out in (1.0, float(np.float32(3e38)))


def test_far_to_the_left() -> None:
    far = Tensor([-1e4])
    assert [f(far).item() for f in (act.relu, act.sigmoid, act.gelu, act.silu, act.softplus)] == [0.0] * 5
    assert act.elu(far, alpha=2.0).item() == -2.0
    assert act.tanh(far).item() == -1.0
    npt.assert_allclose(act.leaky_relu(far).data, [-100.0], rtol=1e-6)


def test_infinity(elementwise: Function) -> None:
    assert elementwise(Tensor([math.inf])).item() in (1.0, math.inf)


def test_nan_stays_nan(elementwise: Function) -> None:
    assert math.isnan(elementwise(Tensor([math.nan])).item())


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3, 4)])
def test_shape_is_kept(elementwise: Function, shape: tuple[int, ...]) -> None:
    assert elementwise(Tensor(np.ones(shape))).shape == shape


def test_strided_input(elementwise: Function) -> None:
    data = np.linspace(-3, 3, 24, dtype=np.float32).reshape(4, 6)
    view = data.T[::2]
    npt.assert_array_equal(elementwise(from_numpy(view)).data, elementwise(Tensor(view.copy())).data)


def test_input_is_left_alone(elementwise: Function) -> None:
    data = np.linspace(-3, 3, 7, dtype=np.float32)
    before = data.copy()
    out = elementwise(from_numpy(data))
    npt.assert_array_equal(data, before)
    assert not np.shares_memory(out.data, data)


@pytest.mark.parametrize("name", sorted(set(ORACLES) - {"relu"}))
def test_integers_are_computed_in_float32(name: str) -> None:
    function, oracle = ORACLES[name]
    out = function(Tensor([-2, 0, 3]))
    assert out.dtype == np.float32
    npt.assert_allclose(out.data, [oracle(x) for x in (-2, 0, 3)], rtol=2e-6, atol=2e-6)


def test_relu_keeps_integers() -> None:
    out = act.relu(Tensor([-2, 0, 3]))
    assert out.dtype.kind == "i"
    assert out.tolist() == [0, 0, 3]


@pytest.mark.parametrize("name", ORACLES)
def test_half_precision_is_rounded_once(name: str) -> None:
    function, _ = ORACLES[name]
    half = np.linspace(-15, 15, 61).astype(np.float16)
    out = function(Tensor(half, dtype=np.float16))
    assert out.dtype == np.float16
    exact = function(Tensor(half, dtype=np.float32)).data
    npt.assert_allclose(out.data.astype(np.float32), exact, rtol=1.5e-3, atol=1e-7)


def test_python_numbers_and_lists_are_taken() -> None:
    assert act.relu(-3.0).item() == 0.0
    assert act.sigmoid([[0.0]]).tolist() == [[0.5]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: act.leaky_relu(1.0, slope=-0.1), "leaky_relu: slope must be 0 or more, got -0.1"),
        (lambda: act.elu(1.0, alpha=-1.0), "elu: alpha must be 0 or more, got -1.0"),
        (lambda: act.elu(1.0, alpha=math.nan), "alpha must be 0 or more, got nan"),
        (lambda: act.softplus(1.0, beta=0.0), "softplus: beta must be above 0, got 0.0"),
        (lambda: act.gelu(1.0, approximate="erf"), "gelu: approximate must be 'none' .exact. or 'tanh', got 'erf'"),  # type: ignore[arg-type]  # wrong on purpose
    ],
)
def test_wrong_settings_are_refused(call: Callable[[], Tensor], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=20))
def test_order_is_kept_by_the_monotone_ones(values: list[float]) -> None:
    x = Tensor(sorted(values))
    for function in (act.relu, act.leaky_relu, act.sigmoid, act.tanh, act.softplus, act.elu):
        # one rounding may swap neighbours
        assert (np.diff(function(x).data.astype(np.float64)) >= -1e-6).all()


@given(st.floats(-80, 80))
def test_sigmoid_mirrors(value: float) -> None:
    x = Tensor([value], dtype=np.float64)
    assert act.sigmoid(x).item() + act.sigmoid(-x).item() == pytest.approx(1.0, abs=1e-14)
