"""Softmax and its logarithm."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.testing as npt
import pytest
import tt_activations as act
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tt_tensor import Array, Tensor, from_numpy

Function = Callable[..., Tensor]
both = pytest.mark.parametrize("function", [act.softmax, act.log_softmax])
INF = math.inf


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_agree_with_the_formula(axis: int, dtype: type[np.float32 | np.float64]) -> None:
    data = np.random.default_rng(0).normal(0, 3, (3, 4, 5)).astype(dtype)
    wide = np.exp(data.astype(np.float64))
    exact = wide / wide.sum(axis, keepdims=True)
    tolerance = 2e-6 if dtype is np.float32 else 1e-13
    out = act.softmax(from_numpy(data), axis=axis)
    assert out.dtype == dtype
    npt.assert_allclose(out.data, exact, rtol=tolerance)
    npt.assert_allclose(
        act.log_softmax(from_numpy(data), axis=axis).data, np.log(exact), rtol=tolerance, atol=tolerance
    )


def test_axis_is_the_last_by_default() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 5.0]])
    npt.assert_array_equal(act.softmax(x).data, act.softmax(x, axis=1).data)
    npt.assert_array_equal(act.log_softmax(x).data, act.log_softmax(x, axis=1).data)


@pytest.mark.parametrize(
    ("row", "probabilities"),
    [
        ([1e4, 1e4], [0.5, 0.5]),
        ([-1e4, -1e4], [0.5, 0.5]),
        ([1e4, -1e4], [1.0, 0.0]),
        ([3e38, 3e38, -3e38], [0.5, 0.5, 0.0]),
        ([-3e38, -3e38], [0.5, 0.5]),
        ([-INF, 0.0, -INF], [0.0, 1.0, 0.0]),
        ([-INF, 7.0, 7.0], [0.0, 0.5, 0.5]),
        ([5.0], [1.0]),
    ],
)
def test_extreme_scores(row: list[float], probabilities: list[float]) -> None:
    assert act.softmax(Tensor(row)).tolist() == probabilities
    npt.assert_array_equal(np.exp(act.log_softmax(Tensor(row)).data), np.array(probabilities, np.float32))


def test_log_softmax_where_the_probability_is_zero() -> None:
    assert act.log_softmax(Tensor([0.0, -1e4])).tolist() == [0.0, -1e4]
    assert act.log_softmax(Tensor([-INF, 0.0])).tolist() == [-INF, 0.0]


@both
def test_nothing_but_minus_infinity_has_no_answer(function: Function) -> None:
    assert np.isnan(function(Tensor([-INF, -INF])).data).all()


@both
def test_one_row_does_not_leak_into_another(function: Function) -> None:
    out = function(Tensor([[math.nan, 1.0], [0.0, 0.0]]))
    assert np.isnan(out.data[0]).all()
    assert np.isfinite(out.data[1]).all()


@both
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)])
def test_empty(function: Function, shape: tuple[int, ...]) -> None:
    assert function(Tensor(np.ones(shape))).shape == shape


def test_a_single_score_is_certain() -> None:
    assert act.softmax(Tensor(3.0)).item() == 1.0
    assert act.log_softmax(Tensor(3.0)).item() == 0.0
    assert act.softmax(Tensor(3.0)).shape == ()


@both
def test_strided_input(function: Function) -> None:
    view = np.linspace(-3, 3, 24, dtype=np.float32).reshape(4, 6).T[::2]
    npt.assert_allclose(function(from_numpy(view)).data, function(Tensor(view.copy())).data, rtol=1e-6)


@both
def test_input_is_left_alone(function: Function) -> None:
    data = np.array([1.0, 2.0], np.float32)
    function(from_numpy(data))
    assert data.tolist() == [1.0, 2.0]


@both
def test_integers_are_computed_in_float32(function: Function) -> None:
    assert function(Tensor([1, 2])).dtype == np.float32


@both
def test_half_precision_sums_in_float32(function: Function) -> None:
    out = function(Tensor(np.zeros(70_000), dtype=np.float16))
    assert out.dtype == np.float16
    expected = 1 / 70_000 if function is act.softmax else -math.log(70_000)
    npt.assert_allclose(out.data.astype(np.float64), expected, rtol=5e-3)


@both
@pytest.mark.parametrize(("shape", "axis"), [((), 1), ((2, 3), 2), ((2, 3), -3)])
def test_an_axis_that_is_not_there(function: Function, shape: tuple[int, ...], axis: int) -> None:
    with pytest.raises(np.exceptions.AxisError):
        function(Tensor(np.ones(shape)), axis=axis)


@given(hnp.arrays(np.float32, (3, 5), elements=st.floats(-(2.0**99), 2.0**99, width=32)), st.floats(-100, 100))
def test_probabilities_sum_to_one_and_ignore_a_shift(data: Array, shift: float) -> None:
    out = act.softmax(from_numpy(data)).data
    npt.assert_allclose(out.sum(-1), 1, rtol=1e-5)
    assert (out >= 0).all()
    small = np.clip(data, -50, 50).astype(np.float64)
    still = act.softmax(Tensor(small, dtype=np.float64)).data
    npt.assert_allclose(act.softmax(Tensor(small + shift, dtype=np.float64)).data, still, atol=1e-12)
