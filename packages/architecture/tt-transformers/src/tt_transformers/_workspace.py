"""Scratch memory that a thread keeps, because fresh memory costs more than the arithmetic done in it."""

from __future__ import annotations

import math
import threading

import numpy as np
import numpy.typing as npt
from tt_tensor import Array

LIMIT = 16 * 2**20  # bytes: a larger request gets memory of its own, so that what a thread holds stays bounded


class _Kept(threading.local):
    """What each thread keeps: one flat array for each use."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}


_kept = _Kept()


def scratch(use: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return an array to work in, of undefined contents, valid until this thread asks again for the same use.

    A fresh megabyte costs about half a millisecond in page faults before anything is computed; this one is warm.
    It must not be returned from a kernel, nor kept.
    """
    kind = np.dtype(dtype)
    size = math.prod(shape)
    wanted = size * kind.itemsize
    if wanted > LIMIT:
        return np.empty(shape, kind)
    memory = _kept.arrays.get(use)
    if memory is None or memory.nbytes < wanted:
        memory = _kept.arrays[use] = np.empty(wanted, np.uint8)
    return memory[:wanted].view(kind).reshape(shape)
