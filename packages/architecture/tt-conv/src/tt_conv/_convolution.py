"""Convolution as functions of tensors."""

from __future__ import annotations

from typing import Literal

from tt_tensor import Tensor, TensorLike, applies, as_tensor, expand_dims, squeeze

from tt_conv._check import as_images, check_filters, check_floating
from tt_conv._primitives import conv2d_primitive, unfold_primitive
from tt_conv._window import Padding, Pair, Sides, check_fit, pair, sides, windows


@applies(conv2d_primitive)
def conv2d(
    x: TensorLike,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: Padding = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> Tensor:
    """Slide filters over images: each number of the result is a filter times what it sees, summed.

    Shapes: x (N, C, H, W), weight (O, C / groups, KH, KW), bias (O,) -> (N, O, OH, OW), where
    OH = (H + top + bottom - dilation * (KH - 1) - 1) // stride + 1, and OW alike.

    The result lies channels last in memory (its strides say so), which is how the layers that follow read it fastest.

    Args:
        x: The images.
        weight: The filters. They are not turned round (this is correlation, as everywhere in deep learning).
        bias: One number for each filter, or None.
        stride: How far the window moves, for both axes or as (height, width).
        padding: Zeros around the images: one number, (height, width), ((top, bottom), (left, right)), "same" (the size
            stays; what is odd goes below and to the right) or "valid" (none).
        dilation: How far apart the taps of a filter are.
        groups: Into how many parts channels and filters are cut; a filter sees the channels of its part.

    Returns:
        The images of what each filter found.

    Raises:
        ValueError: If shapes or settings do not fit together.
        TypeError: If `x` holds integers or booleans.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Example:
        >>> edges = Tensor([[[[1.0, -1.0]]]])
        >>> conv2d(Tensor([[[[0.0, 0.0, 5.0, 5.0]]]]), edges).tolist()
        [[[[0.0, -5.0, 0.0]]]]
    """
    images = as_images(x, "conv2d")
    check_filters(images, weight, bias, groups, "conv2d")
    kernel = (weight.shape[2], weight.shape[3])
    steps, apart = pair(stride, "stride"), pair(dilation, "dilation")
    around = sides(padding, kernel, steps, apart)
    check_fit("conv2d", images.shape, *windows(kernel, steps, around, apart))
    inputs = (images, weight) if bias is None else (images, weight, bias)
    return conv2d_primitive(*inputs, stride=steps, padding=around, dilation=apart, groups=groups)


def line_settings(
    kernel: Pair, stride: int, padding: int | tuple[int, int] | Literal["same", "valid"], dilation: int
) -> tuple[Pair, Pair, Sides]:
    """Read stride, dilation and padding along a line as those of an image of height one.

    Raises:
        ValueError: They make no sense, alone or together.
    """
    steps, apart = pair((1, stride), "stride"), pair((1, dilation), "dilation")
    if isinstance(padding, str):
        return steps, apart, sides(padding, kernel, steps, apart)
    return steps, apart, ((0, 0), pair(padding, "padding", 0))


def conv1d(
    x: TensorLike,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int | tuple[int, int] | Literal["same", "valid"] = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """Slide filters along sequences: `conv2d` with a height of one.

    Shapes: x (N, C, L), weight (O, C / groups, K), bias (O,) -> (N, O, OL).

    Args:
        x: The sequences.
        weight: The filters.
        bias: One number for each filter, or None.
        stride: How far the window moves.
        padding: Zeros around the sequences: one number, (before, after), "same" or "valid".
        dilation: How far apart the taps of a filter are.
        groups: Into how many parts channels and filters are cut.

    Returns:
        The sequences of what each filter found.

    Raises:
        ValueError: If shapes or settings do not fit together.
        TypeError: If `x` holds integers or booleans.

    Example:
        >>> conv1d(Tensor([[[1.0, 2.0, 4.0]]]), Tensor([[[-1.0, 1.0]]]), padding=(1, 0)).tolist()
        [[[1.0, 1.0, 2.0]]]
    """
    lines = as_tensor(x)
    if lines.ndim != 3:
        raise ValueError(f"conv1d wants sequences of shape (N, C, L), but received the shape {lines.shape}")
    check_floating(lines, "conv1d")
    check_filters(lines, weight, bias, groups, "conv1d")
    images, kernel = expand_dims(lines, 2), (1, weight.shape[2])
    steps, apart, around = line_settings(kernel, stride, padding, dilation)
    check_fit("conv1d", images.shape, *windows(kernel, steps, around, apart))
    return squeeze(conv2d(images, expand_dims(weight, 2), bias, steps, around, apart, groups), 2)


@applies(unfold_primitive)
def unfold(
    x: TensorLike,
    kernel_size: int | tuple[int, int],
    dilation: int | tuple[int, int] = 1,
    padding: Padding = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """Lay out what a sliding window sees, each place in a column.

    Shapes: x (N, C, H, W) -> (N, C * KH * KW, OH * OW).

    Args:
        x: The images.
        kernel_size: The window, (height, width) or one number for both.
        dilation: How far apart its taps are.
        padding: Zeros around the images, as in `conv2d`.
        stride: How far the window moves.

    Returns:
        The columns, places in reading order; within a column channels first, then rows, then pixels.

    Raises:
        ValueError: If shapes or settings do not fit together.
        TypeError: If `x` holds integers or booleans.

    Example:
        >>> unfold(Tensor([[[[1.0, 2.0, 3.0]]]]), (1, 2)).tolist()
        [[[1.0, 2.0], [2.0, 3.0]]]
    """
    images = as_images(x, "unfold")
    kernel, steps = pair(kernel_size, "kernel_size"), pair(stride, "stride")
    apart = pair(dilation, "dilation")
    around = sides(padding, kernel, steps, apart)
    check_fit("unfold", images.shape, *windows(kernel, steps, around, apart))
    return unfold_primitive(images, kernel=kernel, stride=steps, padding=around, dilation=apart)
