"""The two hidden layers of a block on plain arrays: a linear layer with GELU, and SwiGLU's gate."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from tt_activations import gelu
from tt_layers import linear
from tt_tensor import Array, Primitive, primitive_of, scratch

# Elements of a piece, over which some fifteen passes go. Smaller ones would stay in the second-level cache, but each
# pass gives Python's lock to the other half of the batch and waits for it: measured in a step, from 2**14 to 2**18.
PIECE = 1 << 17
SLOPE = math.sqrt(2 / math.pi)
CUBIC = 0.044715


def pieces(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Cut contiguous arrays of one size into flat pieces that stay in the cache."""
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, flat[0].size, PIECE):
        yield tuple(array[start : start + PIECE] for array in flat)


def gelu_in_place(x: Array) -> None:
    """Turn `x` (contiguous) into its tanh GELU, `x * cdf(x)` with `cdf = (1 + tanh(u)) / 2`."""
    for (part,) in pieces(x):
        near, cdf = (scratch(f"tt_transformers.{use}", part.shape, part.dtype) for use in ("near", "cdf"))
        tanh_cdf(part, near, cdf, cdf)
        part *= cdf


def gelu_with_derivative(x: Array, derivative: Array) -> None:
    """Turn `x` (contiguous) into its tanh GELU, and write the derivative there: in one go, both are cheap.

    With `u = a * (x + b * x**3)`, `cdf' = 2 * cdf * (1 - cdf) * u'`, and `x * u' = 3 * u - 2 * a * x`: so the
    derivative `cdf + x * cdf'` is `cdf * (1 + (1 - cdf) * (6 * u - 4 * a * x))`.
    """
    for part, slope in pieces(x, derivative):
        near, cdf = (scratch(f"tt_transformers.{use}", part.shape, part.dtype) for use in ("near", "cdf"))
        tanh_cdf(part, near, slope, cdf)
        slope *= 6
        near *= 4 * SLOPE
        slope -= near
        slope *= np.subtract(1, cdf, out=near)
        slope += 1
        slope *= cdf
        part *= cdf


def tanh_cdf(x: Array, near: Array, u: Array, out: Array) -> None:
    """Write `(1 + tanh(u)) / 2` into `out`, with `u = SLOPE * (x + CUBIC * x**3)`, which `u` is left holding.

    Beyond 30 the tangent is 1 and constant: `near` is `x` held within, so that no cube overflows.
    """
    np.clip(x, -30, 30, out=near)
    np.multiply(near, near, out=u)
    u *= SLOPE * CUBIC
    u += SLOPE
    u *= near
    np.tanh(u, out=out)
    out += 1
    out *= 0.5


def linear_layer(x: Array, weight: Array, bias: Array) -> Array:
    """Run the linear kernel in use; what it returns may lie in another order, in which no piece could be written."""
    return np.ascontiguousarray(primitive_of(linear).kernel(x, weight, bias))


def linear_gelu(x: Array, weight: Array, bias: Array) -> Array:
    """Compute `gelu(x @ weight + bias)`, with the tanh approximation.

    Shapes: x (..., in), weight (in, out), bias (out,) -> (..., out).

    Example:
        >>> linear_gelu(np.ones((1, 2)), np.ones((2, 1)), np.zeros(1)).round(4).tolist()
        [[1.9546]]
    """
    out = linear_layer(x, weight, bias)
    if out.dtype.char not in "fd":
        return np.asarray(primitive_of(gelu).kernel(out, approximate="tanh"))
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite shows in the result
        gelu_in_place(out)
    return out


def linear_gelu_recording(x: Array, weight: Array, bias: Array) -> tuple[Array, Array]:
    """The same, and GELU's derivative, which is all that its rule needs of the layer in between."""
    out = linear_layer(x, weight, bias)
    wide = out if out.dtype.char in "fd" else out.astype(np.float32)
    derivative = np.empty_like(wide)
    with np.errstate(over="ignore", invalid="ignore"):
        gelu_with_derivative(wide, derivative)
    return wide.astype(out.dtype, copy=False), derivative.astype(out.dtype, copy=False)


def swiglu(gate: Array, up: Array) -> Array:
    """Compute `silu(gate) * up`: the gate says how much of each feature passes.

    Shapes: gate and up equal.

    Example:
        >>> swiglu(np.array([0.0, 100.0]), np.array([3.0, 3.0])).tolist()
        [0.0, 300.0]
    """
    wide = gate.astype(np.result_type(gate, up, np.float32), copy=False)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite shows in the result
        out = np.asarray(np.exp(-wide))
        out += 1
        np.divide(wide, out, out=out)
        out *= up
    return out.astype(np.result_type(gate, up), copy=False)


def swiglu_recording(gate: Array, up: Array) -> tuple[Array, tuple[Array, Array]]:
    """The same, and its slopes for `gate` and for `up`: `up * s * (1 + gate * (1 - s))` and `gate * s`."""
    own = np.result_type(gate, up)
    kind = np.result_type(own, np.float32)
    shape = gate.shape
    gate, up = (np.ascontiguousarray(array, kind).reshape(-1) for array in (gate, up))
    out, of_gate, of_up = (np.empty(gate.shape, kind) for _ in range(3))
    with np.errstate(over="ignore", invalid="ignore"):
        for a, b, result, slope, passed in pieces(gate, up, out, of_gate, of_up):
            s = np.negative(a, out=slope)
            np.exp(s, out=s)
            s += 1
            np.reciprocal(s, out=s)
            np.multiply(a, s, out=passed)
            np.multiply(passed, b, out=result)
            work = np.subtract(1, s, out=scratch("tt_transformers.gate", s.shape, kind))
            work *= a
            work += 1
            slope *= work
            slope *= b
    return out.reshape(shape).astype(own, copy=False), (of_gate.reshape(shape), of_up.reshape(shape))


linear_gelu_primitive = Primitive("linear_gelu", linear_gelu, recording=linear_gelu_recording)
swiglu_primitive = Primitive("swiglu", swiglu, recording=swiglu_recording)
