"""The lessons return numbers that were measured, and draw them."""

from __future__ import annotations

import builtins
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from tt_tensor import lessons


def test_memory_layout() -> None:
    cost = lessons.memory_layout(64, repeats=2)
    assert cost.size == 64
    assert cost.row_seconds > 0
    assert cost.ratio == cost.column_seconds / cost.row_seconds


def test_view_or_copy() -> None:
    costs = {cost.operation: cost for cost in lessons.view_or_copy(64, repeats=1)}
    shared = {name for name, cost in costs.items() if cost.shares_memory}
    assert shared == {"x.T", "x.reshape(-1)", "x[::2]", "x.flip(0)"}
    for name in shared:
        assert costs[name].allocated_bytes < 2000, name
    assert costs["x.copy()"].allocated_bytes >= 64 * 64 * 4
    assert costs["x.T.reshape(-1)"].allocated_bytes >= 64 * 64 * 4


def test_broadcasting_copies_nothing() -> None:
    cost = lessons.broadcasting(100, 1000)
    assert cost.row_bytes == 4000
    assert cost.stretched_bytes < 2000
    assert cost.tiled_bytes >= 400_000
    assert cost.shape == (100, 1000)


def test_measuring_leaves_a_running_trace_alone() -> None:
    tracemalloc.start()
    try:
        assert lessons.broadcasting(100, 1000).tiled_bytes >= 400_000
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_precision() -> None:
    cost = lessons.precision(64, repeats=1)
    assert cost.float64_bytes == 2 * cost.float32_bytes == 2 * 64 * 64 * 4
    assert cost.float64_error < 1e-14 < cost.float32_error < 1e-5
    assert cost.speedup == cost.float64_seconds / cost.float32_seconds


def test_running_sum_error() -> None:
    one_by_one, ours = lessons.running_sum_error()
    assert ours < 1e-7 < 1e-5 < one_by_one


@pytest.mark.parametrize("call", [lessons.memory_layout, lessons.view_or_copy, lessons.broadcasting,
                                  lessons.precision, lessons.running_sum_error])  # fmt: skip
def test_sizes_start_at_one(call: Callable[[int], object]) -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        call(0)


def test_plots() -> None:
    pytest.importorskip("matplotlib")
    figures = [
        lessons.plot_memory_layout([lessons.memory_layout(8, repeats=1)]),
        lessons.plot_view_or_copy(lessons.view_or_copy(8, repeats=1)),
        lessons.plot_broadcasting(lessons.broadcasting(8, 8)),
        lessons.plot_precision(lessons.precision(8, repeats=1)),
    ]
    for figure in figures:
        assert all(axes.get_title() for axes in figure.axes)


def test_plots_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> object:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    cost = lessons.memory_layout(8, repeats=1)
    with pytest.raises(ImportError, match=r"tt-tensor\[plot\]"):
        lessons.plot_memory_layout([cost])
