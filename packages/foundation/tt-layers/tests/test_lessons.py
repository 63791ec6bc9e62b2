"""The lessons: costs as measured, and which signal arrives."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from tt_layers import Identity, Linear, Module, Sequential
from tt_layers.lessons import INITIALISERS, layer_costs, plot_variance, variance_through_depth
from tt_tensor import Tensor


def test_costs_are_those_of_the_arrays() -> None:
    model = Sequential(Linear(10, 20), Identity(), Linear(20, 5))
    costs = {cost.name: cost for cost in layer_costs(model, np.zeros((8, 10)))}
    assert costs["0"] == ("0", "Linear", 220, 880, (8, 20), 8 * 20 * 4)
    assert costs["1"].activation_bytes == 0
    assert costs["2"].activation_bytes == 8 * 5 * 4
    assert (costs[""].parameters, costs[""].parameter_bytes) == (220 + 105, 4 * 325)


def test_a_layer_called_twice_returns_twice_and_one_not_called_nothing() -> None:
    class Twice(Module):
        def __init__(self) -> None:
            self.used = Linear(2, 2)
            self.spare = Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.used(self.used(x))

    costs = {cost.name: cost for cost in layer_costs(Twice(), Tensor(np.zeros((3, 2))))}
    assert costs["used"].activation_bytes == 2 * 3 * 2 * 4
    assert (costs["spare"].output_shape, costs["spare"].activation_bytes) == (None, 0)


def test_only_kaiming_keeps_the_signal_of_relu() -> None:
    travelled = variance_through_depth(depth=30, rng=np.random.default_rng(0))
    assert set(travelled) == set(INITIALISERS)
    assert all(len(squares) == 31 for squares in travelled.values())
    assert travelled["Kaiming"][0] == pytest.approx(1.0, rel=0.05)
    assert 0.2 < travelled["Kaiming"][30] < 5.0
    assert travelled["LeCun"][30] == pytest.approx(2.0**-30, rel=5.0)
    assert 0.0 < travelled["normal, std 0.01"][10] < 1e-15
    assert travelled["normal, std 1"][10] > 1e15


def test_without_an_activation_lecun_keeps_it() -> None:
    chosen = {"LeCun": INITIALISERS["LeCun"]}
    travelled = variance_through_depth(
        depth=20, activation=lambda x: x, initialisers=chosen, rng=np.random.default_rng(0)
    )
    assert list(travelled) == ["LeCun"]
    assert 0.3 < travelled["LeCun"][20] < 3.0


def test_the_plot_draws_every_line() -> None:
    pytest.importorskip("matplotlib")
    figure = plot_variance({"a": [1.0, 0.5], "b": [1.0, 0.0]})
    assert [line.get_label() for line in figure.axes[0].lines] == ["a", "b"]
    assert figure.axes[0].get_yscale() == "log"


def test_without_matplotlib_the_plot_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **words: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **words)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"tt-layers\[plot\]"):
        plot_variance({})
