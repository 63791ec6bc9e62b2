"""Data sets, loaders and transforms."""

from __future__ import annotations

from tinytorch._lazy import lazy

__getattr__, __dir__ = lazy(__name__)
