"""Attention as primitives: which kernel runs, what it keeps, and the gradient for whichever ran."""

from __future__ import annotations

import math
from typing import TypeAlias, cast

import numpy as np
from tt_autograd import Spec, defvjp, unbroadcast
from tt_tensor import Array, Primitive, register_kernel

from tt_attention import _blockwise, _blockwise_gradient, _plain
from tt_attention._tiles import Problem

# Up to so many scores the plain kernel is as fast, and its weights are worth keeping.
FEW_SCORES = 1 << 14

# What a recording kernel keeps: the plain one its weights, the blockwise one its `Normalizers`.
Kept: TypeAlias = "Array | _blockwise.Normalizers"


def few_scores(q: Array, k: Array) -> bool:
    """Return whether all scores together are few."""
    return bool(math.prod(q.shape[:-1]) * k.shape[-2] <= FEW_SCORES)


def widened(*arrays: Array) -> list[Array]:
    """Return the arrays in the type that is computed in: boolean masks as they are, half precision as single."""
    dtype = np.result_type(np.float32, *(array for array in arrays if array.dtype.kind == "f"))
    return [array if array.dtype.kind == "b" else array.astype(dtype, copy=False) for array in arrays]


def plain(q: Array, k: Array, v: Array, *masks: Array, causal: bool, scale: float) -> Array:
    """Attention with all scores in memory at once."""
    return plain_recording(q, k, v, *masks, causal=causal, scale=scale)[0]


def plain_recording(q: Array, k: Array, v: Array, *masks: Array, causal: bool, scale: float) -> tuple[Array, Kept]:
    """The same, and the weights (..., H, T, S)."""
    wide_q, wide_k, wide_v, *wide_masks = widened(q, k, v, *masks)
    with np.errstate(all="ignore"):  # what is not finite shows in the result
        weights = _plain.weights(wide_q, wide_k, *wide_masks, causal=causal, scale=scale)
        return _plain.attend(weights, wide_v).astype(np.result_type(q, k, v), copy=False), weights


def blockwise(q: Array, k: Array, v: Array, *masks: Array, causal: bool, scale: float) -> Array:
    """Attention tile by tile: memory grows with the length, not with its square."""
    return blockwise_recording(q, k, v, *masks, causal=causal, scale=scale)[0]


def blockwise_recording(q: Array, k: Array, v: Array, *masks: Array, causal: bool, scale: float) -> tuple[Array, Kept]:
    """The same, and the normalizers of each row (..., H, T)."""
    wide_q, wide_k, wide_v, *wide_masks = widened(q, k, v, *masks)
    mask = wide_masks[0] if wide_masks else None
    out, kept = _blockwise.forward(wide_q, wide_k, wide_v, mask, causal=causal, scale=scale)
    return out.astype(np.result_type(q, k, v), copy=False), kept


def attention(q: Array, k: Array, v: Array, *masks: Array, causal: bool, scale: float) -> Array:
    """Attention by the kernel that suits the size: plain for few scores, blockwise for many."""
    kernel = plain if few_scores(q, k) else blockwise
    return kernel(q, k, v, *masks, causal=causal, scale=scale)


def attention_recording(q: Array, k: Array, v: Array, *masks: Array, causal: bool, scale: float) -> tuple[Array, Kept]:
    """The same, and what that kernel keeps."""
    recording = plain_recording if few_scores(q, k) else blockwise_recording
    return recording(q, k, v, *masks, causal=causal, scale=scale)


def recorded_again(q: Array, k: Array, v: Array, *masks: Array, causal: bool, scale: float) -> tuple[Array, Kept]:
    """Compute what a swapped-in kernel did not keep, with the recording that belongs to it."""
    owned = {plain: plain_recording, blockwise: blockwise_recording}
    recording = owned.get(attention_primitive.kernel, attention_recording)
    return recording(q, k, v, *masks, causal=causal, scale=scale)


