"""One broken rule."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Violation:
    """Where a rule is broken, what is wrong there, and what to do about it."""

    path: Path
    line: int
    what: str
    remedy: str

    def describe(self, root: Path) -> str:
        """Say it in one line, with the path as seen from the root."""
        path = self.path.relative_to(root) if self.path.is_relative_to(root) else self.path
        where = f"{path}:{self.line}" if self.line else str(path)
        return f"{where}: {self.what}; {self.remedy}"
