"""Whether freed memory is kept for the next array. Half of a large array's price is the operating system's zeroing."""

from __future__ import annotations

import ctypes
import os
import sys

_MMAP_THRESHOLD, _TRIM_THRESHOLD, _TOP_PAD, _ARENA_MAX = -3, -1, -2, -8
_KIB, _MIB = 2**10, 2**20
_KEEP = {_MMAP_THRESHOLD: 1024 * _MIB, _TRIM_THRESHOLD: 2047 * _MIB, _TOP_PAD: 64 * _MIB, _ARENA_MAX: 1}
# What glibc starts with (mallopt(3)); it has eight arenas for each processor.
_GIVE_BACK = {_MMAP_THRESHOLD: 128 * _KIB, _TRIM_THRESHOLD: 128 * _KIB, _TOP_PAD: 128 * _KIB, _ARENA_MAX: 64}


def _is_glibc() -> bool:
    """Ask the C library for its name: `platform.libc_ver` would read through the whole interpreter's file."""
    if sys.platform != "linux" or "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return False
    return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")


def keep_freed_memory(keep: bool = True) -> bool:
    """Keep the memory of freed arrays in the process for the next ones, instead of returning it to the system.

    A fresh array of some megabytes costs about 0.5 ms a megabyte before any arithmetic: the system maps and zeroes its
    pages one by one. A training step frees and makes the same arrays every time. tt-tensor calls this when it is
    imported; the process then never shrinks, which `keep_freed_memory(False)` undoes, and what is free goes back.

    Args:
        keep: Whether to keep.

    Returns:
        Whether it could be set: it is glibc's `mallopt`; other C libraries are left as they are.

    Source: mallopt(3), malloc_trim(3).

    Example:
        >>> keep_freed_memory() == keep_freed_memory(True)
        True
    """
    if not _is_glibc():
        return False
    library = ctypes.CDLL(None)
    done = [library.mallopt(option, value) for option, value in (_KEEP if keep else _GIVE_BACK).items()]
    if not keep:
        library.malloc_trim(0)
    return all(done)
