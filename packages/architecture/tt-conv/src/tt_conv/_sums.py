"""Sums over the columns of tall, narrow matrices, as products with ones: BLAS sums them faster than NumPy does."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from tt_tensor import Array

# Narrow rows are folded until they are about this long: every inner loop of NumPy costs as much as 30 numbers.
LONG = 1024
# Numbers in a block: what is added up in single precision before the sums themselves are added in double.
BLOCK_SIZE = 1 << 16


@lru_cache(maxsize=64)
def ones(count: int, dtype: np.dtype[np.generic]) -> Array:
    """Return a vector of ones, made once for each length; it cannot be written to."""
    vector = np.ones(count, dtype)
    vector.flags.writeable = False
    return vector


def fold(rows: int, channels: int) -> int:
    """Return how many rows of so many channels to lay side by side: a divisor of `rows`, near `LONG / channels`.

    Example:
        >>> fold(64, 32), fold(7, 32), fold(64, 4096)
        (32, 7, 1)
    """
    most = max(1, LONG // max(1, channels))
    return next(times for times in range(min(most, max(rows, 1)), 0, -1) if rows % times == 0)


def block_sums(block: Array, channels: int) -> Array:
    """Add up the rows of a contiguous block of (rows, channels), folded or not -> (channels,)."""
    sums: Array = np.dot(ones(len(block), block.dtype), block).reshape(-1, channels).sum(axis=0)
    return sums


def column_sums(matrix: Array) -> Array:
    """Add up the rows of a contiguous matrix (rows, channels) -> (channels,), to rounding as doubles would.

    Example:
        >>> column_sums(np.ones((3, 2), np.float32)).tolist()
        [3.0, 3.0]
    """
    rows, channels = matrix.shape
    step = max(1, BLOCK_SIZE // max(1, channels))
    total = np.zeros(channels, np.float64)
    for start in range(0, rows, step):
        total += block_sums(matrix[start : start + step], channels)
    return total.astype(matrix.dtype)
