from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tt_activations as act
from tt_tensor import Tensor

Function = Callable[[Tensor], Tensor]

ELEMENTWISE: dict[str, Function] = {
    "relu": act.relu,
    "leaky_relu": act.leaky_relu,
    "sigmoid": act.sigmoid,
    "tanh": act.tanh,
    "gelu": act.gelu,
    "gelu_tanh": lambda x: act.gelu(x, "tanh"),
    "silu": act.silu,
    "softplus": act.softplus,
    "elu": act.elu,
}


@pytest.fixture(params=sorted(ELEMENTWISE))
def elementwise(request: pytest.FixtureRequest) -> Function:
    """Every activation that works element by element."""
    return ELEMENTWISE[request.param]


@pytest.fixture
def extremes() -> Tensor:
    """The finite inputs at which naive formulas overflow."""
    return Tensor([-3e38, -1e4, -200.0, -88.8, -20.0, 0.0, 20.0, 88.8, 200.0, 1e4, 3e38], dtype=np.float32)


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same every time."""
    return np.random.default_rng(0)
