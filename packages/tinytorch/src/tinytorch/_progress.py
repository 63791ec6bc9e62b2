"""A progress bar with the time left, for loops that take longer than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TextIO, TypeVar

T = TypeVar("T")

_PATIENCE = 2.0  # seconds before the first bar: a short loop should leave no trace
_INTERVAL = 0.1
_WIDTH = 30


def bar(done: int, total: int | None, elapsed: float, label: str = "") -> str:
    """Return one line: the label, a bar, the count and the time left.

    Example:
        >>> bar(1, 4, 2.0, "learning")
        'learning [#######-----------------------] 1/4, 6 s left'
        >>> bar(7, None, 2.0)
        '7 done, 2 s'
    """
    start = f"{label} " if label else ""
    if total is None or total < done:
        return f"{start}{done} done, {elapsed:.0f} s"
    filled = _WIDTH * done // max(total, 1)
    left = "" if done == 0 else f", {elapsed / done * (total - done):.0f} s left"
    return f"{start}[{'#' * filled}{'-' * (_WIDTH - filled)}] {done}/{total}{left}"


def progress(
    items: Iterable[T],
    label: str = "",
    total: int | None = None,
    stream: TextIO | None = None,
    patience: float = _PATIENCE,
) -> Iterator[T]:
    """Yield the items; after two seconds draw a bar on the stream (stderr) if it is a terminal, and wipe it at the end.

    Args:
        items: What to go through.
        label: What is being done.
        total: How many there are, where `len(items)` does not say.
        stream: Where to draw.
        patience: Seconds before the first bar.

    Example:
        >>> list(progress([1, 2, 3]))
        [1, 2, 3]
    """
    stream = sys.stderr if stream is None else stream
    if not stream.isatty():
        yield from items
        return
    if total is None and isinstance(items, Sized):
        total = len(items)
    began = time.monotonic()
    drawn_at = began + patience - _INTERVAL
    shown = ""
    try:
        for done, item in enumerate(items):
            now = time.monotonic()
            if now - drawn_at >= _INTERVAL:
                line = bar(done, total, now - began, label)
                stream.write("\r" + line.ljust(len(shown)))
                stream.flush()
                shown, drawn_at = line, now
            yield item
    finally:
        if shown:
            stream.write("\r" + " " * len(shown) + "\r")
            stream.flush()
