"""Gradients of the normalisations: what moves the mean or the spread of all alike is taken out."""

from __future__ import annotations

import numpy as np
from tt_autograd import NONDIFFERENTIABLE, Spec, defvjp
from tt_tensor import Array, scratch, split_work

from tt_conv._norm import Tall, by_channel, group_moments, scale_and_shift
from tt_conv._precision import same_type
from tt_conv._primitives import batch_norm_primitive, channel_moments_primitive, group_norm_primitive
from tt_conv._sums import block_sums
from tt_conv._window import channels_last, to_first
from tt_conv._work import BYTES_PER_SECOND


def norm_sums(g: Array, x: Array, mean: Array, tall: Tall) -> tuple[Array, Array]:
    """Return for every channel the sum of `g`, and that of `g * (x - mean)`, in double precision.

    Shapes: g and x folded as `tall` says, mean (C,) -> (C,) and (C,).
    """
    middle = tall.tile(mean, x.dtype)
    sums = np.zeros((2, tall.blocks, tall.channels))

    def work(start: int, stop: int) -> None:
        for i, rows in enumerate(tall.slices(start, stop), start):
            apart = scratch("tt_conv.apart", x[rows].shape, x.dtype)
            np.subtract(x[rows], middle, out=apart)
            apart *= g[rows]
            sums[0, i] = block_sums(g[rows], tall.channels)
            sums[1, i] = block_sums(apart, tall.channels)

    split_work(work, tall.blocks, seconds=2 * x.nbytes / BYTES_PER_SECOND)
    total, products = sums.sum(axis=1)
    return total, products


def batch_norm_input(g: Array, x: Array, factors: tuple[Array, Array, Array], tall: Tall) -> Array:
    """Return `a * g + b * x + c`, each a number for every channel; all folded as `tall` says."""
    a, b, c = (tall.tile(factor, x.dtype) for factor in factors)
    out = np.empty(x.shape, x.dtype)

    def work(start: int, stop: int) -> None:
        for rows in tall.slices(start, stop):
            target = out[rows]
            term = scratch("tt_conv.apart", target.shape, x.dtype)
            np.multiply(x[rows], b, out=target)
            target += c
            np.multiply(g[rows], a, out=term)
            target += term

    split_work(work, tall.blocks, seconds=3 * x.nbytes / BYTES_PER_SECOND)
    return out


def batch_norm_gradient(
    g: Array,
    _out: Spec,
    x: Array,
    moments: Array,
    *affine: Array,
    needs: tuple[bool, ...],
    eps: float,
    training: bool,
) -> tuple[Array | None, ...]:
    """Gradients for the images, the weight and the bias. The moments follow from the images, or are constants."""
    dtype = x.dtype
    g, x = same_type(g, x)
    back, images = channels_last(g), channels_last(x)
    tall = Tall(images.shape)
    folded_g, folded_x = back.reshape(tall.shape), images.reshape(tall.shape)
    mean, variance = moments.astype(np.float64)
    inverse = 1 / np.sqrt(variance + eps)
    total = products = np.zeros(tall.channels)
    if training or any(needs[2:]):
        total, products = norm_sums(folded_g, folded_x, mean, tall)
    of_x: Array | None = None
    if needs[0]:
        a, _ = scale_and_shift(moments, affine, eps)
        count = max(1, tall.rows) if training else np.inf
        # a * (g - mean(g) - (x - mean) * inverse^2 * mean(g * (x - mean)))
        b = -a * inverse**2 * products / count
        of_x = to_first(
            batch_norm_input(folded_g, folded_x, (a, b, -a * total / count - b * mean), tall).reshape(back.shape)
        )
    of_weight = (products * inverse).astype(dtype) if len(needs) > 2 and needs[2] else None
    of_bias = total.astype(dtype) if len(needs) > 2 and needs[3] else None
    return (of_x, None, of_weight, of_bias)[: len(needs)]


def group_norm_gradient(
    g: Array, _out: Spec, x: Array, *affine: Array, needs: tuple[bool, ...], groups: int, eps: float
) -> tuple[Array | None, ...]:
    """Gradients for the input, the weight and the bias."""
    shape, dtype = x.shape, x.dtype
    channels = shape[1]
    if x.size == 0:
        return tuple(np.zeros_like(array) if need else None for array, need in zip((x, *affine), needs, strict=True))
    g, x = same_type(g, x)
    flat = (shape[0], channels, int(np.prod(shape[2:])))
    g, x = g.reshape(flat), x.reshape(flat)
    mean, inverse = (by_channel(moment, channels, x.dtype) for moment in group_moments(x, groups, eps))
    normal = np.asarray(x - mean)
    normal *= inverse
    products = (g * normal).sum(axis=2)  # (N, C)
    totals = g.sum(axis=2)
    of_x: Array | None = None
    if needs[0]:
        weight = affine[0].astype(x.dtype) if affine else np.ones(channels, x.dtype)
        size = flat[2] * (channels // groups)
        means = [
            by_channel(
                (sums * weight).reshape(shape[0], groups, -1).sum(axis=2, keepdims=True) / size, channels, x.dtype
            )
            for sums in (totals, products)
        ]
        gradient = g * weight[:, np.newaxis]
        gradient -= means[0]
        normal *= means[1]
        gradient -= normal
        gradient *= inverse
        of_x = gradient.reshape(shape)
    of_weight = products.sum(axis=0).astype(dtype) if len(needs) > 1 and needs[1] else None
    of_bias = totals.sum(axis=0).astype(dtype) if len(needs) > 1 and needs[2] else None
    return (of_x, of_weight, of_bias)[: len(needs)]


# The moments are taken of a detached input: batch_norm's own rule knows how they follow from it.
NONDIFFERENTIABLE.add(channel_moments_primitive)
defvjp(batch_norm_primitive, joint=batch_norm_gradient)
defvjp(group_norm_primitive, joint=group_norm_gradient)
