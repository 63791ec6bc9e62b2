"""What GELU keeps for its gradient: its derivative, which costs little while the forward pass is at hand."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array

from tt_activations._kernels import tanh_cdf
from tt_activations._normal import exact_gelu


def gelu_recording(x: Array, *, approximate: str) -> tuple[Array, Array]:
    """GELU and its derivative, from one evaluation of the distribution function.

    Keeping the derivative instead of `x` costs the same memory, and leaves the backward pass one multiplication.
    """
    wide = x if x.dtype.char in "fd" else x.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        if approximate == "none":
            out, derivative = exact_gelu(wide, derive=True)
            assert derivative is not None
        else:
            out = tanh_cdf(wide)
            derivative = _tanh_density(wide, out)
            derivative += out
            out *= wide
    if x.dtype.kind != "f":
        return out, derivative
    return out.astype(x.dtype, copy=False), derivative.astype(x.dtype, copy=False)


def _tanh_density(x: Array, cdf: Array) -> Array:
    """`x` times the derivative of `tanh_cdf`; beyond 30 that is constant, and x*x may not overflow."""
    x = np.asarray(np.clip(x, -30, 30))
    # d/dx (1 + tanh(u)) / 2 = (1 - tanh(u)**2) / 2 * u' = 2 * cdf * (1 - cdf) * u'
    out = np.asarray(x * x)
    out *= 3 * 0.044715
    out += 1
    out *= 2 * (2 / np.pi) ** 0.5
    out *= cdf
    out *= 1 - cdf
    out *= x
    return out
