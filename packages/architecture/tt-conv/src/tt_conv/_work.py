"""Work in blocks that a core's cache holds, and what it may cost."""

from __future__ import annotations

from collections.abc import Callable

from tt_tensor import split_work

# Bytes of a block of work, such that it stays in a core's second cache.
BLOCK = 1 << 20
# What one core does in a second, roughly: to judge whether waking a second one pays.
BYTES_PER_SECOND = 6e9
FLOPS_PER_SECOND = 6e10


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
