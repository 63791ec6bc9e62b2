"""Losses of probabilities: binary cross-entropy and Kullback-Leibler divergence."""

from __future__ import annotations

import math

import numpy as np
import numpy.testing as npt
import pytest
import tt_losses as loss
from hypothesis import given
from hypothesis import strategies as st
from tt_losses import binary_cross_entropy as bce
from tt_losses import binary_cross_entropy_with_logits as bce_logits
from tt_tensor import Array, Tensor

Dtype = type[np.float32 | np.float64]
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def questions(shape: tuple[int, ...]) -> tuple[Array, Array]:
    rng = np.random.default_rng(1)
    return np.asarray(rng.uniform(0.05, 0.95, shape)), np.asarray(rng.uniform(0, 1, shape))


def reductions(each: Array) -> list[tuple[str, Array]]:
    return [("none", each), ("sum", each.sum()), ("mean", each.mean())]


@dtypes
@pytest.mark.parametrize("shape", [(), (5,), (3, 4)])
def test_bce_agrees_with_the_formula(shape: tuple[int, ...], dtype: Dtype) -> None:
    p, y = questions(shape)
    for reduction, expected in reductions(-(y * np.log(p) + (1 - y) * np.log(1 - p))):
        out = bce(Tensor(p, dtype=dtype), Tensor(y, dtype=dtype), reduction)  # type: ignore[arg-type]  # a str of the three
        assert out.dtype == dtype
        npt.assert_allclose(out.data, expected, rtol=1e-5 if dtype is np.float32 else 1e-12)


@dtypes
@pytest.mark.parametrize("shape", [(), (5,), (3, 4)])
def test_bce_with_logits_is_bce_of_the_sigmoid(shape: tuple[int, ...], dtype: Dtype) -> None:
    p, y = questions(shape)
    x = np.log(p / (1 - p))
    for reduction, expected in reductions(-(y * np.log(p) + (1 - y) * np.log(1 - p))):
        out = bce_logits(Tensor(x, dtype=dtype), Tensor(y, dtype=dtype), reduction)  # type: ignore[arg-type]  # a str of the three
        assert out.dtype == dtype
        npt.assert_allclose(out.data, expected, rtol=1e-5 if dtype is np.float32 else 1e-12)


def test_bce_at_zero_and_one() -> None:
    assert bce([0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0], "none").tolist() == [0.0, 0.0, 100.0, 100.0]
    assert bce([0.0, 1.0], [0.5, 0.5], "none").tolist() == [50.0, 50.0]


def test_bce_keeps_small_probabilities_apart() -> None:
    npt.assert_allclose(bce([1e-10], [0.0], "none").data, [1e-10], rtol=1e-5)


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_bce_refuses_what_is_no_probability(p: float) -> None:
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\].*binary_cross_entropy_with_logits"):
        bce([0.5, p], [0.0, 1.0])


def test_bce_with_logits_at_extreme_scores() -> None:
    x = [1e4, 1e4, -1e4, -1e4, 3e38, -3e38, 3e38, 100.0]
    y = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0]
    out = bce_logits(x, y, "none").data
    npt.assert_allclose(out, [0.0, 1e4, 1e4, 0.0, 0.0, 0.0, float(np.float32(3e38)), 0.0], atol=1e-30)


def test_bce_with_logits_keeps_relative_precision_when_sure() -> None:
    npt.assert_allclose(bce_logits([30.0], [1.0]).item(), math.exp(-30), rtol=1e-5)


@dtypes
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_kl_agrees_with_the_formula(shape: tuple[int, ...], dtype: Dtype) -> None:
    q, p = questions(shape)
    each = p * (np.log(p) - np.log(q))
    for reduction, expected in [*reductions(each), ("batchmean", each.sum() / shape[0])]:
        out = loss.kl_div(Tensor(np.log(q), dtype=dtype), Tensor(p, dtype=dtype), reduction)  # type: ignore[arg-type]  # a str of the four
        assert out.dtype == dtype
        npt.assert_allclose(out.data, expected, rtol=1e-4 if dtype is np.float32 else 1e-12, atol=1e-6)


def test_kl_costs_nothing_where_the_target_is_zero() -> None:
    assert loss.kl_div([-math.inf, 0.0], [0.0, 1.0], "none").tolist() == [0.0, 0.0]
    assert loss.kl_div([-5.0], [0.0]).item() == 0.0


def test_kl_of_what_is_impossible_is_infinite() -> None:
    assert loss.kl_div([-math.inf, 0.0], [0.5, 0.5], "sum").item() == math.inf


def test_kl_batchmean_needs_a_batch() -> None:
    with pytest.raises(ValueError, match="needs a batch axis"):
        loss.kl_div(-1.0, 0.5, "batchmean")
    with pytest.raises(ValueError, match="mean of no losses"):
        loss.kl_div(np.ones((0, 3)), np.ones((0, 3)), "batchmean")


def test_kl_reduction_is_validated() -> None:
    with pytest.raises(ValueError, match="'mean', 'batchmean', 'sum', 'none', got 'avg'"):
        loss.kl_div([0.0], [1.0], "avg")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match="got 'avg'"):
        loss.KLDivLoss("avg")  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("function", [bce, bce_logits, loss.kl_div])
def test_shapes_and_reductions_are_checked(function: object) -> None:
    assert callable(function)
    with pytest.raises(ValueError, match="differ in shape"):
        function(Tensor(np.full((3, 1), 0.5)), Tensor(np.full(3, 0.5)))
    with pytest.raises(ValueError, match="reduction must be"):
        function([0.5], [0.5], "avg")
    with pytest.raises(ValueError, match="mean of no losses"):
        function(np.ones((0,)), np.ones((0,)))
    assert function(np.ones((0,)), np.ones((0,)), "sum").item() == 0.0
    assert function([0.5], [1]).dtype == np.float32
    half = Tensor([0.5], dtype=np.float16)
    assert function(half, half).dtype == np.float16


@given(st.floats(-1e4, 1e4), st.floats(0, 1))
def test_a_doubtful_answer_costs_no_less_than_its_entropy(x: float, y: float) -> None:
    entropy = -sum(p * math.log(p) for p in (y, 1 - y) if p > 0)
    value = bce_logits(Tensor([x], dtype=np.float64), Tensor([y], dtype=np.float64)).item()
    assert value >= entropy - 1e-9
