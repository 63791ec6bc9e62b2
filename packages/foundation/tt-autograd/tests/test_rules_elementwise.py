"""Gradients of the elementwise operations: numeric checks, then what happens at the edges."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tt_autograd  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tt_tensor import Tensor, from_numpy, primitives

Array = npt.NDArray[Any]
P = primitives()
RNG = np.random.default_rng(0)
SHAPES = [(), (1,), (4,), (2, 3), (0,), (2, 0, 3), (2, 1, 3)]
PAIRS = [
    ((), ()), ((3,), ()), ((), (3,)), ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)),
    ((1, 1), (2, 3)), ((0, 3), (3,)), ((0, 3), (1, 1)), ((4, 2, 3), (2, 1)), ((2, 3), (1, 1, 1)),
]  # fmt: skip


def normal(*shape: int) -> Array:
    """Values away from zero, where abs and its like have a kink."""
    values = RNG.standard_normal(shape)
    return np.asarray(np.sign(values) * (np.abs(values) + 0.1))


def positive(*shape: int) -> Array:
    return np.asarray(np.abs(RNG.standard_normal(shape)) + 0.3)


def gradient(operation: Callable[..., Tensor], *values: Any, at: int = 0) -> Array:
    leaves = [Tensor(np.asarray(v, dtype=np.float64), dtype=np.float64, requires_grad=True) for v in values]
    operation(*leaves).sum().backward()
    found = leaves[at].grad
    assert found is not None
    return found.data


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["negative", "abs", "exp", "sin", "cos", "tanh", "erf", "copy"])
def test_one_input(check: Any, name: str, shape: tuple[int, ...]) -> None:
    check(P[name], normal(*shape))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["log", "log1p", "sqrt"])
def test_one_positive_input(check: Any, name: str, shape: tuple[int, ...]) -> None:
    check(P[name], positive(*shape))


@pytest.mark.parametrize(("left", "right"), PAIRS)
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "maximum", "minimum"])
def test_two_inputs_broadcast(check: Any, name: str, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    check(P[name], normal(*left), normal(*right))


@pytest.mark.parametrize(("left", "right"), PAIRS)
@pytest.mark.parametrize("name", ["divide", "power", "remainder"])
def test_division_and_power_broadcast(check: Any, name: str, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    check(P[name], positive(*left), positive(*right))


@pytest.mark.parametrize("name", ["exp", "tanh", "abs"])
def test_strided_input(check: Any, name: str) -> None:
    base = normal(4, 6)
    check(P[name], base[::2, ::-3])
    check(P[name], base.T)
    check(P[name], np.broadcast_to(base[:, :1], (4, 3)).copy().T)


def test_strided_inputs_of_a_product(check: Any) -> None:
    check(P["multiply"], normal(4, 6)[::2, ::2], normal(3, 2).T)


@pytest.mark.parametrize(("low", "high"), [(-0.5, 0.5), (None, 0.5), (-0.5, None), (None, None)])
def test_clip(check: Any, low: float | None, high: float | None) -> None:
    check(lambda x: P["clip"](x, low=low, high=high), np.array([-2.0, -0.4, 0.1, 0.49, 3.0]))


def test_clip_passes_the_gradient_at_its_boundaries() -> None:
    found = gradient(lambda x: P["clip"](x, low=0.0, high=1.0), [-1.0, 0.0, 0.5, 1.0, 2.0])
    assert found.tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    "shapes", [((2, 3), (2, 3), (2, 3)), ((3,), (2, 1), (3,)), ((2, 1), (), (3,)), ((0,), (1,), ())]
)
def test_where(check: Any, shapes: tuple[tuple[int, ...], ...]) -> None:
    check(P["where"], normal(*shapes[0]) > 0, normal(*shapes[1]), normal(*shapes[2]))


def test_where_keeps_an_infinity_of_the_unchosen_side_out() -> None:
    condition = from_numpy(np.array([True, False]))
    x = Tensor([4.0, 0.0], requires_grad=True)
    P["where"](condition, P["sqrt"](x), x).sum().backward()
    assert x.grad is not None
    assert x.grad.data[0] == 0.25


def test_masked_fill(check: Any) -> None:
    mask = np.array([[True, False, False], [False, True, False]])
    check(lambda x, m: P["masked_fill"](x, m, value=7.0), normal(2, 3), mask)
    check(lambda x, m: P["masked_fill"](x, m, value=7.0), normal(2, 3), mask[0])


def test_abs_has_gradient_zero_at_zero() -> None:
    assert gradient(P["abs"], [0.0, -2.0, 3.0]).tolist() == [0.0, -1.0, 1.0]


def test_sqrt_has_an_infinite_gradient_at_zero_and_does_not_warn() -> None:
    assert gradient(P["sqrt"], [0.0, 4.0]).tolist() == [math.inf, 0.25]


def test_log_has_an_infinite_gradient_at_zero_and_does_not_warn() -> None:
    assert gradient(P["log"], [0.0]).tolist() == [math.inf]


def test_ties_of_maximum_and_minimum_are_shared_half_each() -> None:
    for name in ("maximum", "minimum"):
        assert gradient(P[name], [2.0], [2.0], at=0).tolist() == [0.5]
        assert gradient(P[name], [2.0], [2.0], at=1).tolist() == [0.5]


@pytest.mark.parametrize(
    ("base", "exponent", "expected"),
    [(0.0, 0.0, 0.0), (0.0, 1.0, 1.0), (0.0, 2.0, 0.0), (-2.0, 3.0, 12.0), (-2.0, 2.0, -4.0), (2.0, -1.0, -0.25),
     (0.0, 0.5, math.inf)],
)  # fmt: skip
def test_gradient_of_a_power_for_its_base(base: float, exponent: float, expected: float) -> None:
    assert gradient(P["power"], [base], [exponent]).tolist() == [expected]
    x = Tensor([base], dtype=np.float64, requires_grad=True)
    (x**exponent).sum().backward()  # the exponent a Python number
    assert x.grad is not None
    assert x.grad.tolist() == [expected]


@pytest.mark.parametrize(
    ("base", "exponent", "expected"), [(0.0, 0.0, 0.0), (0.0, 2.0, 0.0), (1.0, 5.0, 0.0), (math.e, 1.0, math.e)]
)
def test_gradient_of_a_power_for_its_exponent(base: float, exponent: float, expected: float) -> None:
    assert gradient(P["power"], [base], [exponent], at=1) == pytest.approx(expected)


def test_gradient_of_a_power_of_a_negative_base_for_its_exponent_is_nan_as_the_logarithm_is() -> None:
    assert math.isnan(gradient(P["power"], [-2.0], [2.0], at=1)[0])


def test_astype_casts_the_gradient_back() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    (P["astype"](x, dtype=np.dtype(np.float64)) * 3.0).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "power", "maximum", "minimum"])
def test_gradients_keep_the_dtype_of_their_own_input(name: str) -> None:
    x = Tensor([1.5, 2.0], dtype=np.float32, requires_grad=True)
    y = Tensor([3.0, 0.5], dtype=np.float64, requires_grad=True)
    P[name](x, y).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert x.grad.dtype == np.float32
    assert y.grad.dtype == np.float64


def test_an_integer_operand_brings_no_float64() -> None:
    x = Tensor([1.5, 2.0], requires_grad=True)
    (x * from_numpy(np.array([2, 3]))).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [2.0, 3.0]


def test_float16_stays_float16() -> None:
    x = Tensor([1.5, 2.0], dtype=np.float16, requires_grad=True)
    (P["tanh"](x) * 2.0 + P["exp"](x)).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float16


SHAPE_PAIRS = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3)


@settings(max_examples=60, deadline=None)
@given(shapes=SHAPE_PAIRS, seed=st.integers(0, 2**16))
def test_the_product_rule_holds_for_all_broadcasts(shapes: hnp.BroadcastableShapes, seed: int) -> None:
    rng = np.random.default_rng(seed)
    (a, b) = (rng.standard_normal(shape) for shape in shapes.input_shapes)
    x, y = (Tensor(v, dtype=np.float64, requires_grad=True) for v in (a, b))
    cotangent = rng.standard_normal(shapes.result_shape)
    (x * y).backward(Tensor(cotangent, dtype=np.float64))
    assert x.grad is not None
    assert y.grad is not None
    assert x.grad.shape == a.shape
    # <g, x y> is linear in x and in y: Euler's identity
    total = (cotangent * (a * b)).sum()
    assert (x.grad.data * a).sum() == pytest.approx(total, abs=1e-9)
    assert (y.grad.data * b).sum() == pytest.approx(total, abs=1e-9)
