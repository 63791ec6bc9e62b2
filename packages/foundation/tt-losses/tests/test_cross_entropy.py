"""Cross-entropy against class indices: values, weights, smoothing, ignored targets, layouts, wrong use."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tt_losses import cross_entropy, nll_loss
from tt_tensor import Array, Tensor

Function = Callable[..., Tensor]
both = pytest.mark.parametrize("function", [cross_entropy, nll_loss])


def log_softmax(x: Array) -> Array:
    x = x - x.max(-1, keepdims=True)
    return np.asarray(x - np.log(np.exp(x).sum(-1, keepdims=True)))


def oracle(
    x: Array, labels: Array, weight: Array | None = None, smoothing: float = 0.0, ignore: int = -100
) -> dict[str, Array]:
    """Row by row, as the definition says. PyTorch's `mean` divides by the weights of the targets that count."""
    classes = x.shape[-1]
    w = np.ones(classes) if weight is None else weight
    each, counted = np.zeros(len(labels)), 0.0
    for i, label in enumerate(labels):
        if label != ignore:
            logs = log_softmax(x[i].astype(np.float64))
            each[i] = -(1 - smoothing) * w[label] * logs[label] - smoothing / classes * (w * logs).sum()
            counted += w[label]
    return {"none": each, "sum": each.sum(), "mean": each.sum() / counted if counted else np.array(np.nan)}


def batch(n: int = 7, classes: int = 5) -> tuple[Array, Array]:
    rng = np.random.default_rng(2)
    return rng.normal(0, 3, (n, classes)), rng.integers(0, classes, n)


WEIGHT = np.array([0.5, 2.0, 0.0, 1.0, 3.0])


@pytest.mark.parametrize(
    ("weight", "smoothing", "ignore"),
    list(itertools.product([None, WEIGHT], [0.0, 0.1, 1.0], [-100, 1])),
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_agree_with_the_definition(
    weight: Array | None, smoothing: float, ignore: int, dtype: type[np.float32 | np.float64]
) -> None:
    x, labels = batch()
    labels[0] = ignore
    w = None if weight is None else Tensor(weight, dtype=dtype)
    expected = oracle(x, labels, weight, smoothing, ignore)
    for reduction in ("none", "sum", "mean"):
        out = cross_entropy(
            Tensor(x, dtype=dtype), Tensor(labels), reduction, weight=w, ignore_index=ignore, label_smoothing=smoothing
        )  # fmt: skip
        assert out.dtype == dtype
        assert out.shape == expected[reduction].shape
        npt.assert_allclose(out.data, expected[reduction], rtol=1e-5 if dtype is np.float32 else 1e-12)


@pytest.mark.parametrize(("weight", "ignore"), list(itertools.product([None, WEIGHT], [-100, 1])))
def test_nll_of_log_softmax_is_cross_entropy(weight: Array | None, ignore: int) -> None:
    x, labels = batch()
    labels[0] = ignore
    logs = Tensor(log_softmax(x), dtype=np.float64)
    w = None if weight is None else Tensor(weight, dtype=np.float64)
    expected = oracle(x, labels, weight, 0.0, ignore)
    for reduction in ("none", "sum", "mean"):
        out = nll_loss(logs, Tensor(labels), reduction, weight=w, ignore_index=ignore)
        npt.assert_allclose(out.data, expected[reduction], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint64])
@both
def test_any_integer_type_names_a_class(function: Function, dtype: type[np.integer]) -> None:
    x, labels = batch(classes=200)
    labels %= 100
    expected = function(Tensor(x), Tensor(labels)).item()
    assert function(Tensor(x), Tensor(labels.astype(dtype))).item() == expected


@both
def test_classes_are_on_axis_one_or_where_axis_says(function: Function) -> None:
    rng = np.random.default_rng(3)
    x = log_softmax(rng.normal(size=(2, 3, 4, 5)))  # (..., C)
    labels = rng.integers(0, 5, (2, 3, 4))
    rows = oracle(x.reshape(-1, 5), labels.reshape(-1))
    for axis in (-1, 3, 1, 0, 2):
        moved = Tensor(np.moveaxis(x, -1, axis), dtype=np.float64)
        out = function(moved, Tensor(labels), "none", axis=axis)
        npt.assert_allclose(out.data, rows["none"].reshape(2, 3, 4), rtol=1e-10)
        assert function(moved, Tensor(labels), axis=axis).item() == pytest.approx(rows["mean"])
    default = function(Tensor(np.moveaxis(x, -1, 1), dtype=np.float64), Tensor(labels))
    assert default.item() == pytest.approx(rows["mean"])


