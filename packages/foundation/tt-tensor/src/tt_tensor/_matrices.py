"""Tall matrices, as kernels meet them: examples, places or pixels in rows, features or channels in columns."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tt_tensor._primitive import Array

# Narrow rows are laid side by side until they are about this long: NumPy steps from row to row in the time of 30
# numbers.
LONG = 1024
# Numbers that are added up in single precision before their sums are added in double.
BLOCK = 1 << 16


@lru_cache(maxsize=64)
def ones_vector(length: int, dtype: npt.DTypeLike) -> Array:
    """Return a vector of ones, made once for each length; it cannot be written to. For authors of kernels.

    A product with it is a sum, which BLAS computes in a fraction of the time of NumPy's.

    Example:
        >>> import numpy as np
        >>> np.dot(np.array([[1.0, 2.0], [3.0, 4.0]]), ones_vector(2, np.float64)).tolist()
        [3.0, 7.0]
    """
    vector = np.ones(length, dtype)
    vector.flags.writeable = False
    return vector


def as_matrix(array: Array) -> Array:
    """Fold all axes but the last into one, for authors of kernels.

    Shapes: (..., n) -> (rows, n), a view where the array lies in one piece.

    Example:
        >>> import numpy as np
        >>> as_matrix(np.zeros((2, 3, 4))).shape
        (6, 4)
    """
    return array if array.ndim == 2 else array.reshape(math.prod(array.shape[:-1]), array.shape[-1])


def column_sums(matrix: Array) -> Array:
    """Add up the rows of a matrix, as exactly as its element type can hold; for authors of kernels.

    Shapes: (rows, columns) -> (columns,).

    Example:
        >>> import numpy as np
        >>> column_sums(np.ones((3000, 2), np.float16)).tolist()
        [3000.0, 3000.0]
    """
    rows, columns = matrix.shape
    dtype = matrix.dtype
    if dtype.char not in "fd":
        return np.asarray(np.add.reduce(matrix, axis=0, dtype=np.float32)).astype(dtype)
    times = fold_count(rows, columns) if 2 * columns <= LONG < rows and matrix.flags.c_contiguous else 1
    if times > 1:  # one column's running sum would be long, and rounded at every step
        sums = column_sums(matrix.reshape(rows // times, times * columns)).reshape(times, columns)
        return np.asarray(sums.sum(axis=0, dtype=np.float64)).astype(dtype)
    if matrix.size <= BLOCK:
        return np.asarray(np.dot(ones_vector(rows, dtype), matrix))
    step = max(1, BLOCK // columns)
    total = np.zeros(columns, np.float64)
    for start in range(0, rows, step):
        block = matrix[start : start + step]
        total += np.dot(ones_vector(len(block), dtype), block)
    return total.astype(dtype)


def fold_count(rows: int, columns: int) -> int:
    """Return how many rows of so many columns to lay side by side: a divisor of `rows`, near `LONG / columns`.

    Example:
        >>> fold_count(64, 32), fold_count(7, 32), fold_count(64, 4096)
        (32, 7, 1)
    """
    most = max(1, LONG // max(1, columns))
    return next(times for times in range(min(most, max(rows, 1)), 0, -1) if rows % times == 0)
