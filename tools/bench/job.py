"""What a framework prepares for a work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Job:
    """Something to run again and again.

    Args:
        run: Does it, and gives how many units of work it was.
        figures: What the latest run found, such as its losses, on which all sides must agree.
    """

    run: Callable[[], float]
    figures: list[float] = field(default_factory=list)
