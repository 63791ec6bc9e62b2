"""Where data sets lie on this machine."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def data_folder() -> Path:
    """Return the folder of downloaded data sets: `TINYTORCH_DATA` if set, else the platform's cache folder.

    Each data set has a subfolder: `mnist/`, `fashion_mnist/`, `cifar10/`, `tinyshakespeare/`.

    Example:
        >>> data_folder().is_absolute()
        True
    """
    if chosen := os.environ.get("TINYTORCH_DATA"):
        return Path(chosen).expanduser().absolute()
    # Imported late: who names a folder, or uses embedded data only, does not wait for it.
    from platformdirs import user_cache_path

    return user_cache_path("tinytorch", appauthor=False) / "data"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
