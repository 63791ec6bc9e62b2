"""Metrics: small arithmetic that everybody gets wrong once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_tensor import Tensor
from tt_train import accuracy, confusion_matrix, perplexity, predicted_classes


def test_predicted_classes_take_the_largest_score_along_the_last_axis() -> None:
    scores = np.array([[[0.1, 0.7, 0.2], [3.0, 1.0, 2.0]]], dtype=np.float32)
    np.testing.assert_array_equal(predicted_classes(scores), [[1, 0]])
    np.testing.assert_array_equal(predicted_classes(Tensor(scores)), [[1, 0]])


def test_integers_are_classes_already() -> None:
    np.testing.assert_array_equal(predicted_classes(np.array([3, 1])), [3, 1])


def test_accuracy_is_the_share_of_right_ones() -> None:
    scores = Tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    assert accuracy(scores, Tensor([1, 0, 0, 0])) == 0.75


def test_accuracy_counts_each_token_of_a_sequence() -> None:
    scores = np.zeros((2, 3, 4), dtype=np.float32)
    scores[..., 1] = 1.0
    assert accuracy(scores, np.array([[1, 1, 0], [1, 0, 0]])) == 0.5


def test_accuracy_of_nothing_is_nan() -> None:
    assert math.isnan(accuracy(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)))


def test_accuracy_explains_shapes_that_do_not_belong_together() -> None:
    with pytest.raises(ValueError, match=r"outputs \(4, 3\).*targets have \(4, 1\)"):
        accuracy(np.zeros((4, 3)), np.zeros((4, 1), dtype=np.int64))


def test_accuracy_refuses_targets_that_are_no_classes() -> None:
    with pytest.raises(TypeError, match="float64"):
        accuracy(np.zeros((2, 3)), np.zeros(2))


def test_confusion_matrix_has_true_classes_in_rows() -> None:
    matrix = confusion_matrix(np.array([0, 2, 2]), np.array([0, 1, 1]))
    np.testing.assert_array_equal(matrix, [[1, 0, 0], [0, 0, 2], [0, 0, 0]])


def test_confusion_matrix_has_a_row_for_each_score() -> None:
    assert confusion_matrix(np.zeros((2, 5)), np.array([0, 1])).shape == (5, 5)
    assert confusion_matrix(np.array([0]), np.array([1]), classes=4).shape == (4, 4)
    assert confusion_matrix(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)).shape == (0, 0)


@pytest.mark.parametrize(("predicted", "wanted", "what"), [(3, 0, "outputs"), (0, 3, "targets"), (0, -1, "targets")])
def test_confusion_matrix_refuses_a_class_out_of_range(predicted: int, wanted: int, what: str) -> None:
    with pytest.raises(ValueError, match=f"{what} hold classes"):
        confusion_matrix(np.array([predicted]), np.array([wanted]), classes=3)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_confusion_matrix_agrees_with_accuracy_and_with_counting(pairs: list[tuple[int, int]]) -> None:
    predicted, wanted = np.array(pairs).T
    matrix = confusion_matrix(predicted, wanted, classes=5)
    assert matrix.sum() == len(pairs)
    assert np.trace(matrix) / len(pairs) == pytest.approx(accuracy(predicted, wanted))
    for row in range(5):
        for column in range(5):
            assert matrix[row, column] == pairs.count((column, row))


def test_perplexity_of_a_uniform_guess_is_the_number_of_choices() -> None:
    assert perplexity(math.log(65.0)) == pytest.approx(65.0)
    assert perplexity(Tensor(0.0)) == 1.0


def test_perplexity_overflows_to_infinity() -> None:
    assert perplexity(1e4) == math.inf
    assert math.isnan(perplexity(math.nan))
