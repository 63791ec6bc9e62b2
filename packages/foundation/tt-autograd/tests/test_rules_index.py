"""Gradients of the operations that pick elements; picked twice means added twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tt_autograd  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_tensor import Tensor, from_numpy, primitives

Array = npt.NDArray[Any]
P = primitives()
RNG = np.random.default_rng(3)


def normal(*shape: int) -> Array:
    return np.asarray(RNG.standard_normal(shape))


KEYS: list[Any] = [
    0,
    -1,
    slice(0, 2),
    slice(None, None, -2),
    (slice(None), 1),
    (..., slice(None, None, -1)),
    None,
    (None, 0, ..., None),
    (0, 1),
    np.array([0, 0, 2]),
    np.array([[0, -1], [-1, -1]]),
    (np.array([0, 1, 0]), np.array([1, 1, 1])),
    (slice(None), np.array([1, 1])),
    np.zeros(0, np.int64),
    np.array([[True, False], [True, True], [False, False]]),
    np.array([True, False, True]),
    (np.array([2, 2]), 0),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_index(check: Any, key: Any) -> None:
    check(lambda x: P["index"](x, key=key), normal(3, 2))
    check(lambda x: P["index"](x, key=key), normal(2, 6)[:, ::2].T)


def test_brackets_with_tensors_and_lists() -> None:
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    (x[[0, 0]].sum() + x[from_numpy(np.array([0, 2]))].sum() + x[1:].sum()).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3.0, 1.0, 2.0]


@pytest.mark.parametrize("wrapped", [False, True])
def test_indices_that_are_overwritten_after_the_forward_pass_are_those_it_used(wrapped: bool) -> None:
    x, indices = Tensor([1.0, 2.0, 3.0], requires_grad=True), np.array([0, 0])
    picked = x[from_numpy(indices) if wrapped else indices, ...]
    indices[:] = 2
    picked.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 0.0, 0.0]


def test_index_of_a_scalar_and_of_nothing(check: Any) -> None:
    check(lambda x: P["index"](x, key=...), normal())
    check(lambda x: P["index"](x, key=(None, ...)), normal())
    check(lambda x: P["index"](x, key=slice(0, 1)), normal(0, 3))


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_take(check: Any, axis: int | None) -> None:
    check(lambda x, i: P["take"](x, i, axis=axis), normal(2, 2, 2), np.array([[0, 1], [1, -1]]))
    check(lambda x, i: P["take"](x, i, axis=axis), normal(2, 2, 2), np.array(1))
    check(lambda x, i: P["take"](x, i, axis=axis), normal(2, 2, 2), np.zeros((0,), np.int64))


def test_take_of_single_numbers(check: Any) -> None:
    check(lambda x, i: P["take"](x, i, axis=0), normal(5), np.array([4, 0, 4, -5]))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gather(check: Any, axis: int) -> None:
    check(lambda x, i: P["gather"](x, i, axis=axis), normal(2, 2, 2), RNG.integers(-2, 2, (2, 2, 2)))


def test_gather_of_fewer_and_of_more_than_there_are(check: Any) -> None:
    check(lambda x, i: P["gather"](x, i, axis=1), normal(2, 4), np.array([[3], [-4]]))
    check(lambda x, i: P["gather"](x, i, axis=1), normal(2, 2), np.array([[0, 0, 1, 0], [1, 1, 1, 1]]))
    check(lambda x, i: P["gather"](x, i, axis=1), normal(2, 2), np.zeros((2, 0), np.int64))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sort(check: Any, axis: int, descending: bool) -> None:
    check(lambda x: P["sort"](x, axis=axis, descending=descending), RNG.permutation(12).reshape(3, 4) / 3.0)
    check(lambda x: P["sort"](x, axis=axis, descending=descending), normal(0, 3))


@pytest.mark.parametrize("descending", [False, True])
def test_sort_gives_every_gradient_once_and_in_order_at_ties(descending: bool) -> None:
    x = Tensor([1.0, 1.0, 1.0], requires_grad=True)
    P["sort"](x, axis=0, descending=descending).backward(Tensor([1.0, 10.0, 100.0]))
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 10.0, 100.0]


def test_a_large_table_of_rows_gets_the_gradients_of_its_rows() -> None:
    rows = RNG.integers(0, 50, 4000)
    table = Tensor(RNG.standard_normal((50, 8)), requires_grad=True)
    cotangent = RNG.standard_normal((4000, 8)).astype(np.float32)
    P["take"](table, from_numpy(rows), axis=0).backward(Tensor(cotangent))
    expected = np.zeros((50, 8))
    np.add.at(expected, rows, cotangent.astype(np.float64))
    assert table.grad is not None
    np.testing.assert_allclose(table.grad.data, expected, rtol=1e-4, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.integers(-4, 3), max_size=12), width=st.integers(0, 3))
def test_taking_counts_how_often_a_row_was_taken(rows: list[int], width: int) -> None:
    x = Tensor(np.ones((4, width)), requires_grad=True)
    P["take"](x, from_numpy(np.array(rows, dtype=np.int64)), axis=0).sum().backward()
    counts = np.bincount(np.array(rows, dtype=np.int64) % 4, minlength=4)
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.data, np.repeat(counts[:, None], width, axis=1))
