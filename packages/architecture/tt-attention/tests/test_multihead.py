"""Multi-head attention, and looking at what it looks at."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tt_attention import MultiHeadAttention, causal_mask, padding_mask, record_attention, scaled_dot_product_attention
from tt_autograd import gradcheck
from tt_embeddings import RotaryEmbedding
from tt_layers import Module
from tt_tensor import Tensor, manual_seed, use_kernel

Array = npt.NDArray[Any]


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def by_hand(layer: MultiHeadAttention, x: Array, context: Array | None, mask: Array | None, causal: bool) -> Array:
    """The module from its weights, head by head."""
    source = x if context is None else context
    weight: Array = layer.qkv.weight.data.astype(float)
    bias: Array = np.zeros(1)
    D, shared = layer.head_dim, layer.num_kv_heads
    C = layer.num_heads * D
    if layer.qkv.bias is not None:
        bias = layer.qkv.bias.data.astype(float)
    mine, theirs = x @ weight + bias, source @ weight + bias
    heads = []
    for head in range(layer.num_heads):
        at = C + head // (layer.num_heads // shared) * D
        q, k = mine[..., head * D : head * D + D], theirs[..., at : at + D]
        v = theirs[..., at + shared * D : at + shared * D + D]
        if layer.rotary is not None and context is None:
            q, k = (layer.rotary(Tensor(part, dtype=np.float64)).data for part in (q, k))
        scores = q @ k.swapaxes(-1, -2) / np.sqrt(D)
        if causal:
            scores = np.where(causal_mask(*scores.shape[-2:]).data, scores, -np.inf)
        if mask is not None:
            scores = np.where(mask, scores, -np.inf)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        heads.append(scores / scores.sum(axis=-1, keepdims=True) @ v)
    out = np.concatenate(heads, axis=-1) @ layer.output.weight.data
    return np.asarray(out if layer.output.bias is None else out + layer.output.bias.data)


@pytest.mark.parametrize("shared", [4, 2, 1])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("turned", [True, False])
def test_self_attention(kernel: str, shared: int, bias: bool, causal: bool, turned: bool) -> None:
    rotary = RotaryEmbedding(2) if turned else None
    layer = MultiHeadAttention(8, 4, num_kv_heads=shared, bias=bias, causal=causal, rotary=rotary)
    x = normal(3, 5, 8)
    np.testing.assert_allclose(layer(Tensor(x)).data, by_hand(layer, x, None, None, causal), atol=1e-5)
    seen = padding_mask([5, 3, 1], 5)
    expected = by_hand(layer, x, None, seen.data[:, 0], causal)
    np.testing.assert_allclose(layer(Tensor(x), mask=seen).data, expected, atol=1e-5)
    flipped = layer(Tensor(x), causal=not causal).data
    np.testing.assert_allclose(flipped, by_hand(layer, x, None, None, not causal), atol=1e-5)


@pytest.mark.parametrize("shared", [4, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_cross_attention(kernel: str, shared: int, bias: bool) -> None:
    layer = MultiHeadAttention(8, 4, num_kv_heads=shared, bias=bias, causal=True)
    x, context = normal(2, 3, 8), normal(2, 6, 8, seed=1)
    out = layer(Tensor(x), Tensor(context))
    np.testing.assert_allclose(out.data, by_hand(layer, x, context, None, False), atol=1e-5)
    late = layer(Tensor(x), Tensor(context), causal=True)
    np.testing.assert_allclose(late.data, by_hand(layer, x, context, None, True), atol=1e-5)
    same = layer(Tensor(x), Tensor(x), causal=True)
    np.testing.assert_allclose(same.data, layer(Tensor(x)).data, atol=1e-5)


@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("shared", [2, 1])
def test_gradients_reach_inputs_and_parameters(kernel: str, turned: bool, shared: int) -> None:
    rotary = RotaryEmbedding(2) if turned else None
    layer = MultiHeadAttention(4, 2, num_kv_heads=shared, causal=True, rotary=rotary, rng=np.random.default_rng(0))
    weight, offset = layer.qkv.weight.data.copy(), normal(4 + 4 * shared, seed=5)

    def run(x: Tensor, weight: Tensor, offset: Tensor, mask: Tensor) -> Tensor:
        layer.qkv.weight, layer.qkv.bias = weight, offset  # type: ignore[assignment]  # tensors to differentiate for
        return layer(x, mask=mask)

    assert gradcheck(run, normal(3, 3, 4), weight, offset, normal(2, 3, 3, seed=2))

    def across(x: Tensor, context: Tensor, weight: Tensor) -> Tensor:
        layer.qkv.weight = weight  # type: ignore[assignment]
        layer.qkv.bias = None
        return layer(x, context)

    assert gradcheck(across, normal(3, 3, 4), normal(3, 2, 4, seed=1), weight)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shared", [2, 1])
def test_long_sequences_have_the_gradients_of_short_ones(shared: int, masked: bool) -> None:
    """Beyond some length scores are computed by blocks, and less is kept than in the checks above."""
    layer = MultiHeadAttention(4, 2, num_kv_heads=shared, causal=True, rng=np.random.default_rng(0))
    x, g, mask = normal(3, 110, 4), Tensor(normal(3, 110, 4, seed=1), dtype=np.float64), normal(2, 110, 110, seed=2)
    found = []
    for choice in (nullcontext(), use_kernel(scaled_dot_product_attention, "plain")):
        leaves = [Tensor(each, dtype=np.float64, requires_grad=True) for each in (x, mask)]
        layer.zero_grad()
        with choice:
            layer(leaves[0], mask=leaves[1] if masked else None).backward(g)
        found.append([leaf.grad.data for leaf in (*leaves, *layer.parameters()) if leaf.grad is not None])
        assert len(found[-1]) == 5 + masked
    for ours, plain in zip(*found, strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-6, atol=1e-6)


def test_projections_can_be_taken_apart_and_put_together() -> None:
    layer = MultiHeadAttention(8, 4, num_kv_heads=2, causal=True, rotary=RotaryEmbedding(2))
    x = Tensor(normal(2, 5, 8))
    q, k, v = layer.project(x)
    assert (q.shape, k.shape, v.shape) == ((2, 4, 5, 2), (2, 2, 5, 2), (2, 2, 5, 2))
    again = layer.output(layer.merge(scaled_dot_product_attention(q, k, v, causal=True)))
    np.testing.assert_allclose(again.data, layer(x).data, atol=1e-6)
    last, _, _ = layer.project(x[:, 4:], offset=4)
    np.testing.assert_allclose(last.data, q.data[:, :, 4:], atol=1e-5)


def test_dropout_drops_weights_while_training() -> None:
    layer = MultiHeadAttention(8, 2, dropout=0.5, causal=True)
    x = Tensor(normal(2, 6, 8))
    manual_seed(0)
    first, second = layer(x).data, layer(x).data
    assert (first != second).any()
    manual_seed(0)
    np.testing.assert_array_equal(layer(x).data, first)
    layer.eval()
    np.testing.assert_allclose(layer(x).data, by_hand(layer, x.data, None, None, True), atol=1e-5)
    layer.train()
    mean = np.mean([layer(x).data for _ in range(600)], axis=0)
    np.testing.assert_allclose(mean, layer.eval()(x).data, atol=0.15)


def test_parameters_are_two_projections() -> None:
    layer = MultiHeadAttention(8, 4, num_kv_heads=2, rotary=RotaryEmbedding(2), causal=True)
    shapes = {name: parameter.shape for name, parameter in layer.named_parameters()}
    assert shapes == {"qkv.weight": (8, 16), "qkv.bias": (16,), "output.weight": (8, 8), "output.bias": (8,)}
    assert repr(layer).startswith("MultiHeadAttention(8, 4, num_kv_heads=2, causal=True")
    assert layer.parallel_batches is True
    one, two = (MultiHeadAttention(8, 2, rng=np.random.default_rng(3)).qkv.weight.data for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_maps_are_recorded_by_name_without_changing_the_model() -> None:
    class Two(Module):
        def __init__(self) -> None:
            self.first = MultiHeadAttention(4, 2, causal=True)
            self.parts = [MultiHeadAttention(4, 2, num_kv_heads=1, rotary=RotaryEmbedding(2))]

        def forward(self, x: Tensor) -> Tensor:
            return self.parts[0](self.first(x), x)

    model, x = Two(), Tensor(normal(2, 3, 4), requires_grad=True)
    with record_attention(model) as maps:
        out = model(x)
        out.sum().backward()
        model(x)
        MultiHeadAttention(4, 2)(x)
    assert {name: len(found) for name, found in maps.items()} == {"first": 2, "parts.0": 2}
    np.testing.assert_array_equal(out.data, model(x).data)
    assert x.grad is not None
    q, k, v = model.first.project(x)
    _, weights = scaled_dot_product_attention(q, k, v, causal=True, return_weights=True)
    np.testing.assert_allclose(maps["first"][0], weights.data, atol=1e-6)
    assert maps["parts.0"][1].shape == (2, 2, 3, 3)
    model(x)
    assert len(maps["first"]) == 2


def test_maps_of_a_module_are_its_own_where_attention_also_runs_outside() -> None:
    class Mixed(Module):
        def __init__(self) -> None:
            self.inside = MultiHeadAttention(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            heads = x.reshape(1, 1, 3, 4)
            return self.inside(x) + scaled_dot_product_attention(heads, heads, heads).reshape(1, 3, 4)

    model = Mixed()
    with record_attention(model) as maps:
        for _ in range(2):
            model(Tensor(normal(1, 3, 4)))
    assert [found.shape for found in maps["inside"]] == [(1, 2, 3, 3)] * 2


def test_maps_are_recorded_under_dropout_too() -> None:
    layer = MultiHeadAttention(4, 2, dropout=0.5)
    with record_attention(layer) as maps:
        layer(Tensor(normal(1, 3, 4)))
    np.testing.assert_allclose(maps[""][0].sum(axis=-1), np.ones((1, 2, 3)), atol=1e-6)


def test_wrong_use_explains_itself() -> None:
    with pytest.raises(ValueError, match=r"embed_dim=10, num_heads=4 and num_kv_heads=4"):
        MultiHeadAttention(10, 4)
    with pytest.raises(ValueError, match=r"num_kv_heads=3"):
        MultiHeadAttention(8, 4, num_kv_heads=3)
    with pytest.raises(ValueError, match=r"heads have 2 numbers, but the rotary embedding turns 4"):
        MultiHeadAttention(8, 4, rotary=RotaryEmbedding(4))
    with pytest.raises(ValueError, match=r"dropout.* from 0 to 1, but received 1.5"):
        MultiHeadAttention(8, 4, dropout=1.5)
    layer = MultiHeadAttention(8, 4)
    for shape in ((8,), (2, 3, 5)):
        with pytest.raises(ValueError, match=rf"\(B, T, 8\), but received {re.escape(str(shape))}"):
            layer(Tensor(np.zeros(shape)))
    with pytest.raises(ValueError, match=r"\(B, S, 8\), but received \(1, 3, 5\)"):
        layer(Tensor(np.zeros((1, 2, 8))), Tensor(np.zeros((1, 3, 5))))
    with pytest.raises(ValueError, match=r"\(1, 4, 3, 3\), but received \(2, 3\)"):
        layer(Tensor(np.zeros((1, 3, 8))), mask=np.ones((2, 3), bool))
