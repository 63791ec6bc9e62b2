"""What the framework consists of, and what of it is here: for tools such as `tito`.

Example:
    >>> from tinytorch.packages import PACKAGES
    >>> [package.distribution for package in PACKAGES if package.tier == "foundation"][:2]
    ['tt-tensor', 'tt-activations']
"""

from __future__ import annotations

from tinytorch._machine import folder_of, sources, version_of
from tinytorch._table import BUILT, PACKAGES, PLANNED, Package

__all__ = ["BUILT", "PACKAGES", "PLANNED", "Package", "folder_of", "sources", "version_of"]
