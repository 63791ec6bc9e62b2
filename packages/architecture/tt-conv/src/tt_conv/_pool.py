"""Pooling on images that lie channels last: first along the width, then along the height."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tt_tensor import Array

from tt_conv._precision import widened
from tt_conv._window import Pair, Sides, Window, channels_last, to_first, windows
from tt_conv._work import BYTES_PER_SECOND, by_blocks

# Channels in a run of memory that is short: NumPy steps from run to run in the time of 30 numbers.
_SHORT = 16


def along(axis: int, taps: slice) -> tuple[slice, ...]:
    """Return the index that takes `taps` of one axis of (N, H, W, C) and all of the others."""
    return (slice(None),) * axis + (taps,)


def pad_last(x: Array, down: Window, right: Window, value: float) -> Array:
    """Return images (N, H, W, C) with `value` around them; themselves where no padding is wanted."""
    sides = ((0, 0), (down.before, down.after), (right.before, right.after), (0, 0))
    if not any(map(any, sides)):
        return x
    return np.pad(x, sides, constant_values=value)


def whole_pixels(x: Array) -> Array:
    """View images (N, H, W, C) as (N, H, W), all of a pixel's channels one item of memory."""
    return x.view(np.dtype((np.void, x.shape[3] * x.itemsize)))[..., 0]


def in_short_runs(x: Array, axis: int) -> bool:
    """Return whether every other element of that axis is a run so short that stepping costs more than copying."""
    return axis == 2 and 1 < x.shape[3] <= _SHORT and x.strides[3] == x.itemsize


def taken(x: Array, axis: int, taps: slice) -> Array:
    """Take elements along an axis of (N, H, W, C): a view, or a copy made pixel by pixel where runs are short."""
    if not in_short_runs(x, axis):
        return x[along(axis, taps)]
    pixels = np.ascontiguousarray(whole_pixels(x)[:, :, taps])
    return pixels.view(x.dtype).reshape(*pixels.shape, x.shape[3])


def max_along(x: Array, axis: int, window: Window, index: Array | None = None) -> Array:
    """Take the largest of every window along one axis of (N, H, W, C); the first of equals, and NaN before all.

    Args:
        x: The images, padded.
        axis: 1 for the height, 2 for the width.
        window: What slides.
        index: Where to leave which tap it was.
    """
    count = output_count(x.shape[axis], window)
    best = taken(x, axis, window.tap(0, count))
    if index is not None and window.size != 2:
        index.fill(0)
    for tap in range(1, window.size):
        other = taken(x, axis, window.tap(tap, count))
        if index is not None and window.size == 2:
            np.greater(other, best, out=index.view(np.bool_))
        elif index is not None:
            np.copyto(index, tap, where=other > best)
        best = np.maximum(best, other, out=None if tap == 1 else best)
    return best


def output_count(length: int, window: Window) -> int:
    """How many places a window has on an axis that is padded already."""
    return (length - window.reach) // window.stride + 1


def room_for(g: Array, axis: int, window: Window, length: int, out: Array | None) -> tuple[Array, bool]:
    """Return where to send `g` back to along an axis of that `length`, and whether each element gets from one window.

    Zeros, but for what every window of a gapless row of them writes anyway.
    """
    if out is None:
        out = np.empty((*g.shape[:axis], length, *g.shape[axis + 1 :]), g.dtype)
    apart = window.stride >= window.reach
    if not (apart and window.stride == window.size and g.shape[axis] * window.size == length):
        out.fill(0)
    return out, apart


def spread_along(g: Array, axis: int, window: Window, index: Array, length: int, out: Array | None = None) -> Array:
    """Send every number of `g` back to the tap that was the largest; the rest of `length` gets zero."""
    out, apart = room_for(g, axis, window, length, out)
    for tap in range(window.size):
        seen = out[along(axis, window.tap(tap, g.shape[axis]))]
        if apart:
            mine = index.view(np.bool_) if window.size == 2 and tap == 1 else index == tap
            if in_short_runs(out, axis):
                whole_pixels(seen)[...] = whole_pixels(g * mine)
            else:
                np.multiply(g, mine, out=seen)
        else:
            seen += g * (index == tap)
    return out


def tap_type(window: Window) -> type[np.uint8] | type[np.uint16]:
    """Return the smallest type that can number the taps of a window."""
    return np.uint8 if window.size <= 256 else np.uint16


def max_pool2d_recording(
    x: Array, *, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair
) -> tuple[Array, tuple[Array, Array]]:
    """The largest number of every window, and which tap it was along the width (N, H, OW, C) and the height."""
    down, right = windows(kernel, stride, padding, dilation)
    last = channels_last(x)
    images, height, width, channels = last.shape
    rows, across = down.positions(height), right.positions(width)
    padded_height = height + down.before + down.after
    out = np.empty((images, rows, across, channels), x.dtype)
    by_width = np.empty((images, padded_height, across, channels), tap_type(right))
    by_height = np.empty(out.shape, tap_type(down))

    def work(start: int, stop: int) -> None:
        padded = pad_last(last[start:stop], down, right, -np.inf)
        middle = max_along(padded, 2, right, by_width[start:stop])
        out[start:stop] = max_along(middle, 1, down, by_height[start:stop])

    by_blocks(work, images, 2 * last[:1].nbytes, seconds=2 * last.nbytes / BYTES_PER_SECOND)
    return to_first(out), (by_width, by_height)


