"""Gradients of the losses: against central differences, and at the edges where those say nothing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import numpy.testing as npt
import pytest
import tt_losses as loss
from tt_autograd import gradcheck
from tt_tensor import Array, Tensor, primitives, use_kernel

Loss = Callable[..., Tensor]
REDUCTIONS = ["mean", "sum", "none"]
SHAPES: list[tuple[int, ...]] = [(), (1,), (5,), (3, 4), (2, 3, 2)]
PAIRS: dict[str, Loss] = {
    "mse": loss.mse_loss,
    "l1": loss.l1_loss,
    "huber": loss.huber_loss,
    "huber_wide": lambda x, y, r="mean": loss.huber_loss(x, y, r, delta=2.5),
    "bce": loss.binary_cross_entropy,
    "bce_logits": loss.binary_cross_entropy_with_logits,
    "kl": loss.kl_div,
}


def pair(name: str, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Points away from the kinks of the loss called `name`."""
    rng = np.random.default_rng(7)
    if name in ("bce", "bce_logits", "kl"):
        x, y = rng.uniform(0.05, 0.95, shape), rng.uniform(0.05, 0.95, shape)
        return np.asarray(x), np.asarray(y)
    y = rng.normal(size=shape)
    # Distances of 0.1 to 0.8, 1.2 to 1.9 or 3 to 4: none at 0, at 1 or at 2.5.
    distance = rng.uniform(0.1, 0.8, shape) + rng.choice([0.0, 1.1, 3.0], shape)
    return np.asarray(y + distance * rng.choice([-1, 1], shape)), np.asarray(y)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", PAIRS)
def test_both_sides(name: str, reduction: str, shape: tuple[int, ...]) -> None:
    x, y = pair(name, shape)
    gradcheck(lambda x, y: PAIRS[name](x, y, reduction), x, y)
    fixed = Tensor(y, dtype=np.float64)
    gradcheck(lambda x: PAIRS[name](x, fixed, reduction), x)
    given = Tensor(x, dtype=np.float64)
    gradcheck(lambda y: PAIRS[name](given, y, reduction), y)


@pytest.mark.parametrize("reduction", ["sum", "none"])
@pytest.mark.parametrize("name", PAIRS)
def test_an_empty_batch_has_an_empty_gradient(name: str, reduction: str) -> None:
    gradcheck(lambda x, y: PAIRS[name](x, y, reduction), np.ones((0, 3)), np.ones((0, 3)))


@pytest.mark.parametrize("name", PAIRS)
def test_strided_and_broadcast_inputs(name: str) -> None:
    x, y = pair(name, (4, 6))
    gradcheck(lambda x, y: PAIRS[name](x.T[::2], y.T[::2]), x, y)
    gradcheck(lambda x, y: PAIRS[name](x, y), x + 0.02, np.asarray(y[0, 0]))


def test_batchmean() -> None:
    x, y = pair("kl", (3, 4))
    gradcheck(lambda x, y: loss.kl_div(x, y, "batchmean"), np.log(x), y)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_hinge(reduction: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(8)
    signs = Tensor(rng.choice([-1.0, 1.0], shape), dtype=np.float64)
    x = np.asarray(rng.choice([-2.0, 0.3, 1.7], shape) + rng.uniform(-0.2, 0.2, shape))
    gradcheck(lambda x: loss.hinge_loss(x, signs, reduction), x)  # type: ignore[arg-type]  # a str of the three


def test_the_target_of_a_hinge_has_a_gradient_too() -> None:
    y = Tensor([1.0, -1.0], requires_grad=True)
    loss.hinge_loss([0.5, -3.0], y, "sum").backward()
    assert y.grad is not None
    assert y.grad.tolist() == [-0.5, 0.0]


WEIGHT = np.array([0.5, 2.0, 0.1, 1.0, 3.0])


def batch(shape: tuple[int, ...] = (7, 5), axis: int = 1) -> tuple[Array, Array]:
    rng = np.random.default_rng(9)
    return rng.normal(0, 2, shape), rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    ("weight", "smoothing", "ignore"), list(itertools.product([None, WEIGHT], [0.0, 0.1, 1.0], [-100, 2]))
)
def test_cross_entropy(weight: Array | None, smoothing: float, ignore: int, reduction: str) -> None:
    x, labels = batch()
    labels[:2] = ignore, 0
    settings = {
        "weight": None if weight is None else Tensor(weight, dtype=np.float64),
        "label_smoothing": smoothing,
        "ignore_index": ignore,
    }
    targets = Tensor(labels)
    plain: Loss = loss.cross_entropy
    gradcheck(lambda x: plain(x, targets, reduction, **settings), x)
    # The same without residuals: the rule must compute again what a swapped-in kernel did not keep.
    kernel = primitives()["cross_entropy"].reference
    with use_kernel("cross_entropy", kernel):
        gradcheck(lambda x: plain(x, targets, reduction, **settings), x)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("weight", "smoothing"), list(itertools.product([None, WEIGHT], [0.0, 0.1])))
