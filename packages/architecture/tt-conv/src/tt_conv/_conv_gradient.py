"""The gradient of convolution: again a convolution, of the gradient with the filters turned round."""

from __future__ import annotations

import numpy as np
from tt_autograd import Spec, defvjp
from tt_tensor import Array, as_matrix, column_sums, scratch, split_work

from tt_conv._bands import cut_rows, gradient_by_bands
from tt_conv._blocks import Block, columns_of, cut, pad_block, product
from tt_conv._depthwise import depthwise_input, depthwise_weight, sum_of_parts
from tt_conv._groups import join_groups, part_groups
from tt_conv._im2col import col2im, col2im_by_places, filter_matrices
from tt_conv._precision import same_type
from tt_conv._primitives import conv2d_primitive
from tt_conv._window import (
    Pair,
    Sides,
    Window,
    channels_last,
    inside,
    padded_shape,
    reversed_window,
    to_first,
    to_last,
    windows,
)
from tt_conv._work import product_seconds

Both = tuple[Array | None, Array | None]

# Pairs of numbers that are multiplied, for both gradients, while one number is copied into columns; how many copies it
# costs to add one back to its image. Measured for 16 to 128 channels and images of 5 x 5 to 32 x 32.
PRODUCTS_PER_COPY, ADD_BACK = 10, 2
# Below so many channels the products of turned filters are too narrow for a processor's full speed.
FEW_CHANNELS = 16


