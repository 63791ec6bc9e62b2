"""Kernels that treat every element alone: plain NumPy arrays in, one array out.

Addition, multiplication, comparison and their like *are* NumPy ufuncs and are used as they are; here stand those that
need more: silence where infinity is the right answer, an error function that NumPy lacks, typed masking.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
P = ParamSpec("P")
R = TypeVar("R")


def ieee(kernel: Callable[P, R]) -> Callable[P, R]:
    """Make a kernel silent about infinity and NaN, where IEEE 754 makes them the meaningful result."""
    return np.errstate(all="ignore")(kernel)


def float_of(x: Array) -> np.dtype[Any] | None:
    """Return the type to compute a function of integers in; of the small ones NumPy would make float16."""
    return None if x.dtype.kind == "f" else np.result_type(x, np.float32)


@ieee
def divide(x: Array, y: Array) -> Array:
    """Divide x by y, element by element; x/0 is a signed infinity and 0/0 is NaN, as IEEE 754 says."""
    return np.divide(x, y)


@ieee
def floor_divide(x: Array, y: Array) -> Array:
    """Divide x by y and round down; for floats by 0 as IEEE 754 says.

    Raises:
        ZeroDivisionError: An integer is divided by 0.
    """
    refuse_zeros("floor_divide", x, y)
    return np.floor_divide(x, y)


@ieee
def remainder(x: Array, y: Array) -> Array:
    """Return what whole division leaves, with the sign of y; for floats by 0 it is NaN.

    Raises:
        ZeroDivisionError: An integer is divided by 0.
    """
    refuse_zeros("remainder", x, y)
    return np.remainder(x, y)


def refuse_zeros(name: str, x: Array, y: Array) -> None:
    """Raise if integers are divided by 0: no integer says that there is no answer."""
    if np.result_type(x, y).kind != "f" and not np.all(y):
        raise ZeroDivisionError(f"{name}: an integer is divided by 0; convert to floats, or mask the zeros first")


def whole_power(x: Array, y: Array) -> Array:
    """Raise x to one whole power: of the magnitudes, for which NumPy takes a fiftieth of the time, then the signs."""
    size = np.asarray(np.power(np.abs(x), y))
    return np.copysign(size, x, out=size) if float(y) % 2 == 1 else size


@ieee
def power(x: Array, y: Array) -> Array:
    """Raise x to the power y; 0**0 is 1, and an integer to a negative power is a float."""
    if np.ndim(y) == 0 and y == 2:
        return np.multiply(x, x, dtype=np.result_type(x, y))
    if np.ndim(y) == 0 and x.dtype.kind == y.dtype.kind == "f" and float(y).is_integer():
        return whole_power(x, y)
    integers = np.result_type(x, y).kind in "iu"
    if integers and np.less(y, 0).any():
        return np.power(x, y, dtype=np.float64)
    return np.power(x, y)


@ieee
def exp(x: Array) -> Array:
    """Return e to the power x: infinity above the largest float's logarithm."""
    return np.exp(x, dtype=float_of(x))


@ieee
def log(x: Array) -> Array:
    """Return the natural logarithm: minus infinity at 0, NaN below."""
    return np.log(x, dtype=float_of(x))


@ieee
def log1p(x: Array) -> Array:
    """Return log(1 + x), exact for x near 0 where 1 + x would round to 1."""
    return np.log1p(x, dtype=float_of(x))


@ieee
def sqrt(x: Array) -> Array:
    """Return the square root: NaN for negative numbers."""
    return np.sqrt(x, dtype=float_of(x))


@ieee
def sin(x: Array) -> Array:
    """Return the sine of x (radians): NaN at infinity."""
    return np.sin(x, dtype=float_of(x))


@ieee
def cos(x: Array) -> Array:
    """Return the cosine of x (radians): NaN at infinity."""
    return np.cos(x, dtype=float_of(x))


