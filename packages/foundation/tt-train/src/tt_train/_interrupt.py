"""Ctrl-C that waits for the end of a step."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType

__all__ = ["InterruptGuard"]


class InterruptGuard:
    """While `busy`, a first Ctrl-C is only noted; otherwise, and the second time, it interrupts at once.

    Half a step is no state that one could go on from: some weights moved, others not. So the loop says when it
    is between two steps, and asks `check` there. Where signals cannot be handled - in another thread than the
    main one, or when somebody else handles them already - it does nothing, and Ctrl-C is what it was.

    Example:
        >>> guard = InterruptGuard()
        >>> with guard:
        ...     guard.busy = True
        ...     signal.raise_signal(signal.SIGINT)
        ...     guard.pressed
        True
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
