"""Group norm: each group of channels of each example by its own statistics."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from tt_tensor import Array, fold_count, ones_vector, scratch

from tt_conv._precision import widened
from tt_conv._work import BYTES_PER_SECOND, by_blocks


class Moments(NamedTuple):
    """The mean of every group of every example in two parts, and 1 / its deviation: (N, groups), in double precision.

    Far from 0, the element type cannot hold a mean closely: `left` is what it lacks.
    """

    near: Array
    left: Array
    inverses: Array


class Examples:
    """Examples (N, C, ...) as a matrix each, in the order in which they lie in memory.

    Where a pixel's channels lie side by side, a row of the matrix is several pixels, long enough for NumPy's loops;
    else it is a channel.
    """

    def __init__(self, x: Array, groups: int) -> None:
        self.shape = x.shape
        self.count, self.channels = x.shape[:2]
        self.groups = groups
        self.size = math.prod(x.shape[2:])
        self.last = not x.flags.c_contiguous and np.moveaxis(x, 1, -1).flags.c_contiguous
        self.times = fold_count(self.size, self.channels) if self.last else 1

    def matrices(self, x: Array) -> Array:
        """See examples as matrices: (N, C, ...) -> (N, rows, columns), a copy if they lie otherwise."""
        if self.last:
            pixels = np.ascontiguousarray(np.moveaxis(x, 1, -1))
            return pixels.reshape(self.count, self.size // self.times, self.times * self.channels)
        return np.ascontiguousarray(x).reshape(self.count, self.channels, self.size)

    def examples(self, matrices: Array) -> Array:
        """Undo `matrices`."""
        if self.last:
            return np.moveaxis(matrices.reshape(self.count, *self.shape[2:], self.channels), -1, 1)
        return matrices.reshape(self.shape)

    def each(self, numbers: Array) -> Array:
        """Give every channel the number of its group, (n, groups) -> (n, C); or its own."""
        return np.repeat(numbers, self.channels // numbers.shape[1], axis=1)

    def spread(self, numbers: Array, dtype: np.dtype[np.generic]) -> Array:
        """Put a number for each channel (n, C), or each group, where it broadcasts with the matrices."""
        each = self.each(numbers).astype(dtype, copy=False)
        return np.tile(each, self.times)[:, np.newaxis] if self.last else each[:, :, np.newaxis]

    def sums(self, matrices: Array) -> Array:
        """Add up every channel, (n, rows, columns) -> (n, C) in double precision, by products with ones."""
        if not self.last:
            return np.asarray(np.matmul(matrices, ones_vector(self.size, matrices.dtype)), np.float64)
        columns = np.matmul(ones_vector(matrices.shape[1], matrices.dtype), matrices)
        return np.asarray(columns.reshape(-1, self.times, self.channels).sum(axis=1, dtype=np.float64))

    def group_means(self, sums: Array) -> Array:
        """Turn sums over channels (n, C) into means over groups (n, groups)."""
        by_group = sums.reshape(len(sums), self.groups, -1)
        return np.asarray(by_group.sum(axis=2) / (by_group.shape[2] * self.size))


def group_norm_recording(x: Array, *affine: Array, groups: int, eps: float) -> tuple[Array, Moments | None]:
    """Normalise every group, and return its moments; None where types are mixed, or half."""
    if x.size == 0 or x.dtype.char not in "fd" or any(array.dtype != x.dtype for array in affine):
        return group_norm(x, *affine, groups=groups, eps=eps), None
    layout = Examples(x, groups)
    rows = layout.matrices(x)
    out = np.empty(rows.shape, x.dtype)
    moments = Moments(*np.empty((3, layout.count, groups)))

    def work(start: int, stop: int) -> None:
        part, target = rows[start:stop], out[start:stop]
        near = layout.group_means(layout.sums(part))
        np.subtract(part, layout.spread(near, x.dtype), out=target)
        # What rounding left of a mean far from 0 is found exactly among the small differences.
        left = layout.group_means(layout.sums(target))
        squares = np.multiply(target, target, out=scratch("tt_conv.squares", target.shape, x.dtype))
        variance = np.maximum(layout.group_means(layout.sums(squares)) - left**2, 0)
        inverse = 1 / np.sqrt(variance + eps)
        for kept, found in zip(moments, (near, left, inverse), strict=True):
            kept[start:stop] = found
        scale, shift = layout.each(inverse), layout.each(-left * inverse)
        if affine:
            scale, shift = scale * affine[0], shift * affine[0] + affine[1]
        target *= layout.spread(scale, x.dtype)
        target += layout.spread(shift, x.dtype)

    by_blocks(work, layout.count, 2 * rows[:1].nbytes, seconds=4 * x.nbytes / BYTES_PER_SECOND)
    return layout.examples(out), moments


@widened
def group_norm(x: Array, *affine: Array, groups: int, eps: float) -> Array:
    """Normalise every group of channels of every example by itself, then scale and shift every channel.

    Shapes: x (N, C, ...), weight and bias (C,), both or neither -> the same as x.
    """
    if x.size == 0:
        return x.copy()
    return group_norm_recording(x, *affine, groups=groups, eps=eps)[0]
