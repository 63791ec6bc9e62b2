"""Convolutions as layers: a thin shell of parameters around a function."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
from tt_layers import Module, Parameter, init
from tt_tensor import Tensor

from tt_conv._convolution import conv1d, conv2d, line_settings
from tt_conv._window import Padding, pair, sides


def check_channels(name: str, inside: int, outside: int, groups: int) -> None:
    """Refuse numbers of channels that are not positive, or that the groups do not divide."""
    if inside < 1 or outside < 1 or groups < 1 or inside % groups or outside % groups:
        raise ValueError(
            f"{name} needs positive numbers of channels that groups divides, but received in_channels={inside}, "
            f"out_channels={outside} and groups={groups}"
        )


class _Convolution(Module):
    """What convolutions in one and two dimensions have in common: parameters, and how they start."""

    weight: Parameter
    bias: Parameter | None

    def make_parameters(
        self, shape: tuple[int, ...], bias: bool, dtype: npt.DTypeLike | None, rng: np.random.Generator | None
    ) -> None:
        """Make filters of this shape, and a bias for each of them."""
        kind = np.float32 if dtype is None else dtype
        self.weight = Parameter(np.zeros(shape, kind), dtype=kind)
        self.bias = Parameter(np.zeros(shape[0], kind), dtype=kind) if bias else None
        self.reset_parameters(rng=rng)

    def reset_parameters(self, *, rng: np.random.Generator | None = None) -> None:
        """Draw weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5.0), rng=rng)
        if self.bias is not None:
            bound = 1.0 / math.sqrt(math.prod(self.weight.shape[1:]))
            init.uniform_(self.bias, -bound, bound, rng=rng)


class Conv2d(_Convolution):
    """Filters that slide over images.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, OH, OW); see `conv2d`.

    Weight and bias start evenly from [-b, b) with b = 1 / sqrt(in_channels / groups * KH * KW), as PyTorch's do.

    Args:
        in_channels: Channels of the images.
        out_channels: How many filters.
        kernel_size: The size of a filter, (height, width) or one number for both.
        stride: How far the filters move.
        padding: Zeros around the images, in any form that `conv2d` takes.
        dilation: How far apart the taps of a filter are.
        groups: Into how many parts channels and filters are cut.
        bias: False leaves the bias out, as before a normalisation that would take it away again.
        dtype: The type of the parameters; float32 without it.
        rng: Where the random numbers come from; tt-tensor's `default_rng()` without it.

    Attributes:
        weight: The parameter of shape (out_channels, in_channels / groups, KH, KW).
        bias: The parameter of shape (out_channels,), or None.

    Raises:
        ValueError: If the settings do not fit together.

    Source: LeCun et al., "Gradient-based learning applied to document recognition", 1998.

    Example:
        >>> from tt_tensor import zeros
        >>> Conv2d(3, 8, 3, padding="same")(zeros((2, 3, 32, 32))).shape
        (2, 8, 32, 32)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: Padding = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        dtype: npt.DTypeLike | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        check_channels("Conv2d", in_channels, out_channels, groups)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = pair(stride, "stride")
        self.dilation = pair(dilation, "dilation")
        self.padding = padding
        self.groups = groups
        sides(padding, self.kernel_size, self.stride, self.dilation)  # wrong settings are said here, not at first use
        self.make_parameters((out_channels, in_channels // groups, *self.kernel_size), bias, dtype, rng)

    def forward(self, x: Tensor) -> Tensor:
        """Return what each filter found in the images."""
        return conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def describe(self) -> str:
        """Return the settings."""
        return describe_convolution(self)


class Conv1d(_Convolution):
    """Filters that slide along sequences.

    Shapes: (N, in_channels, L) -> (N, out_channels, OL); see `conv1d`.

    Args:
        in_channels: Channels of the sequences.
        out_channels: How many filters.
        kernel_size: The length of a filter.
        stride: How far the filters move.
        padding: Zeros around the sequences: one number, (before, after), "same" or "valid".
        dilation: How far apart the taps of a filter are.
        groups: Into how many parts channels and filters are cut.
        bias: False leaves the bias out.
        dtype: The type of the parameters; float32 without it.
        rng: Where the random numbers come from; tt-tensor's `default_rng()` without it.

    Attributes:
        weight: The parameter of shape (out_channels, in_channels / groups, K).
        bias: The parameter of shape (out_channels,), or None.

    Raises:
        ValueError: If the settings do not fit together.

    Example:
        >>> from tt_tensor import zeros
        >>> Conv1d(2, 4, 3)(zeros((1, 2, 10))).shape
        (1, 4, 8)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int | tuple[int, int] | Literal["same", "valid"] = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        dtype: npt.DTypeLike | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        check_channels("Conv1d", in_channels, out_channels, groups)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair((1, kernel_size), "kernel_size")[1]
        self.stride = pair((1, stride), "stride")[1]
        self.dilation = pair((1, dilation), "dilation")[1]
        self.padding = padding
        self.groups = groups
        line_settings((1, self.kernel_size), stride, padding, dilation)  # wrong settings are said here, as in Conv2d
        self.make_parameters((out_channels, in_channels // groups, self.kernel_size), bias, dtype, rng)

    def forward(self, x: Tensor) -> Tensor:
        """Return what each filter found in the sequences."""
        return conv1d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def describe(self) -> str:
        """Return the settings."""
        return describe_convolution(self)


def describe_convolution(layer: Conv2d | Conv1d) -> str:
    """Return what `repr` shows of a convolution: sizes always, settings where they are not the usual ones."""
    shown = [f"{layer.in_channels}, {layer.out_channels}, kernel_size={layer.kernel_size}"]
    for name, usual in (("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1)):
        value = getattr(layer, name)
        if value not in (usual, (usual, usual)):
            shown.append(f"{name}={value!r}")
    if layer.bias is None:
        shown.append("bias=False")
    return ", ".join(shown)