@both
def test_a_single_row_needs_no_batch_axis(function: Function) -> None:
    x, _ = batch(1)
    out = function(Tensor(x[0]), Tensor(3))
    assert out.shape == ()
    assert out.item() == pytest.approx(function(Tensor(x), Tensor([3])).item())


@pytest.mark.parametrize(
    ("row", "label", "expected"),
    [
        ([1e4, 0.0], 0, 0.0),
        ([1e4, 0.0], 1, 1e4),
        ([-1e4, -1e4], 0, math.log(2)),
        ([3e38, 0.0], 0, 0.0),
        ([3e38, 0.0], 1, 3e38),
        ([3e38, -3e38], 1, math.inf),
        ([-math.inf, 2.0], 1, 0.0),
        ([-math.inf, 2.0], 0, math.inf),
    ],
)
def test_extreme_logits(row: list[float], label: int, expected: float) -> None:
    assert cross_entropy([row], [label]).item() == pytest.approx(expected, rel=1e-6)


def test_a_confident_right_answer_still_costs_its_bit() -> None:
    assert cross_entropy([[15.0, 0.0]], [0]).item() == pytest.approx(math.log1p(math.exp(-15)), rel=0.3)


@both
@pytest.mark.parametrize("wrong", [-1, -2, 5, 6, 1_000_000, -100])
def test_a_target_out_of_range_is_an_index_error(function: Function, wrong: int) -> None:
    x, labels = batch()
    labels[4] = wrong
    with pytest.raises(IndexError, match=rf"target {wrong} \(number 4 of 7\) is no class: there are 5"):
        function(Tensor(x), Tensor(labels), ignore_index=-7)
    if wrong != -100:
        with pytest.raises(IndexError, match="no class"):
            function(Tensor(x), Tensor(labels))


@both
def test_an_ignored_class_does_not_hide_a_wrong_target(function: Function) -> None:
    with pytest.raises(IndexError, match="target 2"):
        function(Tensor([[0.0, 1.0], [0.0, 1.0]]), Tensor([0, 2]), ignore_index=0)


@both
@pytest.mark.parametrize("kind", [np.int64, np.bool_, np.float16, np.float64])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_weights_of_any_type_leave_the_inputs(function: Function, kind: type, dtype: type) -> None:
    x, weight = Tensor([[-1.0, -2.0], [-0.5, -3.0]], dtype=dtype), Tensor([1, 0], dtype=kind)
    out = function(x, Tensor([0, 1]), "none", weight=weight)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out.data, function(x, Tensor([0, 1]), "none").data * [1, 0])


@both
def test_a_target_may_be_ignored_where_there_is_one_class(function: Function) -> None:
    x = Tensor([[-1.0], [-2.0]])
    assert function(x, Tensor([0, -100])).item() == function(x[:1], Tensor([0])).item()


@both
def test_an_ignored_row_counts_for_nothing_whatever_it_holds(function: Function) -> None:
    x = Tensor([[-1.0, -2.0], [math.nan, math.inf]])
    one = function(Tensor([[-1.0, -2.0]]), Tensor([0])).item()
    assert function(x, Tensor([0, -100])).item() == one
    assert function(x, Tensor([0, -100]), "sum").item() == one
    assert function(x, Tensor([0, -100]), "none").tolist() == [one, 0.0]


@both
def test_the_mean_of_nothing_is_an_error_and_not_nan(function: Function) -> None:
    x, labels = batch()
    ignored = Tensor(np.full_like(labels, -100))
    with pytest.raises(ValueError, match=r"of 7 targets, all are ignored or have weight 0.*reduction='sum'"):
        function(Tensor(x), ignored)
    assert function(Tensor(x), ignored, "sum").item() == 0.0
    assert function(Tensor(x), ignored, "none").tolist() == [0.0] * 7
    with pytest.raises(ValueError, match="mean of no losses"):
        function(Tensor(x), Tensor(np.full_like(labels, 2)), weight=Tensor(WEIGHT))


@both
def test_a_batch_of_nothing(function: Function) -> None:
    x, labels = Tensor(np.ones((0, 5))), Tensor(np.ones(0, np.int64))
    assert function(x, labels, "sum").item() == 0.0
    assert function(x, labels, "none").shape == (0,)
    with pytest.raises(ValueError, match="mean of no losses"):
        function(x, labels)


@both
def test_many_rows_go_by_blocks(function: Function) -> None:
    rng = np.random.default_rng(4)
    x, labels = log_softmax(rng.normal(size=(700, 1000))), rng.integers(0, 1000, 700)
    labels[::7] = -100
    expected = oracle(x, labels)
    out = function(Tensor(x), Tensor(labels), "none")
    npt.assert_allclose(out.data, expected["none"], rtol=1e-5, atol=1e-5)
    npt.assert_allclose(function(Tensor(x), Tensor(labels)).item(), expected["mean"], rtol=1e-5)


