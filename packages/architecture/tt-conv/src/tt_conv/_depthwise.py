"""Depthwise convolution, one filter a channel: products of long rows, tap by tap, where matrices would be slivers."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array, column_sums, scratch

from tt_conv._window import Window, inside, padded_shape
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


def sum_of_parts(parts: dict[int, Array]) -> Array:
    """Add up what threads have left, in the order of their work, so that the result is the same every time."""
    first, *others = (parts[start] for start in sorted(parts))
    for other in others:
        first += other
    return first


def conv2d_depthwise(x: Array, weight: Array, bias: Array | None, down: Window, right: Window) -> Array:
    """Add up, tap by tap, the image shifted and multiplied by the tap of every channel.

    Shapes: x (N, H, W, C), weight (C, 1, KH, KW) -> (N, OH, OW, C).
    """
    rows, across = down.positions(x.shape[1]), right.positions(x.shape[2])
    factors = tap_rows(weight, across)
    out = np.empty((len(x), rows, across, x.shape[3]), x.dtype)

    def work(start: int, stop: int) -> None:
        padded = padded_images(x[start:stop], down, right)
        target = out[start:stop]
        term = scratch("tt_conv.term", target.shape, x.dtype)
        target[...] = 0 if bias is None else bias
        for i in range(down.size):
            for j in range(right.size):
                np.multiply(padded[:, down.tap(i, rows), right.tap(j, across)], factors[i, j], out=term)
                target += term

    taps = down.size * right.size
    by_blocks(work, len(x), 4 * x[:1].nbytes, seconds=2 * taps * out.nbytes / BYTES_PER_SECOND)
    return out


def depthwise_input(g: Array, shape: tuple[int, ...], weight: Array, down: Window, right: Window) -> Array:
    """Gradient of a depthwise convolution for its images (N, H, W, C): every tap sends its share back."""
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
    shape = (down.size, right.size, channels)
    parts = {0: np.zeros(shape, g.dtype)}

    def work(start: int, stop: int) -> None:
        padded = padded_images(x[start:stop], down, right)
        part = g[start:stop]
        term = scratch("tt_conv.term", part.shape, g.dtype)
        sums = parts[start] = np.empty(shape, g.dtype)
        for i in range(down.size):
            for j in range(right.size):
                np.multiply(padded[:, down.tap(i, rows), right.tap(j, across)], part, out=term)
                sums[i, j] = column_sums(term.reshape(-1, channels))

    taps = down.size * right.size
    by_blocks(work, len(x), 4 * x[:1].nbytes, seconds=2 * taps * g.nbytes / BYTES_PER_SECOND)
    return np.ascontiguousarray(sum_of_parts(parts).transpose(2, 0, 1)[:, np.newaxis])
