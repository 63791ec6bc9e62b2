"""Kernels that fold an axis away: sums and what is made of sums, extremes, log-sum-exp.

A float32 sum is worth what its accumulator is worth: all of these give what float64 accumulation would give, rounded
once at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tt_tensor._kernels_elementwise import Array, ieee

Axis = int | tuple[int, ...] | None
_LARGEST = 2**63 - 1
SHORT = 4096
_ONES = np.ones(SHORT)
_EVEN_HALF_HOLDS = 65_000.0

# NumPy's stubs know no `keepdims: bool`, and np.sum costs a microsecond more than the ufunc's own method.
add_up: Callable[..., Array] = np.add.reduce
run_up: Callable[..., Array] = np.add.accumulate
multiply_up: Callable[..., Array] = np.multiply.reduce
largest: Callable[..., Array] = np.maximum.reduce
smallest: Callable[..., Array] = np.minimum.reduce


def reduced_count(shape: tuple[int, ...], axis: Axis) -> int:
    """Count the elements that one output element of a reduction is made of.

    Raises:
        numpy.exceptions.AxisError: There is no such axis; a number alone has one, as in NumPy.
    """
    if axis is None:
        return math.prod(shape)
    sizes = shape or (1,)
    axes = axis if isinstance(axis, tuple) else (axis,)
    for a in axes:
        if not -len(sizes) <= a < len(sizes):
            raise np.exceptions.AxisError(a, len(shape))
    return math.prod(sizes[a] for a in axes)


def sum_(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Add up along an axis: floats pairwise (few) or in a float64 accumulator, integers exactly in int64.

    Raises:
        OverflowError: if an integer sum does not fit into int64. It never wraps around.
    """
    if axis is None and not keepdims and x.size <= SHORT and x.dtype.kind == "f":
        total = short_sum(x)
        if abs(total) <= _EVEN_HALF_HOLDS:
            return np.asarray(total, x.dtype)
    return long_sum(x, axis, keepdims)


def short_sum(x: Array) -> float:
    """Add up few elements in float64, as a product with ones: half the time of a reduction, and silent."""
    return float(np.vdot(x.reshape(-1).astype(np.float64), _ONES[: x.size]))


@ieee
def long_sum(x: Array, axis: Axis, keepdims: bool) -> Array:
    """Add up where rounding or overflow would show."""
    if x.dtype.kind == "f":
        if x.dtype == np.float64:
            return add_up(x, axis=axis, keepdims=keepdims)
        return add_up(x, axis=axis, dtype=np.float64, keepdims=keepdims).astype(x.dtype)
    if fits_int64(x, reduced_count(x.shape, axis)):
        return add_up(x, axis=axis, dtype=np.int64, keepdims=keepdims)
    return exact_int64("sum", add_up(x.astype(object), axis=axis, keepdims=keepdims))


def fits_int64(x: Array, count: int) -> bool:
    """Say whether any sum of `count` elements of an integer array must fit into int64."""
    if x.size == 0 or x.dtype.kind == "b" or (x.dtype.itemsize <= 4 and count < 2**31):
        return True
    return max(abs(int(x.max())), abs(int(x.min()))) * count <= _LARGEST


def exact_int64(name: str, total: Any) -> Array:
    """Turn exact Python integers into int64, or say that they do not fit."""
    whole = np.asarray(total, dtype=object)
    if not all(-_LARGEST - 1 <= value <= _LARGEST for value in whole.flat):
        raise OverflowError(f"{name}: an integer result does not fit into int64; convert first: x.astype('float64')")
    return whole.astype(np.int64)


