"""Half precision is computed in single: BLAS has none, and a long sum in it would stop growing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import numpy as np
from tt_tensor import Array


def widened(kernel: Callable[..., Array]) -> Callable[..., Array]:
    """Run a kernel in the common type of its arrays, in float32 at least, and round its result once."""

    @wraps(kernel)
    def run(*arrays: Array, **settings: object) -> Array:
        first = arrays[0].dtype
        if first.char in "fd" and all(array.dtype == first for array in arrays):
            return kernel(*arrays, **settings)
        dtype = np.result_type(*arrays)
        wide = np.result_type(dtype, np.float32)
        result = kernel(*[array.astype(wide, copy=False) for array in arrays], **settings)
        return result.astype(dtype, copy=False) if dtype.kind == "f" else result

    return run


def same_type(*arrays: Array) -> list[Array]:
    """Return arrays in their common type, float32 at least."""
    wide = np.result_type(*arrays, np.float32)
    return [array.astype(wide, copy=False) for array in arrays]
