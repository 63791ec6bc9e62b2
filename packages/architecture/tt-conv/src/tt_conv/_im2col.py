"""Convolution as one matrix product: every place of the window becomes a row.

Images are channels last in here, (N, H, W, C): then a window's row of pixels is one run of memory.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from tt_tensor import Array

from tt_conv._precision import widened
from tt_conv._window import Pair, Sides, Window, to_first, to_last, windows


def grouped_patches(padded: Array, down: Window, right: Window, groups: int) -> Array:
    """View what the window sees at each of its places, for each group of channels, copying nothing.

    Shapes: padded (N, H, W, C) -> (groups, N, OH, OW, KH, KW, C / groups), not to be written to: windows overlap.

    Example:
        >>> image = np.arange(9.0).reshape(1, 3, 3, 1)
        >>> seen = grouped_patches(image, Window(2, 1, 1, 0, 0), Window(2, 1, 1, 0, 0), groups=1)
        >>> seen[0, 0, 1, 1, :, :, 0].tolist()
        [[4.0, 5.0], [7.0, 8.0]]
    """
    images, height, width, channels = padded.shape
    n, h, w, c = padded.strides
    rows = (height - down.reach) // down.stride + 1
    columns = (width - right.reach) // right.stride + 1
    each = channels // groups
    return as_strided(
        padded,
        (groups, images, rows, columns, down.size, right.size, each),
        (each * c, n, h * down.stride, w * right.stride, h * down.dilation, w * right.dilation, c),
    )


def im2col(padded: Array, down: Window, right: Window, groups: int = 1) -> Array:
    """Copy what the window sees at each of its places into a row of a matrix, one matrix for each group of channels.

    Shapes: padded (N, H, W, C) -> (groups, N * OH * OW, KH * KW * C / groups).

    Example:
        >>> image = np.arange(9.0).reshape(1, 3, 3, 1)
        >>> im2col(image, Window(2, 1, 1, 0, 0), Window(2, 1, 1, 0, 0))[0, -1].tolist()
        [4.0, 5.0, 7.0, 8.0]
    """
    seen = grouped_patches(padded, down, right, groups)
    _, images, rows, columns, high, wide, each = seen.shape
    return seen.reshape(groups, images * rows * columns, high * wide * each)


def col2im(columns: Array, padded: Array, down: Window, right: Window) -> None:
    """Add every row back to where `im2col` read it: a pixel receives from every window that saw it.

    Shapes: columns (groups, N * OH * OW, KH * KW * C / groups), padded (N, H, W, C), which is added to.

    Example:
        >>> image = np.zeros((1, 3, 3, 1))
        >>> col2im(np.ones((1, 4, 4)), image, Window(2, 1, 1, 0, 0), Window(2, 1, 1, 0, 0))
        >>> image[0, :, :, 0].tolist()
        [[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]
    """
    images, height, width, channels = padded.shape
    rows, across = (height - down.reach) // down.stride + 1, (width - right.reach) // right.stride + 1
    groups, each = len(columns), channels // len(columns)
    taps = columns.reshape(groups, images, rows, across, down.size, right.size, each)
    target = padded.reshape(images, height, width, groups, each)
    for i in range(down.size):
        for j in range(right.size):
            seen = target[:, down.tap(i, rows), right.tap(j, across)]  # (N, OH, OW, groups, C / groups)
            seen += taps[:, :, :, :, i, j].transpose(1, 2, 3, 0, 4)


def col2im_by_places(columns: Array, padded: Array, down: Window, right: Window) -> None:
    """Do what `col2im` does, a place of the window at a time: longer runs where there are few channels.

    For one group, and windows without holes along the width.
    """
    images, height, width, channels = padded.shape
    rows, across = (height - down.reach) // down.stride + 1, (width - right.reach) // right.stride + 1
    run = right.size * channels
    taps = columns.reshape(images, rows, across, down.size, run)
    target = padded.reshape(images, height, width * channels)
    for i in range(down.size):
        for place in range(across):
            start = place * right.stride * channels
            seen = target[:, down.tap(i, rows), start : start + run]  # (N, OH, KW * C)
            seen += taps[:, :, place, i]


def filter_matrices(weight: Array, groups: int) -> Array:
    """Return the filters as one matrix for each group, a filter in each column.

    Shapes: weight (O, C / groups, KH, KW) -> (groups, KH * KW * C / groups, O / groups).
    """
    filters, channels, high, wide = weight.shape
    apart = weight.reshape(groups, filters // groups, channels, high, wide)
    return apart.transpose(0, 3, 4, 2, 1).reshape(groups, high * wide * channels, filters // groups)


@widened
def conv2d_im2col(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Sides = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Convolve by one matrix product (for each group), over the columns of all images at once.

    Shapes: x (N, C, H, W), weight (O, C / groups, KH, KW), bias (O,) -> (N, O, OH, OW).
    """
    down, right = windows((weight.shape[2], weight.shape[3]), stride, padding, dilation)
    padded = np.pad(to_last(x), ((0, 0), *padding, (0, 0)))
    out = im2col(padded, down, right, groups) @ filter_matrices(weight, groups)  # (groups, N * OH * OW, O / groups)
    rows = out.transpose(1, 0, 2).reshape(
        len(x), down.positions(x.shape[2]), right.positions(x.shape[3]), weight.shape[0]
    )
    return to_first(rows if bias is None else rows + bias)
