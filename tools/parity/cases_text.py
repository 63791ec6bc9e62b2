"""The rows of embeddings, positions and attention."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import tinytorch as tt
import torch
from tt_attention import attention_weights, causal_mask, padding_mask, sliding_window_mask
from tt_embeddings import embedding, rotary, rotary_angles, sinusoidal_positions

from tools.parity.cases_tensor import row
from tools.parity.compare import Case, Draw, classes, fixed, given, real, within
from tools.parity.modules import with_arrays

attention, T = tt.nn.functional.scaled_dot_product_attention, torch.nn.functional

EMBEDDINGS = [
    row("embedding", embedding, T.embedding, classes(7, 3, 5), real(7, 4)),
    row("embedding: one id", embedding, T.embedding, given(3), real(7, 4)),
    row("embedding: no ids", embedding, T.embedding, classes(7, 0), real(7, 4)),
    row("embedding: padding", partial(embedding, padding_idx=2), partial(T.embedding, padding_idx=2),
        given([[2, 0, 2], [1, 2, 6]]), real(7, 4)),
    row("embedding: many rows", embedding, T.embedding, classes(3000, 40), real(3000, 2)),
]  # fmt: skip


def their_sinusoids(length: int, width: int) -> torch.Tensor:
    """Write the positions as the paper's formula stands."""
    pairs = torch.arange(0, width, 2, dtype=torch.float64)
    angles = torch.arange(length)[:, None] / 10000 ** (pairs / width)
    table = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
    return table[:, :width].float()


