"""Normalisation: by the statistics of a channel over the batch, or of a group of channels within an example.

Images lie channels last, so a channel is a column of a tall matrix; its rows are folded side by side until they are
long enough for NumPy's loops.
"""

from __future__ import annotations

import numpy as np
from tt_tensor import Array, scratch, split_work

from tt_conv._precision import widened
from tt_conv._sums import block_sums, fold
from tt_conv._window import channels_last, to_first
from tt_conv._work import BYTES_PER_SECOND

# Numbers in a block: what a core's cache holds beside the arrays that it goes with.
SIZE = 1 << 18


class Tall:
    """Images seen as a matrix (rows, channels), folded into (rows / times, times * channels), in blocks."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.channels = shape[-1]
        self.rows = int(np.prod(shape[:-1], dtype=np.int64))
        self.times = fold(self.rows, self.channels)
        self.shape = (self.rows // self.times, self.times * self.channels)
        self.step = max(1, SIZE // max(1, self.shape[1]))
        self.blocks = -(-self.shape[0] // self.step)

    def slices(self, start: int, stop: int) -> list[slice]:
        """Return the rows of the folded matrix in blocks `start` to `stop`."""
        return [slice(i * self.step, min((i + 1) * self.step, self.shape[0])) for i in range(start, stop)]

    def tile(self, vector: Array, dtype: np.dtype[np.generic]) -> Array:
        """Return a number for each channel as a row of the folded matrix."""
        return np.tile(vector.astype(dtype, copy=False), self.times)


def block_moments(block: Array, channels: int) -> tuple[int, Array, Array]:
    """Count the rows of a folded block; return their mean and the sum of their squared distances from it (C,).

    Example:
        >>> count, mean, squares = block_moments(np.array([[1.0], [3.0]]), 1)
        >>> count, mean.tolist(), squares.tolist()
        (2, [2.0], [2.0])
    """
    count = block.size // channels
    # Distances from something near the mean first: the squares of large numbers would drown their differences. The
    # first row is in the block itself, so it cannot be further off than the block is wide.
    near = block[0].reshape(-1, channels).mean(axis=0)
    apart = scratch("tt_conv.apart", block.shape, block.dtype)
    np.subtract(block, np.tile(near, block.shape[1] // channels), out=apart)
    off = block_sums(apart, channels).astype(np.float64) / count
    np.multiply(apart, apart, out=apart)
    squares = block_sums(apart, channels) - count * off**2
    return count, near + off, np.maximum(squares, 0)


def join_moments(parts: list[tuple[int, Array, Array]]) -> tuple[Array, Array]:
    """Join counts, means and squared distances of several blocks into the mean and the (biased) variance.

    Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.

    Example:
        >>> parts = [(1, np.array([1.0]), np.array([0.0])), (1, np.array([3.0]), np.array([0.0]))]
        >>> [moment.tolist() for moment in join_moments(parts)]
        [[2.0], [1.0]]
    """
    counts = np.array([count for count, _, _ in parts], np.float64)[:, np.newaxis]
    means = np.array([mean for _, mean, _ in parts])
    total = counts.sum()
    mean = (counts * means).sum(axis=0) / total
    squares = np.array([squares for _, _, squares in parts]) + counts * (means - mean) ** 2
    return mean, squares.sum(axis=0) / total


@widened
def channel_moments(x: Array) -> Array:
    """The mean and the (biased) variance of every channel over the batch: (N, C, H, W) -> (2, C)."""
    last = channels_last(x)
    tall = Tall(last.shape)
    if tall.rows == 0:
        return np.full((2, tall.channels), np.nan, x.dtype)
    folded = last.reshape(tall.shape)
    parts: list[tuple[int, Array, Array]] = [(0, np.empty(0), np.empty(0))] * tall.blocks

    def work(start: int, stop: int) -> None:
        for i, rows in enumerate(tall.slices(start, stop), start):
            parts[i] = block_moments(folded[rows], tall.channels)

    split_work(work, tall.blocks, seconds=x.nbytes / BYTES_PER_SECOND)
    return np.stack(join_moments(parts)).astype(x.dtype)


def scale_and_shift(moments: Array, affine: tuple[Array, ...], eps: float) -> tuple[Array, Array]:
    """Return what to multiply every channel by, and what to add then (C,), in double precision."""
    mean, variance = moments.astype(np.float64)
    scale = 1 / np.sqrt(variance + eps)
    if affine:
        scale = scale * affine[0]
        return scale, affine[1] - mean * scale
    return scale, -mean * scale


@widened
def batch_norm(x: Array, moments: Array, *affine: Array, eps: float, training: bool) -> Array:
    """`(x - mean) / sqrt(variance + eps) * weight + bias`, channel by channel.

    Shapes: x (N, C, H, W), moments (2, C), and weight and bias (C,), both or neither -> (N, C, H, W).

    `training` says that the moments are those of `x`; only the gradient is another then.
    """
    last = channels_last(x)
    tall = Tall(last.shape)
    folded = last.reshape(tall.shape)
    out = np.empty(last.shape, x.dtype)
    target = out.reshape(tall.shape)
    scale, shift = (tall.tile(vector, x.dtype) for vector in scale_and_shift(moments, affine, eps))

    def work(start: int, stop: int) -> None:
        for rows in tall.slices(start, stop):
            np.multiply(folded[rows], scale, out=target[rows])
            target[rows] += shift

    split_work(work, tall.blocks, seconds=2 * x.nbytes / BYTES_PER_SECOND)
    return to_first(out)


def group_moments(x: Array, groups: int, eps: float) -> tuple[Array, Array]:
    """Return the mean and the inverse deviation of every group of channels of every example, (N, groups, 1).

    Shapes: x (N, C, L).
    """
    examples, channels, _ = x.shape
    # A mean of means over the channels: x is read as it lies in memory.
    means = x.mean(axis=2, dtype=np.float64).reshape(examples, groups, channels // groups)
    mean = means.mean(axis=2, keepdims=True)
    apart = x - np.repeat(mean[:, :, 0], channels // groups, axis=1)[:, :, np.newaxis].astype(x.dtype)
    np.multiply(apart, apart, out=apart)
    squares = apart.mean(axis=2, dtype=np.float64).reshape(means.shape)
    return mean, 1 / np.sqrt(squares.mean(axis=2, keepdims=True) + eps)


def by_channel(groups: Array, channels: int, dtype: np.dtype[np.generic]) -> Array:
    """Give every channel the number of its group: (N, groups, 1) -> (N, C, 1)."""
    return np.repeat(groups, channels // groups.shape[1], axis=1).astype(dtype)


@widened
def group_norm(x: Array, *affine: Array, groups: int, eps: float) -> Array:
    """Normalise every group of channels of every example by itself, then scale and shift every channel.

    Shapes: x (N, C, ...), weight and bias (C,), both or neither -> the same as x.
    """
    if x.size == 0:
        return x.copy()
    flat = x.reshape(*x.shape[:2], -1)
    mean, inverse = (by_channel(moment, x.shape[1], x.dtype) for moment in group_moments(flat, groups, eps))
    out = np.asarray(flat - mean)
    if affine:
        out *= inverse * affine[0][:, np.newaxis]
        out += affine[1][:, np.newaxis]
    else:
        out *= inverse
    return out.reshape(x.shape)