def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent, between -1 and 1."""
    return np.tanh(x, dtype=float_of(x))


def clip(x: Array, *, low: float | None = None, high: float | None = None) -> Array:
    """Hold every element between low and high; None leaves that side open, NaN stays NaN."""
    if low is not None and high is not None and low > high:
        raise ValueError(f"clip: low {low} is above high {high}; swap them")
    if low is not None:
        x = np.maximum(x, low)
    if high is not None:
        x = np.minimum(x, high)
    return x.copy() if low is None and high is None else x


def where(condition: Array, x: Array, y: Array) -> Array:
    """Take from x where the condition holds, from y elsewhere; all three broadcast together."""
    return np.where(condition, x, y)


def masked_fill(x: Array, mask: Array, *, value: float) -> Array:
    """Replace the elements under a boolean mask by one value; the mask broadcasts to x."""
    if mask.dtype != np.bool_:
        raise TypeError(f"masked_fill: the mask must be boolean, got {mask.dtype}; compare something, e.g. mask == 0")
    out = np.where(mask, value, x)
    if out.shape != x.shape:
        raise ValueError(f"masked_fill: mask {mask.shape} does not broadcast to x {x.shape}; stretch x first")
    return out


def astype(x: Array, *, dtype: npt.DTypeLike) -> Array:
    """Copy x into another dtype."""
    return x.astype(dtype)


def copy(x: Array) -> Array:
    """Copy x into fresh, C-contiguous memory."""
    return x.copy()


# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969): erf(x) = x R(x*x) for
# |x| <= 0.46875, and erfc(x) = exp(-x*x) S(x) above it. Highest power first, for Horner's rule.
_NEAR_TOP = (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2,
             3.20937758913846947e3)  # fmt: skip
_NEAR_BOTTOM = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_FAR_TOP = (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
            2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
            1.23033935479799725e3)  # fmt: skip
_FAR_BOTTOM = (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
               3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3)  # fmt: skip
# For float32, erf(x) = tanh(x P(x*x)) up to |x| = 3.95, and 1 beyond: a minimax fit of relative error 7e-8. Whatever
# rounding does to P, tanh makes of it less, and nothing where erf is flat.
_SINGLE = (5.4217278e-9, 2.7572914e-8, -4.7945755e-6, 8.4596453e-5, -6.1483796e-4, -1.9528845e-4, 1.0276986e-1,
           1.1283792)  # fmt: skip
_SINGLE_END = 3.95
_BLOCK = 1 << 14


def polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    """Evaluate a polynomial by Horner's rule, highest power first, in one buffer."""
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total


@ieee
def erf(x: Array) -> Array:
    """Return the error function 2/sqrt(pi) * integral of exp(-t*t) from 0 to x, to 5 units in the last place."""
    if x.dtype == np.float64 or x.dtype.kind != "f":
        formula, flat = _erf_double, np.ravel(x).astype(np.float64, copy=False)
    else:
        formula, flat = _erf_single, np.ravel(x).astype(np.float32, copy=False)
    out = np.empty_like(flat)
    for start in range(0, flat.size, _BLOCK):  # blocks stay in the cache through all of Horner's passes
        out[start : start + _BLOCK] = formula(flat[start : start + _BLOCK])
    result = out.reshape(np.shape(x))
    return result.astype(np.float16) if x.dtype == np.float16 else result


def _erf_single(x: Array) -> Array:
    near = np.clip(x, -_SINGLE_END, _SINGLE_END)
    angle = polynomial(near * near, _SINGLE)
    angle *= near
    return np.tanh(angle, out=angle)


def _erf_double(x: Array) -> Array:
    size = np.abs(x)
    far = np.minimum(size, 6.0)  # erf(6) is 1 to the last bit
    out = 1.0 - np.exp(-far * far) * polynomial(far, _FAR_TOP) / polynomial(far, _FAR_BOTTOM)
    np.copysign(out, x, out=out)
    near = size <= 0.46875
    inside = x[near]
    square = inside * inside
    out[near] = inside * polynomial(square, _NEAR_TOP) / polynomial(square, _NEAR_BOTTOM)
    result: Array = out
    return result
