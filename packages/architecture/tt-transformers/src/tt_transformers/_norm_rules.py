"""Gradients of layer norm and RMS norm."""

from __future__ import annotations

import numpy as np
from tt_autograd import Spec, defvjp
from tt_tensor import Array, column_sums, scratch

from tt_transformers._norm_kernels import (
    Normal,
    floating_rows,
    from_rows,
    layer_norm_primitive,
    layer_norm_recording,
    rms_norm_primitive,
    rms_norm_recording,
)


def layer_norm_gradient(
    g: Array,
    _out: Spec,
    x: Array,
    weight: Array,
    bias: Array,
    *,
    needs: tuple[bool, ...],
    residuals: Normal | None,
    eps: float,
) -> tuple[Array | None, ...]:
    """For the rows, the scale and the shift: to shift a whole row changes nothing, nor does stretching it."""
    normal = layer_norm_recording(x, weight, bias, eps=eps)[1] if residuals is None else residuals
    rows = floating_rows(g)
    of_x, of_weight = rows_and_scale_gradient(rows, weight, normal, needs[:2], centered=True)
    of_bias = column_sums(rows) if needs[2] else None
    return None if of_x is None else from_rows(of_x, g), of_weight, of_bias


def rms_norm_gradient(
    g: Array, _out: Spec, x: Array, weight: Array, *, needs: tuple[bool, ...], residuals: Normal | None, eps: float
) -> tuple[Array | None, ...]:
    """For the rows and the scale: to stretch a whole row changes nothing."""
    normal = rms_norm_recording(x, weight, eps=eps)[1] if residuals is None else residuals
    of_x, of_weight = rows_and_scale_gradient(floating_rows(g), weight, normal, needs, centered=False)
    return None if of_x is None else from_rows(of_x, g), of_weight


def rows_and_scale_gradient(
    g: Array, weight: Array, normal: Normal, needs: tuple[bool, ...], *, centered: bool
) -> tuple[Array | None, Array | None]:
    """Return the gradients of `normal * weight` for the rows before they were normed (M, C), and for the weight (C,).

    With `s = g * weight`, the rows' is `(s - mean(s) - normal * mean(s * normal)) * factor`: what would only shift a
    row, or make it longer, changes nothing and is taken out. Both means are products with the weight.
    """
    products = np.multiply(g, normal.rows, out=scratch("tt_transformers.products", g.shape, g.dtype))
    of_weight = column_sums(products) if needs[1] else None
    if not needs[0]:
        return None, of_weight
    share = weight.astype(g.dtype, copy=False) / len(weight)
    along = np.dot(products, share)[:, np.newaxis]
    of_x = np.multiply(g, weight, dtype=g.dtype)
    of_x -= np.multiply(normal.rows, along, out=products)
    if centered:
        of_x -= np.dot(g, share)[:, np.newaxis]
    of_x *= normal.factors
    return of_x, of_weight


defvjp(layer_norm_primitive, joint=layer_norm_gradient)
defvjp(rms_norm_primitive, joint=rms_norm_gradient)
