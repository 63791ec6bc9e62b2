"""How many threads NumPy's matrix products use: asked of and told to the OpenBLAS that NumPy brought along."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np


@cache
def _functions() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """Find OpenBLAS's own pair of functions, or nothing where NumPy uses another library."""
    root = Path(np.__file__).parent
    for path in (*root.parent.glob("numpy.libs/*openblas*"), *root.glob(".dylibs/*openblas*")):
        library = ctypes.CDLL(os.fspath(path))  # loaded already: this is a second name for it
        for prefix, suffix in (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")):
            get = getattr(library, f"{prefix}openblas_get_num_threads{suffix}", None)
            put = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
            if get is not None and put is not None:
                put.argtypes, put.restype = [ctypes.c_int], None
                return get, put
    return None


def can_set_blas_threads() -> bool:
    """Return whether this NumPy's matrix products can be told their number of threads."""
    return _functions() is not None


def blas_threads() -> int | None:
    """Return the number of threads of a matrix product, or None where it cannot be known."""
    found = _functions()
    return None if found is None else int(found[0]())


def set_blas_threads(count: int) -> None:
    """Set the number of threads of later matrix products; nothing happens where that cannot be done."""
    found = _functions()
    if found is not None:
        found[1](count)
