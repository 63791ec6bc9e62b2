"""Gradients of matmul and einsum, for every combination of axes that the forward pass takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tt_autograd  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_tensor import Tensor, get_num_threads, primitives, run_together, set_num_threads

Array = npt.NDArray[Any]
P = primitives()
RNG = np.random.default_rng(4)


def normal(*shape: int) -> Array:
    return np.asarray(RNG.standard_normal(shape))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
        ((5, 2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((0, 3), (3, 2)),
        ((2, 0), (0, 3)), ((0,), (0,)), ((1, 2, 3), (5, 3, 2)), ((5, 2, 3), (1, 3, 2)), ((0, 2, 3), (3, 2)),
    ],
)  # fmt: skip
def test_matmul(check: Any, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    check(P["matmul"], normal(*left), normal(*right))


def test_matmul_of_strided_operands(check: Any) -> None:
    check(P["matmul"], normal(3, 2).T, normal(6, 4)[::2, ::-1])


def test_matmul_gives_only_the_gradient_that_is_wanted() -> None:
    a, b = Tensor(normal(2, 3)), Tensor(normal(3, 2), requires_grad=True)
    (a @ b).sum().backward()
    assert a.grad is None
    assert b.grad is not None
    np.testing.assert_allclose(b.grad.data, np.repeat(a.data.sum(axis=0)[:, None], 2, axis=1), rtol=1e-6)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij->ji", [(2, 3)]),
        ("ij->", [(2, 3)]),
        ("ba", [(2, 3)]),
        ("ij,jk", [(2, 3), (3, 4)]),
        ("ij, jk -> ki", [(2, 3), (3, 4)]),
        ("ii->i", [(3, 3)]),
        ("ii", [(3, 3)]),
        ("iij->j", [(2, 2, 3)]),
        ("ii,ij->j", [(2, 2), (2, 3)]),
        ("ij,ij", [(2, 3), (2, 3)]),
        ("i,j->ij", [(2,), (3,)]),
        (",i->i", [(), (3,)]),
        ("ij,k->i", [(2, 3), (4,)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
        ("...ij,...jk->...ik", [(2, 2, 3), (3, 4)]),
        ("...ij,...jk->...ik", [(5, 1, 2, 3), (2, 3, 4)]),
        ("...i->...", [(2, 3)]),
        ("...i,i", [(2, 3), (3,)]),
        ("i...->...", [(2, 3)]),
        ("bhqd,bhkd->bhqk", [(2, 2, 3, 2), (2, 2, 4, 2)]),
        ("ij,jk", [(2, 0), (0, 3)]),
        ("ij,ij->j", [(2, 1), (2, 3)]),
    ],
)
def test_einsum(check: Any, equation: str, shapes: list[tuple[int, ...]]) -> None:
    check(lambda *xs: P["einsum"](*xs, equation=equation), *[normal(*s) for s in shapes])


def test_a_large_einsum_equals_the_product_of_matrices() -> None:
    a, b = normal(200, 100), normal(100, 50)
    x, y = (Tensor(v, dtype=np.float64, requires_grad=True) for v in (a, b))
    cotangent = normal(200, 50)
    P["einsum"](x, y, equation="ij,jk->ik").backward(Tensor(cotangent, dtype=np.float64))
    assert x.grad is not None
    assert y.grad is not None
    np.testing.assert_allclose(x.grad.data, cotangent @ b.T, atol=1e-10)
    np.testing.assert_allclose(y.grad.data, a.T @ cotangent, atol=1e-10)


@pytest.mark.parametrize(("rows", "columns"), [((400,), 200), ((40,), 2000), ((5, 80), 200), ((5, 8), 2000)])
@pytest.mark.parametrize("split_before", [False, True])
def test_large_products_have_the_gradients_of_small_ones(
    rows: tuple[int, ...], columns: int, split_before: bool
) -> None:
    """Products that threads share out, and products whose own threads are at rest."""
    before = get_num_threads()
    set_num_threads(2)
    try:
        if split_before:
            run_together([lambda: 1, lambda: 2])
        a, b, cotangent = (RNG.integers(-8, 8, shape) for shape in ((*rows, 300), (300, columns), (*rows, columns)))
        x, y = (Tensor(v, dtype=np.float32, requires_grad=True) for v in (a, b))
        (x @ y).backward(Tensor(cotangent, dtype=np.float32))
        assert x.grad is not None
        assert y.grad is not None
        np.testing.assert_array_equal(x.grad.data, cotangent @ b.T)  # whole numbers, exact in every type
        np.testing.assert_array_equal(y.grad.data, a.reshape(-1, 300).T @ cotangent.reshape(-1, columns))
    finally:
        set_num_threads(before)


@settings(max_examples=40, deadline=None)
@given(
    batch=st.lists(st.tuples(st.integers(1, 2), st.booleans(), st.booleans()), max_size=2),
    n=st.integers(1, 3),
    k=st.integers(1, 3),
    m=st.integers(1, 3),
)
def test_matmul_broadcasts_its_batch(batch: list[tuple[int, bool, bool]], n: int, k: int, m: int) -> None:
    left = tuple(1 if flat else size for size, flat, _ in batch)
    right = tuple(1 if flat else size for size, _, flat in batch)
    a, b = normal(*left, n, k), normal(*right, k, m)
    x, y = (Tensor(v, dtype=np.float64, requires_grad=True) for v in (a, b))
    cotangent = normal(*(a @ b).shape)
    (x @ y).backward(Tensor(cotangent, dtype=np.float64))
    total = (cotangent * (a @ b)).sum()
    assert x.grad is not None
    assert y.grad is not None
    assert (x.grad.data * a).sum() == pytest.approx(total, abs=1e-9)
    assert (y.grad.data * b).sum() == pytest.approx(total, abs=1e-9)
