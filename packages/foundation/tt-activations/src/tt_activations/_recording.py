"""What GELU keeps for its gradient: its derivative, which costs little while the forward pass is at hand."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array

from tt_activations._kernels import normal_cdf, tanh_cdf


def gelu_recording(x: Array, *, approximate: str) -> tuple[Array, Array]:
    """GELU and its derivative, from one evaluation of the distribution function.

    Keeping the derivative instead of `x` costs the same memory, and leaves the backward pass one multiplication.
    """
    wide = x if x.dtype.char in "fd" else x.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        cdf = normal_cdf(wide) if approximate == "none" else tanh_cdf(wide)
        derivative = _density(wide, cdf, approximate)
        derivative += cdf
        cdf *= wide
    if x.dtype.kind != "f":
        return cdf, derivative
    return cdf.astype(x.dtype, copy=False), derivative.astype(x.dtype, copy=False)


def _density(x: Array, cdf: Array, approximate: str) -> Array:
    """`x` times the derivative of the distribution function; beyond 30 both are constant, and x*x may not overflow."""
    x = np.asarray(np.clip(x, -30, 30))
    out = np.asarray(x * x)
    if approximate == "none":
        out *= -0.5
        np.exp(out, out=out)
        out *= (2 * np.pi) ** -0.5
    else:
        # d/dx (1 + tanh(u)) / 2 = (1 - tanh(u)**2) / 2 * u' = 2 * cdf * (1 - cdf) * u'
        out *= 3 * 0.044715
        out += 1
        out *= 2 * (2 / np.pi) ** 0.5
        out *= cdf
        out *= 1 - cdf
    out *= x
    return out
