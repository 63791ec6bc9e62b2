"""What the layers compute, on plain arrays."""

from __future__ import annotations

import math

import numpy as np
from tt_tensor import Array, Primitive


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Compute `x @ weight + bias` for any number of leading axes.

    Shapes: x (..., in), weight (in, out), bias (out,) -> (..., out).

    The leading axes are folded into one, so that there is a single matrix product however many there are.

    Example:
        >>> linear(np.ones((2, 3)), np.ones((3, 1)), np.array([0.5])).tolist()
        [[3.5], [3.5]]
    """
    rows = math.prod(x.shape[:-1])
    dtype = np.result_type(x, weight)
    if dtype == np.float16:  # BLAS has no half precision: NumPy's own loop is a hundred times slower
        x, weight = x.astype(np.float32), weight.astype(np.float32)
    out = x.reshape(rows, x.shape[-1]) @ weight
    if bias is not None:
        if np.can_cast(bias.dtype, out.dtype):
            out += bias
        else:
            out = out + bias
            dtype = np.result_type(dtype, bias)
    return out.reshape(*x.shape[:-1], weight.shape[1]).astype(dtype, copy=False)


def dropout(x: Array, mask: Array, *, scale: float) -> Array:
    """Keep `x` where `mask` is true, multiplied by `scale`; put zero elsewhere.

    Shapes: x and mask equal.

    What is dropped is replaced, not multiplied by zero: an infinity that is dropped is gone, too.

    Example:
        >>> dropout(np.array([1.0, 2.0]), np.array([True, False]), scale=2.0).tolist()
        [2.0, 0.0]
    """
    out = np.where(mask, x, x.dtype.type(0))
    out *= x.dtype.type(scale)
    return out


linear_primitive = Primitive("linear", linear)
dropout_primitive = Primitive("dropout", dropout)
