"""`parallel`: the results and gradients of the plain call, in threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from tt_autograd import checkpoint, gradcheck, no_grad, parallel
from tt_layers import Dropout, Linear, Module, Sequential
from tt_losses import cross_entropy
from tt_tensor import Tensor, default_rng, get_num_threads, manual_seed, set_num_threads

RNG = np.random.default_rng(0)


def network() -> Sequential:
    rng = np.random.default_rng(1)
    shared = Linear(5, 5, rng=rng)
    return Sequential(Linear(4, 5, rng=rng), shared, Tensor.tanh, shared, Linear(5, 3, rng=rng))


def gradients(model: Module) -> list[np.ndarray]:
    found = []
    for parameter in model.parameters():
        assert parameter.grad is not None
        found.append(parameter.grad.data.copy())
        parameter.zero_grad()
    return found


@pytest.mark.parametrize("rows", [2, 3, 7])
@pytest.mark.parametrize("parts", [None, 1, 2, 3])
def test_loss_and_gradients_are_those_of_the_plain_call(rows: int, parts: int | None) -> None:
    model, x, y = network(), Tensor(RNG.random((rows, 4))), Tensor(RNG.integers(0, 3, rows))
    loss = cross_entropy(parallel(model, x, parts=parts), y)
    loss.backward()
    ours = gradients(model)
    plain = cross_entropy(model(x), y)
    plain.backward()
    assert loss.item() == pytest.approx(plain.item(), rel=1e-6)
    for got, expected in zip(ours, gradients(model), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


def test_ignored_targets_weigh_as_in_the_plain_call() -> None:
    """The loss sees the whole batch: that all ignored targets stand in one part changes nothing."""
    model, x = network(), Tensor(RNG.random((4, 4)))
    y = Tensor([0, 2, -100, -100])
    cross_entropy(parallel(model, x, parts=2), y).backward()
    ours = gradients(model)
    cross_entropy(model(x), y).backward()
    for got, expected in zip(ours, gradients(model), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


def test_gradients_reach_inputs_and_what_came_before_them() -> None:
    w = Tensor(RNG.random((4, 4)), dtype=np.float64, requires_grad=True)
    x = Tensor(RNG.random((5, 4)), dtype=np.float64, requires_grad=True)
    z = Tensor(RNG.random((5, 4)), dtype=np.float64)
    gradcheck(lambda x, w: parallel(lambda a, b: (a @ w).tanh() * b, x * 2.0, z, parts=2), x, w)


def test_integers_go_in_and_what_needs_no_gradient_gets_none() -> None:
    table = Tensor(RNG.random((3, 2)), requires_grad=True)
    ids, frozen = Tensor([2, 0, 2]), Tensor(RNG.random((3, 2)))
    parallel(lambda i, f: table[i] * f, ids, frozen, parts=2).sum().backward()
    assert table.grad is not None
    np.testing.assert_allclose(table.grad.data[2], frozen.data[0] + frozen.data[2], rtol=1e-6)
    assert frozen.grad is ids.grad is None


def test_many_large_parameters_are_summed_side_by_side() -> None:
    weights = [Tensor(np.ones(1 << 18, np.float32), requires_grad=True) for _ in range(5)]

    def weighted(x: Tensor) -> Tensor:
        return sum((x * weight for weight in weights), Tensor(0.0))

    parallel(weighted, Tensor([[1.0], [2.0]]), parts=2).sum().backward()
    for weight in weights:
        assert weight.grad is not None
        assert np.unique(weight.grad.data).tolist() == [3.0]


def test_it_accumulates_into_gradients_that_are_there() -> None:
    w = Tensor([1.0], requires_grad=True)
    for _ in range(2):
        parallel(lambda x: x * w, Tensor([1.0, 2.0]), parts=2).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [6.0]


def test_the_parts_run_in_threads_of_their_own() -> None:
    before = get_num_threads()
    set_num_threads(2)
    meeting = threading.Barrier(2, timeout=20)

    def meet(x: Tensor) -> Tensor:
        meeting.wait()  # neither gets on without the other
        return x * 1.0

    try:
        assert parallel(meet, Tensor([1.0, 2.0])).tolist() == [1.0, 2.0]
    finally:
        set_num_threads(before)


def test_nothing_is_recorded_without_grad() -> None:
    with no_grad():
        assert not parallel(network(), Tensor(RNG.random((4, 4))), parts=2).requires_grad
    assert not parallel(lambda x: x + 1, Tensor([1.0, 2.0]), parts=2).requires_grad


def test_what_is_drawn_differs_by_part_and_is_the_same_again() -> None:
    drop = Dropout(0.5)
    x = Tensor(np.ones((2, 64)))
    manual_seed(3)
    first = parallel(drop, x, parts=2)
    manual_seed(3)
    assert parallel(drop, x, parts=2).tolist() == first.tolist()
    assert first[0].tolist() != first[1].tolist()


def test_a_checkpoint_inside_draws_again_alike() -> None:
    w = Tensor(np.ones(64), requires_grad=True)

    def fn(x: Tensor) -> Tensor:
        return checkpoint(lambda t: Dropout(0.5)(t * w), x)

    out = parallel(fn, Tensor(np.ones((2, 64))), parts=2)
    out.sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == out.data.sum(axis=0).tolist()
    assert default_rng().random() != default_rng().random()


def test_a_captured_result_is_refused() -> None:
    w = Tensor([1.0], requires_grad=True)
    before = w.exp()
    with pytest.raises(RuntimeError, match=r"uses a result of exp .* before the call; pass it as an input"):
        parallel(lambda x: x * before, Tensor([1.0, 2.0]), parts=2)


def test_a_function_in_which_examples_meet_is_refused() -> None:
    with pytest.raises(ValueError, match=r"given 2 examples, the function returned shape \(\).*parallel=False"):
        parallel(lambda x: x.sum(), Tensor([1.0, 2.0, 3.0, 4.0]), parts=2)


@pytest.mark.parametrize("inputs", [(), (Tensor(1.0),), (Tensor([1.0, 2.0]), Tensor([1.0]))])
def test_inputs_must_have_one_number_of_rows(inputs: tuple[Tensor, ...]) -> None:
    with pytest.raises(ValueError, match="first axis, which must be equally long; got shapes"):
        parallel(lambda *x: x[0], *inputs, parts=2)


def test_an_error_in_one_part_reaches_the_caller() -> None:
    def fail(x: Tensor) -> Tensor:
        raise ArithmeticError("part")

    with pytest.raises(ArithmeticError, match="part"):
        parallel(fail, Tensor([1.0, 2.0]), parts=2)


def test_a_second_backward_pass_explains_itself() -> None:
    w = Tensor([1.0], requires_grad=True)
    loss = parallel(lambda x: x * w, Tensor([1.0, 2.0]), parts=2).sum()
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match=r"through parallel\(\) already, which keeps its parts for one pass only"):
        loss.backward()
