"""The lessons measure what they claim."""

from __future__ import annotations

import pytest
from tt_train.lessons import accumulation, half_precision, plot_accumulation, plot_step_memory, step_memory


def test_gradients_weigh_as_parameters_and_adam_twice_that() -> None:
    memory = step_memory()
    assert memory["gradients"] == memory["parameters"] > 0
    assert memory["optimizer"] == pytest.approx(2 * memory["parameters"], rel=0.01)


def test_only_activations_grow_with_the_batch() -> None:
    small, large = step_memory(128), step_memory(512)
    assert {kind for kind in small if small[kind] != large[kind]} == {"activations"}
    assert large["activations"] == pytest.approx(4 * small["activations"], rel=0.2)


def test_accumulation_gives_the_same_gradient_in_less_memory() -> None:
    rows = accumulation((1, 4, 8), batch_size=512)
    assert [row.pieces for row in rows] == [1, 4, 8]
    assert rows[0].error == 0.0
    assert all(row.error < 1e-5 for row in rows)
    assert rows[2].peak < 0.6 * rows[0].peak
    assert all(row.seconds > 0 for row in rows)


def test_half_precision_keeps_less() -> None:
    single, half = half_precision()
    assert (single.name, half.name) == ("float32", "float16")
    assert half.activations < 0.8 * single.activations
    assert min(single.seconds, half.seconds) > 0


def test_the_plots_show_what_was_measured() -> None:
    pytest.importorskip("matplotlib")
    axis = plot_step_memory((8, 16)).axes[0]
    assert [line.get_label() for line in axis.lines] == ["parameters", "gradients", "optimizer", "activations"]
    figure = plot_accumulation(accumulation((1, 2), batch_size=64))
    assert [axis.get_title() for axis in figure.axes] == [
        "peak memory, MB",
        "time, ms",
        "relative error of the gradient",
    ]
