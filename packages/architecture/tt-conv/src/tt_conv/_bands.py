"""Convolution of whole rows: a band matrix says what one row of pixels does to one row of results.

For few filters. The band holds many zeros, so more is multiplied than need be; but pixels are copied in longer runs and
less often, and the products are wide ones, which a processor does at its full speed. Only they are split over threads:
for less than a millisecond of work, handing Python's lock to and fro costs more than the second thread brings.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from tt_tensor import Array, matrix_product, scratch

from tt_conv._blocks import conv2d_blocks, cut, pad_block
from tt_conv._precision import widened
from tt_conv._window import Pair, Sides, Window, channels_last, inside, padded_shape, to_first, windows

# Below so many rows of results, making the band matrix costs more than it saves.
_FEWEST_ROWS = 128
# How many of the usual blocks are worked on at once: larger products gain more than a smaller cache loses.
_BLOCKS = 4
# Up to so many filters the columns of a window make a product too narrow for a processor's full speed, which it has
# from about `_WIDE` on; beyond `_WIDEST` the band is mostly zeros. Measured with the layers of LeNet and their like.
_FEW_FILTERS, _WIDE, _WIDEST = 16, 64, 256


class Bands(NamedTuple):
    """How rows are cut: `places` neighbouring results in each part, of which there are `parts` in a row."""

    places: int
    parts: int

    def span(self, right: Window) -> int:
        """How many pixels of a row a part is made of."""
        return (self.places - 1) * right.stride + right.reach


def diagonals(bands: Array, right: Window) -> Array:
    """View where the taps stand in band matrices: at each place of the window, on its diagonal.

    Shapes: bands (KH, span, C, places, O) -> (KH, places, KW, C, O), a view to write to.

    Example:
        >>> bands = np.zeros((1, 4, 1, 2, 1))
        >>> diagonals(bands, Window(3, 1, 1, 0, 0))[...] = np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1)
        >>> bands[0, :, 0, :, 0].T.tolist()
        [[1.0, 2.0, 3.0, 0.0], [0.0, 1.0, 2.0, 3.0]]
    """
    high, _, channels, places, filters = bands.shape
    row, pixel, channel, place, number = bands.strides
    return as_strided(
        bands,
        (high, places, right.size, channels, filters),
        (row, pixel * right.stride + place, pixel * right.dilation, channel, number),
    )


def band_matrix(weight: Array, right: Window, bands: Bands) -> Array:
    """Return the filters as one matrix from rows of pixels to the results of a part.

    Shapes: weight (O, C, KH, KW) -> (KH * span * C, places * O).
    """
    filters, channels, high, _ = weight.shape
    matrix = np.zeros((high, bands.span(right), channels, bands.places, filters), weight.dtype)
    diagonals(matrix, right)[...] = weight.transpose(2, 3, 1, 0)[:, np.newaxis]
    return matrix.reshape(-1, bands.places * filters)


def rows_seen(padded: Array, down: Window, right: Window, bands: Bands) -> Array:
    """Copy the pixels that each part of each row of results is made of.

    Shapes: padded (n, H, W, C) -> (n * OH * parts, KH * span * C), in scratch memory.
    """
    images, height, _, channels = padded.shape
    image, row, pixel, number = padded.strides
    rows = (height - down.reach) // down.stride + 1
    shape = (images, rows, bands.parts, down.size, bands.span(right) * channels)
    strides = (image, row * down.stride, pixel * right.stride * bands.places, row * down.dilation, number)
    columns = scratch("tt_conv.columns", shape, padded.dtype)
    np.copyto(columns, as_strided(padded, shape, strides))
    return columns.reshape(images * rows * bands.parts, -1)


def add_rows_back(columns: Array, padded: Array, down: Window, right: Window, bands: Bands) -> None:
    """Add every row back to where `rows_seen` read it; `columns` as that made them, `padded` (n, H, W, C)."""
    images, height, _, channels = padded.shape
    rows, span = (height - down.reach) // down.stride + 1, bands.span(right)
    taps = columns.reshape(images, rows, bands.parts, down.size, span, channels)
    for i in range(down.size):
        for part in range(bands.parts):
            start = part * bands.places * right.stride
            seen = padded[:, down.tap(i, rows), start : start + span]
            seen += taps[:, :, part, i]


def cut_rows(shape: tuple[int, ...], weight: Array, down: Window, right: Window, groups: int) -> Bands | None:
    """Return the bands for images of that `shape` (N, C, H, W), or None where columns of the window are quicker.

    The longer a part, the longer are the runs that are copied and the wider the products, but the more of the matrix
    is zeros: so the shortest part that is wide enough.
    """
    filters, places = len(weight), right.positions(shape[3])
    if groups > 1 or right.size == 1 or filters > _FEW_FILTERS or shape[0] * down.positions(shape[2]) < _FEWEST_ROWS:
        return None
    lengths = (n for n in range(2, places) if places % n == 0 and n * filters >= _WIDE)
    length = next(lengths, places)
    return Bands(length, places // length) if length > 1 and length * filters <= _WIDEST else None


@widened
def conv2d_bands(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Sides = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Convolve row by row where that is quicker, else block by block; the result lies channels last in memory.

    Shapes: x (N, C, H, W), weight (O, C / groups, KH, KW), bias (O,) -> (N, O, OH, OW).
    """
    down, right = windows((weight.shape[2], weight.shape[3]), stride, padding, dilation)
    bands = cut_rows(x.shape, weight, down, right, groups)
    if bands is None or not np.isfinite(x).all():  # the zeros of the band would make NaN of what they do not see
        arrays = (x, weight) if bias is None else (x, weight, bias)
        return conv2d_blocks(*arrays, stride=stride, padding=padding, dilation=dilation, groups=groups)
    images = channels_last(x)
    matrix = band_matrix(weight, right, bands)
    rows, places = down.positions(x.shape[2]), right.positions(x.shape[3])
    out = np.empty((len(x), rows, places, len(weight)), x.dtype)
    shift = None if bias is None else np.tile(bias, places)
    for block in cut(len(x), rows, bands.parts * len(matrix) * x.itemsize // _BLOCKS):
        columns = rows_seen(pad_block(images, block, down, right, "padded"), down, right, bands)
        target = out[block.first : block.last, block.top : block.bottom]
        matrix_product(columns, matrix, target.reshape(len(columns), -1))
        if shift is not None:
            lines = target.reshape(-1, len(shift))
            lines += shift
    return to_first(out)


def gradient_by_bands(
    g: Array, x: Array, weight: Array, down: Window, right: Window, bands: Bands, needs: tuple[bool, bool]
) -> tuple[Array | None, Array | None]:
    """Gradients of a convolution without groups, by the same matrix.

    Shapes: g (N, OH, OW, O) and x (N, H, W, C), both contiguous -> (N, H, W, C) and (O, C, KH, KW). Where `x` needs a
    gradient, `g` must be finite.
    """
    filters, channels, high, _ = weight.shape
    matrix = band_matrix(weight, right, bands)
    of_x = np.empty(x.shape, x.dtype) if needs[0] else None
    total = np.zeros(matrix.shape, x.dtype)
    # What goes back to an image comes from all of its rows: so no part of an image then.
    for block in cut(len(x), g.shape[1], bands.parts * len(matrix) * x.itemsize // _BLOCKS, whole=needs[0]):
        back = g[block.first : block.last, block.top : block.bottom].reshape(-1, matrix.shape[1])
        if needs[1]:
            columns = rows_seen(pad_block(x, block, down, right, "padded"), down, right, bands)
            total += matrix_product(columns.T, back, scratch("tt_conv.product", matrix.shape, x.dtype))
        if of_x is not None:
            columns = scratch("tt_conv.columns", (len(back), len(matrix)), x.dtype)
            matrix_product(back, matrix.T, columns)
            part = of_x[block.first : block.last]
            padded = scratch("tt_conv.padded", padded_shape(part.shape, down, right), x.dtype)
            padded.fill(0)
            add_rows_back(columns, padded, down, right, bands)
            part[...] = inside(padded, part.shape, down, right)
    if not needs[1]:
        return of_x, None
    by_place = diagonals(total.reshape(high, -1, channels, bands.places, filters), right)
    return of_x, np.ascontiguousarray(by_place.sum(axis=1).transpose(3, 2, 0, 1))
