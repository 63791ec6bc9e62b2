"""Gradients of pooling: to the largest alone, or to all alike."""

from __future__ import annotations

import numpy as np
from tt_autograd import Spec, defvjp
from tt_tensor import Array

from tt_conv._pool import bins, divisors, max_pool2d_recording, over_blocks, share_along, spread_along
from tt_conv._precision import same_type
from tt_conv._primitives import (
    adaptive_avg_pool2d_primitive,
    avg_pool2d_primitive,
    max_pool2d_primitive,
    unfold_primitive,
)
from tt_conv._window import Pair, Sides, channels_last, inside, to_first, windows


def max_pool2d_gradient(
    g: Array,
    _out: Spec,
    x: Array,
    *,
    kernel: Pair,
    stride: Pair,
    padding: Sides,
    dilation: Pair,
    residuals: tuple[Array, Array] | None,
) -> Array:
    """Every number of `g` goes to the element that was the largest of its window, the first of equals."""
    if residuals is None:
        _, residuals = max_pool2d_recording(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    by_width, by_height = residuals
    down, right = windows(kernel, stride, padding, dilation)
    back = channels_last(g)
    images, channels, height, width = x.shape
    out = np.empty((images, height, width, channels), g.dtype)
    plain = not any(map(any, padding))

    def work(start: int, stop: int) -> None:
        middle = spread_along(back[start:stop], 1, down, by_height[start:stop], by_width.shape[1])
        length = width + right.before + right.after
        if plain:
            spread_along(middle, 2, right, by_width[start:stop], length, out=out[start:stop])
        else:
            padded = spread_along(middle, 2, right, by_width[start:stop], length)
            out[start:stop] = inside(padded, out.shape, down, right)

    over_blocks(work, out)
    return to_first(out)


def avg_pool2d_gradient(
    g: Array,
    _out: Spec,
    _x: Spec,
    *,
    kernel: Pair,
    stride: Pair,
    padding: Sides,
    counted: Sides,
    count_padding: bool,
    divisor: int | None,
) -> Array:
    """Every number of `g`, divided as the mean was, goes to all of its window."""
    (g,) = same_type(g)
    down, right = windows(kernel, stride, padding, (1, 1))
    images, channels, height, width = _x.shape
    by = np.asarray(divisors((images, height, width), down, right, counted, count_padding, divisor), g.dtype)
    back = channels_last(g) / by
    out = np.empty((images, height, width, channels), g.dtype)

    def work(start: int, stop: int) -> None:
        middle = share_along(back[start:stop], 2, right, width + right.before + right.after)
        padded = share_along(middle, 1, down, height + down.before + down.after)
        out[start:stop] = inside(padded, out.shape, down, right)

    over_blocks(work, out)
    return to_first(out)


def adaptive_avg_pool2d_gradient(g: Array, _out: Spec, _x: Spec, *, size: Pair) -> Array:
    """Every number of `g`, divided by the size of its bin, goes to all of the bin."""
    (g,) = same_type(g)
    images, channels, height, width = _x.shape
    back = channels_last(g)
    out = np.zeros((images, height, width, channels), g.dtype)
    for i, (top, bottom) in enumerate(bins(height, size[0])):
        for j, (left, right) in enumerate(bins(width, size[1])):
            share = back[:, i, j] / max(1, (bottom - top) * (right - left))
            out[:, top:bottom, left:right] += share[:, np.newaxis, np.newaxis]
    return to_first(out)


def unfold_gradient(
    g: Array, _out: Spec, _x: Spec, *, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair
) -> Array:
    """Every number goes back to the pixel that it was read from, and adds up there."""
    (g,) = same_type(g)
    down, right = windows(kernel, stride, padding, dilation)
    images, channels, height, width = _x.shape
    rows, across = down.positions(height), right.positions(width)
    taps = g.reshape(images, channels, *kernel, rows, across)
    padded = np.zeros((images, channels, height + sum(padding[0]), width + sum(padding[1])), g.dtype)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            seen = padded[:, :, down.tap(i, rows), right.tap(j, across)]
            seen += taps[:, :, i, j]
    return padded[:, :, down.before : down.before + height, right.before : right.before + width]


defvjp(max_pool2d_primitive, max_pool2d_gradient)
defvjp(avg_pool2d_primitive, avg_pool2d_gradient)
defvjp(adaptive_avg_pool2d_primitive, adaptive_avg_pool2d_gradient)
defvjp(unfold_primitive, unfold_gradient)
