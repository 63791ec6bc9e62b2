"""Activations as objects."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import numpy.testing as npt
import pytest
from tt_tensor import Tensor

import tt_activations as A

Function = Callable[[Tensor], Tensor]

PAIRS: list[tuple[Function, Function, str]] = [
    (A.ReLU(), A.relu, "ReLU()"),
    (A.LeakyReLU(), A.leaky_relu, "LeakyReLU(slope=0.01)"),
    (A.LeakyReLU(0.3), lambda x: A.leaky_relu(x, 0.3), "LeakyReLU(slope=0.3)"),
    (A.Sigmoid(), A.sigmoid, "Sigmoid()"),
    (A.Tanh(), A.tanh, "Tanh()"),
    (A.GELU(), A.gelu, "GELU(approximate='none')"),
    (A.GELU("tanh"), lambda x: A.gelu(x, "tanh"), "GELU(approximate='tanh')"),
    (A.SiLU(), A.silu, "SiLU()"),
    (A.Softplus(2.0), lambda x: A.softplus(x, 2.0), "Softplus(beta=2.0)"),
    (A.ELU(0.5), lambda x: A.elu(x, 0.5), "ELU(alpha=0.5)"),
    (A.Softmax(), A.softmax, "Softmax(axis=-1)"),
    (A.Softmax(0), lambda x: A.softmax(x, 0), "Softmax(axis=0)"),
    (A.LogSoftmax(0), lambda x: A.log_softmax(x, 0), "LogSoftmax(axis=0)"),
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
        A.Softmax().axis = 0  # type: ignore[misc]  # frozen: that is what is tested


@pytest.mark.parametrize(
    "make",
    [lambda: A.LeakyReLU(-1.0), lambda: A.ELU(-1.0), lambda: A.Softplus(0.0), lambda: A.GELU("exact")],  # type: ignore[arg-type]  # wrong on purpose
)
def test_wrong_settings_are_refused_when_made(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        make()