def gradients(
    g: Array,
    out: Array,
    q: Array,
    k: Array,
    v: Array,
    mask: Array | None,
    *,
    into: tuple[Array, Array, Array],
    residuals: Kept | None,
    mask_needs: bool,
    causal: bool,
    scale: float,
) -> Array | None:
    """Write the gradients of q, k and v into three arrays of the type that is computed in; return that of the mask."""
    masks = () if mask is None else (mask,)
    if residuals is None:
        out, residuals = recorded_again(q, k, v, *masks, causal=causal, scale=scale)
    g, out, q, k, v, *masks_wide = widened(g, out, q, k, v, *masks)
    if not isinstance(residuals, _blockwise.Normalizers):
        slopes = plain_gradients(g, q, k, v, residuals, scale, into)
        return unbroadcast(slopes, mask.shape) if mask is not None and mask_needs else None
    problem = Problem.of(q, k, v, masks_wide[0] if masks_wide else None, causal, scale)
    if mask is None or not mask_needs:
        _blockwise_gradient.backward(g, out, residuals, problem, into, None)
        return None
    total = np.zeros(shape_of_mask_sums(mask.shape, q.shape[:-3]), q.dtype)
    _blockwise_gradient.backward(g, out, residuals, problem, into, five_axes_of_mask(total, q.ndim, k.shape[-3]))
    return unbroadcast(total, mask.shape)


def shape_of_mask_sums(mask: tuple[int, ...], lead: tuple[int, ...]) -> tuple[int, ...]:
    """Return the mask's shape, with all leading axes where it has some of them: folded into one they do not stretch."""
    own = mask[:-3]
    return mask if math.prod(own) == 1 else (*lead, *mask[-3:])


