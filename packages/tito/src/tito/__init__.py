"""tito, the learner's command line: where you are, what to do next, the milestones, the data sets."""

from __future__ import annotations

from tito._cli import app, main

__all__ = ["app", "main"]
