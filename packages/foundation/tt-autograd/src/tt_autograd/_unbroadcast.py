"""Undo broadcasting: what was used several times receives the sum."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array


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
    total: Array = np.add.reduce(gradient, axis=(*range(added), *stretched), keepdims=True)
    return total.reshape(shape)
