"""Batch normalisation: by the statistics of a channel over the batch.

Images lie channels last, so a channel is a column of a tall matrix; its rows are folded side by side until they are
long enough for NumPy's loops.
"""

from __future__ import annotations

import numpy as np
from tt_tensor import Array, fold_count, ones_vector, scratch, split_work

from tt_conv._precision import widened
from tt_conv._window import channels_last, to_first
from tt_conv._work import BYTES_PER_SECOND

# Numbers in a block: what a core's cache holds beside the arrays that it goes with.
SIZE = 1 << 18


class Tall:
    """Images seen as a matrix (rows, channels), folded into (rows / times, times * channels), in blocks."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.channels = shape[-1]
        self.rows = int(np.prod(shape[:-1], dtype=np.int64))
        self.times = fold_count(self.rows, self.channels)
        self.shape = (self.rows // self.times, self.times * self.channels)
        self.step = max(1, SIZE // max(1, self.shape[1]))
        self.blocks = -(-self.shape[0] // self.step)

    def slices(self, start: int, stop: int) -> list[slice]:
        """Return the rows of the folded matrix in blocks `start` to `stop`."""
        return [slice(i * self.step, min((i + 1) * self.step, self.shape[0])) for i in range(start, stop)]

    def counts(self) -> Array:
        """Return how many rows of the unfolded matrix each block holds (blocks,)."""
        rows = [part.stop - part.start for part in self.slices(0, self.blocks)]
        return np.array(rows, np.float64) * self.times

    def by_channel(self, sums: Array) -> Array:
        """Add up what was summed in each column of the folded matrix, in double precision: (..., C)."""
        return np.asarray(sums.reshape(*sums.shape[:-1], self.times, self.channels).sum(axis=-2, dtype=np.float64))

    def tile(self, vector: Array, dtype: np.dtype[np.generic]) -> Array:
        """Return a number for each channel as a row of the folded matrix."""
        return np.tile(vector.astype(dtype, copy=False), self.times)


def join_moments(counts: Array, means: Array, squares: Array) -> tuple[Array, Array]:
    """Join what is known of several blocks into the mean and the (biased) variance of all, in double precision.

    Shapes: counts (B,), means (B, C) and the sums of squared distances from them (B, C) -> (C,) and (C,).

    Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.

    Example:
        >>> moments = join_moments(np.array([1, 1]), np.array([[1.0], [3.0]]), np.array([[0.0], [0.0]]))
        >>> [moment.tolist() for moment in moments]
        [[2.0], [1.0]]
    """
    weights = counts[:, np.newaxis]
    total = counts.sum()
    mean = (weights * means).sum(axis=0) / total
    return mean, (squares + weights * (means - mean) ** 2).sum(axis=0) / total


@widened
def channel_moments(x: Array) -> Array:
    """The mean and the (biased) variance of every channel over the batch: (N, C, H, W) -> (2, C)."""
    last = channels_last(x)
    tall = Tall(last.shape)
    if tall.rows == 0:
        return np.full((2, tall.channels), np.nan, x.dtype)
    folded = last.reshape(tall.shape)
    # Distances from something near the mean first: the squares of large numbers would drown their differences. The
    # first row is one of those measured, so it cannot be further off than they lie apart.
    near = folded[0].reshape(tall.times, tall.channels).mean(axis=0)
    origin = np.tile(near, tall.times)
    sums = np.empty((2, tall.blocks, tall.shape[1]), x.dtype)

    def work(start: int, stop: int) -> None:
        for i, rows in enumerate(tall.slices(start, stop), start):
            block = folded[rows]
            apart = scratch("tt_conv.apart", block.shape, x.dtype)
            np.subtract(block, origin, out=apart)
            column = ones_vector(len(block), x.dtype)
            np.dot(column, apart, out=sums[0, i])
            np.multiply(apart, apart, out=apart)
            np.dot(column, apart, out=sums[1, i])

    split_work(work, tall.blocks, seconds=x.nbytes / BYTES_PER_SECOND)
    counts = tall.counts()
    totals, squares = tall.by_channel(sums)
    off = totals / counts[:, np.newaxis]
    squares -= totals * off  # the distances were from `near`, and not from each block's own mean
    return np.stack(join_moments(counts, near + off, np.maximum(squares, 0))).astype(x.dtype)


def scale_and_shift(moments: Array, affine: tuple[Array, ...], eps: float) -> tuple[Array, Array]:
    """Return what to multiply every channel by, and what to add then (C,), in double precision."""
    mean, variance = moments.astype(np.float64)
    scale = 1 / np.sqrt(variance + eps)
    if affine:
        scale = scale * affine[0]
        return scale, affine[1] - mean * scale
    return scale, -mean * scale


def normalise(x: Array, moments: Array, affine: tuple[Array, ...], eps: float, *, rectify: bool) -> Array:
    """`(x - mean) / sqrt(variance + eps) * weight + bias`, by channel; with `rectify`, negative numbers become 0."""
    last = channels_last(x)
    tall = Tall(last.shape)
    folded = last.reshape(tall.shape)
    out = np.empty(last.shape, x.dtype)
    scale, shift = (tall.tile(vector, x.dtype) for vector in scale_and_shift(moments, affine, eps))
    by_block = out.reshape(tall.shape)

    def work(start: int, stop: int) -> None:
        for rows in tall.slices(start, stop):
            target = by_block[rows]
            np.multiply(folded[rows], scale, out=target)
            np.add(target, shift, out=target)
            if rectify:
                np.maximum(target, 0, out=target)

    split_work(work, tall.blocks, seconds=2 * x.nbytes / BYTES_PER_SECOND)
    return to_first(out)


@widened
def batch_norm(x: Array, moments: Array, *affine: Array, eps: float, training: bool) -> Array:
    """Normalise every channel by its moments, then scale and shift it.

    Shapes: x (N, C, H, W), moments (2, C), and weight and bias (C,), both or neither -> (N, C, H, W).

    `training` says that the moments are those of `x`; only the gradient is another then.
    """
    return normalise(x, moments, affine, eps, rectify=False)


@widened
def batch_norm_relu(x: Array, moments: Array, *affine: Array, eps: float, training: bool) -> Array:
    """Do what `batch_norm` does, and replace what is negative by 0 while it is still in the cache."""
    return normalise(x, moments, affine, eps, rectify=True)
