"""Tall matrices: folding, and sums of columns."""

from __future__ import annotations

import numpy as np
import pytest
import tt_tensor as tt
from hypothesis import given, settings
from hypothesis import strategies as st


def normal(*shape: int, seed: int = 0) -> tt.Array:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize(
    ("shape", "matrix"), [((2, 3, 4), (6, 4)), ((5,), (1, 5)), ((3, 2), (3, 2)), ((0, 2, 3), (0, 3))]
)
def test_all_axes_but_the_last_become_rows(shape: tuple[int, ...], matrix: tuple[int, int]) -> None:
    array = normal(*shape)
    folded = tt.as_matrix(array)
    assert folded.shape == matrix
    assert np.shares_memory(folded, array) or not array.size
    np.testing.assert_array_equal(folded.reshape(shape), array)


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(0, 40), columns=st.integers(1, 9), kind=st.sampled_from(["f2", "f4", "f8"]))
def test_sums_of_columns(rows: int, columns: int, kind: str) -> None:
    matrix = normal(rows, columns).astype(kind)
    sums = tt.column_sums(matrix)
    assert sums.dtype == np.dtype(kind)
    assert sums.shape == (columns,)
    tolerance = {"f2": 1e-2, "f4": 1e-5, "f8": 1e-12}[kind]
    np.testing.assert_allclose(sums, matrix.astype(np.float64).sum(axis=0), rtol=tolerance, atol=tolerance)


def test_sums_of_many_rows_are_as_exact_as_doubles() -> None:
    matrix = (normal(300_000, 3) + 1000).astype(np.float32)
    np.testing.assert_allclose(tt.column_sums(matrix), matrix.astype(np.float64).sum(axis=0), rtol=1e-6)
    for rows, columns in ((1 << 16, 1), (1 << 16, 5), (1 << 13, 16), (1 << 12, 64)):
        tenths = np.full((rows, columns), 0.1, np.float32)
        np.testing.assert_allclose(tt.column_sums(tenths), tenths.astype(np.float64).sum(axis=0), rtol=4e-7)
    halves = np.ones((5000, 2), np.float16)
    assert tt.column_sums(halves).tolist() == [5000.0, 5000.0]
    strided = normal(60, 8)[::2, 1:4]
    np.testing.assert_allclose(tt.column_sums(strided), strided.sum(axis=0))


def test_ones_are_shared_and_cannot_be_written_to() -> None:
    vector = tt.ones_vector(4, np.float32)
    assert vector is tt.ones_vector(4, np.float32)
    assert vector.tolist() == [1.0] * 4
    assert vector.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 2


@given(rows=st.integers(0, 5000), columns=st.integers(1, 3000))
def test_rows_are_laid_side_by_side_evenly(rows: int, columns: int) -> None:
    times = tt.fold_count(rows, columns)
    assert times >= 1
    assert rows % times == 0
    assert times == 1 or times * columns <= 1024
