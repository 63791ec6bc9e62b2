"""The lessons measure what they say."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
import pytest
from tt_activations import lessons


def test_saturation_grows_with_scale_for_sigmoid_and_tanh_only() -> None:
    rows = lessons.saturation(rng=np.random.default_rng(1))
    assert [row.scale for row in rows] == list(lessons.SCALES)
    for name in ("sigmoid", "tanh"):
        shares = [getattr(row, name) for row in rows]
        assert shares == sorted(shares)
        assert shares[0] == 0
        assert shares[-1] > 0.8
    assert all(0.45 < row.relu < 0.55 for row in rows)
    # |x| > 6.9 puts a sigmoid's gradient below 1e-3, |x| > 4.15 that of tanh: at scale 10, a share of 0.49 and 0.68.
    assert rows[4].sigmoid == pytest.approx(math.erfc(0.69 / math.sqrt(2)), abs=0.01)
    assert rows[4].tanh == pytest.approx(math.erfc(0.415 / math.sqrt(2)), abs=0.01)


def test_a_low_bias_kills_units() -> None:
    rows = lessons.dead_units([0.0, -2.0, -8.0], rng=np.random.default_rng(1))
    assert rows[0].dead == 0.0
    assert rows[0].active == pytest.approx(0.5, abs=0.02)
    assert rows[0].active > rows[1].active > rows[2].active
    assert rows[2].dead == 1.0


def test_naive_softmax_breaks_between_88_and_89() -> None:
    rows = {row.largest: row for row in lessons.overflow()}
    assert rows[50.0].naive_error < 1e-6
    for top in (89.0, 100.0, 1e4):
        assert math.isnan(rows[top].naive_error)
    assert all(row.stable_error < 1e-6 for row in rows.values())


PLOTS = [lessons.plot_saturation, lessons.plot_dead_units, lessons.plot_overflow]


@pytest.mark.parametrize("plot", PLOTS)
def test_plots_draw_what_was_measured(plot: Callable[[], object]) -> None:
    figure_module = pytest.importorskip("matplotlib.figure")
    figure = plot()
    assert isinstance(figure, figure_module.Figure)
    assert figure.axes[0].lines
    assert figure.axes[0].get_xlabel()


@pytest.mark.parametrize("plot", PLOTS)
def test_without_matplotlib_the_error_says_what_to_install(
    plot: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"tt-activations\[plot\]"):
        plot()
