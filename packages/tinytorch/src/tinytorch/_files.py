"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: str | Path, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Write a file so that a crash, a full disk or Ctrl-C leaves the old one or none, never half of it.

    Args:
        path: Where the file goes; its folder is made if it is missing.
        content: The bytes, or a function that writes them to the binary stream that it gets.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(Path(folder) / "deep" / "a.txt", b"whole")
        ...     (Path(folder) / "deep" / "a.txt").read_bytes()
        b'whole'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder: a rename across file systems is a copy, and a copy can stop in the middle.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            if callable(content):
                content(stream)
            else:
                stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)  # mkstemp's 0600 would hide a result from whoever shares the folder
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
