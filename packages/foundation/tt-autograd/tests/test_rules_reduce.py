"""Gradients of reductions: over one, several and all axes, of empty and 0-d tensors, and at ties, zeros and -inf."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tt_autograd  # noqa: F401
from tt_tensor import Tensor, primitives

Array = npt.NDArray[Any]
P = primitives()
RNG = np.random.default_rng(1)
AXES = [None, 0, 1, -1, (0, 2), (1,), (-1, 0), (0, 1, 2)]
KEEP = [False, True]
REDUCTIONS = ["sum", "mean", "prod", "max", "min", "logsumexp"]


def values(*shape: int) -> Array:
    """Distinct values, so that no step of the numeric check crosses a tie."""
    size = math.prod(shape)
    return np.asarray((RNG.permutation(size) - size / 2 + 0.25).reshape(shape) / max(size, 1) * 3)


def gradient(x: Tensor) -> Array:
    assert x.grad is not None
    return x.grad.data


def double(values: Any) -> Tensor:
    return Tensor(values, dtype=np.float64, requires_grad=True)


@pytest.mark.parametrize("keepdims", KEEP)
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(check: Any, name: str, axis: Any, keepdims: bool) -> None:
    check(lambda x: P[name](x, axis=axis, keepdims=keepdims), values(2, 3, 4))


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_a_scalar_and_of_a_strided_array(check: Any, name: str) -> None:
    check(lambda x: P[name](x, axis=None, keepdims=False), values())
    check(lambda x: P[name](x, axis=0, keepdims=False), values(6, 4)[::2, ::-1])
    check(lambda x: P[name](x, axis=0, keepdims=False), values(3, 4).T)


@pytest.mark.parametrize("name", ["sum", "prod"])
def test_reductions_of_nothing(check: Any, name: str) -> None:
    check(lambda x: P[name](x, axis=None, keepdims=False), values(0))
    check(lambda x: P[name](x, axis=0, keepdims=False), values(0, 3))
    check(lambda x: P[name](x, axis=1, keepdims=True), values(0, 3))


@pytest.mark.parametrize("name", ["mean", "max", "min", "logsumexp"])
def test_reductions_of_full_rows_of_an_empty_batch(check: Any, name: str) -> None:
    check(lambda x: P[name](x, axis=1, keepdims=False), values(0, 3))


def test_a_large_sum_and_mean() -> None:
    for name, expected in (("sum", 1.0), ("mean", 1 / 10_000)):
        x = Tensor(np.ones((100, 100)), requires_grad=True)
        P[name](x, axis=None, keepdims=False).backward()
        assert gradient(x).shape == (100, 100)
        np.testing.assert_allclose(gradient(x), expected, rtol=1e-6)


def test_the_mean_of_many_halves_does_not_overflow_in_the_gradient() -> None:
    x = Tensor(np.ones(70_000), dtype=np.float16, requires_grad=True)
    P["mean"](x, axis=None, keepdims=False).backward()
    np.testing.assert_allclose(gradient(x), 1 / 70_000, rtol=5e-2)


@pytest.mark.parametrize("keepdims", KEEP)
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("correction", [0, 1])
@pytest.mark.parametrize("name", ["var", "std"])
def test_variance(check: Any, name: str, correction: int, axis: Any, keepdims: bool) -> None:
    check(lambda x: P[name](x, axis=axis, keepdims=keepdims, correction=correction), values(2, 3, 4))


def test_variance_of_an_empty_batch(check: Any) -> None:
    check(lambda x: P["var"](x, axis=1, keepdims=False, correction=1), values(0, 3))


def test_gradient_of_a_variance_keeps_its_digits_far_from_zero() -> None:
    x = Tensor([1e8, 1e8 + 8, 1e8 + 16], requires_grad=True)
    P["var"](x, axis=None, keepdims=False, correction=1).backward()
    assert gradient(x).tolist() == [-8.0, 0.0, 8.0]


def test_std_of_equal_elements_has_gradient_zero() -> None:
    x = double([3.0, 3.0, 3.0])
    P["std"](x, axis=None, keepdims=False, correction=1).backward()
    assert gradient(x).tolist() == [0.0, 0.0, 0.0]


def test_variance_without_freedom_has_a_gradient_of_nan_and_does_not_warn() -> None:
    x = double([[3.0], [4.0]])
    P["var"](x, axis=1, keepdims=False, correction=1).sum().backward()
    assert np.isnan(gradient(x)).all()


@pytest.mark.parametrize("keepdims", KEEP)
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, 0.5, math.inf])
def test_norm(check: Any, order: float, axis: Any, keepdims: bool) -> None:
    check(lambda x: P["norm"](x, ord=order, axis=axis, keepdims=keepdims), values(2, 3, 4))


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, 0.5, math.inf])
def test_norm_of_zeros_has_gradient_zero(order: float) -> None:
    x = double([0.0, 0.0])
    P["norm"](x, ord=order, axis=None, keepdims=False).backward()
    assert gradient(x).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("name", "data"), [("max", [1.0, 5.0, 5.0, 2.0]), ("min", [9.0, 5.0, 5.0, 7.0])])
def test_ties_share_the_gradient_equally(name: str, data: list[float]) -> None:
    x = double(data)
    P[name](x, axis=None, keepdims=False).backward()
    assert gradient(x).tolist() == [0.0, 0.5, 0.5, 0.0]
    rows = double([data, data])
    P[name](rows, axis=1, keepdims=True).sum().backward()
    assert gradient(rows).tolist() == [[0.0, 0.5, 0.5, 0.0]] * 2


@pytest.mark.parametrize(
    ("data", "expected"),
    [([2.0, 0.0, 3.0], [0.0, 6.0, 0.0]), ([0.0, 0.0, 3.0], [0.0, 0.0, 0.0]), ([0.0], [1.0]), ([4.0, 5.0], [5.0, 4.0])],
)
def test_product_with_zeros_is_exact(data: list[float], expected: list[float]) -> None:
    x = double(data)
    P["prod"](x, axis=None, keepdims=False).backward()
    assert gradient(x).tolist() == expected


def test_product_with_zeros_over_inner_axes(check: Any) -> None:
    x = values(2, 3, 2)
    x[0, 1, 0] = x[1, 0, 1] = x[1, 2, 1] = 0
    for axis in (0, 1, 2, (0, 2), (1, 2), None):
        check(lambda x, axis=axis: P["prod"](x, axis=axis, keepdims=False), x)


def test_logsumexp_of_rows_of_minus_infinity_gives_no_nan() -> None:
    x = double([[-math.inf, -math.inf], [-math.inf, 1.0], [0.0, 0.0]])
    P["logsumexp"](x, axis=1, keepdims=False).sum().backward()
    assert gradient(x).tolist() == [[0.0, 0.0], [0.0, 1.0], [0.5, 0.5]]


def test_logsumexp_of_huge_values() -> None:
    x = Tensor([1e4, -1e4, 3e38], requires_grad=True)
    P["logsumexp"](x, axis=None, keepdims=False).backward()
    assert gradient(x).tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_cumsum(check: Any, axis: int) -> None:
    check(lambda x: P["cumsum"](x, axis=axis), values(2, 3, 4))
    check(lambda x: P["cumsum"](x, axis=axis), values(0, 3))


def test_cumsum_sums_the_gradient_from_the_end() -> None:
    x = double([5.0, 5.0, 5.0])
    P["cumsum"](x, axis=0).backward(Tensor([1.0, 10.0, 100.0], dtype=np.float64))
    assert gradient(x).tolist() == [111.0, 110.0, 100.0]