@pytest.mark.parametrize("recorded", [True, False])
def test_cross_entropy_of_probabilities(weight: Array | None, smoothing: float, reduction: str, recorded: bool) -> None:
    x, _ = batch()
    p = np.random.default_rng(1).dirichlet(np.ones(5), 7)
    w = None if weight is None else Tensor(weight, dtype=np.float64)
    plain: Loss = loss.cross_entropy
    primitive = primitives()["cross_entropy"]
    with use_kernel(primitive, primitive.reference, recording=primitive.recording if recorded else None):
        gradcheck(lambda x, p: plain(x, p, reduction, weight=w, label_smoothing=smoothing), x, p)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("shape", "axis"), [((5,), 0), ((2, 5, 3), 1), ((2, 3, 5), -1), ((5, 2, 2), 0)])
@pytest.mark.parametrize("function", [loss.cross_entropy, loss.nll_loss])
def test_classes_on_any_axis(function: Loss, shape: tuple[int, ...], axis: int, reduction: str) -> None:
    x, labels = batch(shape, axis % len(shape))
    w = Tensor(WEIGHT, dtype=np.float64)
    gradcheck(lambda x: function(x, Tensor(labels), reduction, axis=axis, weight=w), x)
    gradcheck(lambda x: function(x.T, Tensor(labels.T), reduction, axis=-1 - axis % len(shape)), np.asarray(x))


def test_probabilities_with_classes_on_axis_one() -> None:
    x, _ = batch((2, 5, 3))
    p = np.random.default_rng(1).uniform(size=(2, 5, 3))
    w = Tensor(WEIGHT, dtype=np.float64)
    gradcheck(lambda x, p: loss.cross_entropy(x, p, weight=w), x, p)
    gradcheck(lambda x, p: loss.cross_entropy(x, p, "none", weight=w), x, p)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("weight", "ignore"), list(itertools.product([None, WEIGHT], [-100, 2])))
def test_nll(weight: Array | None, ignore: int, reduction: str) -> None:
    x, labels = batch()
    labels[:2] = ignore, 0
    w = None if weight is None else Tensor(weight, dtype=np.float64)
    plain: Loss = loss.nll_loss
    gradcheck(lambda x: plain(x, Tensor(labels), reduction, weight=w, ignore_index=ignore), x)


@pytest.mark.parametrize("reduction", ["sum", "none"])
@pytest.mark.parametrize("function", [loss.cross_entropy, loss.nll_loss])
def test_no_rows_no_gradient(function: Loss, reduction: str) -> None:
    gradcheck(lambda x: function(x, Tensor(np.ones(0, np.int64)), reduction), np.ones((0, 3)))


def slope(function: Callable[[Tensor], Tensor], points: list[float] | list[list[float]]) -> object:
    x = Tensor(points, requires_grad=True)
    function(x).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float32
    return x.grad.tolist()


def test_kinks_as_in_pytorch() -> None:
    assert slope(lambda x: loss.l1_loss(x, [1.0], "none"), [1.0]) == [0.0]
    assert slope(lambda x: loss.huber_loss(x, [0.0, 0.0], "none"), [1.0, -1.0]) == [1.0, -1.0]
    assert slope(lambda x: loss.mse_loss(x, [1.0], "none"), [1.0]) == [0.0]


