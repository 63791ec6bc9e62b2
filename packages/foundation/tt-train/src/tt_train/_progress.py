"""A progress bar with the time left, on the terminal of standard error or nowhere."""

from __future__ import annotations

import math
import sys
import time
from typing import Protocol, TextIO

__all__ = ["Progress", "make_progress"]

_REDRAW = 0.1  # seconds between two drawings: a bar must not cost what a step costs


class Progress(Protocol):
    """What the trainer tells a bar."""

    def update(self, step: int, epoch: int, loss: float) -> None:
        """Show where training is; called after each step."""

    def close(self) -> None:
        """Leave the terminal as it was found, on a new line."""


def format_seconds(seconds: float) -> str:
    """Write a duration as `m:ss` or `h:mm:ss`.

    Args:
        seconds: The duration; what is not finite or below zero becomes `-:--`.
    """
    if not math.isfinite(seconds) or seconds < 0:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_bar(done: int, total: int | None, elapsed: float, note: str, *, first: int = 0, width: int = 24) -> str:
    """Draw one line: bar, share, elapsed time, time left.

    Args:
        done: Steps done, those before a resume included.
        total: Steps in all, or None when nobody knows.
        elapsed: Seconds since this run began.
        note: What to append.
        first: Steps done before this run began: the time left is judged by this run's pace alone.
        width: The bar's width in characters.
    """
    if not total:
        return f"step {done}  {format_seconds(elapsed)}  {note}"
    share = min(done / total, 1.0)
    full = int(share * width)
    left = elapsed * (total - done) / (done - first) if done > first else math.inf
    bar = "█" * full + "·" * (width - full)
    return f"{bar} {share:4.0%} {done}/{total}  {format_seconds(elapsed)} < {format_seconds(left)}  {note}"


class _LineBar:
    """One line of plain text, redrawn in place."""

    def __init__(self, stream: TextIO, total: int | None, first: int) -> None:
        self._stream, self._total, self._first = stream, total, first
        self._start = time.perf_counter()
        self._next, self._length, self._latest = 0.0, 0, (first, 0, math.nan)

    def update(self, step: int, epoch: int, loss: float) -> None:
        self._latest = (step, epoch, loss)
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + _REDRAW
            self._draw()

    def _draw(self) -> None:
        step, epoch, loss = self._latest
        elapsed = time.perf_counter() - self._start
        line = format_bar(step, self._total, elapsed, f"epoch {epoch}  loss {loss:.4g}", first=self._first)
        self._stream.write("\r" + line.ljust(self._length))
        self._stream.flush()
        self._length = len(line)

    def close(self) -> None:
        if self._length:
            self._draw()
            self._stream.write("\n")
            self._stream.flush()


class _RichBar:
    """rich's bar; drawn by rich's own thread, told at most ten times a second."""

    def __init__(self, stream: TextIO, total: int | None, first: int) -> None:
        from rich import progress
        from rich.console import Console

        self._progress = progress.Progress(
            progress.TextColumn("epoch {task.fields[epoch]}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("loss {task.fields[loss]:.4g}"),
            console=Console(file=stream),
        )
        self._task = self._progress.add_task("", total=total, completed=first, epoch=1, loss=math.nan)
        self._next, self._latest = 0.0, (first, 1, math.nan)
        self._progress.start()

    def update(self, step: int, epoch: int, loss: float) -> None:
        self._latest = (step, epoch, loss)
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + _REDRAW
            self._tell()

    def _tell(self) -> None:
        step, epoch, loss = self._latest
        self._progress.update(self._task, completed=step, epoch=epoch, loss=loss)

    def close(self) -> None:
        self._tell()
        self._progress.stop()


def make_progress(
    wanted: bool, total: int | None, *, first: int = 0, stream: TextIO | None = None, plain: bool = False
) -> Progress | None:
    """Make a bar if it is wanted and somebody could see it.

    Args:
        wanted: Whether a bar was asked for.
        total: Steps in all, or None when nobody knows.
        first: Steps done before this run began.
        stream: Where to draw; standard error by default.
        plain: Whether to do without rich even if it is installed.

    Returns:
        rich's bar if rich is installed, a line of text if not, None if the stream is no terminal.
    """
    stream = sys.stderr if stream is None else stream
    if not wanted or not stream.isatty():
        return None
    if not plain:
        try:
            return _RichBar(stream, total, first)
        except ImportError:
            pass
    return _LineBar(stream, total, first)
