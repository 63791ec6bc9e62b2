"""Copies of a module: deep copies and pickles are the same module again, apart from the first."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from copy import copy, deepcopy

import numpy as np
import pytest
from tt_layers import Buffer, Linear, Module, Sequential
from tt_tensor import Tensor


class Masked(Module):
    def __init__(self) -> None:
        self.first = Linear(2, 2)
        self.second = Linear(2, 2)
        self.second.weight = self.first.weight
        self.mean = Buffer([1.0])
        self.mask = Buffer([1.0, 0.0], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x)) * self.mask


def through_pickle(model: Module) -> Module:
    twin = pickle.loads(pickle.dumps(model))  # its own bytes
    assert isinstance(twin, Module)
    return twin


@pytest.mark.parametrize("twin_of", [deepcopy, through_pickle])
def test_a_copy_has_all_that_the_module_has(twin_of: Callable[[Module], Module]) -> None:
    model = Masked().eval()
    next(model.parameters()).requires_grad = False
    twin = twin_of(model)
    assert {name: array.tolist() for name, array in twin.state_dict().items()} == {
        name: array.tolist() for name, array in model.state_dict().items()
    }
    assert [name for name, _ in twin.named_buffers()] == ["mean", "mask"]
    assert [(n, type(p), p.requires_grad) for n, p in twin.named_parameters()] == [
        (n, type(p), p.requires_grad) for n, p in model.named_parameters()
    ]  # the shared weight, once
    assert not twin.training
    x = Tensor([[1.0, 2.0]])
    np.testing.assert_array_equal(twin(x).data, model(x).data)


@pytest.mark.parametrize("twin_of", [deepcopy, through_pickle])
def test_a_copy_shares_no_memory(twin_of: Callable[[Module], Module]) -> None:
    model = Sequential(Linear(2, 2))
    twin = twin_of(model)
    for parameter in twin.parameters():
        parameter.data[...] = 7.0
    assert not any((parameter.data == 7.0).any() for parameter in model.parameters())


def test_a_buffer_keeps_whether_it_is_saved() -> None:
    for persistent in (True, False):
        buffer = Buffer([1.0], persistent=persistent)
        assert deepcopy(buffer).persistent is persistent
        assert copy(buffer).persistent is persistent
