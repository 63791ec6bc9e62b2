"""The exact GELU and its derivative: block by block, so that all passes but the first read from the cache."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array, primitives

_BLOCK = 1 << 14
# What a normal distribution holds above a >= 0 is exp(-a*a/2) times this polynomial of 1 / (1 + 0.3 a), highest power
# first: a minimax fit of relative error 6e-8 up to a = 15, beyond which float32 knows only 0.
_STEEPNESS, _END = 0.3, 16.0
_TAIL = (0.038425203, -0.169393889, 0.229129934, -0.077042856, 0.142905131, 0.094526551, 0.121960356, 0.119482106,
         7.494727e-06)  # fmt: skip
_DENSITY = (2 * np.pi) ** -0.5


def exact_gelu(x: Array, *, derive: bool = False) -> tuple[Array, Array | None]:
    """GELU of float32 or float64, and with `derive` its derivative, for which most is at hand then.

    Both lie in memory as `x` does: channels last, for one, as the next convolution wants them.
    """
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    packed = np.ascontiguousarray(x.transpose(order))
    flat = packed.reshape(-1)
    out = np.empty_like(flat)
    derivative = np.empty_like(flat) if derive else None
    formula = _by_tail if flat.dtype == np.float32 else _by_erf
    for start in range(0, flat.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        formula(flat[part], out[part], None if derivative is None else derivative[part])
    back = np.argsort(order)
    shape = x.transpose(order).shape  # of a number, ascontiguousarray makes a row
    result = out.reshape(shape).transpose(back)
    return result, None if derivative is None else derivative.reshape(shape).transpose(back)


def _by_tail(x: Array, out: Array, derivative: Array | None) -> None:
    """In float32, by the share in the tail: `1 + erf` would lose all digits where they cancel, from -5 downwards."""
    size = np.minimum(np.abs(x), _END)
    place = size * _STEEPNESS
    place += 1
    np.reciprocal(place, out=place)
    share = place * _TAIL[0]
    for coefficient in _TAIL[1:-1]:
        share += coefficient
        share *= place
    share += _TAIL[-1]
    fall = np.multiply(size, -0.5, out=place)
    fall *= size
    np.exp(fall, out=fall)
    if derivative is not None:
        # Below 0 it is tail - |x| * density, above 0 that is what 1 lacks of it.
        side = np.sign(x)
        slope = size * -_DENSITY
        slope += share
        slope *= fall
        slope *= side
        side += 1
        side *= 0.5
        np.subtract(side, slope, out=derivative)
    share *= fall
    share *= size
    np.maximum(x, 0, out=out)
    out -= share


def _by_erf(x: Array, out: Array, derivative: Array | None) -> None:
    """In float64: `x * cdf` with `cdf = (1 + erf(x / sqrt(2))) / 2`, and `cdf + x * density`."""
    cdf = primitives()["erf"].kernel(x * 2**-0.5)
    cdf += 1
    cdf *= 0.5
    if derivative is not None:
        bounded = np.clip(x, -40, 40)  # beyond, the density is 0, and x*x may not overflow
        np.multiply(bounded, bounded, out=derivative)
        derivative *= -0.5
        np.exp(derivative, out=derivative)
        derivative *= _DENSITY
        derivative *= bounded
        derivative += cdf
    np.multiply(cdf, np.maximum(x, -40), out=out)  # 0 at minus infinity, whose product with 0 is NaN
