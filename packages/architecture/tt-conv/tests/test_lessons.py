"""The lessons: what is timed and counted."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from tt_conv.lessons import KernelTime, Memory, column_memory, kernel_times, plot_kernel_times, plot_memory


def test_every_kernel_is_timed() -> None:
    times = kernel_times(batch=1, channels=3, size=6, rounds=1, rng=np.random.default_rng(0))
    assert [t.kernel for t in times] == ["loops", "im2col", "reference"]
    assert all(t.seconds > 0 for t in times)
    assert times[-1].ratio == 1.0
    assert times[0].ratio == pytest.approx(times[0].seconds / times[2].seconds)


def test_columns_take_the_square_of_the_kernel() -> None:
    measured = column_memory((1, 3, 5), batch=1, channels=2, size=8)
    assert [m.ratio for m in measured] == [1.0, 9.0, 25.0]
    assert measured[0].image_bytes == 2 * 64 * 4


def test_the_plots_draw_what_was_measured() -> None:
    pytest.importorskip("matplotlib")
    bars = plot_kernel_times([KernelTime("a", 0.1, 10.0), KernelTime("b", 0.01, 1.0)]).axes[0]
    assert [bar.get_height() for bar in bars.patches] == pytest.approx([100.0, 10.0])  # type: ignore[attr-defined]  # they are rectangles
    line = plot_memory([Memory(1, 10, 10), Memory(3, 10, 90)]).axes[0].lines[0]
    assert list(np.asarray(line.get_ydata())) == [1.0, 9.0]


def test_without_matplotlib_the_plots_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **words: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **words)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"plot_memory.*tt-conv\[plot\]"):
        plot_memory([])
