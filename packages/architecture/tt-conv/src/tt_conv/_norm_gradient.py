"""Gradients of batch normalisation: what moves the mean or the spread of all alike is taken out."""

from __future__ import annotations

import numpy as np
from tt_autograd import NONDIFFERENTIABLE, Spec, defvjp
from tt_tensor import Array, ones_vector, scratch, split_work

from tt_conv._norm import Tall, scale_and_shift
from tt_conv._precision import same_type
from tt_conv._primitives import (
    batch_norm_primitive,
    batch_norm_relu_primitive,
    channel_moments_primitive,
)
from tt_conv._window import channels_last, to_first
from tt_conv._work import BYTES_PER_SECOND


def rectified(g: Array, out: Array, target: Array) -> Array:
    """Write the gradient of what ReLU has made of `out` into `target`: `g` where it is positive, else 0."""
    positive = scratch("tt_conv.positive", out.shape, np.bool_)
    np.greater(out, 0, out=positive)
    return np.multiply(g, positive, out=target)


def norm_sums(g: Array, x: Array, mean: Array, tall: Tall, rectifying: tuple[Array, Array] | None) -> Array:
    """Return for every channel the sum of `g`, and that of `g * (x - mean)`, in double precision (2, C).

    Shapes: g and x folded as `tall` says, mean (C,) -> (2, C).

    With `rectifying`, an output of ReLU and memory, the gradient of that ReLU is written to the memory and counts.
    """
    middle = tall.tile(mean, x.dtype)
    sums = np.empty((2, tall.blocks, tall.shape[1]), x.dtype)

    def work(start: int, stop: int) -> None:
        for i, rows in enumerate(tall.slices(start, stop), start):
            back = g[rows]
            if rectifying is not None:
                back = rectified(back, rectifying[0][rows], rectifying[1][rows])
            column = ones_vector(len(back), x.dtype)
            apart = scratch("tt_conv.apart", back.shape, x.dtype)
            np.subtract(x[rows], middle, out=apart)
            np.multiply(apart, back, out=apart)
            np.dot(column, back, out=sums[0, i])
            np.dot(column, apart, out=sums[1, i])

    split_work(work, tall.blocks, seconds=2 * x.nbytes / BYTES_PER_SECOND)
    return np.asarray(tall.by_channel(sums).sum(axis=1))


def batch_norm_input(g: Array, x: Array, factors: tuple[Array, Array, Array], tall: Tall, out: Array) -> None:
    """Write `a * g + b * x + c` to `out` (or over `g`), each a number for every channel; folded as `tall` says."""
    a, b, c = (tall.tile(factor, x.dtype) for factor in factors)

    def work(start: int, stop: int) -> None:
        for rows in tall.slices(start, stop):
            target = out[rows]
            term = scratch("tt_conv.apart", target.shape, x.dtype)
            np.multiply(x[rows], b, out=term)
            np.add(term, c, out=term)
            np.multiply(g[rows], a, out=target)
            np.add(target, term, out=target)

    split_work(work, tall.blocks, seconds=3 * x.nbytes / BYTES_PER_SECOND)


def normalised_gradients(
    g: Array,
    rectified_out: Array | None,
    x: Array,
    moments: Array,
    affine: tuple[Array, ...],
    needs: tuple[bool, ...],
    eps: float,
    training: bool,
) -> tuple[Array | None, ...]:
    """Gradients for the images, the weight and the bias. The moments follow from the images, or are constants.

    With the output of a joined ReLU, `g` is that output's gradient.

    Shapes: g, rectified_out and x (N, C, H, W), moments (2, C), affine (C,) each -> those of x, moments (None), affine.
    """
    if x.size == 0:  # whose moments are NaN
        arrays = (x, None, *affine)
        return tuple(
            None if a is None or not need else np.zeros_like(a) for a, need in zip(arrays, needs, strict=False)
        )
    dtype = x.dtype
    g, x = same_type(g, x)
    back, images = channels_last(g), channels_last(x)
    tall = Tall(images.shape)
    folded_g, folded_x = back.reshape(tall.shape), images.reshape(tall.shape)
    out = np.empty(tall.shape, x.dtype)
    mean, variance = moments.astype(np.float64)
    inverse = 1 / np.sqrt(variance + eps)
    total = products = np.zeros(tall.channels)
    rectifying = None if rectified_out is None else (channels_last(rectified_out).reshape(tall.shape), out)
    if training or rectifying is not None or any(needs[2:]):
        total, products = norm_sums(folded_g, folded_x, mean, tall, rectifying)
    of_x: Array | None = None
    if needs[0]:
        a, _ = scale_and_shift(moments, affine, eps)
        count = max(1, tall.rows) if training else np.inf
        # a * (g - mean(g) - (x - mean) * inverse^2 * mean(g * (x - mean)))
        b = -a * inverse**2 * products / count
        factors = (a, b, -a * total / count - b * mean)
        batch_norm_input(folded_g if rectifying is None else out, folded_x, factors, tall, out)
        of_x = to_first(out.reshape(back.shape))
    of_weight = (products * inverse).astype(dtype) if len(needs) > 2 and needs[2] else None
    of_bias = total.astype(dtype) if len(needs) > 2 and needs[3] else None
    return (of_x, None, of_weight, of_bias)[: len(needs)]


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
    """Gradients of `batch_norm`."""
    return normalised_gradients(g, None, x, moments, affine, needs, eps, training)


def batch_norm_relu_gradient(
    g: Array,
    out: Array,
    x: Array,
    moments: Array,
    *affine: Array,
    needs: tuple[bool, ...],
    eps: float,
    training: bool,
) -> tuple[Array | None, ...]:
    """Gradients of `batch_norm_relu`, whose output is kept anyway: the layer that follows needs it too."""
    return normalised_gradients(g, out, x, moments, affine, needs, eps, training)


# The moments are taken of a detached input: batch_norm's own rule knows how they follow from it.
NONDIFFERENTIABLE.add(channel_moments_primitive)
defvjp(batch_norm_primitive, joint=batch_norm_gradient)
defvjp(batch_norm_relu_primitive, joint=batch_norm_relu_gradient)