def five_axes_of_mask(mask: Array, ndim: int, kv_heads: int) -> Array:
    """See a mask as (N, H_kv, G, T, S), where an axis along which it broadcasts has size 1."""
    full = mask.reshape((1,) * (ndim - mask.ndim) + mask.shape)
    *lead, heads, queries, keys = full.shape
    shared = (1, 1) if heads == 1 else (kv_heads, heads // kv_heads)
    return full.reshape(math.prod(lead), *shared, queries, keys)


def plain_gradients(
    g: Array, q: Array, k: Array, v: Array, weights: Array, scale: float, into: tuple[Array, Array, Array]
) -> Array:
    """Write the gradients of q, k and v, and return that of the scores (..., H, T, S)."""
    kv_heads = k.shape[-3]
    dp = _plain.grouped(g, kv_heads) @ v[..., np.newaxis, :, :].swapaxes(-1, -2)
    slopes = _plain.score_gradient(dp.reshape(weights.shape), weights)
    into[0][...], into[1][...] = _plain.product_gradients(slopes, q, k, scale)
    into[2][...] = _plain.value_gradient(g, weights, kv_heads)
    return slopes


def attention_rule(
    g: Array,
    out: Array,
    q: Array,
    k: Array,
    v: Array,
    *masks: Array,
    needs: tuple[bool, ...],
    residuals: Kept | None,
    causal: bool,
    scale: float,
) -> tuple[Array | None, ...]:
    """Gradients of attention for queries, keys, values and an additive mask."""
    dtype = np.result_type(np.float32, q, k, v)
    into = np.empty(q.shape, dtype), np.empty(k.shape, dtype), np.empty(v.shape, dtype)
    mask = masks[0] if masks else None
    mask_slope = gradients(
        g, out, q, k, v, mask,
        into=into, residuals=residuals, mask_needs=mask is not None and needs[3], causal=causal, scale=scale,
    )  # fmt: skip
    return into if mask is None else (*into, mask_slope)


def weights(q: Array, k: Array, *masks: Array, causal: bool, scale: float) -> Array:
    """The weights of attention: softmax(scale * q k^T + mask), (..., H, T, S)."""
    wide_q, wide_k, *wide_masks = widened(q, k, *masks)
    with np.errstate(all="ignore"):
        found = _plain.weights(wide_q, wide_k, *wide_masks, causal=causal, scale=scale)
    return found.astype(np.result_type(q, k), copy=False)


def weights_rule(
    g: Array, out: Array, q: Array, k: Array, *_masks: Spec, needs: tuple[bool, ...], causal: bool, scale: float
) -> tuple[Array | None, ...]:
    """Gradients of the weights for queries, keys and an additive mask."""
    wide_g, wide_out, wide_q, wide_k = widened(g, out, q, k)
    slopes = _plain.score_gradient(wide_g.copy(), wide_out)
    dq, dk = _plain.product_gradients(slopes, wide_q, wide_k, scale)
    if not _masks:
        return dq, dk
    return dq, dk, unbroadcast(slopes, _masks[0].shape) if needs[2] else None


def packed_heads(qkv: Array, heads: tuple[int, int]) -> tuple[Array, Array, Array]:
    """See (..., T, (H + 2 H_kv) * D) as q (..., H, T, D), k and v (..., H_kv, T, D); nothing moves."""
    count, shared = heads
    total = count + 2 * shared
    split = qkv.reshape(*qkv.shape[:-1], total, qkv.shape[-1] // total).swapaxes(-3, -2)
    return split[..., :count, :, :], split[..., count : count + shared, :, :], split[..., count + shared :, :, :]


def side_by_side(heads: Array) -> Array:
    """See (..., H, T, D) as (..., T, H * D)."""
    moved = heads.swapaxes(-3, -2)
    return moved.reshape(*moved.shape[:-2], moved.shape[-2] * moved.shape[-1])


def self_attention(qkv: Array, *masks: Array, heads: tuple[int, int], causal: bool, scale: float) -> Array:
    """Attention of a sequence to itself, from queries, keys and values side by side, by attention's own kernel."""
    return side_by_side(attention_primitive.kernel(*packed_heads(qkv, heads), *masks, causal=causal, scale=scale))


def self_attention_recording(
    qkv: Array, *masks: Array, heads: tuple[int, int], causal: bool, scale: float
) -> tuple[Array, Kept | None]:
    """The same, and what attention's own recording keeps."""
    if attention_primitive.recording is None:
        return self_attention(qkv, *masks, heads=heads, causal=causal, scale=scale), None
    out, residuals = attention_primitive.recording(*packed_heads(qkv, heads), *masks, causal=causal, scale=scale)
    return side_by_side(out), cast("Kept", residuals)


def self_attention_rule(
    g: Array,
    out: Array,
    qkv: Array,
    *masks: Array,
    needs: tuple[bool, ...],
    residuals: Kept | None,
    heads: tuple[int, int],
    causal: bool,
    scale: float,
) -> tuple[Array | None, ...]:
    """Gradients of self-attention, those of queries, keys and values written side by side."""
    slope = np.empty(qkv.shape, np.result_type(np.float32, qkv))
    q, k, v = packed_heads(qkv, heads)
    mask = masks[0] if masks else None
    mask_slope = gradients(
        g.reshape(*g.shape[:-1], q.shape[-3], q.shape[-1]).swapaxes(-3, -2),
        out.reshape(*out.shape[:-1], q.shape[-3], q.shape[-1]).swapaxes(-3, -2),
        q, k, v, mask, into=packed_heads(slope, heads), residuals=residuals,
        mask_needs=mask is not None and needs[1], causal=causal, scale=scale,
    )  # fmt: skip
    return (slope,) if mask is None else (slope, mask_slope)


attention_primitive = Primitive("attention", attention, recording=attention_recording)
self_attention_primitive = Primitive("self_attention", self_attention, recording=self_attention_recording)
weights_primitive = Primitive("attention_weights", weights)
register_kernel(attention_primitive, "plain", plain)
register_kernel(attention_primitive, "blockwise", blockwise)
defvjp(attention_primitive, joint=attention_rule)
defvjp(self_attention_primitive, joint=self_attention_rule)
defvjp(weights_primitive, joint=weights_rule)
