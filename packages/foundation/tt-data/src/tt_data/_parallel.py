"""Work ahead of the consumer, in threads that end when the consumer does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ordered_map(work: Callable[[T], R], items: Iterable[T], *, threads: int, ahead: int) -> Iterator[R]:
    """Yield `work(item)` for each item, in order, computed by threads at most `ahead` results in advance.

    However the consumer ends (to the end, with `break`, with an exception), jobs not yet begun are dropped and
    the threads joined. An exception in `work` is raised where its result would have come.

    Args:
        work: What to do for an item; called in a thread, in the consumer's context.
        items: The items; taken one by one as room becomes free.
        threads: How many threads.
        ahead: How many results may be under way or waiting, at least one.

    Example:
        >>> list(ordered_map(abs, [-3, -1, -2], threads=2, ahead=2))
        [3, 1, 2]
    """
    # Costs some 10 ms, which a program without threads need not pay.
    from concurrent.futures import Future, ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads, thread_name_prefix="tt-data")
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(copy_context().run, work, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
