"""Pooling as layers."""

from __future__ import annotations

from tt_layers import Module
from tt_tensor import Tensor, squeeze

from tt_conv._pooling import adaptive_avg_pool2d, avg_pool2d, max_pool2d
from tt_conv._window import Padding, pair


class MaxPool2d(Module):
    """The largest of every window; see `max_pool2d`.

    Shapes: (N, C, H, W) -> (N, C, OH, OW).

    Args:
        kernel_size: The window, (height, width) or one number for both.
        stride: How far it moves; as far as it is large without it.
        padding: What surrounds the images counts as minus infinity.
        dilation: How far apart the taps of the window are.
        ceil_mode: Whether a last window that only partly fits counts.

    Example:
        >>> MaxPool2d(2)(Tensor([[[[1.0, 2.0], [4.0, 3.0]]]])).tolist()
        [[[[4.0]]]]
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: Padding = 0,
        dilation: int | tuple[int, int] = 1,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, "stride")
        self.padding = padding
        self.dilation = pair(dilation, "dilation")
        self.ceil_mode = ceil_mode

    def forward(self, x: Tensor) -> Tensor:
        """Return the largest of every window."""
        return max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def describe(self) -> str:
        """Return window, stride and padding."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding!r}"


class AvgPool2d(Module):
    """The mean of every window; see `avg_pool2d`.

    Shapes: (N, C, H, W) -> (N, C, OH, OW).

    Args:
        kernel_size: The window, (height, width) or one number for both.
        stride: How far it moves; as far as it is large without it.
        padding: Zeros around the images.
        ceil_mode: Whether a last window that only partly fits counts.
        count_include_pad: Whether padding counts when dividing.

    Example:
        >>> AvgPool2d(2)(Tensor([[[[1.0, 2.0], [4.0, 3.0]]]])).tolist()
        [[[[2.5]]]]
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, "stride")
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean of every window."""
        return avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def describe(self) -> str:
        """Return window, stride and padding."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding!r}"


class GlobalAvgPool2d(Module):
    """The mean of every channel over the whole image.

    Shapes: (N, C, H, W) -> (N, C): ready for a Linear layer, whatever the size of the images.

    Source: Lin, Chen and Yan, "Network in network", 2013.

    Example:
        >>> GlobalAvgPool2d()(Tensor([[[[1.0, 2.0], [4.0, 3.0]]]])).tolist()
        [[2.5]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the means."""
        return squeeze(adaptive_avg_pool2d(x, 1), (2, 3))
