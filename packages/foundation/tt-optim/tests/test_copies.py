"""Copies of an optimizer, alone and with the model: they go on as the first would have."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from copy import copy, deepcopy

import numpy as np
import pytest
from tt_layers import Linear
from tt_optim import Optimizer
from tt_tensor import Tensor

Make = Callable[..., Optimizer]
Both = tuple[Linear, Optimizer]


def through_pickle(both: Both) -> Both:
    model, optimizer = pickle.loads(pickle.dumps(both))
    assert isinstance(model, Linear)
    assert isinstance(optimizer, Optimizer)
    return model, optimizer


def advance(both: Both, seed: int) -> None:
    rng = np.random.default_rng(seed)
    model, optimizer = both
    for _ in range(3):
        for parameter in model.parameters():
            parameter.grad = Tensor(rng.standard_normal(parameter.shape))
        optimizer.step()


@pytest.mark.parametrize("twin_of", [deepcopy, through_pickle])
def test_a_copy_of_model_and_optimizer_goes_on_alike(make: Make, twin_of: Callable[[Both], Both]) -> None:
    model = Linear(3, 2)
    both = model, make(model.named_parameters(), lr=0.1)
    advance(both, seed=1)
    twin = twin_of(both)
    assert twin[1].param_groups[0]["params"][0] is twin[0].weight
    np.testing.assert_equal(twin[1].state_dict(), both[1].state_dict())
    advance(both, seed=2)
    advance(twin, seed=2)
    for ours, theirs in zip(both[0].parameters(), twin[0].parameters(), strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
        assert not np.shares_memory(ours.data, theirs.data)


def test_a_shallow_copy_has_states_of_its_own(make: Make) -> None:
    model = Linear(3, 2)
    both = model, make(model.parameters(), lr=0.1)
    advance(both, seed=1)
    twin, before = copy(both[1]), both[1].state_dict()
    advance((model, twin), seed=2)
    np.testing.assert_equal(both[1].state_dict(), before)
