"""Activations as objects."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import numpy.testing as npt
import pytest
import tt_activations as act
from tt_tensor import Tensor

Function = Callable[[Tensor], Tensor]

PAIRS: list[tuple[Function, Function, str]] = [
    (act.ReLU(), act.relu, "ReLU()"),
    (act.LeakyReLU(), act.leaky_relu, "LeakyReLU(slope=0.01)"),
    (act.LeakyReLU(0.3), lambda x: act.leaky_relu(x, 0.3), "LeakyReLU(slope=0.3)"),
    (act.Sigmoid(), act.sigmoid, "Sigmoid()"),
    (act.Tanh(), act.tanh, "Tanh()"),
    (act.GELU(), act.gelu, "GELU(approximate='none')"),
    (act.GELU("tanh"), lambda x: act.gelu(x, "tanh"), "GELU(approximate='tanh')"),
    (act.SiLU(), act.silu, "SiLU()"),
    (act.Softplus(2.0), lambda x: act.softplus(x, 2.0), "Softplus(beta=2.0)"),
    (act.ELU(0.5), lambda x: act.elu(x, 0.5), "ELU(alpha=0.5)"),
    (act.Softmax(), act.softmax, "Softmax(axis=-1)"),
    (act.Softmax(0), lambda x: act.softmax(x, 0), "Softmax(axis=0)"),
    (act.LogSoftmax(0), lambda x: act.log_softmax(x, 0), "LogSoftmax(axis=0)"),
]


@pytest.mark.parametrize(("callable_", "function", "text"), PAIRS, ids=[text for _, _, text in PAIRS])
def test_a_callable_is_its_function(callable_: Function, function: Function, text: str) -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(3, 4)))
    npt.assert_array_equal(callable_(x).data, function(x).data)
    assert repr(callable_) == text
    assert pickle.loads(pickle.dumps(callable_)) == callable_
    assert hash(callable_) == hash(pickle.loads(pickle.dumps(callable_)))


def test_settings_cannot_change() -> None:
    with pytest.raises(AttributeError):
        act.Softmax().axis = 0  # type: ignore[misc]  # frozen: that is what is tested


@pytest.mark.parametrize(
    "make",
    [lambda: act.LeakyReLU(-1.0), lambda: act.ELU(-1.0), lambda: act.Softplus(0.0), lambda: act.GELU("exact")],  # type: ignore[arg-type]  # wrong on purpose
)
def test_wrong_settings_are_refused_when_made(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        make()
