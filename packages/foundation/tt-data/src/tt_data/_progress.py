"""A progress bar with a time left, where rich is installed and somebody is looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def progress_bar(label: str, start: int, total: int, wanted: bool = True) -> Iterator[Callable[[int], None]]:
    """Show a download's progress on standard error while the block runs.

    Args:
        label: What is downloaded.
        start: Bytes that are there already.
        total: Bytes of the whole.
        wanted: Whether to show anything.

    Yields:
        A function to call with each number of bytes that came.
    """
    if not wanted or find_spec("rich") is None:
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=total, completed=start)
        yield lambda count: bar.advance(task, count)
