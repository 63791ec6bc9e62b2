"""`checkpoint`: the same gradients for less memory, whatever the function captures, nests or draws at random."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tt_autograd import checkpoint, grad, gradcheck, no_grad
from tt_layers import Dropout, Linear, Sequential
from tt_tensor import Tensor, default_rng, from_numpy, manual_seed, rng_state

MEGABYTE = 1 << 20


def gradient(x: Tensor) -> Any:
    assert x.grad is not None
    return x.grad.tolist()


def both(build: Callable[[Callable[..., Tensor]], tuple[Tensor, list[Tensor]]]) -> tuple[list[Any], list[Any]]:
    """Gradients of what `build` makes, with checkpoint and with a plain call."""
    found = []
    for call in (checkpoint, lambda fn, *inputs: fn(*inputs)):
        manual_seed(5)
        loss, leaves = build(call)
        loss.backward()
        found.append([loss.tolist(), *(None if leaf.grad is None else leaf.grad.tolist() for leaf in leaves)])
    return found[0], found[1]


def test_the_gradients_are_those_of_the_plain_call() -> None:
    def build(call: Callable[..., Tensor]) -> tuple[Tensor, list[Tensor]]:
        x, y = Tensor([0.5, 2.0], requires_grad=True), Tensor([[3.0], [4.0]], requires_grad=True)
        return call(lambda a, b: (a * b).tanh() + a, x * 2.0, y).sum(), [x, y]

    ours, plain = both(build)
    assert ours == plain


def test_captured_parameters_get_gradients_even_if_no_input_needs_one() -> None:
    layer = Linear(3, 2, rng=np.random.default_rng(0))
    x = Tensor(np.ones((4, 3)))
    checkpoint(lambda t: layer(t).tanh(), x).sum().backward()
    assert layer.weight.grad is not None
    found = layer.weight.grad.tolist()
    layer.zero_grad()
    layer(x).tanh().sum().backward()
    assert layer.weight.grad.tolist() == found


def test_a_captured_intermediate_result_passes_its_gradient_on() -> None:
    def build(call: Callable[..., Tensor]) -> tuple[Tensor, list[Tensor]]:
        x, w = Tensor([0.5, 2.0], requires_grad=True), Tensor([3.0, 1.0], requires_grad=True)
        hidden = (x * w).tanh()
        return (call(lambda t: t * hidden + hidden * w, x) * hidden).sum(), [x, w]

    ours, plain = both(build)
    np.testing.assert_allclose(ours[1], plain[1], rtol=1e-6)
    np.testing.assert_allclose(ours[2], plain[2], rtol=1e-6)


def test_checkpoints_nest_and_follow_each_other() -> None:
    def build(call: Callable[..., Tensor]) -> tuple[Tensor, list[Tensor]]:
        x, w = Tensor([0.5, 2.0], requires_grad=True), Tensor([3.0, 1.0], requires_grad=True)
        hidden = (x * w).tanh()

        def inner(t: Tensor) -> Tensor:
            return (t * w).sin() * hidden

        def outer(t: Tensor) -> Tensor:
            return call(inner, t * 2.0) + call(inner, t) * w

        return call(outer, call(outer, x)).sum(), [x, w]

    ours, plain = both(build)
    for one, other in zip(ours, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_gradients_accumulate_over_passes() -> None:
    w = Tensor([3.0], requires_grad=True)
    for _ in range(2):
        checkpoint(lambda t: t * w, Tensor([2.0])).sum().backward()
    assert gradient(w) == [4.0]


def test_a_retained_graph_is_run_again() -> None:
    x = Tensor([3.0], requires_grad=True)
    loss = checkpoint(lambda t: t * t, x).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert gradient(x) == [12.0]


def test_random_numbers_are_drawn_again_alike() -> None:
    def build(call: Callable[..., Tensor]) -> tuple[Tensor, list[Tensor]]:
        x = Tensor(np.ones(64), requires_grad=True)
        drop = Dropout(0.5)
        return (call(drop, x) * call(lambda t: drop(t) * 2.0, x)).sum(), [x]

    ours, plain = both(build)
    assert ours == plain
    assert 0.0 in ours[1]


def test_recomputing_leaves_the_generator_where_it_was() -> None:
    manual_seed(3)
    x = Tensor(np.ones(8), requires_grad=True)
    loss = checkpoint(Dropout(0.5), x).sum()
    default_rng().random(3)
    before = rng_state()
    loss.backward()
    assert rng_state() == before


def test_the_function_runs_once_forward_and_once_more_backward() -> None:
    calls = []

    def fn(t: Tensor) -> Tensor:
        calls.append(t.requires_grad)
        return t * t

    x = Tensor([3.0], requires_grad=True)
    loss = checkpoint(fn, x).sum()
    assert len(calls) == 1
    loss.backward()
    assert len(calls) == 2
    assert gradient(x) == [6.0]


def test_without_gradients_it_is_a_plain_call() -> None:
    out = checkpoint(lambda t: t * 2.0, Tensor([1.0]))
    assert not out.requires_grad
    assert out.tolist() == [2.0]
    with no_grad():
        assert not checkpoint(lambda t: t * 2.0, Tensor([1.0], requires_grad=True)).requires_grad


def test_integer_inputs_are_passed_on() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    checkpoint(lambda t, i: t[i] * t[i], x, from_numpy(np.array([1, 1]))).sum().backward()
    assert gradient(x) == [0.0, 8.0]


def test_an_input_that_the_function_ignores_gets_zero() -> None:
    x, y = Tensor([1.0], requires_grad=True), Tensor([2.0], requires_grad=True)
    checkpoint(lambda a, b: a * 2.0, x, y).sum().backward()
    assert gradient(x) == [2.0]
    assert gradient(y) == [0.0]


def test_a_function_that_cuts_the_gradient_gives_zeros() -> None:
    x = Tensor([1.0], requires_grad=True)
    (checkpoint(lambda a: a.detach(), x) + x).sum().backward()
    assert gradient(x) == [1.0]


def test_grad_goes_through_a_checkpoint() -> None:
    x = Tensor([3.0], requires_grad=True)
    (found,) = grad(checkpoint(lambda t: t * t, x), x)
    assert found.tolist() == [6.0]
    assert x.grad is None


def test_a_checkpoint_passes_gradcheck() -> None:
    assert gradcheck(lambda x, y: checkpoint(lambda a, b: (a @ b).tanh(), x, y), np.eye(2) * 0.3, np.ones((2, 3)) * 0.2)


def test_changing_an_input_before_the_second_run_is_an_error() -> None:
    x, w = Tensor([2.0]), Tensor([3.0], requires_grad=True)
    loss = checkpoint(lambda t: t * w, x).sum()
    x.assign_([5.0])
    with pytest.raises(RuntimeError, match="checkpoint"):
        loss.backward()


def test_a_function_that_changes_its_mind_is_an_error() -> None:
    sizes = [2, 3]
    x = Tensor([1.0], requires_grad=True)
    loss = checkpoint(lambda t: t.broadcast_to((sizes.pop(0),)) * 1.0, x).sum()
    with pytest.raises(ValueError, match=r"(?s)\(2,\).*\(3,\)"):
        loss.backward()


def test_wrong_arguments_and_results_explain_themselves() -> None:
    wrong: Any = [1.0]
    with pytest.raises(TypeError, match="input 1 is list"):
        checkpoint(lambda a, b: a, Tensor([1.0]), wrong)
    pair: Any = lambda t: (t, t)  # noqa: E731
    with pytest.raises(TypeError, match="one tensor"):
        checkpoint(pair, Tensor([1.0], requires_grad=True))
    with no_grad(), pytest.raises(TypeError, match="one tensor"):
        checkpoint(pair, Tensor([1.0]))


def peak_of(call: Callable[..., Tensor]) -> float:
    def block(t: Tensor) -> Tensor:
        for _ in range(8):
            t = t.sin()
        return t

    x = from_numpy(np.full(MEGABYTE // 4, 0.5, np.float32))
    x.requires_grad = True
    tracemalloc.start()
    try:
        y = x
        for _ in range(4):
            y = call(block, y)
        y.sum().backward()
        return tracemalloc.get_traced_memory()[1] / MEGABYTE
    finally:
        tracemalloc.stop()


def test_it_needs_less_memory() -> None:
    """32 results kept, against one for each of four blocks and eight inside the block that runs again."""
    plain = peak_of(lambda fn, t: fn(t))
    ours = peak_of(checkpoint)
    assert plain > 31
    assert ours < 18


def test_a_model_trains_alike() -> None:
    model = Sequential(Linear(4, 8, rng=np.random.default_rng(0)), Linear(8, 1, rng=np.random.default_rng(1)))
    x = Tensor(np.random.default_rng(2).standard_normal((16, 4)))
    found = []
    for call in (checkpoint, lambda fn, t: fn(t)):
        model.zero_grad()
        (call(model, x) ** 2).mean().backward()
        found.append([p.grad.tolist() for p in model.parameters() if p.grad is not None])
    assert len(found[0]) == 4
    assert found[0] == found[1]
