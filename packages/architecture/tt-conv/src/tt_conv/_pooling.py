"""Pooling as functions of tensors."""

from __future__ import annotations

from tt_tensor import Tensor, TensorLike, applies

from tt_conv._check import as_images
from tt_conv._primitives import adaptive_avg_pool2d_primitive, avg_pool2d_primitive, max_pool2d_primitive
from tt_conv._window import Padding, Pair, Sides, Window, check_fit, pair, sides, windows


def extended(window: Window, length: int) -> Pair:
    """Return the padding before and after with which a last, partial window fits too (`ceil_mode`).

    It must still begin within the axis or the padding before it, as in PyTorch. Where not even one does, nothing is
    added.

    Example:
        >>> extended(Window(2, 2, 1, 0, 0), 5)
        (0, 1)
    """
    room = length + window.before + window.after - window.reach
    last = -(-room // window.stride)
    if last * window.stride >= length + window.before:
        last -= 1
    if last < 0:
        return window.before, window.after
    return window.before, max(window.after, last * window.stride + window.reach - length - window.before)


def pool_settings(
    name: str,
    shape: tuple[int, ...],
    kernel_size: int | Pair,
    stride: int | Pair | None,
    padding: Padding,
    dilation: int | Pair,
    ceil_mode: bool,
) -> tuple[Pair, Pair, Pair, Sides, Sides]:
    """Read the settings of a pooling: kernel, stride, dilation, the padding asked for, and that of `ceil_mode`.

    Raises:
        ValueError: They make no sense, alone or together.
    """
    kernel = pair(kernel_size, "kernel_size")
    steps = kernel if stride is None else pair(stride, "stride")
    apart = pair(dilation, "dilation")
    around = sides(padding, kernel, steps, apart)
    for side, size in zip(around, kernel, strict=True):
        if max(side) > size // 2:
            raise ValueError(f"{name}: padding must be at most half of the kernel, but received {padding} for {kernel}")
    down, right = windows(kernel, steps, around, apart)
    reached = (extended(down, shape[2]), extended(right, shape[3])) if ceil_mode else around
    check_fit(name, shape, *windows(kernel, steps, reached, apart))
    return kernel, steps, apart, around, reached


@applies(max_pool2d_primitive)
def max_pool2d(
    x: TensorLike,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: Padding = 0,
    dilation: int | tuple[int, int] = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Take the largest number that a sliding window sees, channel by channel.

    Shapes: x (N, C, H, W) -> (N, C, OH, OW).

    Of equals, the first in reading order receives the gradient. NaN is larger than all.

    Args:
        x: The images.
        kernel_size: The window, (height, width) or one number for both.
        stride: How far it moves; as far as it is large without it.
        padding: What surrounds the images counts as minus infinity; at most half of the window.
        dilation: How far apart the taps of the window are.
        ceil_mode: Whether a last window that only partly fits counts.

    Returns:
        The largest of every window.

    Raises:
        ValueError: If shapes or settings do not fit together.
        TypeError: If `x` holds integers or booleans.

    Example:
        >>> max_pool2d(Tensor([[[[1.0, 2.0], [4.0, 3.0]]]]), 2).tolist()
        [[[[4.0]]]]
    """
    images = as_images(x, "max_pool2d")
    kernel, steps, apart, _, around = pool_settings(
        "max_pool2d", images.shape, kernel_size, stride, padding, dilation, ceil_mode
    )
    return max_pool2d_primitive(images, kernel=kernel, stride=steps, padding=around, dilation=apart)


@applies(avg_pool2d_primitive)
def avg_pool2d(
    x: TensorLike,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Take the mean of what a sliding window sees, channel by channel.

    Shapes: x (N, C, H, W) -> (N, C, OH, OW).

    Args:
        x: The images.
        kernel_size: The window, (height, width) or one number for both.
        stride: How far it moves; as far as it is large without it.
        padding: Zeros around the images; at most half of the window.
        ceil_mode: Whether a last window that only partly fits counts. It divides by what it does see.
        count_include_pad: Whether padding counts when dividing.
        divisor_override: What to divide by instead.

    Returns:
        The mean of every window.

    Raises:
        ValueError: If shapes or settings do not fit together.
        TypeError: If `x` holds integers or booleans.

    Example:
        >>> avg_pool2d(Tensor([[[[1.0, 2.0], [4.0, 3.0]]]]), 2).tolist()
        [[[[2.5]]]]
    """
    images = as_images(x, "avg_pool2d")
    kernel, steps, _, counted, around = pool_settings(
        "avg_pool2d", images.shape, kernel_size, stride, padding, 1, ceil_mode
    )
    if divisor_override is not None and divisor_override == 0:
        raise ValueError("avg_pool2d cannot divide by divisor_override=0; leave it out to divide by the window's size")
    return avg_pool2d_primitive(
        images,
        kernel=kernel,
        stride=steps,
        padding=around,
        counted=counted,
        count_padding=count_include_pad,
        divisor=divisor_override,
    )


@applies(adaptive_avg_pool2d_primitive)
def adaptive_avg_pool2d(x: TensorLike, output_size: int | tuple[int, int]) -> Tensor:
    """Cut images into so many bins and take the mean of each, whatever their size.

    Shapes: x (N, C, H, W) -> (N, C, *output_size).

    Args:
        x: The images.
        output_size: The number of bins, (down, across) or one number for both. Bin i goes from floor(i H / bins) to
            ceil((i + 1) H / bins), so bins overlap where their number does not divide the size.

    Returns:
        The mean of every bin.

    Raises:
        ValueError: If a size is not positive, or the images are empty.
        TypeError: If `x` holds integers or booleans.

    Example:
        >>> adaptive_avg_pool2d(Tensor([[[[1.0, 2.0, 3.0]]]]), (1, 2)).tolist()
        [[[[1.5, 2.5]]]]
    """
    images = as_images(x, "adaptive_avg_pool2d")
    if 0 in images.shape[2:]:
        raise ValueError(f"adaptive_avg_pool2d has nothing to average in images of shape {images.shape}")
    return adaptive_avg_pool2d_primitive(images, size=pair(output_size, "output_size"))
