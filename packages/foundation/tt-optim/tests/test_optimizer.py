"""What all optimizers share: in-place steps, groups, frozen parameters, saving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from tt_autograd import no_grad
from tt_layers import Linear, Sequential
from tt_optim import SGD, Adam, Optimizer
from tt_tensor import Tensor, from_numpy

Make = Callable[..., Optimizer]
Leaf = Callable[..., Tensor]


def test_writes_into_the_parameters_own_memory_and_says_so(make: Make, leaf: Leaf) -> None:
    weight = leaf(1.0, 2.0)
    memory, version = weight.data, weight.version
    make([weight]).step()
    assert weight.data is memory
    assert memory[0] != 1.0
    assert weight.version > version


def test_leaves_the_gradient_as_it_is(make: Make, leaf: Leaf) -> None:
    weights = [leaf(1.0, 2.0), leaf(3.0)]
    optimizer = make(weights, weight_decay=0.5)
    optimizer.step()
    optimizer.step()
    assert [w.grad.tolist() for w in weights if w.grad is not None] == [[1.0, 1.0], [1.0]]


def test_zero_grad_forgets_all_gradients(make: Make, leaf: Leaf) -> None:
    weights = [leaf(1.0), leaf(2.0)]
    make(weights).zero_grad()
    assert [w.grad for w in weights] == [None, None]


def test_writes_into_memory_that_is_not_contiguous(make: Make) -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    strided, plain = from_numpy(array.T), Tensor(array.T.copy(), requires_grad=True)
    strided.requires_grad = True
    gradient = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    for weight in (strided, plain):
        weight.grad = Tensor(gradient)
        optimizer = make([weight], weight_decay=0.1)
        optimizer.step()
        optimizer.step()
    np.testing.assert_array_equal(strided.data, plain.data)
    np.testing.assert_array_equal(array.T, plain.data)


def test_reads_gradients_that_are_not_contiguous(make: Make) -> None:
    gradient = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    first, second = Tensor(np.ones((4, 3)), requires_grad=True), Tensor(np.ones((4, 3)), requires_grad=True)
    first.grad, second.grad = from_numpy(gradient.T), Tensor(gradient.T.copy())
    make([first]).step()
    make([second]).step()
    np.testing.assert_array_equal(first.data, second.data)


def test_parameters_of_all_types_keep_theirs_and_move_alike(make: Make) -> None:
    weights = [Tensor([1.0, -2.0], dtype=kind, requires_grad=True) for kind in (np.float16, np.float32, np.float64)]
    optimizer = make(weights, lr=0.01)
    for _ in range(3):
        for weight in weights:
            weight.grad = Tensor([0.5, 1e-3], dtype=weight.dtype)
        optimizer.step()
    assert [weight.dtype for weight in weights] == [np.float16, np.float32, np.float64]
    np.testing.assert_allclose(weights[1].data, weights[2].data, rtol=1e-6)
    np.testing.assert_allclose(weights[0].data, weights[2].data, rtol=4e-3)


def test_the_decay_of_half_precision_parameters_is_computed_in_single() -> None:
    weight = Tensor([0.01], dtype=np.float16, requires_grad=True)
    weight.grad = Tensor([0.0], dtype=np.float16)
    SGD([weight], lr=1e4, weight_decay=1e-6).step()  # the decay, 1e-8, is none of float16's numbers
    assert weight.item() == pytest.approx(0.0099, rel=1e-3)


def test_a_frozen_parameter_stays_and_may_thaw(make: Make, leaf: Leaf) -> None:
    first, second, third = leaf(1.0), leaf(2.0), leaf(3.0)
    optimizer = make([first, second, third])
    optimizer.step()
    second.requires_grad = False
    moved = first.item(), second.item(), third.item()
    optimizer.step()
    assert second.item() == moved[1]
    assert first.item() != moved[0]
    assert third.item() != moved[2]
    second.requires_grad = True
    optimizer.step()
    assert second.item() != moved[1]
    alone = leaf(2.0)  # what has been frozen for a step has simply missed it
    fresh = make([alone])
    fresh.step()
    fresh.step()
    assert alone.item() == pytest.approx(second.item(), rel=1e-6)


def test_a_parameter_that_thaws_late_starts_as_if_new(make: Make, leaf: Leaf) -> None:
    late, early = leaf(1.0), leaf(5.0)
    late.requires_grad = False
    optimizer = make([late, early])
    optimizer.step()
    optimizer.step()
    late.requires_grad = True
    optimizer.step()
    alone = leaf(1.0)
    make([alone]).step()
    assert late.item() == alone.item()


def test_one_tensor_may_stand_alone(leaf: Leaf) -> None:
    weight = leaf(1.0)
    SGD(weight, lr=1.0).step()
    assert weight.item() == 0.0


def test_groups_have_settings_of_their_own(leaf: Leaf) -> None:
    slow, fast = leaf(0.0), leaf(0.0)
    groups: list[dict[str, object]] = [{"params": [slow], "lr": 0.1}, {"params": fast}]
    optimizer = SGD(groups, lr=1.0)
    optimizer.step()
    assert [slow.item(), fast.item()] == pytest.approx([-0.1, -1.0])
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 1.0]
    optimizer.param_groups[0]["lr"] = 0.5
    optimizer.step()
    assert slow.item() == pytest.approx(-0.6)


def test_a_group_may_be_added_later(leaf: Leaf) -> None:
    first, second = leaf(0.0), leaf(0.0)
    optimizer = Adam([first], lr=0.1)
    optimizer.step()
    optimizer.add_param_group({"params": [second], "lr": 0.5})
    optimizer.step()
    assert second.item() == pytest.approx(-0.5, rel=1e-5)
    assert len(optimizer.param_groups) == 2
    with pytest.raises(ValueError, match="twice"):
        optimizer.add_param_group({"params": [first]})


def test_momentum_may_be_switched_on_later(leaf: Leaf) -> None:
    weight = leaf(0.0)
    optimizer = SGD([weight], lr=1.0)
    optimizer.step()
    optimizer.param_groups[0]["momentum"] = 0.5
    optimizer.step()
    optimizer.step()
    assert weight.item() == -1.0 - 1.0 - 1.5


def test_all_frozen_is_no_error(make: Make) -> None:
    weight = Tensor([1.0])
    make([weight]).step()
    assert weight.item() == 1.0


def walk(optimizer: Optimizer, weights: list[Tensor], steps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        for weight in weights:
            weight.grad = Tensor(rng.standard_normal(weight.shape))
        optimizer.step()


def plain(node: object) -> bool:
    if isinstance(node, Mapping):
        return all(isinstance(key, str) and plain(value) for key, value in node.items())
    if isinstance(node, (list, tuple)):
        return all(plain(value) for value in node)
    return isinstance(node, (np.ndarray, int, float, str, bool))


def test_resumes_bit_for_bit(make: Make) -> None:
    start = [np.random.default_rng(1).standard_normal(shape) for shape in [(3, 2), (4,), ()]]
    weights = [Tensor(array, requires_grad=True) for array in start]
    optimizer = make(weights, lr=0.02)
    walk(optimizer, weights, 5, seed=2)
    state, copies = optimizer.state_dict(), [Tensor(weight.data, requires_grad=True) for weight in weights]
    walk(optimizer, weights, 4, seed=3)
    resumed = make(copies, lr=0.9)
    resumed.load_state_dict(state)
    walk(resumed, copies, 4, seed=3)
    for weight, copy in zip(weights, copies, strict=True):
        np.testing.assert_array_equal(weight.data, copy.data)
    assert resumed.param_groups[0]["lr"] == 0.02


def test_state_is_plain_and_a_copy(make: Make, leaf: Leaf) -> None:
    weight = leaf(1.0, 2.0)
    optimizer = make([weight])
    optimizer.step()
    state = optimizer.state_dict()
    assert plain(state)
    before = deepcopy(state)
    optimizer.step()
    np.testing.assert_equal(state, before)
    restored = make([leaf(1.0, 2.0)])
    restored.load_state_dict(state)
    restored.step()
    np.testing.assert_equal(state, before)


@pytest.mark.parametrize(("other", "message"), [
    (lambda leaf: [{"params": [leaf(1.0)]}, {"params": [leaf(2.0)]}], "2 parameter groups, the optimizer 1"),
    (lambda leaf: [leaf(1.0), leaf(2.0), leaf(3.0)], "group 0 has 3 parameters, the optimizer's has 2"),
    (lambda leaf: [leaf(1.0, 2.0), leaf(3.0, 4.0)], r"of parameter 0 is float32 \(2,\), the parameter \(1,\)"),
], ids=["groups", "number", "shapes"])  # fmt: skip
def test_a_state_of_another_model_is_refused_and_changes_nothing(
    other: Callable[[Leaf], Any], message: str, leaf: Leaf
) -> None:
    foreign = Adam(other(leaf), lr=0.25)
    foreign.step()
    optimizer = Adam([leaf(1.0), leaf(2.0)], lr=0.5)
    optimizer.step()
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(foreign.state_dict())
    np.testing.assert_equal(optimizer.state_dict(), before)


@pytest.mark.parametrize(("lost", "left"), [("param_groups", "state"), ("state", "param_groups")])
def test_half_a_state_is_refused(lost: str, left: str, leaf: Leaf) -> None:
    optimizer = Adam([leaf(1.0)])
    state = optimizer.state_dict()
    del state[lost]
    with pytest.raises(ValueError, match=rf"needs 'param_groups' and 'state', but has \['{left}'\]"):
        optimizer.load_state_dict(state)


def test_trains_a_model() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((64, 3)), rng.standard_normal((3, 1))
    target = Tensor(x @ weight)
    layer = Linear(3, 1, rng=rng)
    optimizer = Adam(layer.named_parameters(), lr=0.1)
    for _ in range(200):
        error = layer(Tensor(x)) - target
        optimizer.zero_grad()
        (error * error).mean().backward()
        optimizer.step()
    with no_grad():
        np.testing.assert_allclose(layer.weight.data, weight, atol=1e-2)


def test_frozen_layers_of_a_model_are_passed_over() -> None:
    model = Sequential(Linear(2, 2).requires_grad_(False), Linear(2, 1))
    before = model.state_dict()
    optimizer = SGD(model.parameters(), lr=0.1)
    model(Tensor([[1.0, 2.0]])).sum().backward()
    optimizer.step()
    moved = [name for name, array in model.state_dict().items() if not np.array_equal(array, before[name])]
    assert moved == ["1.weight", "1.bias"]
