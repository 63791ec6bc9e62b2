"""Gradients returned instead of left in the leaves: `grad`, and `propagate`, which it is made of."""

from __future__ import annotations

import numpy as np
import pytest
from tt_autograd import grad, propagate
from tt_tensor import Tensor


def test_grad_returns_gradients_and_leaves_the_leaves_alone() -> None:
    x, y = Tensor([2.0], requires_grad=True), Tensor([5.0], requires_grad=True)
    hidden = x * y
    of_x, of_hidden = grad(hidden * hidden, [x, hidden])
    assert of_x.tolist() == [100.0]
    assert of_hidden.tolist() == [20.0]
    assert x.grad is None
    assert y.grad is None
    (weighted,) = grad(x * 3.0, x, [10.0])
    assert weighted.tolist() == [30.0]
    (itself,) = grad(x, x)
    assert itself.tolist() == [1.0]


def test_grad_of_what_does_not_depend_on_an_input_says_which() -> None:
    x, y = Tensor([2.0], requires_grad=True), Tensor([5.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="input 1"):
        grad(x * 2.0, [x, y])
    with pytest.raises(RuntimeError, match="requires no gradient"):
        grad(Tensor([1.0]), x)


def test_a_root_given_twice_receives_the_sum() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * 3.0
    ones, tens = np.ones(2, np.float32), np.full(2, 10, np.float32)
    leaves, _ = propagate([(y, ones), (y, tens), (x, tens)])
    total = leaves.get(x)
    assert total is not None
    assert total.tolist() == [43.0, 43.0]
    assert (ones.tolist(), tens.tolist()) == ([1.0, 1.0], [10.0, 10.0])
    assert x.grad is None
