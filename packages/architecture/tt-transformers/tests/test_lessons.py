"""The lessons: what a block costs is counted, what a step takes is measured."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from tt_transformers import GPT, Llama
from tt_transformers.lessons import (
    PartCost,
    PartTime,
    block_costs,
    block_formula,
    matmul_flops,
    plot_block_costs,
    plot_step_times,
    step_times,
)


@pytest.mark.parametrize(("width", "heads", "length"), [(8, 2, 4), (16, 4, 32), (24, 3, 1)])
def test_what_is_counted_is_what_the_formula_says(width: int, heads: int, length: int) -> None:
    costs = block_costs(width, heads, length)
    parameters, flops = block_formula(width, length)
    assert [cost.part for cost in costs] == ["attention", "mlp", "norms"]
    assert sum(cost.parameters for cost in costs) == parameters == 12 * width**2 + 13 * width
    assert sum(cost.flops for cost in costs) == flops
    assert costs[0].flops == 8 * length * width**2 + 4 * length**2 * width


def test_flops_of_operations() -> None:
    assert matmul_flops("linear_gelu", [(5, 3), (3, 4), (4,)], {}) == 2 * 5 * 3 * 4
    assert matmul_flops("self_attention", [(2, 7, 16)], {"heads": (2, 1)}) == 2 * 4 * 2 * 7 * 7 * 4
    assert matmul_flops("attention", [(2, 3, 7, 4), (2, 3, 5, 4), (2, 3, 5, 4)], {}) == 6 * 4 * 7 * 5 * 4
    assert matmul_flops("attention_weights", [(2, 3, 7, 4), (2, 1, 5, 4)], {}) == 6 * 2 * 7 * 5 * 4
    assert matmul_flops("matmul", [(2, 3, 7, 5), (1, 3, 5, 4)], {}) == 6 * 2 * 7 * 5 * 4
    assert matmul_flops("matmul", [(7, 5), (2, 5, 4)], {}) == 2 * 2 * 7 * 5 * 4
    assert matmul_flops("matmul", [(5,), (5, 4)], {}) == 2 * 5 * 4
    assert matmul_flops("matmul", [(3, 4, 5), (5,)], {}) == 3 * 2 * 4 * 5
    assert matmul_flops("exp", [(3,)], {}) == 0


@pytest.mark.parametrize("make", [GPT, Llama])
def test_where_the_time_goes(make: Any) -> None:
    model = make(11, 8, 2, 2, 6, rng=np.random.default_rng(0))
    times = step_times(model, batch=2, steps=2)
    parts = {row.part: row for row in times}
    assert {"matrix layers", "attention", "norms", "residual sums", "embeddings", "loss", "optimizer"} <= parts.keys()
    assert all(parts[name].forward > 0 and parts[name].backward > 0 for name in ("matrix layers", "norms", "loss"))
    totals = [row.forward + row.backward for row in times]
    assert totals == sorted(totals, reverse=True)


def test_the_pictures() -> None:
    pytest.importorskip("matplotlib")
    costs = {4: block_costs(8, 2, 4), 16: block_costs(8, 2, 16)}
    bars = plot_block_costs(costs).axes[0].containers
    assert [bar.get_label() for bar in bars] == ["mlp", "attention"]
    figure = plot_step_times([PartTime("norms", 0.001, 0.002), PartTime("loss", 0.0005, 0.0)])
    axes = figure.axes[0]
    assert [bar.get_label() for bar in axes.containers] == ["forward", "backward and update"]
    assert axes.dataLim.x1 == pytest.approx(3.0)


@pytest.mark.parametrize("draw", [lambda: plot_step_times([]), lambda: plot_block_costs({1: [PartCost("mlp", 1, 1)]})])
def test_without_matplotlib_a_picture_says_what_to_install(monkeypatch: pytest.MonkeyPatch, draw: Any) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **settings: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **settings)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"tt-transformers\[plot\]"):
        draw()
