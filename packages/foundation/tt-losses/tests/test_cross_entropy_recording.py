"""The recording kernel of cross-entropy: the same loss, and what the backward pass wants of it."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.testing as npt
import pytest
from tt_losses import cross_entropy
from tt_tensor import Array, Tensor, primitives

WEIGHT = np.array([0.5, 2.0, 0.0, 1.0, 3.0])


def record(*arrays: Array, smoothing: float = 0.0, reduction: str = "mean", axis: int = 1) -> tuple[Array, Array]:
    recording = primitives()["cross_entropy"].recording
    assert recording is not None
    loss, kept = recording(*arrays, ignore_index=-100, label_smoothing=smoothing, reduction=reduction, axis=axis)
    assert isinstance(kept, np.ndarray)
    return loss, kept


@pytest.mark.parametrize(
    ("weight", "smoothing", "reduction", "axis"),
    list(itertools.product([None, WEIGHT], [0.0, 0.1], ["mean", "sum", "none"], [0, 1])),
)
def test_class_indices_leave_the_gradient(weight: Array | None, smoothing: float, reduction: str, axis: int) -> None:
    rng = np.random.default_rng(3)
    x, labels = rng.normal(size=(7, 5)), rng.integers(0, 5, 7)
    labels[2] = -100
    w = np.ones(5) if weight is None else weight
    asked = w * ((1 - smoothing) * np.eye(5)[labels % 5] + smoothing / 5)
    asked[2] = 0
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    expected = p * asked.sum(1, keepdims=True) - asked
    if reduction == "mean":
        expected /= w[np.delete(labels, 2)].sum()
    arrays = [np.moveaxis(x, 1, axis), labels, *([] if weight is None else [weight])]
    loss, gradient = record(*arrays, smoothing=smoothing, reduction=reduction, axis=axis)
    npt.assert_allclose(np.moveaxis(gradient, axis, 1), expected, atol=1e-14)
    plain = cross_entropy(
        Tensor(x, dtype=np.float64),
        Tensor(labels),
        reduction,  # type: ignore[arg-type]  # a str of the three
        weight=None if weight is None else Tensor(weight, dtype=np.float64),
        label_smoothing=smoothing,
    )
    npt.assert_array_equal(loss, plain.data)


def test_probabilities_leave_the_log_softmax() -> None:
    x = np.array([[1e4, 0.0], [1.0, 1.0]])
    _, logs = record(x, np.array([[0.5, 0.5], [1.0, 0.0]]))
    npt.assert_allclose(logs, [[0.0, -1e4], [-np.log(2), -np.log(2)]])


def test_many_rows_go_by_blocks() -> None:
    rng = np.random.default_rng(4)
    x, labels = rng.normal(size=(700, 1000)).astype(np.float32), rng.integers(0, 1000, 700)
    _, gradient = record(x, labels)
    p = np.exp(x.astype(np.float64))
    p /= p.sum(1, keepdims=True)
    p[np.arange(700), labels] -= 1
    npt.assert_allclose(gradient, p / 700, rtol=1e-4, atol=1e-9)


def test_images_keep_their_layout() -> None:
    rng = np.random.default_rng(5)
    x, labels = rng.normal(size=(2, 5, 3)), rng.integers(0, 5, (2, 3))
    _, gradient = record(x, labels, reduction="sum")
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    npt.assert_allclose(gradient, p - np.moveaxis(np.eye(5)[labels], -1, 1), atol=1e-14)


def test_half_precision() -> None:
    loss, gradient = record(np.array([[0.0, 1.0]], np.float16), np.array([0]))
    assert loss.dtype == np.float16
    npt.assert_allclose(gradient, [[-0.7310586, 0.7310586]], rtol=1e-3)
