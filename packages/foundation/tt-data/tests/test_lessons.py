from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
from tt_data import lessons


def test_throughput_has_a_row_for_each_size() -> None:
    rows = lessons.throughput((1, 16), samples=64, features=4, repeats=1)
    assert [row.batch_size for row in rows] == [1, 16]
    for row in rows:
        batches = 64 / row.batch_size
        assert row.samples_per_second * row.seconds_per_batch * batches == pytest.approx(64)


def test_costs_are_three_times() -> None:
    costs = lessons.loading_costs(samples=64, features=4, repeats=1)
    assert min(costs.sequential, costs.shuffled, costs.collated) > 0


def test_prefetch_gain_is_what_its_times_say() -> None:
    gain = lessons.prefetch_gain(samples=20, features=4, batch_size=5, work=0.001, repeats=1)
    assert gain.work == pytest.approx(0.004)
    assert gain.plain > gain.work
    assert gain.hidden == pytest.approx((gain.plain - gain.prefetched) / gain.load)


def test_plot_or_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [lessons.Throughput(1, 10.0, 0.1), lessons.Throughput(2, 20.0, 0.1)]
    if importlib.util.find_spec("matplotlib") is not None:
        line = lessons.plot_throughput(rows).axes[0].lines[0]
        assert np.asarray(line.get_ydata()).tolist() == [10.0, 20.0]
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="tt-data\\[plot\\]"):
        lessons.plot_throughput(rows)
