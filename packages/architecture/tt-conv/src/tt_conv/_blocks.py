"""Convolution block by block: columns of about a megabyte, that never leave the processor's cache."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from tt_tensor import Array, scratch, split_work

from tt_conv._depthwise import conv2d_depthwise
from tt_conv._groups import join_groups
from tt_conv._im2col import filter_matrices, grouped_patches
from tt_conv._precision import widened
from tt_conv._window import Pair, Sides, Window, channels_last, to_first, to_last, windows
from tt_conv._work import BLOCK, product_seconds


class Block(NamedTuple):
    """Rows `top` to `bottom` of the results of images `first` to `last`."""

    first: int
    last: int
    top: int
    bottom: int


def cut(images: int, rows: int, row_bytes: int, *, whole: bool = False) -> list[Block]:
    """Cut the results into blocks of whole images, or bands of one image, whose columns take about `BLOCK` bytes.

    With `whole`, images are never cut into bands, however large.

    Example:
        >>> cut(4, 32, BLOCK // 64)
        [Block(first=0, last=2, top=0, bottom=32), Block(first=2, last=4, top=0, bottom=32)]
    """
    image_bytes = max(1, rows * row_bytes)
    if image_bytes > 2 * BLOCK and not whole:
        bands = min(rows, math.ceil(image_bytes / BLOCK))
        edges = [rows * band // bands for band in range(bands + 1)]
        return [Block(image, image + 1, top, bottom) for image in range(images) for top, bottom in pairwise(edges)]
    count = math.ceil(images / max(1, BLOCK // image_bytes))
    count += count > 1 and count % 2  # two threads get the same number
    count = min(count, images)
    edges = [images * part // count for part in range(count + 1)] if count else [0]
    return [Block(first, last, 0, rows) for first, last in pairwise(edges)]


def pad_block(x: Array, block: Block, down: Window, right: Window, name: str) -> Array:
    """Return what a block's windows see of images (N, H, W, C), zeros around, channels contiguous.

    A view where there is nothing to add and nothing to move; else in the scratch memory called `name`.
    """
    top = block.top * down.stride - down.before  # in rows of x, perhaps before the first
    bottom = (block.bottom - 1) * down.stride + down.reach - down.before
    first = min(max(top, 0), x.shape[1])
    last = max(first, min(bottom, x.shape[1]))
    inside = x[block.first : block.last, first:last]
    plain = top >= 0 and bottom <= x.shape[1] and not (right.before or right.after)
    if plain and inside.strides[3] == x.itemsize:
        return inside
    width = x.shape[2] + right.before + right.after
    padded = scratch(f"tt_conv.{name}", (block.last - block.first, bottom - top, width, x.shape[3]), x.dtype)
    start = max(0, first - top)
    kept = slice(start, start + last - first)
    padded[:, : kept.start] = 0
    padded[:, kept.stop :] = 0
    padded[:, kept, : right.before] = 0
    padded[:, kept, width - right.after :] = 0
    padded[:, kept, right.before : width - right.after] = inside
    return padded


def columns_of(padded: Array, down: Window, right: Window, groups: int) -> Array:
    """Return the columns of a padded block, (groups, rows, KH * KW * C / groups), in scratch memory."""
    seen = grouped_patches(padded, down, right, groups)  # (groups, N, OH, OW, KH, KW, C / groups)
    _, images, rows, across, high, wide, each = seen.shape
    count = images * rows * across
    if high == wide == groups == 1:
        return seen.reshape(1, count, each)  # a view, if the images lie one after another
    if groups == 1 and wide * each < min(24, across):
        # Short runs would cost more than the copying: so each tap is a row, copied in runs of the image's width.
        turned = scratch("tt_conv.columns", (high, wide, each, images, rows, across), padded.dtype)
        np.copyto(turned, seen[0].transpose(3, 4, 5, 0, 1, 2))
        return turned.reshape(1, high * wide * each, count).transpose(0, 2, 1)
    columns = scratch("tt_conv.columns", seen.shape, padded.dtype)
    np.copyto(columns, seen)
    return columns.reshape(groups, count, high * wide * each)


def convolve(x: Array, matrices: Array, down: Window, right: Window, bias: Array | None = None) -> Array:
    """Convolve images (N, H, W, C) with filters (groups, KH * KW * C / groups, O / groups) -> (N, OH, OW, O)."""
    groups, taps, filters = matrices.shape
    rows, across = down.positions(x.shape[1]), right.positions(x.shape[2])
    out = np.empty((len(x), rows, across, groups * filters), x.dtype)
    blocks = cut(len(x), rows, across * groups * taps * x.itemsize)

    def work(start: int, stop: int) -> None:
        for block in blocks[start:stop]:
            columns = columns_of(pad_block(x, block, down, right, "padded"), down, right, groups)
            target = out[block.first : block.last, block.top : block.bottom].reshape(-1, groups * filters)
            product(columns, matrices, target)
            if bias is not None:
                target += bias

    count = len(x) * rows * across * groups * taps
    split_work(work, len(blocks), seconds=product_seconds(count, filters, x.itemsize))
    return out


def product(columns: Array, matrices: Array, out: Array) -> None:
    """Write `columns @ matrices` of every group beside each other: (groups, rows, K) @ (groups, K, O') -> (rows, O)."""
    groups, _, filters = matrices.shape
    if groups == 1:
        np.matmul(columns[0], matrices[0], out=out)
    else:
        np.matmul(columns, matrices, out=out.reshape(-1, groups, filters).transpose(1, 0, 2))


@widened
def conv2d_blocks(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Sides = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Convolve block by block; the result lies channels last in memory.

    Shapes: x (N, C, H, W), weight (O, C / groups, KH, KW), bias (O,) -> (N, O, OH, OW).
    """
    down, right = windows((weight.shape[2], weight.shape[3]), stride, padding, dilation)
    last = to_last(x)
    if groups > 1 and groups == x.shape[1] == weight.shape[0]:
        return to_first(conv2d_depthwise(channels_last(x), weight, bias, down, right))
    if groups > 1 and np.isfinite(x).all():  # zeros would make NaN of what another group holds
        weight, groups = join_groups(weight, groups)
    return to_first(convolve(last, filter_matrices(weight, groups), down, right, bias))
