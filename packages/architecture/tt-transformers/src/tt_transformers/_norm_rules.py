"""Gradients of layer norm and RMS norm."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from tt_autograd import Spec, defvjp
from tt_tensor import Array, scratch

from tt_transformers._norm_kernels import (
    as_rows,
    center,
    column_sums,
    from_rows,
    layer_norm_primitive,
    norm_gradient,
    reciprocal_rms,
    rms_norm_primitive,
    row_means,
)


def layer_norm_gradient(
    g: Array,
    _out: Spec,
    x: Array,
    weight: Array,
    _bias: Spec,
    *,
    needs: tuple[bool, ...],
    residuals: Array | None,
    eps: float,
) -> tuple[Array | None, ...]:
    """For the rows, the scale and the shift: to shift a whole row changes nothing, nor does stretching it."""
    rows, of_x, of_weight = as_rows(g), None, None
    normal = normal_again(as_rows(x), residuals, eps, centered=True)
    if needs[1]:
        of_weight = scale_gradient(rows, normal.rows)
    if needs[0]:
        scaled = np.multiply(rows, weight, dtype=rows.dtype)
        scaled -= row_means(scaled)
        of_x = from_rows(norm_gradient(scaled, *normal), g)
    return of_x, of_weight, column_sums(rows) if needs[2] else None


def rms_norm_gradient(
    g: Array, _out: Spec, x: Array, weight: Array, *, needs: tuple[bool, ...], residuals: Array | None, eps: float
) -> tuple[Array | None, ...]:
    """For the rows and the scale: to stretch a whole row changes nothing."""
    rows, of_x, of_weight = as_rows(g), None, None
    normal = normal_again(as_rows(x), residuals, eps, centered=False)
    if needs[1]:
        of_weight = scale_gradient(rows, normal.rows)
    if needs[0]:
        scaled = np.multiply(rows, weight, dtype=rows.dtype)
        of_x = from_rows(norm_gradient(scaled, *normal), g)
    return of_x, of_weight


class Normal(NamedTuple):
    """Normed rows (M, C), in scratch memory, and the factors that made them (M, 1)."""

    rows: Array
    factors: Array


def normal_again(rows: Array, factors: Array | None, eps: float, *, centered: bool) -> Normal:
    """Compute the normed rows once more: three passes, against keeping (M, C) numbers alive until now.

    `factors` is None where a swapped-in kernel kept none.
    """
    out = scratch("tt_transformers.normal", rows.shape, rows.dtype)
    if centered:
        rows = center(rows, out)
    if factors is None:
        factors = reciprocal_rms(rows, eps)
    return Normal(np.multiply(rows, factors, out=out), factors)


def scale_gradient(rows: Array, normal: Array) -> Array:
    """Sum the products of gradient and normed input over the rows, (M, C) with (M, C) -> (C,)."""
    return column_sums(np.multiply(rows, normal, out=scratch("tt_transformers.product", rows.shape, rows.dtype)))


defvjp(layer_norm_primitive, joint=layer_norm_gradient)
defvjp(rms_norm_primitive, joint=rms_norm_gradient)
