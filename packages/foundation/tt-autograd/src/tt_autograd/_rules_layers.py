"""Gradients of the layers: ``linear`` and ``dropout``."""

from __future__ import annotations

import numpy as np
from tt_layers import dropout, linear
from tt_tensor import Array, as_matrix, column_sums, matrix_product

from tt_autograd._table import Spec, defvjp


def product(a: Array, b: Array) -> Array:
    """Return ``a @ b``, in float32 where both are half precision: BLAS has no half precision."""
    if a.dtype == np.float16 and b.dtype == np.float16:
        wide: Array = a.astype(np.float32) @ b.astype(np.float32)
        return wide.astype(np.float16)
    return matrix_product(a, b)


def linear_input(g: Array, _out: Spec, _x: Spec, weight: Array, _bias: Spec | None = None) -> Array:
    """Gradient of ``x @ W + b`` for ``x``: ``g @ W^T``, (..., out) with (in, out)."""
    gradient = product(as_matrix(g), weight.T)
    return gradient if gradient.shape == _x.shape else gradient.reshape(_x.shape)


def linear_weight(g: Array, _out: Spec, x: Array, _weight: Spec, _bias: Spec | None = None) -> Array:
    """Gradient of ``x @ W + b`` for ``W``: ``x^T @ g``, summed over every leading axis by the product."""
    return product(as_matrix(x).T, as_matrix(g))


def linear_bias(g: Array, _out: Spec, _x: Spec, _weight: Spec, _bias: Spec) -> Array:
    """Gradient of ``x @ W + b`` for ``b``: the column sums of ``g``."""
    return column_sums(as_matrix(g))


def dropout_input(g: Array, _out: Spec, _x: Spec, mask: Array, *, scale: float) -> Array:
    """Gradient of dropout: what was dropped gets none, what was kept is scaled as it was."""
    gradient = np.where(mask, g, g.dtype.type(0))
    gradient *= g.dtype.type(scale)
    return gradient


def dropout_mask(g: Array, _out: Spec, _x: Spec, _mask: Spec, *, scale: float) -> Array:
    """Refuse: a mask is drawn, not learned; boolean masks never ask."""
    raise TypeError("dropout's mask has no gradient: give it booleans")


defvjp(linear, linear_input, linear_weight, linear_bias)
defvjp(dropout, dropout_input, dropout_mask)
