"""What goes wrong, said so that the reader knows what to do; and the exit codes."""

from __future__ import annotations

FAILED = 1  # a gate, a test, a download, the ground that doctor looks at
WRONG_USE = 2
CRASHED = 3
INTERRUPTED = 130


class TitoError(Exception):
    """Something that the user can put right.

    Args:
        what: What is wrong.
        got: What was received.
        do: What to do about it.
        code: The exit code.
    """

    def __init__(self, what: str, got: str, do: str, code: int = WRONG_USE) -> None:
        super().__init__(f"{what}: got {got}; {do}")
        self.what = what
        self.got = got
        self.do = do
        self.code = code
