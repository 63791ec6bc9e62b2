"""Memory: nothing leaks without the garbage collector, and what no rule needs is not kept."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from tt_tensor import Tensor, from_numpy

MEGABYTE = 1 << 20


@contextmanager
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def step(x: Tensor, w: Tensor) -> None:
    w.zero_grad()
    hidden = (x @ w).tanh()
    loss = ((hidden * hidden).mean(axis=0) - 1.0).sum()
    loss.backward()


def test_a_thousand_steps_leave_nothing_behind() -> None:
    x = Tensor(np.ones((8, 8)))
    w = Tensor(np.ones((8, 8)) * 0.1, requires_grad=True)
    with no_collector():
        for _ in range(20):
            step(x, w)
        tracemalloc.start()
        try:
            step(x, w)
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(1000):
                step(x, w)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert after - before < 20_000


def test_steps_that_never_run_backward_are_freed_without_the_collector() -> None:
    with no_collector():
        x = Tensor(np.ones(4), requires_grad=True)
        y = (x * 2.0).tanh()
        gone = weakref.ref(y)
        z = y.sum()
        del y, z
        assert gone() is None


def held_by(build: str) -> float:
    """Megabytes that a chain of four operations on a megabyte keeps alive, beyond its input and result."""
    x = from_numpy(np.full(MEGABYTE // 4, 0.5, np.float32))
    x.requires_grad = True
    tracemalloc.start()
    try:
        y = x
        for _ in range(4):
            y = {"add": lambda t: t + 1.0, "tanh": lambda t: t.tanh(), "sin": lambda t: t.sin()}[build](y)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return held / MEGABYTE - 1


def test_additions_keep_nothing() -> None:
    assert held_by("add") < 0.1


def test_tanh_keeps_its_outputs_and_sin_its_inputs() -> None:
    assert 2.9 < held_by("tanh") < 3.1
    assert 2.9 < held_by("sin") < 3.1


def test_backward_frees_what_was_kept() -> None:
    x = Tensor([0.5], requires_grad=True)
    y = x.tanh()
    kept = weakref.ref(y.data)
    z = y.sin().sum()
    del y
    assert kept() is not None
    z.backward()
    assert kept() is None


def test_backward_frees_as_it_goes() -> None:
    """The peak of a backward pass is a few arrays, not one gradient for each step."""
    x = from_numpy(np.full(MEGABYTE // 4, 0.5, np.float32))
    x.requires_grad = True
    y = x
    for _ in range(10):
        y = y + 1.0
    loss = y.sum()
    del y
    tracemalloc.start()
    try:
        loss.backward()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4.5 * MEGABYTE
