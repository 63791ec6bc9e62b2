from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tt_tensor import Tensor

import tt_activations as A

Function = Callable[[Tensor], Tensor]

ELEMENTWISE: dict[str, Function] = {
    "relu": A.relu,
    "leaky_relu": A.leaky_relu,
    "sigmoid": A.sigmoid,
    "tanh": A.tanh,
    "gelu": A.gelu,
    "gelu_tanh": lambda x: A.gelu(x, "tanh"),
    "silu": A.silu,
    "softplus": A.softplus,
    "elu": A.elu,
}


@pytest.fixture(params=sorted(ELEMENTWISE))
def elementwise(request: pytest.FixtureRequest) -> Function:
    """Every activation that works element by element."""
    return ELEMENTWISE[request.param]


@pytest.fixture
def extremes() -> Tensor:
    """The finite inputs at which naive formulas overflow."""
    return Tensor([-3e38, -1e4, -200.0, -88.8, -20.0, 0.0, 20.0, 88.8, 200.0, 1e4, 3e38], dtype=np.float32)
