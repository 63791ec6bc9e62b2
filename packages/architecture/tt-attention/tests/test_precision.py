"""Attention in every element type, and at the edges of what the types can hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tt_attention import scaled_dot_product_attention
from tt_tensor import Tensor, from_numpy

Array = npt.NDArray[Any]


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("size", [1.0, 60.0, 3000.0])
def test_single_precision_stays_near_double(kernel: str, size: float) -> None:
    q, k, v, g = [normal(2, 2, 300, 16, seed=seed) for seed in range(4)]
    q = q * size
    results = []
    for dtype in (np.float32, np.float64):
        leaves = [Tensor(a.astype(np.float32), dtype=dtype, requires_grad=True) for a in (q, k, v)]
        out = scaled_dot_product_attention(*leaves, causal=True)
        out.backward(Tensor(g.astype(np.float32), dtype=dtype))
        assert out.dtype == dtype
        results.append([out.data] + [leaf.grad.data for leaf in leaves if leaf.grad is not None])
    for single, double in zip(*results, strict=True):
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, double, atol=3e-6 * size**0.75 * max(1.0, float(np.abs(double).max())))


@pytest.mark.parametrize(("score", "size"), [(20.0, 1e30), (50.0, 1e18), (-50.0, 1e30), (10.0, 1e35), (57.0, 1.0)])
def test_large_scores_and_large_values_together_overflow_nothing(kernel: str, score: float, size: float) -> None:
    q, k, v = np.ones((1, 2, 1)), np.full((1, 600, 1), score), (1 + normal(1, 600, 3) % 1) * size
    upstream = normal(1, 2, 3) * 1e-20
    of_kind = []
    for kind in ("float32", "float64"):
        values = from_numpy(v.astype(kind))
        values.requires_grad = True
        out = scaled_dot_product_attention(from_numpy(q.astype(kind)), from_numpy(k.astype(kind)), values, scale=1.0)
        out.backward(from_numpy(upstream.astype(kind)))
        assert values.grad is not None
        of_kind.append((out.detach().numpy(), values.grad.numpy()))
    np.testing.assert_allclose(of_kind[1][0], np.broadcast_to(v.mean(axis=1, keepdims=True), (1, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(of_kind[0][0], of_kind[1][0], rtol=1e-5)
    np.testing.assert_allclose(of_kind[0][1], of_kind[1][1], rtol=1e-4)
    np.testing.assert_allclose(
        of_kind[1][1], np.broadcast_to(upstream.sum(axis=1, keepdims=True) / 600, v.shape), rtol=1e-9
    )


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_scores_that_grow_from_block_to_block_keep_what_came_before(kernel: str, kind: str) -> None:
    """Of so many keys the blockwise kernel sees some at a time; scores so large that it shifts them, by ever more."""
    keys = 1300
    rising = 200 + 4 * np.arange(keys) / keys + 0.1 * normal(keys)
    k, v = np.stack([rising, normal(keys, seed=1)], -1)[np.newaxis], normal(1, keys, 3, seed=2)
    q = np.array([[[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0]]])  # the last one's scores fall from block to block
    out = scaled_dot_product_attention(Tensor(q, dtype=kind), Tensor(k, dtype=kind), Tensor(v, dtype=kind), scale=1.0)
    scores = q @ k.swapaxes(-1, -2)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    expected = weights / weights.sum(axis=-1, keepdims=True) @ v
    np.testing.assert_allclose(out.data, expected, atol={"f4": 1e-4, "f8": 1e-12}[kind])


@pytest.mark.parametrize("kinds", [("f4", "f8", "f8"), ("f2", "f4", "f4"), ("f4", "f4", "f8"), ("f2", "f2", "f2")])
def test_the_widest_type_of_the_inputs_is_that_of_the_output(kernel: str, kinds: tuple[str, str, str]) -> None:
    leaves = [Tensor(normal(1, 2, 5, 4, seed=seed), dtype=kind, requires_grad=True) for seed, kind in enumerate(kinds)]
    out = scaled_dot_product_attention(*leaves)
    again, weights = scaled_dot_product_attention(*leaves, return_weights=True)
    assert out.dtype == again.dtype == np.result_type(*kinds)
    assert weights.dtype == np.result_type(*kinds[:2])
    out.sum().backward()
    assert [leaf.grad.dtype for leaf in leaves if leaf.grad is not None] == [np.dtype(kind) for kind in kinds]


def test_half_precision_is_computed_in_single(kernel: str) -> None:
    leaves = [Tensor(normal(1, 2, 5, 4, seed=seed), dtype=np.float16, requires_grad=True) for seed in range(3)]
    out = scaled_dot_product_attention(*leaves)
    out.sum().backward()
    wide = scaled_dot_product_attention(*[Tensor(leaf.data, dtype=np.float32) for leaf in leaves])
    assert out.dtype == np.float16
    np.testing.assert_array_equal(out.data, wide.data.astype(np.float16))
    assert all(leaf.grad is not None and leaf.grad.dtype == np.float16 for leaf in leaves)
