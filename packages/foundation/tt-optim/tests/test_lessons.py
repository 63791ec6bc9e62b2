"""The lessons: memory as measured, and who gets down the ravine."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from tt_optim import SGD, Cosine, OneCycle
from tt_optim.lessons import descend, optimizer_bytes, plot_ravine, plot_schedules, ravine
from tt_tensor import Tensor


def test_adam_keeps_three_times_the_parameters() -> None:
    measured = {memory.name: memory for memory in optimizer_bytes([(100, 10), (10,)])}
    assert measured["Adam"].parameters == 1010 * 4
    assert measured["Adam"].states == 2 * 1010 * 4
    assert {name: memory.ratio for name, memory in measured.items()} == {
        "SGD": 1.0, "SGD, momentum": 2.0, "RMSprop": 2.0, "Adam": 3.0, "AdamW": 3.0,
    }  # fmt: skip


def test_the_ravine_is_steep_across() -> None:
    point = Tensor([1.0, 1.0], requires_grad=True)
    height = ravine(point, steepness=20.0)
    height.backward()
    assert height.item() == 10.5
    assert point.grad is not None
    assert point.grad.tolist() == [1.0, 20.0]


def test_momentum_and_adam_leave_plain_descent_behind() -> None:
    paths = descend(steps=100)
    assert all(path.shape == (101, 3) for path in paths.values())
    assert all(path[0].tolist() == [10.0, 1.0, 75.0] for path in paths.values())
    end = {name: float(path[-1, 2]) for name, path in paths.items()}
    assert end["SGD, momentum"] < 0.1 * end["SGD"]
    assert end["Adam"] < 75.0 / 100
    np.testing.assert_allclose(paths["SGD"][:, 0], 10.0 * 0.965 ** np.arange(101))


def test_plots_draw_every_line() -> None:
    pytest.importorskip("matplotlib")
    paths = descend(steps=5)
    valley, heights = plot_ravine(paths).axes
    assert len(heights.lines) == len(valley.lines) == len(paths)
    weight = Tensor([1.0], requires_grad=True)
    by_name = plot_schedules({"a": Cosine(SGD([weight]), 10), "b": OneCycle(SGD([weight]), total_steps=10)}, 10)
    assert [line.get_label() for line in by_name.axes[0].lines] == ["a", "b"]
    listed = plot_schedules([Cosine(SGD([weight]), 10)], 10)
    assert [line.get_label() for line in listed.axes[0].lines] == ["Cosine"]


def test_without_matplotlib_a_plot_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **words: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **words)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"tt-optim\[plot\]"):
        plot_ravine({})
