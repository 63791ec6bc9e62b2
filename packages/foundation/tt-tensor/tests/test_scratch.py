"""Scratch memory: the same again for the same use, in one thread; never too much of it."""

from __future__ import annotations

import threading

import numpy as np
from tt_tensor import Array, scratch


def test_the_same_use_gets_the_same_memory_whatever_its_shape_and_type() -> None:
    first = scratch("test.a", (10, 10), np.float64)
    second = scratch("test.a", (3, 4), np.float32)
    assert second.shape == (3, 4)
    assert second.dtype == np.float32
    assert np.shares_memory(first, second)


def test_other_uses_and_other_threads_get_their_own() -> None:
    mine = scratch("test.b", (8,), np.float32)
    theirs: list[Array] = []
    thread = threading.Thread(target=lambda: theirs.append(scratch("test.b", (8,), np.float32)))
    thread.start()
    thread.join()
    assert not np.shares_memory(mine, theirs[0])
    assert not np.shares_memory(mine, scratch("test.c", (8,), np.float32))


def test_it_grows_and_what_is_very_large_is_not_kept() -> None:
    assert scratch("test.d", (2,), np.float32).size == 2
    assert scratch("test.d", (2000,), np.float32).size == 2000
    large = scratch("test.d", (5 << 20,), np.float32)
    assert not np.shares_memory(large, scratch("test.d", (5 << 20,), np.float32))


def test_nothing_to_hold() -> None:
    assert scratch("test.e", (0, 3), np.float32).shape == (0, 3)
