"""Gradients of the primitives that pick elements: an element picked twice gets the sum of both gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from tt_tensor import Array, primitives

from tt_autograd._table import Spec, defvjp

P = primitives()

_BASIC = (int, np.integer, slice, type(None), type(Ellipsis))


def scatter_add(values: Array, positions: Array, size: int) -> Array:
    """Add ``values`` into a flat array of ``size`` zeros, at ``positions`` that may repeat.

    ``zeros[positions] += values`` would keep only the last of the repeated ones. A weighted count keeps all, adds in
    float64, and is many times faster than ``np.add.at``.
    """
    return np.bincount(positions.ravel(), weights=values.ravel(), minlength=size).astype(values.dtype)


def scatter_add_rows(values: Array, rows: Array, size: int) -> Array:
    """Add each row of ``values`` (m, width) into row ``rows[i]`` of ``size`` zero rows; rows may repeat."""
    m, width = values.shape
    out = np.zeros((size, width), values.dtype)
    if m == 0 or width == 0:
        return out
    if width == 1:
        return scatter_add(values, rows, size).reshape(size, 1)
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    out[ordered[starts]] = np.add.reduceat(values[order], starts, axis=0)
    return out


def scatter_add_slices(values: Array, rows: Array, shape: tuple[int, ...], axis: int) -> Array:
    """Add slice ``i`` along ``axis`` of ``values`` into slice ``rows[i]`` of zeros of ``shape``."""
    moved = np.moveaxis(values, axis, 0)  # (rows, rest...)
    rest = shape[:axis] + shape[axis + 1 :]
    summed = scatter_add_rows(moved.reshape(len(rows), math.prod(rest)), rows, shape[axis])
    return np.moveaxis(summed.reshape(shape[axis], *rest), 0, axis)


def index_gradient(g: Array, _out: None, _x: Spec, *, key: Any) -> Array:
    """Gradient of ``x[key]``: zeros, with ``g`` added where the elements came from."""
    parts = key if isinstance(key, tuple) else (key,)
    if all(isinstance(part, _BASIC) and not isinstance(part, bool) for part in parts):
        out = np.zeros(_x.shape, g.dtype)
        out[key] = g
        return out
    positions = np.arange(_x.size).reshape(_x.shape)[key]
    return scatter_add(np.asarray(g), positions, _x.size).reshape(_x.shape)


def take_gradient(g: Array, _out: None, _x: Spec, indices: Array, *, axis: int | None = None) -> Array:
    """Gradient of ``take``: each slice of ``g`` is added to the slice that it was copied from."""
    shape, at = ((_x.size,), 0) if axis is None else (_x.shape, axis % _x.ndim)
    rows = np.where(indices < 0, indices + shape[at], indices).ravel()
    picked = g.reshape(*shape[:at], rows.size, *shape[at + 1 :])
    return scatter_add_slices(picked, rows, shape, at).reshape(_x.shape)


def along_axis(indices: Array, shape: tuple[int, ...], axis: int) -> Array:
    """Turn the indices of ``gather`` into positions in the flattened source of ``shape``."""
    n = shape[axis]
    positions = np.zeros(indices.shape, np.intp)
    stride = 1
    for d in reversed(range(len(shape))):
        if d == axis:
            positions += np.where(indices < 0, indices + n, indices) * stride
        else:
            along = [1] * len(shape)
            along[d] = indices.shape[d]
            positions += np.arange(indices.shape[d]).reshape(along) * stride
        stride *= shape[d]
    return positions


def gather_gradient(g: Array, _out: None, _x: Spec, indices: Array, *, axis: int) -> Array:
    """Gradient of ``gather``: every element of ``g`` is added to the element that it was copied from."""
    positions = along_axis(indices, _x.shape, axis % _x.ndim)
    return scatter_add(g, positions, _x.size).reshape(_x.shape)


def no_gradient(g: Array, _out: None, _x: Spec, _indices: Spec, *, axis: int = 0) -> Array:
    """Gradient for indices: zero, since what is picked does not change with a little of an index."""
    return np.zeros(_indices.shape, g.dtype)


def sort_gradient(g: Array, _out: None, x: Array, *, axis: int = -1, descending: bool = False) -> Array:
    """Gradient of ``sort``: each element of ``g`` goes back to where its value came from."""
    if descending:
        g, x = np.flip(g, axis), np.flip(x, axis)
    order = np.argsort(x, axis=axis, kind="stable")
    out = np.empty(x.shape, g.dtype)
    np.put_along_axis(out, order, g, axis)
    return np.flip(out, axis) if descending else out


defvjp(P["index"], index_gradient)
defvjp(P["take"], take_gradient, no_gradient)
defvjp(P["gather"], gather_gradient, no_gradient)
defvjp(P["sort"], sort_gradient)
