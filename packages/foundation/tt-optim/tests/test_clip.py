"""Clipping: the right norm, one factor for all, and nothing changed where there is no norm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_optim import clip_grad_norm_, clip_grad_value_
from tt_tensor import Tensor, from_numpy


def leaf(gradient: Any, dtype: Any = np.float32) -> Tensor:
    array = np.asarray(gradient, dtype=dtype)
    tensor = Tensor(np.zeros_like(array), dtype=dtype, requires_grad=True)
    tensor.grad = Tensor(array, dtype=dtype)
    return tensor


def gradient(tensor: Tensor) -> Any:
    assert tensor.grad is not None
    return tensor.grad.data


def test_scales_all_gradients_by_one_factor() -> None:
    first, second = leaf([3.0]), leaf([[4.0]])
    assert clip_grad_norm_([first, second], 1.0) == 5.0
    np.testing.assert_allclose([gradient(first)[0], gradient(second)[0, 0]], [0.6, 0.8], rtol=1e-6)


def test_leaves_what_is_within_the_bound() -> None:
    weight = leaf([3.0, 4.0])
    assert clip_grad_norm_([weight], 5.0) == 5.0
    assert gradient(weight).tolist() == [3.0, 4.0]
    assert clip_grad_norm_([weight], math.inf) == 5.0
    assert gradient(weight).tolist() == [3.0, 4.0]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.floats(-1e3, 1e3, width=32), max_size=6), min_size=1, max_size=4),
    st.floats(0.01, 100.0),
    st.sampled_from([1.0, 2.0, 3.5, math.inf]),
)
def test_is_the_norm_of_one_long_vector_and_afterwards_at_most_the_bound(
    rows: list[list[float]], bound: float, kind: float
) -> None:
    weights = [leaf(row) for row in rows]
    whole = np.concatenate([np.asarray(row, np.float64) for row in rows])
    expected = float(np.linalg.norm(whole, kind)) if whole.size else 0.0
    norm = clip_grad_norm_(weights, bound, norm_type=kind)
    assert isinstance(norm, float)
    assert norm == pytest.approx(expected, rel=1e-9, abs=1e-300)
    factor = min(1.0, bound / expected) if expected else 1.0
    after = np.concatenate([gradient(weight) for weight in weights])
    np.testing.assert_allclose(after, whole * factor, rtol=1e-5, atol=1e-30)


def test_is_as_accurate_as_float64_for_a_million_numbers() -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((200, 100), dtype=np.float32) * 10.0**k for k in range(-3, 3)] + [
        rng.standard_normal(400_000, dtype=np.float32)
    ]
    expected = math.sqrt(math.fsum(float(np.square(a, dtype=np.float64).sum()) for a in arrays))
    assert clip_grad_norm_([leaf(a) for a in arrays], 1.0) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("size", "dtype"), [(3e38, np.float32), (1e-40, np.float32), (1e200, np.float64), (1e-200, np.float64)]
)
def test_neither_overflows_nor_underflows(size: float, dtype: type) -> None:
    weight = leaf([3 * size / 5, 4 * size / 5], dtype)
    assert clip_grad_norm_([weight], math.inf) == pytest.approx(size, rel=1e-4)
    assert clip_grad_norm_([weight], size / 2) == pytest.approx(size, rel=1e-4)
    np.testing.assert_allclose(gradient(weight), [0.3 * size, 0.4 * size], rtol=1e-4)


@pytest.mark.parametrize("kind", [1.0, 2.0, math.inf])
@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_a_gradient_that_is_not_finite_is_refused_by_name(bad: float, kind: float) -> None:
    good, spoilt = leaf([3.0, 4.0]), leaf([1.0, bad])
    with pytest.raises(ValueError, match="spoilt"):
        clip_grad_norm_([("good", good), ("spoilt", spoilt)], 1.0, norm_type=kind)
    assert gradient(good).tolist() == [3.0, 4.0]
    np.testing.assert_array_equal(gradient(spoilt), np.array([1.0, bad], np.float32))
    with pytest.raises(ValueError, match="parameter 1"):
        clip_grad_value_([good, spoilt], 1.0)
    assert gradient(good).tolist() == [3.0, 4.0]


def test_a_norm_beyond_float64_is_refused() -> None:
    with pytest.raises(ValueError, match="norm"):
        clip_grad_norm_([leaf([1.7e308, 1.7e308], np.float64)], 1.0)


def test_passes_over_what_has_no_gradient_and_counts_nothing_twice() -> None:
    weight = leaf([3.0, 4.0])
    without = Tensor([1.0], requires_grad=True)
    assert clip_grad_norm_([weight, without, weight], 1.0) == 5.0
    np.testing.assert_allclose(gradient(weight), [0.6, 0.8], rtol=1e-6)
    assert clip_grad_norm_([without], 1.0) == 0.0
    assert clip_grad_norm_(leaf([0.0]), 0.0) == 0.0


def test_writes_in_place_and_says_so() -> None:
    weight = leaf([3.0, 4.0])
    assert weight.grad is not None
    memory, version = weight.grad.data, weight.grad.version
    clip_grad_norm_([weight], 1.0)
    clip_grad_value_([weight], 0.1)
    assert weight.grad.data is memory
    assert weight.grad.version == version + 2


def test_takes_gradients_that_are_not_contiguous() -> None:
    weight = Tensor(np.zeros((3, 2)), requires_grad=True)
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    weight.grad = from_numpy(array.T)
    norm = clip_grad_norm_([weight], 1.0)
    assert norm == pytest.approx(math.sqrt(55.0))
    np.testing.assert_allclose(array, np.arange(6).reshape(2, 3) / norm, rtol=1e-6)


@pytest.mark.parametrize(("settings_", "message"), [
    ({"max_norm": -1.0}, "max_norm"), ({"max_norm": math.nan}, "max_norm"),
    ({"max_norm": 1.0, "norm_type": 0.0}, "norm_type"), ({"max_norm": 1.0, "norm_type": math.nan}, "norm_type"),
])  # fmt: skip
def test_refuses_bounds_that_make_no_sense(settings_: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        clip_grad_norm_([leaf([1.0])], **settings_)


def test_values_are_limited_each_by_itself() -> None:
    weight = leaf([3.0, -0.5, -7.0])
    clip_grad_value_([weight], 1.0)
    assert gradient(weight).tolist() == [1.0, -0.5, -1.0]
    with pytest.raises(ValueError, match="clip_value"):
        clip_grad_value_([weight], 0.0)


def test_half_precision_gradients_are_scaled_in_single() -> None:
    weight = Tensor(np.zeros(100), dtype=np.float16, requires_grad=True)
    weight.grad = Tensor(np.full(100, 3e4), dtype=np.float16)
    clip_grad_norm_([weight], 1e-2)  # the factor, 3e-8, is none of float16's numbers
    assert np.linalg.norm(gradient(weight).astype(np.float64)) == pytest.approx(1e-2, rel=1e-3)


def test_a_bound_beyond_half_precision_limits_nothing() -> None:
    weight = Tensor([0.0, 0.0], dtype=np.float16, requires_grad=True)
    weight.grad = Tensor([6e4, -6e4], dtype=np.float16)
    clip_grad_value_([weight], 1e6)
    assert np.abs(gradient(weight)).tolist() == [6e4, 6e4]
