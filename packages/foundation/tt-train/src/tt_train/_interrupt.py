"""Ctrl-C that waits for the end of a step."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType, TracebackType

from ._errors import TrainingInterrupted

__all__ = ["InterruptGuard", "interruption"]


class InterruptGuard:
    """While `busy`, a first Ctrl-C is only noted; otherwise, and the second time, it interrupts at once.

    Half a step is no state that one could go on from: some weights moved, others not. So the loop says when it
    is between two steps, and asks `check` there. Where signals cannot be handled - in another thread than the
    main one, or when somebody else handles them already - it does nothing, and Ctrl-C is what it was.

    Example:
        >>> with InterruptGuard() as guard:
        ...     guard.busy = True  # a Ctrl-C would now be noted in `pressed`,
        ...     guard.busy = False
        ...     guard.check()  # and raised here
    """

    def __init__(self) -> None:
        self.busy = False
        self.pressed = False
        self._installed = False

    def __enter__(self) -> InterruptGuard:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)
            self._installed = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._installed = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.busy and not self.pressed:
            self.pressed = True
            return
        raise KeyboardInterrupt

    def check(self) -> None:
        """Interrupt now if Ctrl-C came while busy.

        Raises:
            KeyboardInterrupt: It came.
        """
        if self.pressed:
            raise KeyboardInterrupt


def interruption(step: int, epoch: int, path: Path | None, *, clean: bool) -> TrainingInterrupted:
    """Say what Ctrl-C has left, and how to go on.

    Args:
        step: Steps done.
        epoch: Epochs done.
        path: The checkpoint of this run, if it has one; already written if `clean`.
        clean: Whether the run was between two steps.
    """
    where = f"stopped by Ctrl-C after step {step}, in epoch {epoch + 1}"
    if not clean:
        latest = f"; the latest whole state is {path}" if path is not None and path.exists() else ""
        return TrainingInterrupted(f"{where}, in the middle of a step, which cannot be saved{latest}")
    if path is None:
        return TrainingInterrupted(
            f"{where}; nothing was saved, as fit() had no checkpoint=PATH. trainer.save(PATH) still saves it, "
            "and fit(..., resume=PATH) goes on"
        )
    return TrainingInterrupted(
        f"{where}; saved to {path}. Go on with fit(..., checkpoint={str(path)!r}, resume=True)", checkpoint=path
    )
