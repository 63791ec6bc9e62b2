"""The lessons."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from tt_attention.lessons import (
    AttentionCost,
    Exponents,
    attention_costs,
    exponents,
    fitted_exponent,
    plot_attention,
    plot_costs,
)


def test_only_the_plain_kernels_memory_grows_with_the_square() -> None:
    costs = attention_costs([512, 1024], heads=1, head_dim=8, repeats=1)
    assert [(cost.kernel, cost.length) for cost in costs] == [
        (kernel, length) for length in (512, 1024) for kernel in ("plain", "blockwise")
    ]
    assert all(cost.seconds > 0 and cost.peak_bytes > 0 for cost in costs)
    plain = [cost.peak_bytes for cost in costs if cost.kernel == "plain"]
    assert fitted_exponent([512, 1024], plain) > 1.7
    assert costs[3].peak_bytes < costs[2].peak_bytes


def test_the_plain_kernel_stops_before_memory_does() -> None:
    costs = attention_costs([16, 32], heads=1, head_dim=2, repeats=1, plain_up_to=16)
    assert [(cost.kernel, cost.length) for cost in costs] == [("plain", 16), ("blockwise", 16), ("blockwise", 32)]


def test_the_exponent() -> None:
    assert fitted_exponent([10, 20, 40], [5, 10, 20]) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="received 1 and 1 numbers"):
        fitted_exponent([1], [1])


def test_the_pictures() -> None:
    pytest.importorskip("matplotlib")
    figure = plot_costs([AttentionCost("plain", n, n**2 / 1e6, n) for n in (10, 100)])
    assert figure.axes[0].lines[0].get_label() == "plain, T^2.00"
    maps = plot_attention(np.eye(3)[np.newaxis].repeat(2, axis=0), list("abc"), title="maps")
    assert [axes.get_title() for axes in maps.axes] == ["head 0", "head 1"]
    assert [label.get_text() for label in maps.axes[0].get_xticklabels()] == ["a", "b", "c"]


def test_a_batch_is_no_picture() -> None:
    with pytest.raises(ValueError, match=r"received \(1, 2, 3, 3\)"):
        plot_attention(np.zeros((1, 2, 3, 3)))


def test_without_matplotlib_the_plot_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **words: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **words)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"tt-attention\[plot\]"):
        plot_costs([])
    with pytest.raises(ImportError, match=r"plot_attention .*tt-attention\[plot\]"):
        plot_attention(np.zeros((1, 2, 2)))


def test_the_exponents_are_those_of_each_kernel() -> None:
    costs = [AttentionCost("plain", t, 1e-6 * t**2, 7 * t**2) for t in (64, 128, 256)]
    costs += [AttentionCost("blockwise", t, 1e-5 * t**2, 30 * t) for t in (64, 128)]
    assert exponents(costs) == [Exponents("plain", 2.0, 2.0), Exponents("blockwise", 2.0, 1.0)]
