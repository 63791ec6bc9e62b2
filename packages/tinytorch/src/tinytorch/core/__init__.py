"""The packages one by one, each whole: `from tinytorch.core.layers import Linear`."""

from __future__ import annotations

from tinytorch._lazy import lazy

__getattr__, __dir__ = lazy(__name__)
