"""Module 09, tt-conv: all of its public names."""

from __future__ import annotations

from tinytorch._lazy import core

__getattr__, __dir__ = core(__name__)
