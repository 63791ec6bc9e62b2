"""Each optimizer against its formula, written out in NumPy in float64, over many steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_optim import SGD, Adam, AdamW, Optimizer, RMSprop
from tt_tensor import Tensor

Array = npt.NDArray[Any]
Make = Callable[[list[Tensor]], Optimizer]


def sgd(
    w: Array, gradients: list[Array], lr: float, mu: float = 0, tau: float = 0, wd: float = 0, n: bool = False
) -> Array:
    velocity: Array | None = None
    for g in gradients:
        g = g + wd * w
        if mu:
            velocity = g if velocity is None else mu * velocity + (1 - tau) * g
            g = g + mu * velocity if n else velocity
        w = w - lr * g
    return w


def rmsprop(
    w: Array, gradients: list[Array], lr: float, alpha: float, eps: float, wd: float = 0, mu: float = 0
) -> Array:
    square, velocity = np.zeros_like(w), np.zeros_like(w)
    for g in gradients:
        g = g + wd * w
        square = alpha * square + (1 - alpha) * g**2
        velocity = mu * velocity + g / (np.sqrt(square) + eps)
        w = w - lr * velocity
    return w


def adam(
    w: Array, gradients: list[Array], lr: float, b1: float, b2: float, eps: float, l2: float = 0, decoupled: float = 0
) -> Array:
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        g = g + l2 * w
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        w = w - lr * decoupled * w - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
    return w


CASES: dict[str, tuple[Make, Callable[[Array, list[Array]], Array]]] = {
    "sgd": (lambda p: SGD(p, lr=0.1), lambda w, g: sgd(w, g, 0.1)),
    "sgd momentum": (lambda p: SGD(p, lr=0.1, momentum=0.9), lambda w, g: sgd(w, g, 0.1, 0.9)),
    "sgd dampened": (
        lambda p: SGD(p, lr=0.1, momentum=0.8, dampening=0.5),
        lambda w, g: sgd(w, g, 0.1, 0.8, 0.5),
    ),
    "sgd nesterov": (
        lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        lambda w, g: sgd(w, g, 0.1, 0.9, n=True),
    ),
    "sgd decayed": (
        lambda p: SGD(p, lr=0.1, momentum=0.9, weight_decay=0.3),
        lambda w, g: sgd(w, g, 0.1, 0.9, wd=0.3),
    ),
    "rmsprop": (lambda p: RMSprop(p, lr=0.01, alpha=0.9), lambda w, g: rmsprop(w, g, 0.01, 0.9, 1e-8)),
    "rmsprop momentum": (
        lambda p: RMSprop(p, lr=0.01, alpha=0.9, momentum=0.5, weight_decay=0.1, eps=1e-3),
        lambda w, g: rmsprop(w, g, 0.01, 0.9, 1e-3, 0.1, 0.5),
    ),
    "adam": (lambda p: Adam(p, lr=0.01), lambda w, g: adam(w, g, 0.01, 0.9, 0.999, 1e-8)),
    "adam large eps": (
        lambda p: Adam(p, lr=0.01, betas=(0.8, 0.9), eps=0.5),
        lambda w, g: adam(w, g, 0.01, 0.8, 0.9, 0.5),
    ),
    "adam without momentum": (
        lambda p: Adam(p, lr=0.01, betas=(0.0, 0.9)),
        lambda w, g: adam(w, g, 0.01, 0.0, 0.9, 1e-8),
    ),
    "adam decayed": (
        lambda p: Adam(p, lr=0.01, weight_decay=0.3),
        lambda w, g: adam(w, g, 0.01, 0.9, 0.999, 1e-8, l2=0.3),
    ),
    "adamw": (
        lambda p: AdamW(p, lr=0.01, weight_decay=0.3),
        lambda w, g: adam(w, g, 0.01, 0.9, 0.999, 1e-8, decoupled=0.3),
    ),
    "sgd by default": (lambda p: SGD(p), lambda w, g: sgd(w, g, 0.01)),
    "rmsprop by default": (lambda p: RMSprop(p), lambda w, g: rmsprop(w, g, 0.01, 0.99, 1e-8)),
    "adam by default": (lambda p: Adam(p), lambda w, g: adam(w, g, 0.001, 0.9, 0.999, 1e-8)),
    "adamw by default": (lambda p: AdamW(p), lambda w, g: adam(w, g, 0.001, 0.9, 0.999, 1e-8, decoupled=0.01)),
}


def run(make: Make, weights: list[Array], gradients: list[list[Array]], dtype: type) -> list[Tensor]:
    params = [Tensor(w, dtype=dtype, requires_grad=True) for w in weights]
    optimizer = make(params)
    for step in range(len(gradients[0])):
        for parameter, of_parameter in zip(params, gradients, strict=True):
            parameter.grad = Tensor(of_parameter[step], dtype=dtype)
        optimizer.step()
    return params


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_follows_its_formula(case: str, dtype: type, tolerance: float) -> None:
    make, formula = CASES[case]
    rng = np.random.default_rng(0)
    shapes = [(3, 4), (), (5,), (0, 2), (2, 1, 3)]
    weights = [np.asarray(rng.standard_normal(shape)) for shape in shapes]
    gradients = [[np.asarray(rng.standard_normal(shape)) for _ in range(12)] for shape in shapes]
    params = run(make, weights, gradients, dtype)
    for parameter, weight, of_parameter in zip(params, weights, gradients, strict=True):
        assert parameter.dtype == dtype
        np.testing.assert_allclose(parameter.data, formula(weight, of_parameter), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", ["sgd nesterov", "rmsprop momentum", "adam decayed", "adamw"])
def test_follows_its_formula_for_parameters_of_every_size(case: str) -> None:
    make, formula = CASES[case]
    rng = np.random.default_rng(1)
    shapes = [(300, 400), (7,), (70_001,), (3, 3), (50_000,), (1,)]
    weights = [rng.standard_normal(shape) for shape in shapes]
    gradients = [[rng.standard_normal(shape) for _ in range(3)] for shape in shapes]
    params = run(make, weights, gradients, np.float32)
    for parameter, weight, of_parameter in zip(params, weights, gradients, strict=True):
        np.testing.assert_allclose(parameter.data, formula(weight, of_parameter), rtol=1e-4, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-6, 1e6), st.sampled_from([-1.0, 1.0]), st.floats(1e-4, 1.0))
def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient(size: float, sign: float, lr: float) -> None:
    parameter = Tensor([0.0], dtype=np.float64, requires_grad=True)
    parameter.grad = Tensor([size * sign], dtype=np.float64)
    Adam([parameter], lr=lr, eps=1e-20).step()
    assert parameter.item() == pytest.approx(-sign * lr, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 100.0), st.integers(1, 60))
def test_adam_takes_no_notice_of_the_scale_of_the_gradients(scale: float, steps: int) -> None:
    rng = np.random.default_rng(steps)
    gradients = [rng.standard_normal(3) for _ in range(steps)]
    start = rng.standard_normal(3)
    plain = run(lambda p: Adam(p, lr=0.1, eps=1e-20), [start], [gradients], np.float64)[0]
    scaled = run(lambda p: Adam(p, lr=0.1, eps=1e-20), [start], [[scale * g for g in gradients]], np.float64)[0]
    np.testing.assert_allclose(scaled.data, plain.data, rtol=1e-6, atol=1e-9)


def test_the_first_step_of_rmsprop_is_the_rate_over_the_root_of_what_is_new() -> None:
    parameter = Tensor([0.0, 0.0], dtype=np.float64, requires_grad=True)
    parameter.grad = Tensor([3.0, -0.001], dtype=np.float64)
    RMSprop([parameter], lr=0.1, alpha=0.99, eps=1e-20).step()
    np.testing.assert_allclose(parameter.data, [-1.0, 1.0])


def test_nesterov_is_ahead_of_plain_momentum() -> None:
    gradients = [[np.array([1.0])] * 2]
    plain = run(lambda p: SGD(p, lr=1.0, momentum=0.5), [np.zeros(1)], gradients, np.float64)[0]
    ahead = run(lambda p: SGD(p, lr=1.0, momentum=0.5, nesterov=True), [np.zeros(1)], gradients, np.float64)[0]
    assert (plain.item(), ahead.item()) == (-2.5, -3.25)


def test_decoupled_decay_shrinks_all_weights_alike_and_l2_does_not() -> None:
    start, gradients = np.array([1.0, 1.0]), [[np.array([100.0, 0.01])] * 5]

    def shrunk(decayed: Make, without: Make) -> Array:
        return np.asarray(
            run(without, [start], gradients, np.float64)[0].data - run(decayed, [start], gradients, np.float64)[0].data
        )

    decoupled = shrunk(lambda p: AdamW(p, weight_decay=0.1), lambda p: AdamW(p, weight_decay=0.0))
    coupled = shrunk(lambda p: Adam(p, weight_decay=0.1), lambda p: Adam(p))
    assert decoupled[0] == pytest.approx(decoupled[1], rel=1e-3)
    assert decoupled[0] == pytest.approx(5 * 1e-3 * 0.1, rel=0.01)
    assert abs(coupled[0]) < 0.01 * decoupled[0]


@pytest.mark.parametrize("make", [lambda p: SGD(p, lr=0.1, momentum=0.9), lambda p: Adam(p), lambda p: RMSprop(p)])
def test_a_gradient_of_zero_at_the_start_moves_nothing(make: Make) -> None:
    parameter = run(make, [np.array([1.5, -2.0])], [[np.zeros(2)] * 3], np.float32)[0]
    assert parameter.tolist() == [1.5, -2.0]


@pytest.mark.parametrize("case", ["sgd", "sgd nesterov", "rmsprop", "adam", "adamw"])
def test_goes_down_a_parabola(case: str) -> None:
    weight = Tensor([3.0, -2.0], requires_grad=True)
    optimizer = CASES[case][0]([weight])
    first = float((weight * weight).sum().item())
    for _ in range(50):
        optimizer.zero_grad()
        (weight * weight).sum().backward()
        optimizer.step()
    assert float((weight * weight).sum().item()) < first


@pytest.mark.parametrize("make", [lambda p: SGD(p, lr=0.1, momentum=0.9), lambda p: Adam(p, lr=0.1)])
def test_states_of_dead_units_do_not_linger_where_arithmetic_is_slow(make: Callable[[list[Tensor]], Optimizer]) -> None:
    """A gradient that became zero leaves means that shrink; below the smallest normal number they are zero."""
    parameter = Tensor(np.ones(100), requires_grad=True)
    optimizer = make([parameter])
    for step in range(1024):
        parameter.grad = Tensor(np.full(100, 1.0 if step == 0 else 0.0))
        optimizer.step()
    saved: Any = optimizer.state_dict()["state"]
    means = [value for value in saved["0"].values() if isinstance(value, np.ndarray) and value.shape == (100,)]
    assert means
    for mean in means:
        assert not np.any((mean != 0) & (np.abs(mean) < np.finfo(np.float32).tiny))
