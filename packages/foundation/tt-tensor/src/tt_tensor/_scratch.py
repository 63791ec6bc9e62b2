"""Memory to work in, kept from one call to the next: a fresh array costs more than filling it."""

from __future__ import annotations

import math
import threading

import numpy as np
import numpy.typing as npt

from tt_tensor._primitive import Array

# Bytes that a thread keeps for each use; what is larger is made anew.
LIMIT = 16 << 20


class _Kept(threading.local):
    """The memory of this thread, by what it is used for."""

    def __init__(self) -> None:
        self.memory: dict[str, Array] = {}


_kept = _Kept()


def scratch(use: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return an array of this thread to work in, with any contents; for authors of kernels.

    A fresh megabyte costs about half a millisecond before anything is computed; this one is warm. The next call for the
    same use returns the same memory, so nothing of it may be returned from a kernel or kept.

    Args:
        use: What for, beginning with the package's name: `"tt_conv.columns"`.
        shape: Its shape.
        dtype: Its element type.

    Example:
        >>> first = scratch("doc.sums", (2, 3), np.float32)
        >>> np.shares_memory(first, scratch("doc.sums", (4,), np.float32))
        True
    """
    kind = np.dtype(dtype)
    wanted = math.prod(shape) * kind.itemsize
    if wanted > LIMIT:
        return np.empty(shape, kind)
    memory = _kept.memory.get(use)
    if memory is None or memory.size < wanted:
        memory = _kept.memory[use] = np.empty(wanted, np.uint8)
    return memory[:wanted].view(kind).reshape(shape)
