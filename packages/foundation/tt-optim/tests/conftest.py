"""The optimizers, each with the settings that give it a state, and parameters with gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from tt_optim import SGD, Adam, AdamW, Optimizer, RMSprop
from tt_tensor import Tensor

Make = Callable[..., Optimizer]
Leaf = Callable[..., Tensor]
ALL: dict[str, Make] = {
    "SGD": lambda p, **s: SGD(p, **{"momentum": 0.9, **s}),
    "RMSprop": lambda p, **s: RMSprop(p, **{"momentum": 0.5, **s}),
    "Adam": lambda p, **s: Adam(p, **s),
    "AdamW": lambda p, **s: AdamW(p, **s),
}


@pytest.fixture(params=ALL.values(), ids=list(ALL))
def make(request: pytest.FixtureRequest) -> Make:
    """Every optimizer in turn."""
    return cast("Make", request.param)


@pytest.fixture
def leaf() -> Leaf:
    """A parameter of the given numbers, with a gradient of ones."""

    def build(*values: float) -> Tensor:
        tensor = Tensor(list(values), requires_grad=True)
        tensor.grad = Tensor([1.0] * len(values))
        return tensor

    return build