def test_bce_at_zero_and_one_as_in_pytorch() -> None:
    got = slope(lambda x: loss.binary_cross_entropy(x, [0.0, 1.0, 1.0, 0.0], "none"), [0.0, 1.0, 0.0, 1.0])
    npt.assert_allclose(np.asarray(got, np.float64), [0.0, 0.0, -1e12, 1e12])
    y = Tensor([0.0, 1.0], requires_grad=True)
    loss.binary_cross_entropy([0.0, 1.0], y, "sum").backward()
    assert y.grad is not None
    assert y.grad.tolist() == [100.0, -100.0]


def test_extreme_scores_have_finite_gradients() -> None:
    scores = [3e38, -3e38, 1e4, -1e4]
    got = slope(lambda x: loss.binary_cross_entropy_with_logits(x, [1.0, 1.0, 0.0, 0.0], "none"), scores)
    assert got == [0.0, -1.0, 1.0, 0.0]
    rows = [[3e38, -3e38], [1e4, 0.0], [-math.inf, 0.0]]
    assert slope(lambda x: loss.cross_entropy(x, [0, 1, 1], "sum"), rows) == [[0.0, 0.0], [1.0, -1.0], [0.0, 0.0]]


def test_a_log_probability_nobody_asks_for_has_no_gradient() -> None:
    assert slope(lambda x: loss.kl_div(x, [0.0, 1.0], "sum"), [-math.inf, 0.0]) == [0.0, -1.0]
    y = Tensor([0.0, 1.0], requires_grad=True)
    loss.kl_div([-1.0, 0.0], y, "sum").backward()
    assert y.grad is not None
    assert y.grad.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("recorded", [True, False])
def test_an_ignored_row_gets_no_gradient_whatever_it_holds(recorded: bool) -> None:
    primitive = primitives()["cross_entropy"]
    rows = [[0.0, 0.0], [math.nan, math.inf]]
    with use_kernel(primitive, primitive.reference, recording=primitive.recording if recorded else None):
        assert slope(lambda x: loss.cross_entropy(x, [0, -100]), rows) == [[-0.5, 0.5], [0.0, 0.0]]
        assert slope(lambda x: loss.nll_loss(x, [0, -100]), rows) == [[-1.0, 0.0], [0.0, 0.0]]


def test_many_rows_go_by_blocks() -> None:
    rng = np.random.default_rng(4)
    x = Tensor(rng.normal(size=(700, 1000)), requires_grad=True)
    labels = rng.integers(0, 1000, 700)
    loss.cross_entropy(x, Tensor(labels)).backward()
    p = np.exp(x.data.astype(np.float64))
    p /= p.sum(1, keepdims=True)
    p[np.arange(700), labels] -= 1
    assert x.grad is not None
    npt.assert_allclose(x.grad.data, p / 700, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("function", [loss.cross_entropy, loss.nll_loss])
def test_class_weights_have_no_gradient_and_say_so(function: Loss) -> None:
    weight = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(NotImplementedError, match=r"no gradient for its weight; pass weight.detach\(\)"):
        function(Tensor([[0.0, 1.0]]), Tensor([0]), weight=weight).backward()


def test_backward_can_run_twice_on_a_kept_graph() -> None:
    x = Tensor([[0.0, 1.0]], requires_grad=True)
    out = loss.cross_entropy(x, [0])
    out.backward(retain_graph=True)
    assert x.grad is not None
    once = x.grad.data.copy()
    out.backward()
    npt.assert_allclose(x.grad.data, 2 * once)


@pytest.mark.parametrize("function", [loss.cross_entropy, loss.mse_loss, loss.huber_loss, loss.l1_loss])
def test_half_precision_gradients(function: Loss) -> None:
    x = Tensor([[0.5, 1.5], [0.0, 1.0]], dtype=np.float16, requires_grad=True)
    target = Tensor([0, 1]) if function is loss.cross_entropy else Tensor([[0.0, 1.0], [1.0, 0.0]], dtype=np.float16)
    function(x, target).backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float16
