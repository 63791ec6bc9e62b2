"""Several threads for one piece of work: NumPy lets go of Python's lock while it computes.

One pool of threads at a time: matrix products have threads of their own, which fight with ours for the same cores. So
while a piece of work is split, matrix products run on one thread each, and nothing inside it is split again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from itertools import pairwise
from queue import SimpleQueue
from typing import TypeVar

from tt_tensor._blas import blas_threads, can_set_blas_threads, set_blas_threads
from tt_tensor._random import own_generators

T = TypeVar("T")

# Waking a thread takes 60 to 80 us: below this much work it is not worth it.
WORTH_SPLITTING = 300e-6


class _Crew:
    """Threads that wait for tasks; made at first use, and again in a forked child, which inherits none of them."""

    def __init__(self) -> None:
        self.tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.size = 0
        self.process = os.getpid()

    def grow(self, size: int) -> None:
        while self.size < size:
            self.size += 1
            threading.Thread(target=self._work, name=f"tt-tensor-{self.size}", daemon=True).start()

    def _work(self) -> None:
        _here.inside = True
        while True:
            self.tasks.get()()


class _Here(threading.local):
    """What holds for this thread: whether it is inside a split already."""

    inside = False


_here = _Here()
_crew = _Crew()
# Held while some thread has split its work; another then does its own alone.
_in_use = threading.Lock()
_count: int | None = None
# What matrix products had before they were set to one.
_before: int | None = None


def get_num_threads() -> int:
    """Return how many threads an operation may use.

    Example:
        >>> get_num_threads() >= 1
        True
    """
    if _count is not None:
        return _count
    if _in_use.locked():  # matrix products are at one thread meanwhile, so NumPy cannot be asked
        return _before or 1
    # What NumPy found is what OPENBLAS_NUM_THREADS or OMP_NUM_THREADS say, else the processors of this process.
    return blas_threads() or os.cpu_count() or 1


def set_num_threads(count: int) -> None:
    """Set how many threads an operation may use, matrix products included.

    Raises:
        ValueError: `count` is less than 1.

    Example:
        >>> before = get_num_threads()
        >>> set_num_threads(1)
        >>> get_num_threads()
        1
        >>> set_num_threads(before)
    """
    global _count
    if count < 1:
        raise ValueError(f"the number of threads must be at least 1; got {count}")
    _count = count
    set_blas_threads(count)


def split_work(work: Callable[[int, int], object], length: int, *, seconds: float) -> None:
    """Call `work(start, stop)` over ranges that together cover `range(length)`, in several threads if it is worth it.

    For authors of kernels. Where matrix products cannot be told to use one thread, or this runs inside a split already,
    the whole is one call in this thread.

    Args:
        work: Computes the part from `start` to `stop` and writes it where it belongs. Parts must not overlap.
        length: How many items there are. With 0, `work` is not called.
        seconds: About how long all of it takes on one thread; below 300 microseconds it is not split.

    Raises:
        BaseException: What `work` raised, after all its parts have ended.

    Example:
        >>> import numpy as np
        >>> squares = np.empty(1000)
        >>> def part(start, stop):
        ...     squares[start:stop] = np.arange(start, stop) ** 2.0
        >>> split_work(part, 1000, seconds=1e-6)
        >>> float(squares[-1])
        998001.0
    """
    if length == 0:
        return
    threads = 1 if seconds < WORTH_SPLITTING or _here.inside else min(get_num_threads(), length)
    if threads == 1:
        work(0, length)
        return
    edges = [length * part // threads for part in range(threads + 1)]
    _side_by_side([partial(work, start, stop) for start, stop in pairwise(edges)])


def run_together(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run tasks side by side, each in a thread and with one thread for its matrix products; return what they return.

    Inside a split, where another thread has split its work, or where matrix products cannot be told their number of
    threads, they run one after another. Each sees the context variables of the caller (`no_grad`, interpreters), and
    has a default generator of its own, so that random numbers are the same however the tasks ran.

    Raises:
        BaseException: What the first of them to fail, in their order, raised; the others have ended by then.

    Example:
        >>> run_together([lambda: 1, lambda: 2])
        [1, 2]
    """
    with own_generators(tasks) as owning:
        return _side_by_side(owning)


def _side_by_side(tasks: Sequence[Callable[[], T]]) -> list[T]:
    if len(tasks) < 2 or _here.inside or get_num_threads() == 1 or not can_set_blas_threads():
        return [task() for task in tasks]
    if not _in_use.acquire(blocking=False):
        return [task() for task in tasks]
    try:
        with _alone():
            return _together(tasks)
    finally:
        _in_use.release()


def _together(tasks: Sequence[Callable[[], T]]) -> list[T]:
    global _crew
    if _crew.process != os.getpid():
        _crew = _Crew()
    _crew.grow(min(len(tasks), get_num_threads()) - 1)
    results: dict[int, T] = {}
    errors: dict[int, BaseException] = {}
    done: SimpleQueue[int] = SimpleQueue()

    def run(position: int) -> None:
        try:
            results[position] = tasks[position]()
        except BaseException as error:  # noqa: BLE001  # it is raised again, in the thread that asked
            errors[position] = error
        done.put(position)

    for position in range(1, len(tasks)):
        context = copy_context()
        _crew.tasks.put(partial(context.run, run, position))
    run(0)
    for _ in tasks:
        done.get()
    if errors:
        raise errors[min(errors)]
    return [results[position] for position in range(len(tasks))]


@contextmanager
def _alone() -> Iterator[None]:
    """Keep matrix products at one thread, and this thread from splitting again."""
    global _before
    _before = before = blas_threads()
    set_blas_threads(1)
    _here.inside = True
    try:
        yield
    finally:
        _here.inside = False
        if before is not None:
            set_blas_threads(before)