@ieee
def mean(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Average along an axis with a float64 accumulator; the mean of nothing is NaN."""
    total = add_up(x, axis=axis, dtype=np.float64, keepdims=keepdims)
    average = np.true_divide(total, reduced_count(x.shape, axis))
    return average.astype(x.dtype if x.dtype.kind == "f" else np.float32)


def variance(x: Array, axis: Axis, keepdims: bool, correction: float) -> Array:
    """Compute the variance in float64, in two passes: first the mean, then the squares around it."""
    count = reduced_count(x.shape, axis)
    center = add_up(x, axis=axis, dtype=np.float64, keepdims=True) / count
    deviation = np.asarray(np.subtract(x, center, dtype=np.float64))  # a 0-d difference is a scalar, and no out=
    np.multiply(deviation, deviation, out=deviation)
    return np.true_divide(add_up(deviation, axis=axis, keepdims=keepdims), max(count - correction, 0.0))


@ieee
def var(x: Array, *, axis: Axis = None, keepdims: bool = False, correction: float = 0) -> Array:
    """Return the variance: squared deviations from the mean, divided by count - correction."""
    return variance(x, axis, keepdims, correction).astype(x.dtype if x.dtype.kind == "f" else np.float32)


@ieee
def std(x: Array, *, axis: Axis = None, keepdims: bool = False, correction: float = 0) -> Array:
    """Return the standard deviation, the square root of the variance."""
    spread = np.sqrt(variance(x, axis, keepdims, correction))
    return spread.astype(x.dtype if x.dtype.kind == "f" else np.float32)


@ieee
def prod(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Multiply along an axis; the product of nothing is 1, integers stay exact or raise OverflowError."""
    if x.dtype.kind == "f":
        return multiply_up(x, axis=axis, dtype=np.float64, keepdims=keepdims).astype(x.dtype)
    size = multiply_up(np.abs(x.astype(np.float64)), axis=axis, keepdims=keepdims)
    if np.all(size < 2.0**62):
        return multiply_up(x, axis=axis, dtype=np.int64, keepdims=keepdims)
    return exact_int64("prod", multiply_up(x.astype(object), axis=axis, keepdims=keepdims))


def _refuse_empty(name: str, x: Array, axis: Axis) -> None:
    if x.size == 0 and reduced_count(x.shape, axis) == 0:
        raise ValueError(f"{name}: nothing to choose from along axis {axis} of an array of shape {x.shape}")


def max_(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the largest element along an axis; a NaN wins."""
    _refuse_empty("max", x, axis)
    return largest(x, axis=axis, keepdims=keepdims)


def min_(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the smallest element along an axis; a NaN wins."""
    _refuse_empty("min", x, axis)
    return smallest(x, axis=axis, keepdims=keepdims)


def argmax(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return the position of the largest element, the first one among equals; without axis, in the flattened array."""
    _refuse_empty("argmax", x, axis)
    result: Array = np.argmax(x, axis=axis, keepdims=keepdims)
    return result


def argmin(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return the position of the smallest element, the first one among equals; without axis, in the flattened array."""
    _refuse_empty("argmin", x, axis)
    result: Array = np.argmin(x, axis=axis, keepdims=keepdims)
    return result


def any_(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Say whether any element along an axis is true (not zero)."""
    result: Array = np.any(x, axis=axis, keepdims=keepdims)
    return result


def all_(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Say whether all elements along an axis are true (not zero)."""
    result: Array = np.all(x, axis=axis, keepdims=keepdims)
    return result


@ieee
def logsumexp(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return log(sum(exp(x))) without overflow, by taking the maximum out first; of nothing, it is -inf."""
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, x.dtype.type(0))  # inf - inf would be NaN
    terms = np.asarray(np.subtract(x, shift))  # a 0-d difference is a scalar, and no out=
    np.exp(terms, out=terms)
    total = add_up(terms, axis=axis, dtype=np.float64, keepdims=True)
    out = (np.log(total) + shift).astype(x.dtype)
    result: Array = out if keepdims else out.reshape(_without(x.shape, axis))
    return result


def _without(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """Return a shape without the reduced axes."""
    if axis is None or not shape:
        return ()
    gone = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple(size for position, size in enumerate(shape) if position not in gone)


@ieee
def cumsum(x: Array, *, axis: int) -> Array:
    """Return running sums along an axis, accumulated in float64, or exactly in int64."""
    if x.dtype.kind == "f":
        return run_up(x, axis=axis, dtype=np.float64).astype(x.dtype)
    if fits_int64(x, reduced_count(x.shape, axis)):
        return run_up(x, axis=axis, dtype=np.int64)
    return exact_int64("cumsum", run_up(x.astype(object), axis=axis))


@ieee
def norm(x: Array, *, ord: float = 2, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return the vector norm (sum |x|**ord) ** (1/ord) along an axis; ord=inf is the largest magnitude."""
    if not ord > 0:
        raise ValueError(f"norm: ord must be positive (1, 2, inf ...), got {ord}")
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
    size = np.abs(x.astype(np.float64))
    top = np.max(size, axis=axis, keepdims=True, initial=0.0)
    if ord != np.inf:
        scale = np.where(np.isfinite(top) & (top > 0), top, 1.0)  # squares of 1e200 would overflow, of 1e-200 vanish
        top = scale * add_up((size / scale) ** ord, axis=axis, keepdims=True) ** (1.0 / ord)
    result: Array = (top if keepdims else top.reshape(_without(x.shape, axis))).astype(dtype)
    return result
