"""Cross-entropy against probabilities."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.testing as npt
import pytest
from tt_losses import cross_entropy
from tt_tensor import Array, Tensor

WEIGHT = np.array([0.5, 2.0, 0.0, 1.0, 3.0])


def batch() -> tuple[Array, Array]:
    rng = np.random.default_rng(5)
    p = rng.uniform(0, 1, (7, 5))
    return rng.normal(0, 3, (7, 5)), p / p.sum(1, keepdims=True)


@pytest.mark.parametrize(("weight", "smoothing"), list(itertools.product([None, WEIGHT], [0.0, 0.1])))
@pytest.mark.parametrize("axis", [0, 1])
def test_values_agree_with_the_definition(weight: Array | None, smoothing: float, axis: int) -> None:
    x, p = batch()
    logs = np.log(np.exp(x) / np.exp(x).sum(1, keepdims=True))
    asked = (p * (1 - smoothing) + smoothing / 5) * (1 if weight is None else weight)
    each = -(asked * logs).sum(1)
    for reduction, expected in (("none", each), ("sum", each.sum()), ("mean", each.mean())):
        out = cross_entropy(
            Tensor(np.moveaxis(x, 1, axis), dtype=np.float64),
            Tensor(np.moveaxis(p, 1, axis), dtype=np.float64),
            reduction,  # type: ignore[arg-type]  # a str of the three
            weight=None if weight is None else Tensor(weight, dtype=np.float64),
            label_smoothing=smoothing,
            axis=axis,
        )
        npt.assert_allclose(out.data, expected, rtol=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_certain_targets_cost_the_same_as_indices(smoothing: float) -> None:
    x, _ = batch()
    labels = np.arange(7) % 5
    certain = np.eye(5)[labels]
    a = cross_entropy(Tensor(x), Tensor(certain), label_smoothing=smoothing).item()
    assert a == pytest.approx(cross_entropy(Tensor(x), Tensor(labels), label_smoothing=smoothing).item(), rel=1e-6)


def test_an_impossible_class_that_nobody_asks_for_costs_nothing() -> None:
    assert cross_entropy([[-math.inf, 0.0]], [[0.0, 1.0]]).item() == 0.0
    assert cross_entropy([[-math.inf, 0.0]], [[0.5, 0.5]]).item() == math.inf


def test_extreme_logits() -> None:
    assert cross_entropy([[3e38, -3e38]], [[1.0, 0.0]]).item() == 0.0
    assert cross_entropy([[1e4, 0.0]], [[0.5, 0.5]]).item() == 5e3


def test_nothing_to_average() -> None:
    nothing = Tensor(np.ones((0, 3)))
    assert cross_entropy(nothing, nothing, "sum").item() == 0.0
    assert cross_entropy(nothing, nothing, "none").shape == (0,)
    with pytest.raises(ValueError, match="mean of no losses"):
        cross_entropy(nothing, nothing)


def test_images_have_their_classes_on_axis_one() -> None:
    rng = np.random.default_rng(6)
    x, p = rng.normal(size=(2, 3, 4, 5)), rng.dirichlet(np.ones(3), (2, 4, 5))
    out = cross_entropy(Tensor(x), Tensor(np.moveaxis(p, -1, 1)), "none")
    logs = x - np.log(np.exp(x).sum(1, keepdims=True))
    npt.assert_allclose(out.data, -(np.moveaxis(p, -1, 1) * logs).sum(1), rtol=1e-5, atol=1e-6)


def test_half_precision() -> None:
    x, p = batch()
    out = cross_entropy(Tensor(x, dtype=np.float16), Tensor(p, dtype=np.float16))
    assert out.dtype == np.float16
    assert out.item() == pytest.approx(cross_entropy(Tensor(x), Tensor(p)).item(), rel=5e-3)


def test_half_precision_targets_are_smoothed_in_single() -> None:
    classes = 5_000
    p = np.zeros((1, classes))
    p[0, 0] = 1.0
    x = np.zeros((1, classes))  # each class is asked for by 2e-5, of which float16 holds two digits
    out = cross_entropy(Tensor(x), Tensor(p, dtype=np.float16), label_smoothing=0.1)
    assert out.item() == pytest.approx(math.log(classes), rel=1e-5)
