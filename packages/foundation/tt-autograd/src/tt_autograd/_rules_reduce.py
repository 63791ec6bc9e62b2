"""Gradients of the primitives that reduce axes: sums, statistics, extremes and norms.

A reduction drops axes; its gradient first puts them back (``keep_axes``) and then spreads over what was reduced.
"""

from __future__ import annotations

import math

import numpy as np
from tt_tensor import Array, primitives

from tt_autograd._table import Spec, defvjp

P = primitives()

Axis = int | tuple[int, ...] | None
_SMALL = 2048


def reduced_axes(ndim: int, axis: Axis) -> tuple[int, ...]:
    """Name the reduced axes as non-negative numbers, in order."""
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, tuple):
        return tuple(sorted(a % ndim for a in axis))
    return (axis % ndim,) if ndim else ()


def keep_axes(a: Array, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Array:
    """Give a reduced array its lost axes back, with size one, so that it broadcasts against ``shape``."""
    if keepdims:
        return a
    if axis is None:
        return a.reshape((1,) * len(shape))
    axes = reduced_axes(len(shape), axis)
    return a.reshape([1 if i in axes else n for i, n in enumerate(shape)])


def count(shape: tuple[int, ...], axis: Axis) -> int:
    """Count the elements that each output of a reduction was made from."""
    return math.prod(shape) if axis is None else math.prod(shape[a] for a in reduced_axes(len(shape), axis))


def spread(g: Array, shape: tuple[int, ...]) -> Array:
    """Repeat ``g`` over ``shape``: a view for large arrays, a copy (which is quicker) for small ones."""
    if math.prod(shape) <= _SMALL:
        out = np.empty(shape, g.dtype)
        out[...] = g
        return out
    return np.broadcast_to(g, shape)


def sum_gradient(g: Array, _out: None, _x: Spec, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Gradient of ``sum``: every summand gets the gradient of its sum."""
    if axis is None and g.ndim == 0:
        return spread(g, _x.shape)
    return spread(keep_axes(g, _x.shape, axis, keepdims), _x.shape)


def mean_gradient(g: Array, _out: None, _x: Spec, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Gradient of ``mean``: that of ``sum``, divided by how many were averaged."""
    share = g * (1 / max(count(_x.shape, axis), 1))
    return spread(keep_axes(share, _x.shape, axis, keepdims), _x.shape)


def product_of_others(rows: Array) -> Array:
    """Multiply, for every element of the last axis, all the other elements: exact with zeros, as nothing is divided."""
    before = np.ones_like(rows)
    after = np.ones_like(rows)
    np.multiply.accumulate(rows[..., :-1], axis=-1, out=before[..., 1:])
    np.multiply.accumulate(rows[..., :0:-1], axis=-1, out=after[..., -2::-1])
    return before * after


def prod_gradient(g: Array, _out: None, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Gradient of ``prod``: the product of the other factors."""
    if x.size == 0:
        return np.zeros_like(x)
    axes = reduced_axes(x.ndim, axis)
    order = [i for i in range(x.ndim) if i not in axes] + list(axes)
    turned = x.transpose(order)  # the reduced axes last
    rows = turned.reshape(*turned.shape[: x.ndim - len(axes)], count(x.shape, axis))
    others = product_of_others(rows).reshape(turned.shape).transpose(np.argsort(order))
    return keep_axes(g, x.shape, axis, keepdims) * others


def extreme_gradient(g: Array, out: Array, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Gradient of ``max`` and ``min``: to the extreme element, in equal shares if several tie."""
    chosen = x == keep_axes(out, x.shape, axis, keepdims)
    ties = np.count_nonzero(chosen, axis=reduced_axes(x.ndim, axis), keepdims=True)
    share = keep_axes(g, x.shape, axis, keepdims) / np.asarray(ties).astype(g.dtype)
    return np.where(chosen, share, 0)


def center(x: Array, axis: Axis) -> Array:
    """Subtract the mean over ``axis``; shifted by one element first, so that float32 keeps its digits."""
    axes = reduced_axes(x.ndim, axis)
    shifted = x - x[tuple(slice(0, 1) if i in axes else slice(None) for i in range(x.ndim))]
    shifted -= shifted.mean(axis=axes, keepdims=True, dtype=np.float64)
    return shifted


def var_gradient(
    g: Array, _out: Array | None, x: Array, *, axis: Axis = None, keepdims: bool = False, correction: float = 1
) -> Array:
    """Gradient of ``var``: ``2 (x - mean) / (n - correction)``."""
    if x.size == 0:
        return np.zeros_like(x)
    freedom = count(x.shape, axis) - correction
    scale = 2 / freedom if freedom > 0 else math.nan
    return keep_axes(g * scale, x.shape, axis, keepdims) * center(x, axis)


def std_gradient(
    g: Array, out: Array, x: Array, *, axis: Axis = None, keepdims: bool = False, correction: float = 1
) -> Array:
    """Gradient of ``std``: that of ``var`` over ``2 std``; 0 where all elements are equal."""
    through_root = np.where(out == 0, 0, g * 0.5 / out)
    return var_gradient(through_root, out, x, axis=axis, keepdims=keepdims, correction=correction)


def norm_gradient(
    g: Array, out: Array, x: Array, *, ord: float = 2, axis: Axis = None, keepdims: bool = False
) -> Array:
    """Gradient of the vector norm of order ``ord``: ``sign(x) (|x| / norm)^(ord - 1)``; 0 where the norm is 0."""
    if math.isinf(ord):
        size = np.abs(x)
        return extreme_gradient(g, out, size, axis=axis, keepdims=keepdims) * np.sign(x)
    g, out = keep_axes(g, x.shape, axis, keepdims), keep_axes(out, x.shape, axis, keepdims)
    if ord == 1:
        return g * np.sign(x)
    if ord == 2:
        return np.where(out == 0, 0, g * (x / out))
    return np.where(x == 0, 0, g * np.sign(x) * (np.abs(x) / out) ** (ord - 1))


def logsumexp_gradient(g: Array, out: Array, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Gradient of ``logsumexp``: the softmax of ``x``; 0 over a slice that is -inf throughout."""
    total = keep_axes(out, x.shape, axis, keepdims)
    softmax: Array = np.exp(x - np.where(np.isneginf(total), 0, total))
    return keep_axes(g, x.shape, axis, keepdims) * softmax


def cumsum_gradient(g: Array, _out: None, _x: Spec, *, axis: int) -> Array:
    """Gradient of ``cumsum``: every element is in its own sum and all later ones, so sum from the end."""
    backwards = np.add.accumulate(np.flip(g, axis), axis=axis, dtype=np.float64)
    return np.flip(backwards, axis).astype(g.dtype)


defvjp(P["sum"], sum_gradient)
defvjp(P["mean"], mean_gradient)
defvjp(P["prod"], prod_gradient)
defvjp(P["max"], extreme_gradient)
defvjp(P["min"], extreme_gradient)
defvjp(P["var"], var_gradient)
defvjp(P["std"], std_gradient)
defvjp(P["norm"], norm_gradient)
defvjp(P["logsumexp"], logsumexp_gradient)
defvjp(P["cumsum"], cumsum_gradient)
