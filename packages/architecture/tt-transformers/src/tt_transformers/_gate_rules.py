"""Gradients of the two hidden layers."""

from __future__ import annotations

import numpy as np
from tt_autograd import Spec, defvjp
from tt_tensor import Array, column_sums, matrix_product, scratch

from tt_transformers._gate_kernels import (
    linear_gelu_primitive,
    linear_gelu_recording,
    swiglu_primitive,
    swiglu_recording,
)
from tt_transformers._norm_kernels import floating_rows


def linear_gelu_gradient(
    g: Array, _out: Spec, x: Array, weight: Array, bias: Array, *, needs: tuple[bool, ...], residuals: Array | None
) -> tuple[Array | None, ...]:
    """Through GELU by its derivative, then as for any linear layer: `h @ W^T`, `x^T @ h` and the column sums of `h`."""
    derivative = linear_gelu_recording(x, weight, bias)[1] if residuals is None else residuals
    flat = floating_rows(g)
    inner = np.multiply(flat, floating_rows(derivative), out=scratch("tt_transformers.inner", flat.shape, flat.dtype))
    of_x = of_weight = None
    if needs[0]:
        of_x = matrix_product(inner, weight.astype(inner.dtype, copy=False).T).reshape(x.shape)
    if needs[1]:
        of_weight = matrix_product(floating_rows(x).T, inner)
    return of_x, of_weight, column_sums(inner) if needs[2] else None


def swiglu_gradient(
    g: Array, _out: Spec, gate: Array, up: Array, *, needs: tuple[bool, ...], residuals: tuple[Array, Array] | None
) -> tuple[Array | None, ...]:
    """`g` times the slopes that the forward pass left."""
    slopes = swiglu_recording(gate, up)[1] if residuals is None else residuals
    of_gate, of_up = (np.multiply(g, s) if wanted else None for s, wanted in zip(slopes, needs, strict=True))
    return of_gate, of_up


defvjp(linear_gelu_primitive, joint=linear_gelu_gradient)
defvjp(swiglu_primitive, joint=swiglu_gradient)
