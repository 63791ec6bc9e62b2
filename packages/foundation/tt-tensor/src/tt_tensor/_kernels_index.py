"""Kernels that choose elements: indexing, gathering, masks of triangles, order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tt_tensor._kernels_elementwise import Array
from tt_tensor._kernels_reduce import reduced_count


def check_indices(name: str, indices: Array, size: int, *, lowest: int | None = None) -> None:
    """Raise IndexError unless every index lies in [-size, size) (or from `lowest` on)."""
    if indices.dtype.kind not in "iu":
        raise TypeError(f"{name}: indices must be integers, got {indices.dtype}; use indices.astype('int64')")
    if indices.size == 0:
        return
    first = -size if lowest is None else lowest
    for index in (int(indices.min()), int(indices.max())):
        if not first <= index < size:
            raise IndexError(f"{name}: index {index} is out of range for size {size} (allowed: {first} to {size - 1})")


def index(x: Array, *, key: Any) -> Array:
    """Index as NumPy does: integers, slices, None, Ellipsis, integer and boolean arrays."""
    out = x[key]
    if isinstance(out, np.ndarray):
        return out
    return x[(*key, ...) if isinstance(key, tuple) else (key, ...)]  # 0-d, still a view


def take(x: Array, indices: Array, *, axis: int | None = None) -> Array:
    """Pick whole slices along an axis (of the flattened array without), in the order of the indices."""
    check_indices("take", indices, reduced_count(x.shape, axis))
    return np.take(x, indices, axis=axis)


def gather(x: Array, indices: Array, *, axis: int) -> Array:
    """Pick along an axis one element for each index: out[i, j] = x[i, indices[i, j]] for axis 1."""
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"gather: axis {axis} is out of range for {x.ndim} axes")
    axis = axis % x.ndim
    others = indices.ndim == x.ndim and (*indices.shape[:axis], *indices.shape[axis + 1 :])
    if others != (*x.shape[:axis], *x.shape[axis + 1 :]):
        raise ValueError(f"gather: indices {indices.shape} may differ from x {x.shape} only at axis {axis}")
    check_indices("gather", indices, x.shape[axis])
    return np.take_along_axis(x, indices, axis=axis)


def one_hot(x: Array, *, num_classes: int, dtype: npt.DTypeLike = np.float32) -> Array:
    """Turn class numbers (...) into rows (..., num_classes) with a single 1."""
    check_indices("one_hot", x, num_classes, lowest=0)
    out = np.zeros((x.size, num_classes), dtype=dtype)
    out[np.arange(x.size), x.reshape(-1)] = 1
    return out.reshape(*x.shape, num_classes)


def tril(x: Array, *, k: int = 0) -> Array:
    """Keep the lower triangle of the last two axes, zero above diagonal k."""
    if x.ndim < 2:
        raise ValueError(f"tril: needs at least 2 axes, got shape {x.shape}")
    return np.tril(x, k)


def triu(x: Array, *, k: int = 0) -> Array:
    """Keep the upper triangle of the last two axes, zero below diagonal k."""
    if x.ndim < 2:
        raise ValueError(f"triu: needs at least 2 axes, got shape {x.shape}")
    return np.triu(x, k)


def argsort(x: Array, *, axis: int = -1, descending: bool = False) -> Array:
    """Return the positions that put x in order; equal elements keep their order, NaN counts as the largest."""
    if x.ndim == 0:
        raise np.exceptions.AxisError(axis, 0)  # as sort does; NumPy's would find an axis here
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    backwards = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    result: Array = np.subtract(x.shape[axis] - 1, np.flip(backwards, axis))
    return result


def sort(x: Array, *, axis: int = -1, descending: bool = False) -> Array:
    """Put x in order along an axis; NaN counts as the largest."""
    ordered = np.sort(x, axis=axis, kind="stable")
    return np.flip(ordered, axis).copy() if descending else ordered
