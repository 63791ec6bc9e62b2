"""Scaled dot-product attention: every kernel against a slow oracle, and its gradients against differences."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_attention import attention_weights, scaled_dot_product_attention
from tt_autograd import gradcheck
from tt_tensor import Tensor, from_numpy, use_kernel

Array = npt.NDArray[Any]


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def slowly(q: Array, k: Array, v: Array, mask: Array | None, causal: bool, scale: float) -> Array:
    """Attention in Python loops, in float64."""
    heads, keys = q.shape[-3], k.shape[-2]
    group = heads // k.shape[-3]
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    allowed = None if mask is None else np.broadcast_to(mask, (*q.shape[:-1], keys))
    for place in np.ndindex(q.shape[:-1]):
        *lead, head, query = place
        scores = {}
        for key in range(keys):
            if causal and key > query + keys - q.shape[-2]:
                continue
            added = 0.0
            if allowed is not None:
                entry = allowed[(*place, key)]
                added = (0.0 if entry else -np.inf) if allowed.dtype == bool else float(entry)
            if added > -np.inf:
                scores[key] = scale * float(q[place] @ k[(*lead, head // group, key)]) + added
        if scores:
            highest = max(scores.values())
            total = sum(np.exp(s - highest) for s in scores.values())
            for key, score in scores.items():
                out[place] += np.exp(score - highest) / total * v[(*lead, head // group, key)]
    return out


SHAPES = [
    ((2, 2, 3, 4), (2, 2, 3, 4), 4),
    ((2, 4, 3, 2), (2, 2, 5, 2), 3),
    ((2, 3, 5, 4), (2, 3, 6, 4), 7),
    ((3, 5, 2), (1, 2, 2), 2),
    ((2, 1, 2, 3, 2), (2, 1, 1, 4, 2), 1),
    ((1, 1, 2, 1), (1, 1, 1, 1), 1),
    ((2, 2, 0, 4), (2, 2, 3, 4), 2),
    ((2, 2, 3, 4), (2, 2, 0, 4), 2),
    ((0, 2, 3, 4), (0, 1, 3, 4), 2),
]


@pytest.mark.parametrize(("query", "key", "width"), SHAPES)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", ["none", "boolean", "additive"])
def test_values_and_gradients(
    kernel: str, query: tuple[int, ...], key: tuple[int, ...], width: int, causal: bool, masked: str
) -> None:
    q, k, v = normal(*query), normal(*key, seed=1), normal(*key[:-1], width, seed=2)
    masks = {
        "none": [],
        "boolean": [np.random.default_rng(3).random((query[-2], key[-2])) < 0.6],
        "additive": [normal(query[-3], 1, key[-2], seed=3)],
    }[masked]
    out = scaled_dot_product_attention(*[Tensor(a, dtype=a.dtype) for a in (q, k, v, *masks)], causal=causal)
    expected = slowly(q, k, v, masks[0] if masks else None, causal, query[-1] ** -0.5)
    assert out.shape == expected.shape
    np.testing.assert_allclose(out.data, expected, atol=1e-12)
    assert gradcheck(lambda *a: scaled_dot_product_attention(*a, causal=causal), q, k, v, *masks)


@pytest.mark.parametrize("shape", [(1, 3, 1, 2, 3), (2, 1, 4, 1, 3), (2, 3, 1, 1, 1), (3, 1, 2, 3)])
def test_a_learned_mask_may_stretch_along_any_leading_axis(kernel: str, shape: tuple[int, ...]) -> None:
    q, k, v = normal(2, 3, 4, 2, 1), normal(2, 3, 2, 3, 1, seed=1), normal(2, 3, 2, 3, 2, seed=2)
    assert gradcheck(lambda q, mask: scaled_dot_product_attention(q, Tensor(k), Tensor(v), mask), q, normal(*shape))


@settings(max_examples=20, deadline=None)
@given(
    group=st.integers(1, 2), queries=st.integers(1, 300), keys=st.integers(1, 1100), causal=st.booleans(),
    masked=st.sampled_from(["none", "boolean", "rows", "padding"]), size=st.sampled_from([0.3, 1.0, 40.0]),
)  # fmt: skip
def test_kernels_agree_at_any_length(
    group: int, queries: int, keys: int, causal: bool, masked: str, size: float
) -> None:
    rng = np.random.default_rng(queries)
    shapes = [(1, 2 * group, queries, 4), (1, 2, keys, 4), (1, 2, keys, 3)]
    arrays = [rng.standard_normal(shape) * size for shape in shapes]
    mask: Array | None = {
        "none": None,
        "boolean": rng.random((queries, keys)) < 0.5,
        "rows": rng.standard_normal((2 * group, queries, keys)),
        "padding": np.arange(keys) < keys // 2,
    }[masked]
    g = rng.standard_normal((1, 2 * group, queries, 3))
    results = []
    for name in ("plain", "blockwise"):
        leaves = [Tensor(a, dtype=np.float64, requires_grad=True) for a in arrays]
        learned = None if mask is None else Tensor(mask, dtype=mask.dtype, requires_grad=masked == "rows")
        with use_kernel(scaled_dot_product_attention, name):
            q, k, v = leaves
            out = scaled_dot_product_attention(q, k, v, learned, causal=causal)
            out.backward(Tensor(g, dtype=np.float64))
        grads = [leaf.grad for leaf in leaves] + ([learned.grad] if learned is not None and masked == "rows" else [])
        results.append([out.data] + [grad.data for grad in grads if grad is not None])
    assert len(results[0]) >= 4
    for plain, blockwise in zip(*results, strict=True):
        np.testing.assert_allclose(blockwise, plain, atol=1e-9 * max(1.0, float(np.abs(plain).max())))


@pytest.mark.parametrize("additive", [False, True])
def test_who_sees_nothing_gets_zeros_and_gives_zeros(kernel: str, additive: bool) -> None:
    leaves = [Tensor(normal(1, 2, 200, 4, seed=seed), requires_grad=True) for seed in range(3)]
    seen = np.ones((200, 200), bool)
    seen[7] = False
    mask = Tensor(np.where(seen, 0.0, -np.inf), requires_grad=True) if additive else Tensor(seen)
    q, k, v = leaves
    out = scaled_dot_product_attention(q, k, v, mask)
    out.sum().backward()
    assert (out.data[:, :, 7] == 0).all()
    assert (out.data[:, :, 8] != 0).any()
    gradients = [leaf.grad.data for leaf in leaves if leaf.grad is not None]
    assert len(gradients) == 3
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert (gradients[0][:, :, 7] == 0).all()
    if additive:
        assert mask.grad is not None
        assert (mask.grad.data[7] == 0).all()


def test_more_queries_than_keys_leave_the_first_without_any(kernel: str) -> None:
    q, k, v = normal(1, 1, 5, 2), normal(1, 1, 2, 2), normal(1, 1, 2, 2)
    out = scaled_dot_product_attention(Tensor(q), Tensor(k), Tensor(v), causal=True)
    assert (out.data[0, 0, :3] == 0).all()
    np.testing.assert_allclose(out.data[0, 0, 3], v[0, 0, 0], rtol=1e-6)


def test_what_is_not_a_number_shows_but_not_in_the_past(kernel: str) -> None:
    q, k, v = [normal(1, 1, 6, 2, seed=seed) for seed in range(3)]
    k[0, 0, 4] = np.nan
    out = scaled_dot_product_attention(Tensor(q), Tensor(k), Tensor(v), causal=True).data[0, 0]
    assert np.isfinite(out[:4]).all()
    assert np.isnan(out[4:]).all()


def test_strided_inputs_and_inputs_left_alone(kernel: str) -> None:
    packed = normal(2, 150, 3, 2, 4)
    before = packed.copy()
    views = [packed[:, :, i].swapaxes(1, 2) for i in range(3)]
    leaves = [from_numpy(view) for view in views]
    for leaf in leaves:
        leaf.requires_grad = True
    out = scaled_dot_product_attention(*leaves, causal=True)
    out.sum().backward()
    copies = [Tensor(view.copy(), dtype=np.float64, requires_grad=True) for view in views]
    again = scaled_dot_product_attention(*copies, causal=True)
    again.sum().backward()
    np.testing.assert_allclose(out.data, again.data, atol=1e-12)
    for leaf, copy in zip(leaves, copies, strict=True):
        assert leaf.grad is not None
        assert copy.grad is not None
        np.testing.assert_allclose(leaf.grad.data, copy.grad.data, atol=1e-12)
    np.testing.assert_array_equal(packed, before)


def test_the_scale(kernel: str) -> None:
    q, k, v = [normal(1, 1, 3, 4, seed=seed) for seed in range(3)]
    out = scaled_dot_product_attention(Tensor(q), Tensor(k), Tensor(v), scale=2.0)
    np.testing.assert_allclose(out.data, slowly(q, k, v, None, False, 2.0), rtol=1e-4)
    even = scaled_dot_product_attention(Tensor(q), Tensor(k), Tensor(v), scale=0.0)
    np.testing.assert_allclose(even.data[0, 0], np.tile(v[0, 0].mean(axis=0), (3, 1)), rtol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_weights_come_with_the_output_and_have_gradients(causal: bool) -> None:
    q, k, v = normal(2, 4, 3, 2), normal(2, 2, 5, 2, seed=1), normal(2, 2, 5, 3, seed=2)
    tensors = [Tensor(a, dtype=np.float64) for a in (q, k, v)]
    out, weights = scaled_dot_product_attention(*tensors, causal=causal, return_weights=True)
    np.testing.assert_allclose(out.data, scaled_dot_product_attention(*tensors, causal=causal).data, atol=1e-12)
    np.testing.assert_allclose(weights.data.sum(axis=-1), np.ones((2, 4, 3)), atol=1e-12)
    mask = normal(4, 1, 5, seed=3)
    assert gradcheck(lambda q, k, m: attention_weights(q, k, m, causal=causal), q, k, mask)
    assert gradcheck(
        lambda q, k, v: scaled_dot_product_attention(q, k, v, causal=causal, return_weights=True)[0], q, k, v
    )


def peak(length: int, *, train: bool = True) -> int:
    leaves = [Tensor(normal(1, 1, length, 8, seed=seed), requires_grad=train) for seed in range(3)]
    tracemalloc.start()
    try:
        out = scaled_dot_product_attention(*leaves, causal=True)
        if train:
            out.sum().backward()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_of_the_blockwise_kernel_grows_with_the_length_only() -> None:
    with use_kernel(scaled_dot_product_attention, "blockwise"):
        peak(4096)  # makes what is kept from call to call
        short, long = peak(1024), peak(4096)
    with use_kernel(scaled_dot_product_attention, "plain"):
        quadratic = peak(1024)
    assert long < 6 * short
    assert long < 4096 * 4096 * 4 / 8
    assert quadratic > 1024 * 1024 * 4


@pytest.mark.parametrize("train", [True, False])
def test_without_a_choice_long_texts_take_the_blockwise_kernel(train: bool) -> None:
    peak(3000, train=train)
    assert peak(3000, train=train) < 3000 * 3000 * 4 / 4


def test_wrong_use_explains_itself() -> None:
    x = Tensor(normal(2, 4, 3, 2))
    with pytest.raises(ValueError, match=r"H a multiple of H_kv.*q \(2, 4, 3, 2\) and k \(2, 3, 3, 2\)"):
        scaled_dot_product_attention(x, Tensor(normal(2, 3, 3, 2)), x)
    with pytest.raises(ValueError, match=r"k \(2, 4, 3, 5\)"):
        scaled_dot_product_attention(x, Tensor(normal(2, 4, 3, 5)), x)
    with pytest.raises(ValueError, match=r"value for every key.*v \(2, 4, 2, 2\)"):
        scaled_dot_product_attention(x, x, Tensor(normal(2, 4, 2, 2)))
    with pytest.raises(ValueError, match=r"broadcasts to the scores \(2, 4, 3, 3\), but received \(5, 3\)"):
        scaled_dot_product_attention(x, x, x, Tensor(np.ones((5, 3), bool)))
    with pytest.raises(TypeError, match=r"boolean \(true: may attend\).*int64"):
        scaled_dot_product_attention(x, x, x, Tensor(np.ones((3, 3), np.int64)))
    with pytest.raises(TypeError, match="floating-point numbers, but k is int64"):
        scaled_dot_product_attention(x, Tensor(np.ones((2, 4, 3, 2), np.int64)), x)
    with pytest.raises(TypeError, match="floating-point numbers, but q is int64"):
        attention_weights([[[1]]], [[[0.0], [0.0]]])
    with pytest.raises(TypeError, match="floating-point numbers, but v is bool"):
        scaled_dot_product_attention(x, x, Tensor(np.ones((2, 4, 3, 2), bool)))
    with pytest.raises(ValueError, match=r"q \(2, 0, 3, 2\) and k \(2, 4, 3, 2\)"):
        scaled_dot_product_attention(Tensor(normal(2, 0, 3, 2)), x, x)
