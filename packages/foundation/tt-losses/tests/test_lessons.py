"""The lessons measure what they say."""

from __future__ import annotations

import math
import sys
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from tt_losses import lessons


def test_only_log_sum_exp_survives_every_gap() -> None:
    rows = {row.gap: row for row in lessons.precision()}
    assert rows[10.0].formula_error < 1e-5
    for gap in (110.0, 1e3, 1e4):
        assert not math.isfinite(rows[gap].formula_error)
        assert not math.isfinite(rows[gap].log_of_softmax_error)
    assert not math.isfinite(rows[90.0].formula_error)
    assert rows[80.0].log_of_softmax_error < 1e-5
    assert all(row.cross_entropy_error < 1e-6 for row in rows.values())
    assert rows[1.0].exact == pytest.approx(1 + math.log1p(math.exp(-1)))


def test_the_memory_of_logits_is_measured() -> None:
    row = lessons.logits_memory([50_000], tokens=32, features=4, rng=np.random.default_rng(1))[0]
    assert row.vocabulary == 50_000
    assert row.logits == 32 * 50_000 * 4
    assert row.two_steps >= 2 * row.logits * 0.99
    # The fused loss works through the logits by blocks of about a megabyte.
    assert row.fused < row.logits / 2


def test_peak_bytes_leaves_a_trace_running_that_was_there() -> None:
    assert not tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        lessons.logits_memory([10], tokens=2, features=2)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


PLOTS: list[Callable[[], object]] = [
    lessons.plot_precision,
    lambda: lessons.plot_logits_memory(lessons.logits_memory([10, 100], tokens=4)),
]


@pytest.mark.parametrize("plot", PLOTS)
def test_plots_draw_what_was_measured(plot: Callable[[], object]) -> None:
    figure_module = pytest.importorskip("matplotlib.figure")
    figure = plot()
    assert isinstance(figure, figure_module.Figure)
    assert len(figure.axes[0].lines) == 3
    assert figure.axes[0].get_xlabel()


@pytest.mark.parametrize("plot", PLOTS)
def test_without_matplotlib_the_error_says_what_to_install(
    plot: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"tt-losses\[plot\]"):
        plot()