def their_rotary(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Turn pairs of neighbours as complex numbers."""
    turned = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous()) * torch.complex(cos, sin)
    return torch.view_as_real(turned).flatten(-2)


def their_half_rotary(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Turn pairs half a head apart, as Hugging Face's models do."""
    first, second = x.chunk(2, -1)
    return x * torch.cat([cos, cos], -1) + torch.cat([-second, first], -1) * torch.cat([sin, sin], -1)


ANGLES = [fixed(given(function(np.arange(5)[:, None] / 10.0 ** np.arange(3)))) for function in (np.cos, np.sin)]
POSITIONS = [
    *(row(f"sinusoidal_positions: width {width}", partial(sinusoidal_positions, 50, width),
          partial(their_sinusoids, 50, width), tolerance=1e-7) for width in (8, 7)),
    row("rotary", rotary, their_rotary, real(2, 3, 5, 6), *ANGLES),
    row("rotary: halves", lambda *x: rotary(*x, interleaved=False), their_half_rotary, real(2, 3, 5, 6), *ANGLES),
    row("rotary_angles", lambda: rotary_angles(np.arange(9), 6, dtype="float64"),
        lambda: [f(torch.arange(9.0)[:, None] / 10000 ** (torch.arange(0, 6, 2, dtype=torch.float64) / 6))
                 for f in (torch.cos, torch.sin)]),
]  # fmt: skip

QUERIES, KEYS = real(2, 3, 5, 4), real(2, 3, 6, 4)
HIDDEN = [[True, False, True, True, False, True]] * 5
FUTURE = np.where(np.tri(5, 6), 0.0, -math.inf)


def attention_rows(kernel: str) -> list[Case]:
    """Compare attention by one kernel, for which short tiles would hide nothing."""
    around = partial(tt.use_kernel, attention, kernel)

    def one(words: str, ours: object, theirs: object, *draws: Draw) -> Case:
        return row(f"scaled_dot_product_attention: {kernel}, {words}", ours, theirs, *draws, around=around)

    sdpa = T.scaled_dot_product_attention
    return [
        one("no mask", attention, sdpa, QUERIES, KEYS, KEYS),
        one("values wider than keys", attention, sdpa, QUERIES, KEYS, real(2, 3, 6, 7)),
        one("causal", lambda *x: attention(*x, causal=True), lambda *x: sdpa(*x, is_causal=True), KEYS, KEYS, KEYS),
        one("causal, long", lambda *x: attention(*x, causal=True), lambda *x: sdpa(*x, is_causal=True),
            real(1, 2, 300, 4), real(1, 2, 300, 4), real(1, 2, 300, 4)),
        one("scale", lambda *x: attention(*x, scale=0.3), lambda *x: sdpa(*x, scale=0.3), QUERIES, KEYS, KEYS),
        one("boolean mask", attention, sdpa, QUERIES, KEYS, KEYS, given(HIDDEN)),
        one("a row hidden altogether", attention, sdpa, QUERIES, KEYS, KEYS, given(np.arange(5)[:, None] != 2)),
        one("additive mask", attention, sdpa, QUERIES, KEYS, KEYS, real(5, 6)),
        one("additive mask of each example", attention, sdpa, QUERIES, KEYS, KEYS, real(2, 1, 1, 6)),
        one("-inf in a mask", attention, sdpa, QUERIES, KEYS, KEYS, fixed(given(FUTURE))),
        one("grouped heads", attention, lambda *x: sdpa(*x, enable_gqa=True), real(2, 6, 5, 4), KEYS, KEYS),
        one("large scores", lambda q, k, v: attention(100 * q, k, v), lambda q, k, v: sdpa(100 * q, k, v),
            fixed(QUERIES), fixed(KEYS), KEYS),
    ]  # fmt: skip


def their_weights(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    """Write the weights out."""
    return torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1)


ATTENTION = [
    *attention_rows("plain"),
    *attention_rows("blockwise"),
    row("scaled_dot_product_attention: and weights", lambda *x: attention(*x, return_weights=True),
        lambda q, k, v: (their_weights(q, k) @ v, their_weights(q, k)), QUERIES, KEYS, KEYS),
    row("attention_weights", attention_weights, their_weights, QUERIES, KEYS),
    row("causal_mask", lambda: causal_mask(4, 6), lambda: torch.ones(4, 6, dtype=torch.bool).tril(2)),
    row("sliding_window_mask", lambda: sliding_window_mask(6, 3),
        lambda: torch.ones(6, 6, dtype=torch.bool).tril().triu(-2)),
    row("padding_mask", lambda: padding_mask([2, 0, 4]),
        lambda: (torch.arange(4) < torch.tensor([[2], [0], [4]]))[:, None, None]),
]  # fmt: skip

WIDTH, HEADS = 8, 2
_SHAPES = ((WIDTH, 3 * WIDTH), (3 * WIDTH,), (WIDTH, WIDTH), (WIDTH,))
PROJECTIONS = [within(-0.5, 0.5, *shape) for shape in _SHAPES]


def heads_row(words: str, *draws: Draw, causal: bool = False, mask: tt.Array | None = None) -> Case:
    """Compare multi-head attention: of x with itself, or with a context; gradients reach inputs and weights."""

    def ours(w: tt.Tensor, b: tt.Tensor, v: tt.Tensor, c: tt.Tensor, *x: tt.Tensor) -> tt.Tensor:
        layer = tt.nn.MultiHeadAttention(WIDTH, HEADS, causal=causal)
        with_arrays(layer, qkv__weight=w, qkv__bias=b, output__weight=v, output__bias=c)
        return layer(*x, mask=None if mask is None else tt.Tensor(mask))

    def theirs(w: torch.Tensor, b: torch.Tensor, v: torch.Tensor, c: torch.Tensor, *x: torch.Tensor) -> torch.Tensor:
        layer = torch.nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, dtype=w.dtype)
        state = {"in_proj_weight": w.T, "in_proj_bias": b, "out_proj.weight": v.T, "out_proj.bias": c}
        length = x[0].shape[1]
        hidden = torch.ones(length, length, dtype=torch.bool).triu(1) if causal else None
        if mask is not None:  # PyTorch's is true where nobody may look
            hidden = ~torch.tensor(mask)
        query, source = x[0], x[-1]
        settings = {"need_weights": False, "attn_mask": hidden}
        return torch.func.functional_call(layer, state, (query, source, source), settings)[0]

    return row(f"MultiHeadAttention: {words}", ours, theirs, *PROJECTIONS, *draws)


MULTI_HEAD = [
    heads_row("self", real(2, 5, WIDTH)),
    heads_row("causal", real(2, 5, WIDTH), causal=True),
    heads_row("masked", real(2, 5, WIDTH), mask=np.tri(5, k=1, dtype=np.bool_)),
    heads_row("cross", real(2, 5, WIDTH), real(2, 3, WIDTH)),
]

CASES = [*EMBEDDINGS, *POSITIONS, *ATTENTION, *MULTI_HEAD]
