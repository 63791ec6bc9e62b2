"""Gradients of the elementwise primitives of tt-tensor.

Every primitive here declares itself elementwise, so a rule may return its gradient in the shape of the output: the
engine sums it back to the shape of the input. An argument that starts with an underscore is not kept alive.
"""

from __future__ import annotations

import math

import numpy as np
from tt_tensor import Array, primitives

from tt_autograd._table import Spec, defvjp

P = primitives()
power = P["power"].reference  # on plain arrays


def tanh_gradient(g: Array, out: Array, _x: Spec) -> Array:
    """Gradient of ``tanh``: ``g (1 - tanh^2)``; the result is enough, so the input is not kept."""
    slope = np.asarray(out * out)
    np.subtract(1, slope, out=slope)  # in place: a fresh array costs more than the arithmetic
    slope *= g
    return slope


def multiply_left(g: Array, _out: None, _x: Spec, y: Array) -> Array:
    """Gradient of ``x y`` for ``x``: ``g y``."""
    return g * y


def multiply_right(g: Array, _out: None, x: Array, _y: Spec) -> Array:
    """Gradient of ``x y`` for ``y``: ``g x``."""
    return g * x


def divide_right(g: Array, out: Array, _x: Spec, y: Array) -> Array:
    """Gradient of ``x / y`` for ``y``: ``-g (x / y) / y``; the quotient is at hand, so ``x`` is not kept."""
    slope: Array = out / y
    return -g * slope


def power_base(g: Array, _out: None, x: Array, y: Array) -> Array:
    """Gradient of ``x ** y`` for ``x``: ``g y x^(y-1)``, and 0 where ``y == 0`` (also at ``0 ** 0``)."""
    if y.ndim == 0:
        exponent = y.item()  # a Python number: an integer array would turn float32 into float64
        slope: Array = x + x if exponent == 2 else exponent * power(x, np.array(exponent - 1, x.dtype))
        return g * slope if exponent else np.zeros_like(g)
    return np.where(y == 0, 0, g * (y * x ** (y - 1)))


def power_exponent(g: Array, out: Array, x: Array, y: Array) -> Array:
    """Gradient of ``x ** y`` for ``y``: ``g x^y log x``, and 0 where ``x == 0`` and ``y >= 0``."""
    return np.where((x == 0) & (y >= 0), 0, g * (out * np.log(x)))


def clip_gradient(g: Array, _out: None, x: Array, *, low: float | None = None, high: float | None = None) -> Array:
    """Gradient of ``clip``: passes where ``low <= x <= high``, the boundaries included."""
    if low is None and high is None:
        return g
    if low is None:
        return np.where(x <= high, g, 0)
    if high is None:
        return np.where(x >= low, g, 0)
    return np.where((x >= low) & (x <= high), g, 0)


def winner_gradient(g: Array, lost: Array, tied: Array) -> Array:
    """Gradient of the side of ``maximum`` or ``minimum`` that lost where ``lost``; a tie is shared, half each."""
    return np.where(lost, 0, np.where(tied, g * 0.5, g))


defvjp(P["negative"], lambda g, _out, _x: -g)
defvjp(P["abs"], lambda g, _out, x: g * np.sign(x))
defvjp(P["exp"], lambda g, out, _x: g * out)
defvjp(P["log"], lambda g, _out, x: g / x)
defvjp(P["log1p"], lambda g, _out, x: g / (x + 1))
defvjp(P["sqrt"], lambda g, out, _x: g * 0.5 / out)
defvjp(P["sin"], lambda g, _out, x: g * np.cos(x))
defvjp(P["cos"], lambda g, _out, x: -g * np.sin(x))
defvjp(P["tanh"], tanh_gradient)
defvjp(P["erf"], lambda g, _out, x: g * (np.exp(-(x * x)) * (2 / math.sqrt(math.pi))))
defvjp(P["clip"], clip_gradient)

defvjp(P["add"], lambda g, _out, _x, _y: g, lambda g, _out, _x, _y: g)
defvjp(P["subtract"], lambda g, _out, _x, _y: g, lambda g, _out, _x, _y: -g)
defvjp(P["multiply"], multiply_left, multiply_right)
defvjp(P["divide"], lambda g, _out, _x, y: g / y, divide_right)
defvjp(P["remainder"], lambda g, _out, _x, _y: g, lambda g, _out, x, y: -g * np.floor_divide(x, y))
defvjp(P["power"], power_base, power_exponent)
defvjp(
    P["maximum"],
    lambda g, _out, x, y: winner_gradient(g, x < y, x == y),
    lambda g, _out, x, y: winner_gradient(g, y < x, x == y),
)
defvjp(
    P["minimum"],
    lambda g, _out, x, y: winner_gradient(g, x > y, x == y),
    lambda g, _out, x, y: winner_gradient(g, y > x, x == y),
)
defvjp(
    P["where"],
    lambda g, _out, _condition, _x, _y: np.zeros_like(g),  # a step function: flat wherever it has a slope
    lambda g, _out, condition, _x, _y: np.where(condition, g, 0),
    lambda g, _out, condition, _x, _y: np.where(condition, 0, g),
)
defvjp(
    P["masked_fill"],
    lambda g, _out, _x, mask, *, value: np.where(mask, 0, g),
    lambda g, _out, _x, _mask, *, value: np.zeros_like(g),
)
defvjp(P["astype"], lambda g, _out, _x, *, dtype: g.astype(_x.dtype))
defvjp(P["copy"], lambda g, _out, _x: g)
