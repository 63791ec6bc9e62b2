"""Memory to work in, kept from one call to the next: a fresh array costs more than filling it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from tt_tensor import Array, split_work

# Bytes of a block of work, such that it stays in a core's second cache.
BLOCK = 1 << 20
# What a thread keeps of each kind; larger arrays are made anew.
LIMIT = 8 << 20
# What one core does in a second, roughly: to judge whether waking a second one pays.
BYTES_PER_SECOND = 6e9
FLOPS_PER_SECOND = 6e10


class _Kept(threading.local):
    """The arrays of this thread, by name."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}


_kept = _Kept()


def workspace(name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return an array of this thread to work in, with any contents; the next call by that name gets the same memory.

    Never part of a result.
    """
    kind = np.dtype(dtype)
    count = math.prod(shape) * kind.itemsize
    if count > LIMIT:
        return np.empty(shape, kind)
    found = _kept.arrays.get(name)
    if found is None or found.size < count:
        found = _kept.arrays[name] = np.empty(count, np.uint8)
    return found[:count].view(kind).reshape(shape)


def by_blocks(work: Callable[[int, int], object], length: int, item_bytes: int, *, seconds: float) -> None:
    """Call `work(start, stop)` over blocks of `range(length)` of about `BLOCK` bytes, in two threads if it pays."""
    step = max(1, BLOCK // max(1, item_bytes))

    def part(start: int, stop: int) -> None:
        for first in range(start, stop, step):
            work(first, min(first + step, stop))

    split_work(part, length, seconds=seconds)


def product_seconds(columns: int, width: int, itemsize: int) -> float:
    """Estimate how long one core copies so many numbers of columns and multiplies them with a matrix of that width."""
    return columns * (2 * width / FLOPS_PER_SECOND + itemsize / BYTES_PER_SECOND)
