"""Where data sets lie on this machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def data_folder() -> Path:
    """Return the folder of downloaded data sets: `TINYTORCH_DATA` if set, else the platform's cache folder.

    Each data set has a subfolder: `mnist/`, `fashion_mnist/`, `cifar10/`, `tinyshakespeare/`, `stories260k/`.

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


@contextmanager
def alone_in(folder: Path) -> Iterator[bool]:
    """Keep every other thread and process that asks for the same out of a folder while the block runs.

    A system or a folder without such locks (Windows, some network drives) lets everybody in at once.

    Args:
        folder: An existing folder. Nothing is written into it.

    Yields:
        Whether somebody else was there before.

    Example:
        >>> import tempfile
        >>> with alone_in(Path(tempfile.mkdtemp())) as waited:
        ...     waited
        False
    """
    try:
        import fcntl
    except ImportError:
        yield False
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        waited = False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            waited = True
        except OSError:
            pass  # no locks here
        yield waited
    finally:
        os.close(descriptor)  # gives the lock up
