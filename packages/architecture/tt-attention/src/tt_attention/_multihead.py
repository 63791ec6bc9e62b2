"""Multi-head attention: several queries, keys and values a place, each pair of heads looking for something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from tt_embeddings import RotaryEmbedding
from tt_layers import Dropout, Linear, Module, dropout, linear
from tt_tensor import Array, Primitive, Tensor, TensorLike, as_tensor, reshape, swapaxes

from tt_attention._attention import check_mask, mix_values, scaled_dot_product_attention
from tt_attention._kernels import (
    attention_primitive,
    packed_heads,
    self_attention_primitive,
    weights,
    weights_primitive,
)


def weights_of(primitive: Primitive, arrays: Sequence[Array], params: Mapping[str, object]) -> Array | None:
    """Return the weights of an attention that is about to run, or None if the primitive is none."""
    if primitive is attention_primitive:
        q, k, _v, *masks = arrays
    elif primitive is weights_primitive:
        q, k, *masks = arrays
    elif primitive is self_attention_primitive:
        packed, *masks = arrays
        q, k, _v = packed_heads(packed, cast("tuple[int, int]", params["heads"]))
    else:
        return None
    return weights(q, k, *masks, causal=bool(params["causal"]), scale=cast("float", params["scale"]))


class MultiHeadAttention(Module):
    """Attention with several heads, between learned projections.

    Shapes: x (B, T, C), context (B, S, C) -> (B, T, C).

    One `Linear` makes queries, keys and values together: the columns of `qkv.weight` (C, C + 2 C_kv) are those of the
    queries, of the keys, of the values; C_kv = num_kv_heads * C / num_heads. Self-attention is a single product then;
    with a context, the queries' columns are applied to `x`, the others to the context.

    Args:
        embed_dim: The width of the input (C).
        num_heads: How many heads; C is a multiple of it.
        num_kv_heads: How many key and value heads, each shared by as many query heads; `num_heads` without it.
        bias: False leaves the biases out.
        rotary: Turns queries and keys by their positions, in self-attention.
        dropout: The probability of dropping a weight, while training.
        causal: Hide the future, in self-attention.
        rng: Where the first weights come from; tt-tensor's `default_rng()` without it. Dropout always draws from
            `default_rng()`, of which each thread of a split step has its own.

    Attributes:
        qkv: The projection to queries, keys and values.
        output: The projection of the heads' results, side by side.

    Raises:
        ValueError: The numbers of heads do not divide each other or the width, the rotary has another width, or
            `dropout` is no probability.

    Source: Vaswani et al., "Attention is all you need", 2017; Ainslie et al., "GQA", 2023.

    Example:
        >>> from tt_tensor import zeros
        >>> layer = MultiHeadAttention(8, 4, num_kv_heads=2, causal=True)
        >>> layer(zeros((2, 3, 8))).shape, layer.qkv.weight.shape
        ((2, 3, 8), (8, 16))
    """

    parallel_batches = True

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        *,
        num_kv_heads: int | None = None,
        bias: bool = True,
        rotary: RotaryEmbedding | None = None,
        dropout: float = 0.0,
        causal: bool = False,
        rng: np.random.Generator | None = None,
    ) -> None:
        shared = num_heads if num_kv_heads is None else num_kv_heads
        if embed_dim < 1 or num_heads < 1 or shared < 1 or embed_dim % num_heads or num_heads % shared:
            raise ValueError(
                f"MultiHeadAttention needs an embed_dim that num_heads divides, and num_heads that num_kv_heads "
                f"divides, but received embed_dim={embed_dim}, num_heads={num_heads} and num_kv_heads={shared}."
            )
        head_dim = embed_dim // num_heads
        if rotary is not None and rotary.head_dim != head_dim:
            raise ValueError(f"the heads have {head_dim} numbers, but the rotary embedding turns {rotary.head_dim}.")
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.num_kv_heads = shared
        self.head_dim = head_dim
        self.causal = causal
        self.dropout = Dropout(dropout).p  # which refuses what is no probability
        self.qkv = Linear(embed_dim, embed_dim + 2 * shared * head_dim, bias=bias, rng=rng)
        self.output = Linear(embed_dim, embed_dim, bias=bias, rng=rng)
        self.rotary = rotary

    def split(self, x: Tensor, heads: int) -> Tensor:
        """See the last axis as heads: (B, T, heads * D) -> (B, heads, T, D); nothing moves."""
        return swapaxes(reshape(x, (*x.shape[:-1], heads, self.head_dim)), -3, -2)

    def merge(self, x: Tensor) -> Tensor:
        """Put the heads' results side by side: (B, H, T, D) -> (B, T, C)."""
        moved = swapaxes(x, -3, -2)  # (B, T, H, D)
        return reshape(moved, (*moved.shape[:-2], self.embed_dim))

    def project(self, x: Tensor, context: Tensor | None = None, offset: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries (B, H, T, D), and keys and values (B, H_kv, S, D), turned if there is a rotary embedding.

        Args:
            x: Where the queries come from.
            context: Where keys and values come from; `x` without it.
            offset: The position of the first entry of `x`, for the rotary embedding.
        """
        C, width = self.embed_dim, self.num_kv_heads * self.head_dim
        if context is None:
            both = self.qkv(x)
            queries, rest = both[..., :C], both[..., C:]
        else:
            weight, bias = self.qkv.weight, self.qkv.bias
            queries = linear(x, weight[:, :C], None if bias is None else bias[:C])
            rest = linear(context, weight[:, C:], None if bias is None else bias[C:])
        q = self.split(queries, self.num_heads)
        k = self.split(rest[..., :width], self.num_kv_heads)
        v = self.split(rest[..., width:], self.num_kv_heads)
        if self.rotary is not None and context is None:
            q, k = self.rotary(q, offset), self.rotary(k, offset)
        return q, k, v

    def forward(
        self,
        x: Tensor,
        context: Tensor | None = None,
        mask: TensorLike | None = None,
        *,
        causal: bool | None = None,
    ) -> Tensor:
        """Return what every place of `x` gathers from `x`, or from a context.

        Args:
            x: The places that look (B, T, C).
            context: What they look at (B, S, C); `x` without it.
            mask: As for `scaled_dot_product_attention`: broadcasts to (B, H, T, S).
            causal: Hide the future; without it, as the module was made in self-attention, and not with a context.

        Raises:
            ValueError: An input has another width, or the shapes do not fit together.
        """
        self._check_inputs(x, context)
        hide = (self.causal and context is None) if causal is None else causal
        if context is None and self.rotary is None and not (self.dropout and self.training):
            return self.output(self._attend_packed(self.qkv(x), mask, hide))
        q, k, v = self.project(x, context)
        if self.dropout and self.training:
            _, weights = scaled_dot_product_attention(q, k, v, mask, causal=hide, return_weights=True)
            return self.output(self.merge(mix_values(dropout(weights, self.dropout), v)))
        return self.output(self.merge(scaled_dot_product_attention(q, k, v, mask, causal=hide)))

    def _check_inputs(self, x: Tensor, context: Tensor | None) -> None:
        for what, axes, given in (("an input", "(B, T,", x), ("a context", "(B, S,", context)):
            if given is not None and (given.ndim < 2 or given.shape[-1] != self.embed_dim):
                raise ValueError(
                    f"MultiHeadAttention takes {what} {axes} {self.embed_dim}), but received {given.shape}."
                )

    def _attend_packed(self, qkv: Tensor, mask: TensorLike | None, causal: bool) -> Tensor:
        """Attend without taking queries, keys and values apart: their gradients are written side by side at once."""
        masks: tuple[Tensor, ...] = ()
        if mask is not None:
            masks = (as_tensor(mask),)
            *lead, length, _ = qkv.shape
            check_mask(masks[0], (*lead, self.num_heads, length, length))
        heads = (self.num_heads, self.num_kv_heads)
        return self_attention_primitive(qkv, *masks, heads=heads, causal=causal, scale=self.head_dim**-0.5)

    def describe(self) -> str:
        """Return the settings."""
        shared = "" if self.num_kv_heads == self.num_heads else f", num_kv_heads={self.num_kv_heads}"
        return f"{self.embed_dim}, {self.num_heads}{shared}, causal={self.causal}"