def max_pool2d(x: Array, *, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair) -> Array:
    """The largest number of every window: (N, C, H, W) -> (N, C, OH, OW)."""
    down, right = windows(kernel, stride, padding, dilation)
    last = channels_last(x)
    images, height, width, channels = last.shape
    out = np.empty((images, down.positions(height), right.positions(width), channels), x.dtype)

    def work(start: int, stop: int) -> None:
        padded = pad_last(last[start:stop], down, right, -np.inf)
        out[start:stop] = max_along(max_along(padded, 1, down), 2, right)

    by_blocks(work, images, 2 * last[:1].nbytes, seconds=1.5 * last.nbytes / BYTES_PER_SECOND)
    return to_first(out)


def sum_along(x: Array, axis: int, window: Window) -> Array:
    """Add up every window along one axis of (N, H, W, C)."""
    count = output_count(x.shape[axis], window)
    total = taken(x, axis, window.tap(0, count))
    for tap in range(1, window.size):
        total = np.add(total, taken(x, axis, window.tap(tap, count)), out=None if tap == 1 else total)
    return total


def share_along(g: Array, axis: int, window: Window, length: int) -> Array:
    """Give every number of `g`, contiguous, to all taps of its window: the gradient of `sum_along`."""
    out, apart = room_for(g, axis, window, length, None)
    for tap in range(window.size):
        seen = out[along(axis, window.tap(tap, g.shape[axis]))]
        if not apart:
            seen += g
        elif in_short_runs(out, axis):
            whole_pixels(seen)[...] = whole_pixels(g)
        else:
            seen[...] = g
    return out


def counts_along(length: int, window: Window, padded: Pair, count_padding: bool) -> Array:
    """Return for every place of a window how many elements it averages over.

    Args:
        length: The axis, without padding.
        window: What slides; what it has after the end may exceed what was asked for (`ceil_mode`).
        padded: The padding that was asked for, before and after.
        count_padding: Whether that padding counts as elements; what lies beyond it never does.
    """
    starts = np.arange(window.positions(length)) * window.stride - window.before
    low, high = (-padded[0], length + padded[1]) if count_padding else (0, length)
    return np.minimum(starts + window.size, high) - np.maximum(starts, low)


def divisors(
    shape: tuple[int, ...], down: Window, right: Window, counted: Sides, count_padding: bool, divisor: int | None
) -> Array | int:
    """Return by how much to divide each window's sum of images (N, H, W, C): one number, or (OH, OW, 1)."""
    if divisor is not None:
        return divisor
    high = counts_along(shape[1], down, counted[0], count_padding)
    wide = counts_along(shape[2], right, counted[1], count_padding)
    if high.size and wide.size and (high == high[0]).all() and (wide == wide[0]).all():
        return int(high[0] * wide[0])
    return (high[:, np.newaxis] * wide)[:, :, np.newaxis]


def over_blocks(work: Callable[[int, int], object], images: Array) -> None:
    """Call `work(start, stop)` for blocks of images that fit the cache."""
    by_blocks(work, len(images), 2 * images[:1].nbytes, seconds=1.5 * images.nbytes / BYTES_PER_SECOND)


@widened
def avg_pool2d(
    x: Array, *, kernel: Pair, stride: Pair, padding: Sides, counted: Sides, count_padding: bool, divisor: int | None
) -> Array:
    """The mean of every window: (N, C, H, W) -> (N, C, OH, OW)."""
    down, right = windows(kernel, stride, padding, (1, 1))
    last = channels_last(x)
    by = np.asarray(divisors(last.shape, down, right, counted, count_padding, divisor), x.dtype)
    out = np.empty((len(last), down.positions(x.shape[2]), right.positions(x.shape[3]), x.shape[1]), x.dtype)

    def work(start: int, stop: int) -> None:
        padded = pad_last(last[start:stop], down, right, 0)
        np.divide(sum_along(sum_along(padded, 1, down), 2, right), by, out=out[start:stop])

    over_blocks(work, last)
    return to_first(out)


def bins(length: int, count: int) -> list[tuple[int, int]]:
    """Cut `length` elements into `count` bins as even as they can be; they overlap where it does not divide.

    Example:
        >>> bins(5, 2)
        [(0, 3), (2, 5)]
    """
    return [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]


@widened
def adaptive_avg_pool2d(x: Array, *, size: Pair) -> Array:
    """The mean of every bin of the images, as many as asked for: (N, C, H, W) -> (N, C, *size)."""
    last = channels_last(x)
    if size == (1, 1):
        sums = last.sum(axis=1).sum(axis=1)  # rows first: two short sums round less than a long one
        return to_first((sums / x.dtype.type(max(1, x.shape[2] * x.shape[3])))[:, np.newaxis, np.newaxis])
    out = np.empty((len(x), *size, x.shape[1]), x.dtype)
    for i, (top, bottom) in enumerate(bins(x.shape[2], size[0])):
        for j, (left, right) in enumerate(bins(x.shape[3], size[1])):
            out[:, i, j] = last[:, top:bottom, left:right].mean(axis=(1, 2))
    return to_first(out)


@widened
def unfold(x: Array, *, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair) -> Array:
    """What each place of the window sees, in columns: (N, C, H, W) -> (N, C * KH * KW, OH * OW)."""
    down, right = windows(kernel, stride, padding, dilation)
    padded = np.pad(x, ((0, 0), (0, 0), *padding))
    rows, across = down.positions(x.shape[2]), right.positions(x.shape[3])
    out = np.empty((*x.shape[:2], *kernel, rows, across), x.dtype)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            out[:, :, i, j] = padded[:, :, down.tap(i, rows), right.tap(j, across)]
    return out.reshape(len(x), x.shape[1] * kernel[0] * kernel[1], rows * across)
