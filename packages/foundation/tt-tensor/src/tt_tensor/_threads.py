"""Several threads for one piece of work: NumPy lets go of Python's lock while it computes.

One pool of threads at a time: matrix products have threads of their own, which go on spinning for a while after each
product, on the cores that ours need (a convolutional network's step then takes half as long again). So from the first
split on, matrix products run on one thread each, and `matrix_product` splits large ones as anything else is split.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from itertools import pairwise
from queue import SimpleQueue
from typing import TypeVar

import numpy as np

from tt_tensor._blas import blas_threads, can_set_blas_threads, set_blas_threads
from tt_tensor._primitive import Array
from tt_tensor._random import own_generators

T = TypeVar("T")

# Waking a thread takes 60 to 80 us, handing Python's lock to and fro between calls as long again, and what another core
# has written must come over from its cache: below this much work it is not worth it.
WORTH_SPLITTING = 1e-3
# The multiplications of a matrix product that takes about so long.
LARGE_PRODUCT = 1 << 24


class _Crew:
    """Threads that wait for tasks; made at first use, and again in a forked child, which inherits none of them."""

    def __init__(self) -> None:
        self.tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.size = 0
        self.process = os.getpid()

    def grow(self, size: int) -> None:
        while self.size < size:
            threading.Thread(target=self._work, name=f"tt-tensor-{self.size + 1}", daemon=True).start()
            self.size += 1  # only now: what waits for a thread that could not be started would wait for ever

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
# Whether matrix products have been set to one thread, because our threads are at work.
_ours = False


def get_num_threads() -> int:
    """Return how many threads an operation may use.

    Example:
        >>> get_num_threads() >= 1
        True
    """
    if _count is not None:
        return _count
    # What NumPy found is what OPENBLAS_NUM_THREADS or OMP_NUM_THREADS say, else the processors of this process.
    return blas_threads() or os.cpu_count() or 1


def set_num_threads(count: int) -> None:
    """Set how many threads an operation may use, matrix products included, which have their own until work is split.

    Raises:
        ValueError: `count` is less than 1.

    Example:
        >>> before = get_num_threads()
        >>> set_num_threads(1)
        >>> get_num_threads()
        1
        >>> set_num_threads(before)
    """
    global _count, _ours
    if count < 1:
        raise ValueError(f"the number of threads must be at least 1; got {count}")
    _count, _ours = count, False
    set_blas_threads(count)


def split_work(work: Callable[[int, int], object], length: int, *, seconds: float) -> None:
    """Call `work(start, stop)` over ranges that together cover `range(length)`, in several threads if it is worth it.

    For authors of kernels. Where matrix products cannot be told to use one thread, or this runs inside a split already,
    the whole is one call in this thread.

    Args:
        work: Computes the part from `start` to `stop` and writes it where it belongs. Parts must not overlap.
        length: How many items there are. With 0, `work` is not called.
        seconds: About how long all of it takes on one thread; below a millisecond it is not split.

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
        _take_over()
        return _together(tasks)
    finally:
        _here.inside = False
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

    others = range(1, len(tasks))
    for position in others:
        context = copy_context()
        _crew.tasks.put(partial(context.run, run, position))
    try:
        run(0)
    finally:
        _wait(lambda: all(position in results or position in errors for position in others), done)
    if errors:
        raise errors[min(errors)]
    return [results[position] for position in range(len(tasks))]


def _wait(ended: Callable[[], bool], done: SimpleQueue[int]) -> None:
    """Wait until `ended()`, asked after each word of `done`; Ctrl-C meanwhile counts, but only then.

    A part that went on would write into arrays that the caller believes to be finished with.
    """
    interrupt: KeyboardInterrupt | None = None
    while not ended():
        try:
            done.get()
        except KeyboardInterrupt as error:
            interrupt = error
    if interrupt is not None:
        raise interrupt


def _take_over() -> None:
    """Keep matrix products at one thread from now on, and this thread from splitting again for the moment."""
    global _count, _ours
    if not _ours:
        _count = get_num_threads()  # which NumPy can no longer be asked
        set_blas_threads(1)
        _ours = True
    _here.inside = True


def matrix_product(a: Array, b: Array, out: Array | None = None) -> Array:
    """Return `a @ b` of two matrices, split over threads where our threads are at work and it is large enough.

    For authors of kernels. The longer side of the result is what is split.

    Shapes: (M, K) and (K, N) -> (M, N).

    Args:
        a: The left matrix.
        b: The right matrix.
        out: Where to write the result; a new array without it.

    Example:
        >>> import numpy as np
        >>> matrix_product(np.ones((2, 3)), np.ones((3, 1))).tolist()
        [[3.0], [3.0]]
    """
    rows, columns = len(a), b.shape[1]
    if not _ours or a.size * columns < LARGE_PRODUCT or _here.inside:
        whole: Array = np.matmul(a, b) if out is None else np.matmul(a, b, out=out)
        return whole
    product = np.empty((rows, columns), np.result_type(a, b)) if out is None else out
    # Each thread reads the whole of the operand that is not split: let it be the smaller one.
    if rows >= columns:
        split_work(lambda start, stop: np.matmul(a[start:stop], b, out=product[start:stop]), rows, seconds=1.0)
    else:
        split_work(lambda start, stop: np.matmul(a, b[:, start:stop], out=product[:, start:stop]), columns, seconds=1.0)
    return product
