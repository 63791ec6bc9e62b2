"""Groups of few channels, several taken as one: their own matrices are slivers, far below a processor's speed.

What belongs to different groups meets at zeros. They cost multiplications, and less time than they save.
"""

from __future__ import annotations

import numpy as np
from tt_tensor import Array

# Channels, or filters, of the groups that are joined: measured for groups of 2 to 16 channels, which alone take up to
# four times as long; more zeros than for this width cost more than they save.
_WIDTH = 16


def own_blocks(filters: Array) -> Array:
    """View what is not zero in joined filters, each group's own part.

    Shapes: filters (joined groups, times, O, times, C, KH, KW) -> (joined groups, times, O, C, KH, KW).
    """
    view: Array = np.einsum("gioi...->gio...", filters)
    return view


def join_groups(weight: Array, groups: int) -> tuple[Array, int]:
    """Return filters that see several groups at once, zeros where they saw nothing, and how many groups are left.

    Shapes: weight (O, C / groups, KH, KW) -> (O, C / groups left, KH, KW).

    Example:
        >>> joined, left = join_groups(np.array([1.0, 2.0]).reshape(2, 1, 1, 1), 2)
        >>> joined[:, :, 0, 0].tolist(), left
        ([[1.0, 0.0], [0.0, 2.0]], 1)
    """
    filters, channels = len(weight) // groups, weight.shape[1]
    most = _WIDTH // max(filters, channels)
    times = max((number for number in range(2, most + 1) if groups % number == 0), default=1)
    if times == 1:
        return weight, groups
    joined = np.zeros((groups // times, times, filters, times, channels, *weight.shape[2:]), weight.dtype)
    own_blocks(joined)[...] = weight.reshape(groups // times, times, filters, *weight.shape[1:])
    return joined.reshape(len(weight), times * channels, *weight.shape[2:]), groups // times


def part_groups(joined: Array, shape: tuple[int, ...], groups: int) -> Array:
    """Undo `join_groups`: return what belongs to filters of that `shape` (O, C / groups, KH, KW)."""
    if joined.shape == shape:
        return joined
    times = joined.shape[1] // shape[1]
    apart = joined.reshape(groups // times, times, shape[0] // groups, times, *shape[1:])
    return np.ascontiguousarray(own_blocks(apart)).reshape(shape)
