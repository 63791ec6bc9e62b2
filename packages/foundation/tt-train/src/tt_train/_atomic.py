"""Writing a file so that a reader finds the old one or the new one, never half of one."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["atomic_write"]


def write_all(descriptor: int, data: memoryview) -> None:
    """Write every byte of `data`; the system may take fewer than it was offered.

    Args:
        descriptor: An open file descriptor.
        data: The bytes, as a flat view.

    Raises:
        OSError: The system refused (full disk, I/O error).
    """
    while data:
        data = data[os.write(descriptor, data) :]


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a power cut (POSIX: the folder is a file too).

    Args:
        folder: The folder that holds the renamed file.
    """
    if os.name != "posix":  # Windows cannot open a folder; its rename is journalled
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _part_path(path: Path) -> Path:
    """Name the file that this thread, and no other writer of `path`, writes first."""
    return path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}-{threading.get_ident()}.part")


def _remove_orphans(path: Path) -> None:
    """Remove what writers of this file left behind when they were killed (on this machine only)."""
    prefix, suffix = f".{path.name}.{platform.node()}.", ".part"
    for entry in path.parent.iterdir():
        middle = entry.name.removeprefix(prefix).removesuffix(suffix)
        pid, _, thread = middle.partition("-")
        ours = entry.name == f"{prefix}{middle}{suffix}" and pid.isdecimal() and thread.isdecimal()
        if not ours or _is_alive(int(pid)):
            continue
        with suppress(OSError):  # tidying must never stop a checkpoint
            entry.unlink()


def _is_alive(pid: int) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def atomic_write(path: str | os.PathLike[str], chunks: Iterable[memoryview]) -> None:
    """Write `chunks` to `path` such that the file is at every moment either the old one or the whole new one.

    The bytes go to a new file in the same folder, are forced to the disk, and only then take the old file's
    name: a rename within one folder is the one change of a file system that cannot be seen half done.

    Args:
        path: The file to write or replace; its folder must exist.
        chunks: The bytes, piece by piece (flat views), so that no second copy of a large state is needed.

    Raises:
        OSError: The system refused; `path` is untouched, and the unfinished file is gone. Only a failure after
            the rename (while the folder is forced to the disk) leaves the new file in place.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "greeting")
        >>> atomic_write(path, [memoryview(b"hello "), memoryview(b"world")])
        >>> path.read_bytes()
        b'hello world'
    """
    path = Path(path)
    _remove_orphans(path)
    part = _part_path(path)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
    try:
        try:
            for chunk in chunks:
                write_all(descriptor, chunk)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(part, path)
    except BaseException:  # also Ctrl-C: the unfinished file goes, the error stays
        with suppress(OSError):
            part.unlink()
        raise
    sync_folder(path.parent)
