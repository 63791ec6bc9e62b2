"""Depthwise convolution, one filter a channel: sums of products of long rows, where matrices would be slivers."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from tt_tensor import Array, scratch

from tt_conv._window import Window, inside, padded_shape, reversed_window
from tt_conv._work import BYTES_PER_SECOND, by_blocks


def tap_rows(weight: Array, across: int) -> Array:
    """Return the filters as one row of an image for each tap, (C, 1, KH, KW) -> (KH, KW, across, C).

    All places of a row have the same; written out, a row of pixels is multiplied in one run instead of pixel by pixel.
    """
    return np.repeat(weight[:, 0].transpose(1, 2, 0)[:, :, np.newaxis], across, axis=2)


def padded_images(x: Array, down: Window, right: Window) -> Array:
    """Return a few images (n, H, W, C) with zeros around them, in scratch memory."""
    padded = scratch("tt_conv.padded", padded_shape(x.shape, down, right), x.dtype)
    padded.fill(0)
    inside(padded, x.shape, down, right)[...] = x
    return padded


def rows_by_tap(padded: Array, down: Window, right: Window, across: int) -> Array:
    """View the row of pixels that each tap sees for each row of results; one axis where windows move by one.

    Shapes: padded (n, H, W, C), contiguous -> (n, OH, KH, KW, across * C), or (n, OH, KH, KW, across, C).
    """
    images, height, _, channels = padded.shape
    image, row, pixel, number = padded.strides
    rows = (height - down.reach) // down.stride + 1
    shape = (images, rows, down.size, right.size)
    strides = (image, row * down.stride, row * down.dilation, pixel * right.dilation)
    if right.stride == 1:
        return as_strided(padded, (*shape, across * channels), (*strides, number))
    return as_strided(padded, (*shape, across, channels), (*strides, pixel * right.stride, number))


def sum_of_parts(parts: dict[int, Array]) -> Array:
    """Add up what threads have left, in the order of their work, so that the result is the same every time."""
    first, *others = (parts[start] for start in sorted(parts))
    for other in others:
        first += other
    return first


def seconds_of(taps: int, image_bytes: int) -> float:
    """Estimate how long one core takes: the sums of products are made in the cache, a third of a pass for each tap."""
    return taps * image_bytes / (3 * BYTES_PER_SECOND)


def conv2d_depthwise(x: Array, weight: Array, bias: Array | None, down: Window, right: Window) -> Array:
    """Add up, row by row, what each tap sees, multiplied by the tap of every channel.

    Shapes: x (N, H, W, C), weight (C, 1, KH, KW) -> (N, OH, OW, C).
    """
    rows, across = down.positions(x.shape[1]), right.positions(x.shape[2])
    factors = tap_rows(weight, across)
    out = np.empty((len(x), rows, across, x.shape[3]), x.dtype)

    def work(start: int, stop: int) -> None:
        seen = rows_by_tap(padded_images(x[start:stop], down, right), down, right, across)
        target = out[start:stop]
        run = seen.shape[4:]
        np.einsum(
            "nhij...,ij...->nh...",
            seen,
            factors.reshape(*factors.shape[:2], *run),
            out=target.reshape(*target.shape[:2], *run),
        )
        if bias is not None:
            target += bias

    by_blocks(work, len(x), 2 * x[:1].nbytes, seconds=seconds_of(down.size * right.size, out.nbytes))
    return out


def depthwise_input(g: Array, shape: tuple[int, ...], weight: Array, down: Window, right: Window) -> Array:
    """Gradient of a depthwise convolution for its images (N, H, W, C).

    Where windows moved by one, it is the convolution of `g` with the filters turned round; else every tap sends its
    share back.
    """
    if all(window.stride == 1 and window.reach > max(window.before, window.after) for window in (down, right)):
        turned = weight[:, :, ::-1, ::-1]
        return conv2d_depthwise(g, turned, None, reversed_window(down), reversed_window(right))
    _, rows, across, _ = g.shape
    factors = tap_rows(weight, across)
    gradient = np.empty(shape, g.dtype)

    def work(start: int, stop: int) -> None:
        part = g[start:stop]
        target = gradient[start:stop]
        target.fill(0)
        padded = padded_images(target, down, right)
        term = scratch("tt_conv.term", part.shape, g.dtype)
        for i in range(down.size):
            for j in range(right.size):
                np.multiply(part, factors[i, j], out=term)
                seen = padded[:, down.tap(i, rows), right.tap(j, across)]
                seen += term
        target[...] = inside(padded, target.shape, down, right)

    taps = down.size * right.size
    by_blocks(work, len(g), 4 * gradient[:1].nbytes, seconds=2 * taps * g.nbytes / BYTES_PER_SECOND)
    return gradient


def depthwise_weight(g: Array, x: Array, down: Window, right: Window) -> Array:
    """Gradient of a depthwise convolution for its filters, (C, 1, KH, KW)."""
    _, rows, across, channels = g.shape
    shape = (down.size, right.size, across, channels)
    parts = {0: np.zeros((down.size, right.size, channels))}

    def work(start: int, stop: int) -> None:
        seen = rows_by_tap(padded_images(x[start:stop], down, right), down, right, across)
        back = g[start:stop].reshape(stop - start, rows, *seen.shape[4:])
        sums = np.einsum("nhij...,nh...->ij...", seen, back).reshape(shape)
        parts[start] = sums.sum(axis=2, dtype=np.float64)

    by_blocks(work, len(x), 2 * x[:1].nbytes, seconds=seconds_of(down.size * right.size, g.nbytes))
    total = sum_of_parts(parts).astype(g.dtype)
    return np.ascontiguousarray(total.transpose(2, 0, 1)[:, np.newaxis])