@both
def test_inputs_are_left_alone(function: Function) -> None:
    x, labels = batch()
    labels[0] = -100
    tensors = Tensor(x), Tensor(labels), Tensor(WEIGHT)
    before = [t.numpy().copy() for t in tensors]
    function(tensors[0], tensors[1], weight=tensors[2])
    for tensor, old in zip(tensors, before, strict=True):
        npt.assert_array_equal(tensor.data, old)


@both
def test_half_precision_is_summed_in_float32(function: Function) -> None:
    x = Tensor(np.full((70_000, 2), -1.0), dtype=np.float16)
    out = function(x, Tensor(np.zeros(70_000, np.int64)))
    assert out.dtype == np.float16
    assert out.item() == pytest.approx(math.log(2) if function is cross_entropy else 1.0, rel=1e-3)


def test_integers_become_float32() -> None:
    out = cross_entropy([[1, 2], [3, 4]], [0, 1], weight=[1, 3])
    assert out.dtype == np.float32
    assert out.item() == pytest.approx(cross_entropy([[1.0, 2.0], [3.0, 4.0]], [0, 1], weight=[1.0, 3.0]).item())


@both
@pytest.mark.parametrize(
    ("x", "labels", "words"),
    [
        ((4, 3), (3,), r"needs targets of shape \(4,\), got \(3,\)$"),
        ((4, 3), (4, 1), r"needs targets of shape \(4,\), got \(4, 1\); drop its last axis"),
        ((2, 7, 5), (2, 7), r"needs targets of shape \(2, 5\), got \(2, 7\); if the classes.*axis=-1"),
        ((), (), r"no axis 0 for its classes"),
        ((4, 0), (4,), "no classes on axis 1"),
    ],
)
def test_shapes_that_do_not_fit(function: Function, x: tuple[int, ...], labels: tuple[int, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        function(Tensor(np.ones(x)), Tensor(np.zeros(labels, np.int64)))


@both
def test_other_wrong_use(function: Function) -> None:
    x, labels = (Tensor(a) for a in batch())
    with pytest.raises(ValueError, match="has no axis 2 for its classes"):
        function(x, labels, axis=2)
    with pytest.raises(ValueError, match="reduction must be one of"):
        function(x, labels, "average")
    with pytest.raises(ValueError, match="weight must hold one number for each of the 5 classes"):
        function(x, labels, weight=[1.0, 2.0])
    with pytest.raises(TypeError, match="class indices must be integers, got float32"):
        function(x, Tensor(np.ones(7)))
    with pytest.raises(TypeError, match="class indices must be integers, got bool"):
        function(x, Tensor(np.ones(7, bool)))


@pytest.mark.parametrize("smoothing", [-0.1, 1.1, math.nan])
def test_smoothing_outside_zero_and_one(smoothing: float) -> None:
    with pytest.raises(ValueError, match=r"label_smoothing must be in \[0, 1\]"):
        cross_entropy([[0.0, 1.0]], [0], label_smoothing=smoothing)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=6), st.floats(-1e3, 1e3))
def test_a_shift_of_all_logits_changes_nothing(row: list[float], shift: float) -> None:
    x = np.array([row])
    a = cross_entropy(Tensor(x, dtype=np.float64), [0]).item()
    assert cross_entropy(Tensor(x + shift, dtype=np.float64), [0]).item() == pytest.approx(a, abs=1e-9)
    assert a >= 0


def test_nll_of_whole_numbers_is_no_whole_number() -> None:
    out = nll_loss([[-1, -2], [-2, -3]], [1, 1])
    assert out.dtype == np.float32
    assert out.item() == 2.5
    assert nll_loss([[-1, -2], [-2, -3]], [0, 1], weight=[0.5, 1.5]).item() == pytest.approx(2.5)


def test_nll_in_half_precision_rounds_once() -> None:
    logs = Tensor([[-6e4, -1.0], [-6e4, -1.0]], dtype=np.float16)
    out = nll_loss(logs, [0, 0], weight=[2.0, 1.0])  # a weighted loss of 120,000 is none of float16's numbers
    assert out.dtype == np.float16
    assert out.item() == 6e4


@both
def test_a_sum_beyond_half_precision_is_infinite_in_silence(function: Function) -> None:
    x = Tensor([[-6e4, 0.0], [-6e4, 0.0]], dtype=np.float16)
    assert function(x, [0, 0], "sum").item() == math.inf
