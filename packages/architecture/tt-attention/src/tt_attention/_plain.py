"""Attention as the paper writes it: all scores at once."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array


def grouped(array: Array, kv_heads: int) -> Array:
    """See heads as groups that share a key head: (..., H, T, D) -> (..., H_kv, H / H_kv, T, D)."""
    return array.reshape(*array.shape[:-3], kv_heads, array.shape[-3] // kv_heads, *array.shape[-2:])


def hidden(mask: Array | None, queries: int, keys: int, causal: bool) -> Array | None:
    """Return where a boolean mask, or the causal one, forbids to look, or None if nowhere."""
    unseen = ~mask if mask is not None and mask.dtype.kind == "b" else None
    if causal:
        future = ~np.tri(queries, keys, keys - queries, dtype=np.bool_)
        unseen = future if unseen is None else unseen | future
    return unseen


def weights(q: Array, k: Array, mask: Array | None = None, *, causal: bool, scale: float) -> Array:
    """Return how much each query attends to each key: (..., H, T, D) and (..., H_kv, S, D) -> (..., H, T, S).

    The scores are `scale * q @ k^T`; a softmax over the keys turns a row of them into weights that add up to one. A row
    in which everything is hidden gets zeros.
    """
    kv_heads = k.shape[-3]
    scores = grouped(q * q.dtype.type(scale), kv_heads) @ k[..., np.newaxis, :, :].swapaxes(-1, -2)
    scores = scores.reshape(*q.shape[:-1], k.shape[-2])  # (..., H, T, S)
    if mask is not None and mask.dtype.kind == "f":
        scores += mask
    unseen = hidden(mask, scores.shape[-2], scores.shape[-1], causal)
    if unseen is not None:
        np.copyto(scores, -np.inf, where=unseen)
    return softmax_rows(scores)


def softmax_rows(scores: Array) -> Array:
    """Turn scores (..., T, S) into weights, in place; a row of nothing but -inf becomes zeros."""
    highest = np.maximum.reduce(scores, axis=-1, keepdims=True, initial=-np.inf)
    highest[highest == -np.inf] = 0
    scores -= highest
    np.exp(scores, out=scores)
    sums = np.add.reduce(scores, axis=-1, keepdims=True)
    sums[sums == 0] = 1
    scores /= sums
    return scores


def attend(probabilities: Array, v: Array) -> Array:
    """Average the values by the weights: (..., H, T, S) and (..., H_kv, S, D) -> (..., H, T, D)."""
    mixed = grouped(probabilities, v.shape[-3]) @ v[..., np.newaxis, :, :]
    return mixed.reshape(*probabilities.shape[:-1], v.shape[-1])


def score_gradient(g: Array, probabilities: Array) -> Array:
    """Gradient of a softmax: `p * (g - sum(g * p))`, written into `g`."""
    g -= np.add.reduce(g * probabilities, axis=-1, keepdims=True)
    g *= probabilities
    return g


def product_gradients(slopes: Array, q: Array, k: Array, scale: float) -> tuple[Array, Array]:
    """Gradients of `scale * q @ k^T` for q and k, given that of the scores (..., H, T, S)."""
    kv_heads = k.shape[-3]
    rows = grouped(slopes, kv_heads)
    dq = (rows @ k[..., np.newaxis, :, :]).reshape(q.shape)
    dk = np.add.reduce(rows.swapaxes(-1, -2) @ grouped(q, kv_heads), axis=-3)
    dq *= dq.dtype.type(scale)
    dk *= dk.dtype.type(scale)
    return dq, dk


def value_gradient(g: Array, probabilities: Array, kv_heads: int) -> Array:
    """Gradient for the values: each key gets what its queries ask, by their weights."""
    columns = grouped(probabilities, kv_heads).swapaxes(-1, -2)
    return np.asarray(np.add.reduce(columns @ grouped(g, kv_heads), axis=-3))
