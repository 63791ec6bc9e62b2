"""What the layers compute, on plain arrays."""

from __future__ import annotations

import math

import numpy as np
from tt_tensor import Array, Primitive, matrix_product


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Compute `x @ weight + bias` for any number of leading axes.

    Shapes: x (..., in), weight (in, out), bias (out,) -> (..., out).

    The leading axes are folded into one, so that there is a single matrix product however many there are.

    Example:
        >>> linear(np.ones((2, 3)), np.ones((3, 1)), np.array([0.5])).tolist()
        [[3.5], [3.5]]
    """
    if x.dtype == weight.dtype != np.float16 and (bias is None or bias.dtype == x.dtype):
        out = matrix_product(x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1]), weight)
        if bias is not None:
            out += bias
        return out if x.ndim == 2 else out.reshape(*x.shape[:-1], weight.shape[1])
    return mixed_linear(x, weight, bias)


def mixed_linear(x: Array, weight: Array, bias: Array | None) -> Array:
    """Compute `x @ weight + bias` for element types that differ, or are half: in float32 at least, then rounded once.

    BLAS has no half precision, and NumPy's own loop is a hundred times slower.
    """
    dtype = np.result_type(x, weight) if bias is None else np.result_type(x, weight, bias)
    wide = np.result_type(dtype, np.float32)
    terms = [None if array is None else array.astype(wide, copy=False) for array in (x, weight, bias)]
    return linear(*terms).astype(dtype, copy=False)  # type: ignore[arg-type]  # only the bias may be absent


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
