"""Layers, losses and models: things that hold parameters or settings and are called."""

from __future__ import annotations

from tinytorch._lazy import lazy

__getattr__, __dir__ = lazy(__name__)