def turned(weight: Array, groups: int) -> Array:
    """Turn the filters round, and swap what goes in with what comes out.

    Shapes: weight (O, C / groups, KH, KW) -> (C, O / groups, KH, KW).

    Example:
        >>> turned(np.arange(4.0).reshape(1, 1, 2, 2), 1)[0, 0].tolist()
        [[3.0, 2.0], [1.0, 0.0]]
    """
    filters, channels, high, wide = weight.shape
    apart = weight.reshape(groups, filters // groups, channels, high, wide)[..., ::-1, ::-1]
    return apart.swapaxes(1, 2).reshape(groups * channels, filters // groups, high, wide)


def turning_pays(
    g: tuple[int, ...], x: tuple[int, ...], weight: tuple[int, ...], down: Window, right: Window, groups: int
) -> bool:
    """Estimate whether columns of the gradient are cheaper than those of the input; windows must move by one for it.

    Shapes: those of g (N, OH, OW, O), x (N, H, W, C) and weight (O, C / groups, KH, KW).

    Columns of the gradient stand at each place of the input, those of the input at each place of the result: where a
    window shrinks the image much, the former are many more.
    """
    if not all(window.stride == 1 and window.reach > max(window.before, window.after) for window in (down, right)):
        return False
    filters, channels = weight[0] // groups, weight[1]
    products = filters * channels / PRODUCTS_PER_COPY
    by_turning = x[1] * x[2] * (filters + products)
    by_columns = g[1] * g[2] * (channels + ADD_BACK * channels + products)
    return channels >= FEW_CHANNELS and by_turning < by_columns


def gradient_by_turning(
    g: Array, x: Array, weight: Array, down: Window, right: Window, groups: int, needs: tuple[bool, bool]
) -> Both:
    """Gradients of a convolution of stride 1, from the columns of the gradient.

    Shapes: g (N, OH, OW, O), x (N, H, W, C) -> (N, H, W, C) and (O, C / groups, KH, KW).

    One set of columns serves both: times the turned filters it is the input's gradient, and the input times it is that
    of the (turned) filters.
    """
    back_down, back_right = reversed_window(down), reversed_window(right)
    matrices = filter_matrices(turned(weight, groups), groups)  # (groups, KH * KW * O / groups, C / groups)
    images, rows, across, channels = x.shape
    of_x = np.empty(x.shape, x.dtype) if needs[0] else None
    parts = {-1: np.zeros(matrices.shape, x.dtype)}
    blocks = cut(images, rows, across * groups * matrices.shape[1] * x.itemsize)

    def work(start: int, stop: int) -> None:
        total = np.zeros_like(parts[-1])
        for block in blocks[start:stop]:
            columns = columns_of(pad_block(g, block, back_down, back_right, "padded"), back_down, back_right, groups)
            if of_x is not None:
                target = of_x[block.first : block.last, block.top : block.bottom]
                product(columns, matrices, target.reshape(-1, channels))
            if needs[1]:
                add_product(columns.transpose(0, 2, 1), rows_of(x, block, groups), total)
        parts[start] = total

    count = images * rows * across * groups * matrices.shape[1]
    split_work(work, len(blocks), seconds=product_seconds(count, sum(needs) * matrices.shape[2], x.itemsize))
    if not needs[1]:
        return of_x, None
    filters, each, high, wide = weight.shape
    total = sum_of_parts(parts).reshape(groups, high, wide, filters // groups, each)[:, ::-1, ::-1]
    return of_x, np.ascontiguousarray(total.transpose(0, 3, 4, 1, 2).reshape(weight.shape))


def rows_of(array: Array, block: Block, groups: int) -> Array:
    """Return a block of images (N, H, W, C) as one matrix for each group, (groups, rows, C / groups)."""
    part = array[block.first : block.last, block.top : block.bottom]
    if not part.flags.c_contiguous:
        copy = scratch("tt_conv.rows", part.shape, part.dtype)
        np.copyto(copy, part)
        part = copy
    return part.reshape(-1, groups, part.shape[3] // groups).transpose(1, 0, 2)


def add_product(a: Array, b: Array, total: Array) -> None:
    """Add `a @ b`, matrices for each group, to `total`."""
    result = scratch("tt_conv.product", total.shape, total.dtype)
    if len(a) == 1:
        np.matmul(a[0], b[0], out=result[0])
    else:
        np.matmul(a, b, out=result)
    total += result


def gradient_by_columns(
    g: Array, x: Array, weight: Array, down: Window, right: Window, groups: int, needs: tuple[bool, bool]
) -> Both:
    """Gradients of any convolution, from the columns of its input: `columns.T @ g`, and `g @ filters.T` added back.

    Shapes: g (N, OH, OW, O), x (N, H, W, C) -> (N, H, W, C) and (O, C / groups, KH, KW).
    """
    matrices = filter_matrices(weight, groups)  # (groups, KH * KW * C / groups, O / groups)
    images, rows, across, _ = g.shape
    of_x = np.empty(x.shape, x.dtype) if needs[0] else None
    parts = {-1: np.zeros(matrices.shape, x.dtype)}
    row_bytes = across * groups * matrices.shape[1] * x.itemsize
    # What goes back to an image comes from all of its rows: so no bands then.
    blocks = cut(images, rows, row_bytes, whole=needs[0])

    def work(start: int, stop: int) -> None:
        total = np.zeros_like(parts[-1])
        for block in blocks[start:stop]:
            back = rows_of(g, block, groups)
            if needs[1]:
                columns = columns_of(pad_block(x, block, down, right, "padded"), down, right, groups)
                add_product(columns.transpose(0, 2, 1), back, total)
            if of_x is not None:
                send_back(back, matrices, of_x[block.first : block.last], down, right)
        parts[start] = total

    count = images * rows * across * groups * matrices.shape[1]
    split_work(work, len(blocks), seconds=product_seconds(count, sum(needs) * matrices.shape[2], x.itemsize))
    if not needs[1]:
        return of_x, None
    filters, each, high, wide = weight.shape
    total = sum_of_parts(parts).reshape(groups, high, wide, each, filters // groups)
    return of_x, np.ascontiguousarray(total.transpose(0, 4, 3, 1, 2).reshape(weight.shape))


def send_back(back: Array, matrices: Array, target: Array, down: Window, right: Window) -> None:
    """Write the gradient of some images (n, H, W, C): `back @ matrices.T`, added to where the columns came from."""
    columns = scratch("tt_conv.columns", (*back.shape[:2], matrices.shape[1]), back.dtype)
    np.matmul(back, matrices.transpose(0, 2, 1), out=columns)
    padded = scratch("tt_conv.padded", padded_shape(target.shape, down, right), target.dtype)
    padded.fill(0)
    few = len(back) == 1 and right.dilation == 1 and target.shape[3] < 16 and target.shape[2] <= 64
    (col2im_by_places if few else col2im)(columns, padded, down, right)
    target[...] = inside(padded, target.shape, down, right)


def matrix_gradients(
    g: Array, x: Array, weight: Array, down: Window, right: Window, groups: int, needs: tuple[bool, bool]
) -> Both:
    """Gradients of a convolution by matrix products, in whichever way takes less work.

    Shapes: g (N, OH, OW, O), x (N, H, W, C) -> (N, H, W, C) and (O, C / groups, KH, KW).
    """
    joined, left = weight, groups
    # The images' gradient is a product with the joined filters' zeros; of the filters', zeros' part is thrown away.
    if groups > 1 and (not needs[0] or np.isfinite(g).all()):
        joined, left = join_groups(weight, groups)
    turns = needs[0] and turning_pays(g.shape, x.shape, joined.shape, down, right, left)
    method = gradient_by_turning if turns else gradient_by_columns
    of_x, of_weight = method(g, x, joined, down, right, left, needs)
    return of_x, None if of_weight is None else part_groups(of_weight, weight.shape, groups)


def conv2d_gradient(
    g: Array,
    _out: Spec,
    x: Array,
    weight: Array,
    _bias: Spec | None = None,
    *,
    needs: tuple[bool, ...],
    stride: Pair,
    padding: Sides,
    dilation: Pair,
    groups: int,
) -> tuple[Array | None, ...]:
    """Gradients of a convolution for its images, filters and bias, whichever are needed."""
    g, x, weight = same_type(g, x, weight)
    down, right = windows((weight.shape[2], weight.shape[3]), stride, padding, dilation)
    back = channels_last(g)
    images = to_last(x)
    bands = cut_rows(x.shape, weight, down, right, groups)
    if bands is not None and needs[0] and not np.isfinite(back).all():
        bands = None  # its zeros would make NaN of what they do not see; the filters' gradient reads nothing there
    of_x: Array | None = None
    of_weight: Array | None = None
    if groups > 1 and groups == x.shape[1] == weight.shape[0]:
        of_x = depthwise_input(back, images.shape, weight, down, right) if needs[0] else None
        of_weight = depthwise_weight(back, channels_last(x), down, right) if needs[1] else None
    elif bands is not None and (needs[0] or needs[1]):
        of_x, of_weight = gradient_by_bands(back, channels_last(x), weight, down, right, bands, (needs[0], needs[1]))
    elif needs[0] or needs[1]:
        of_x, of_weight = matrix_gradients(back, images, weight, down, right, groups, (needs[0], needs[1]))
    of_bias = column_sums(as_matrix(back)) if needs[2:] == (True,) else None
    return (None if of_x is None else to_first(of_x), of_weight, of_bias)[: len(needs)]


defvjp(conv2d_primitive, joint=conv2d_gradient)
