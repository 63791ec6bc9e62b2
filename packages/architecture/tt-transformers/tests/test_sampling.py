"""Filters, drawing, and the settings that choose between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_tensor import manual_seed
from tt_transformers import sample, top_k_filter, top_p_filter

Array = npt.NDArray[Any]
INF = float("inf")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


def test_top_k_keeps_the_largest_of_each_row() -> None:
    logits = np.array([[1.0, 4.0, 3.0, 2.0], [0.0, -1.0, -2.0, 5.0]])
    assert top_k_filter(logits, 2).tolist() == [[-INF, 4, 3, -INF], [0, -INF, -INF, 5]]
    assert top_k_filter(logits, 1).tolist() == [[-INF, 4, -INF, -INF], [-INF, -INF, -INF, 5]]
    assert top_k_filter(logits, 4).tolist() == top_k_filter(logits, 9).tolist() == logits.tolist()


def test_top_k_keeps_equals_of_the_last() -> None:
    assert top_k_filter(np.array([2.0, 1.0, 2.0, 2.0]), 2).tolist() == [2, -INF, 2, 2]


def test_top_p_keeps_the_fewest_that_reach_it() -> None:
    chances = np.array([[0.1, 0.5, 0.15, 0.25], [0.97, 0.01, 0.01, 0.01]])
    kept = np.isfinite(top_p_filter(np.log(chances), 0.7))
    assert kept.tolist() == [[False, True, False, True], [True, False, False, False]]
    assert np.isfinite(top_p_filter(np.log(chances), 0.8)).sum(axis=1).tolist() == [3, 1]
    np.testing.assert_array_equal(top_p_filter(np.log(chances), 1.0), np.log(chances))
    assert np.isfinite(top_p_filter(np.log(chances), 1e-9)).sum(axis=1).tolist() == [1, 1]


def test_filters_keep_type_and_input() -> None:
    logits = rng().standard_normal((2, 9)).astype(np.float32)
    before = logits.copy()
    assert top_k_filter(logits, 3).dtype == top_p_filter(logits, 0.5).dtype == np.float32
    np.testing.assert_array_equal(logits, before)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.floats(0.01, 0.99), st.integers(0, 10**6))
def test_top_p_against_one_by_one(size: int, p: float, seed: int) -> None:
    logits = rng(seed).standard_normal(size) * 3
    chances = softmax(logits)
    expected, total = set(), 0.0
    for index in np.argsort(-chances):
        if total >= p:
            break
        expected.add(int(index))
        total += chances[index]
    assert set(np.flatnonzero(np.isfinite(top_p_filter(logits, p))).tolist()) == expected


def test_temperature_zero_takes_the_first_of_the_most_likely() -> None:
    logits = np.array([[1.0, 3.0, 3.0], [5.0, 0.0, -1.0]])
    chosen = sample(logits, temperature=0)
    assert chosen.tolist() == [1, 0]
    assert chosen.dtype == np.int64
    assert sample(logits, 0, top_k=2, top_p=0.9, rng=rng()).tolist() == [1, 0]


@pytest.mark.parametrize("temperature", [1e-3, 1e-300, 5e-324])
def test_the_lower_the_temperature_the_nearer_to_greedy(temperature: float) -> None:
    logits = np.array([[1.0, 300.0, 2.0], [-900.0, -1000.0, -901.0], [-INF, -3.0, 1e30]], np.float32)
    assert sample(logits, temperature, rng=rng()).tolist() == [1, 0, 2]
    assert sample(logits, temperature, top_k=2, top_p=0.9, rng=rng()).tolist() == [1, 0, 2]


def drawn(logits: Array, **settings: Any) -> Array:
    many = np.broadcast_to(logits, (20_000, len(logits)))
    return np.bincount(sample(many, **settings, rng=rng()), minlength=len(logits)) / 20_000


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_drawn_as_often_as_they_are_likely(temperature: float) -> None:
    logits = np.log(np.array([0.1, 0.2, 0.3, 0.4]))
    np.testing.assert_allclose(drawn(logits, temperature=temperature), softmax(logits / temperature), atol=0.015)


def test_what_is_filtered_out_is_never_drawn_and_the_rest_in_proportion() -> None:
    logits = np.log(np.array([0.1, 0.2, 0.3, 0.4]))
    np.testing.assert_allclose(drawn(logits, top_k=2), [0, 0, 3 / 7, 4 / 7], atol=0.015)
    np.testing.assert_allclose(drawn(logits, top_p=0.8), [0, 2 / 9, 3 / 9, 4 / 9], atol=0.015)
    # First the temperature, then the filters: what is sharper reaches top_p with fewer.
    np.testing.assert_allclose(drawn(logits, temperature=0.1, top_p=0.9), [0, 0, 0, 1], atol=1e-12)
    # top_p counts among what top_k has left: 4/7 is not yet 0.5 short, so one token suffices.
    np.testing.assert_allclose(drawn(logits, top_k=2, top_p=0.5), [0, 0, 0, 1], atol=1e-12)


def test_one_random_number_a_row_and_the_same_again() -> None:
    logits = rng().standard_normal((4, 6))
    first, second = rng(7), rng(7)
    assert sample(logits, rng=first).tolist() == sample(logits, rng=second).tolist()
    second.random()
    second = rng(7)
    second.random(4)
    first = rng(7)
    sample(logits, rng=first)
    assert first.random() == second.random()
    manual_seed(5)
    once = sample(np.zeros((50, 9)))
    manual_seed(5)
    assert sample(np.zeros((50, 9))).tolist() == once.tolist()


def test_minus_infinity_is_never_chosen() -> None:
    logits = np.array([[-INF, 0.0, -INF, -INF]] * 200)
    assert set(sample(logits, 5.0, rng=rng()).tolist()) == {1}
    assert set(sample(logits, top_p=0.99, top_k=3, rng=rng()).tolist()) == {1}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda x: sample(x, -1.0), "temperature .* received -1.0"),
        (lambda x: sample(x, float("nan")), "received nan"),
        (lambda x: sample(x, INF), "received inf"),
        (lambda x: sample(x, top_k=0), "top_k .* received 0"),
        (lambda x: sample(x, top_p=0.0), "top_p .* received 0.0"),
        (lambda x: sample(x, top_p=1.5), "received 1.5"),
        (lambda x: sample(x * np.nan), "NaN"),
        (lambda x: sample(x - INF), "minus infinity"),
        (lambda x: sample(x, top_k=2.5), "top_k .* received 2.5"),  # type: ignore[arg-type]  # on purpose
        (lambda x: sample(x[0]), r"\(B, V\), but received \(4,\)"),
        (lambda x: sample(x[:, :0], 0), r"\(B, V\), but received \(1, 0\)"),
        (lambda x: top_k_filter(x, 0), "at least 1, but received 0"),
        (lambda x: top_p_filter(x, 0.0), "above 0 and at most 1, but received 0.0"),
        (lambda x: top_p_filter(x, 2.0), "received 2.0"),
    ],
)
def test_settings_out_of_range_explain_themselves(call: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call(np.zeros((1, 4)))
