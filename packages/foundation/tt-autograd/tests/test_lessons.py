"""The lessons measure what they say."""

from __future__ import annotations

import sys

import pytest
from tt_autograd import lessons


def test_what_the_graph_keeps_alive() -> None:
    kept = lessons.kept_bytes(1000)
    assert kept == {"add": 0, "multiply": 8000, "sin": 4000, "tanh": 4000, "sum": 0}


def test_checkpointing_trades_memory() -> None:
    costs = lessons.checkpoint_costs((0, 1, 4), depth=16, width=16, batch=512)
    assert [cost.segments for cost in costs] == [0, 1, 4]
    plain, one, four = (cost.peak_bytes for cost in costs)
    assert four < 0.6 * plain
    assert one > four
    assert all(cost.seconds > 0 for cost in costs)


def test_uses_add_up() -> None:
    assert lessons.shared_weight_gradients(5.0) == {"true": 10.0, "accumulated": 10.0, "overwritten": 5.0}


def test_only_the_reverse_order_is_right() -> None:
    assert lessons.gradient_by_walking() == 24.0
    assert lessons.gradient_by_walking(("d", "b", "c")) != 24.0
    assert lessons.gradient_by_walking(("b", "c", "d")) != 24.0


def test_the_plot_has_a_bar_for_each_measurement() -> None:
    pytest.importorskip("matplotlib")
    costs = [lessons.CheckpointCost(0, 2**20, 0.1), lessons.CheckpointCost(4, 2**19, 0.2)]
    memory, seconds = lessons.plot_checkpoint_costs(costs).axes
    assert [bar.get_window_extent().height > 0 for bar in memory.patches] == [True, True]
    assert memory.get_ylim()[1] == pytest.approx(1.05)
    assert seconds.get_ylim()[1] == pytest.approx(210)


def test_without_matplotlib_the_plot_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"tt-autograd\[plot\]"):
        lessons.plot_checkpoint_costs([])
