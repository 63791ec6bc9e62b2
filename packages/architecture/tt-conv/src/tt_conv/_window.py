"""Windows that slide over images: their settings, and where they fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, cast

import numpy as np
from tt_tensor import Array

Pair: TypeAlias = tuple[int, int]
Sides: TypeAlias = tuple[Pair, Pair]
Padding: TypeAlias = "int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] | Literal['same', 'valid']"


class Window(NamedTuple):
    """A window of `size` taps along an axis, `dilation` apart, that moves by `stride`."""

    size: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def reach(self) -> int:
        """How many elements the window covers, holes included."""
        return self.dilation * (self.size - 1) + 1

    def positions(self, length: int) -> int:
        """How many places the window has on an axis of `length`, padding added."""
        return output_size(length + self.before + self.after, self.size, self.stride, self.dilation)

    def tap(self, index: int, count: int) -> slice:
        """What tap number `index` sees of a padded axis, from `count` places of the window."""
        start = index * self.dilation
        return slice(start, start + (count - 1) * self.stride + 1 if count else start, self.stride)


def output_size(length: int, size: int, stride: int, dilation: int) -> int:
    """How many places a window has on a padded axis: 0 if it does not fit once.

    Example:
        >>> output_size(32, size=3, stride=2, dilation=1)
        15
    """
    reach = dilation * (size - 1) + 1
    return max(0, (length - reach) // stride + 1)


def windows(kernel: Pair, stride: Pair, padding: Sides, dilation: Pair) -> tuple[Window, Window]:
    """The windows along height and width."""
    down = Window(kernel[0], stride[0], dilation[0], *padding[0])
    right = Window(kernel[1], stride[1], dilation[1], *padding[1])
    return down, right


def reversed_window(window: Window) -> Window:
    """Return the window that slides over the gradient: what was padded less is padded more.

    Its places are the elements of the unpadded input. For windows that moved by one.
    """
    room = window.reach - 1
    return window._replace(before=room - window.before, after=room - window.after)


def pair(value: int | tuple[int, int], name: str, least: int = 1) -> Pair:
    """Read one number or two (height, width) of a setting.

    Raises:
        ValueError: Neither, or a number below `least`.
    """
    numbers: tuple[Any, ...] = tuple(value) if isinstance(value, Sequence) else (value, value)
    if len(numbers) != 2 or not all(isinstance(n, (int, np.integer)) and n >= least for n in numbers):
        raise ValueError(f"{name} must be a whole number of at least {least}, or two (height, width); got {value!r}")
    return int(numbers[0]), int(numbers[1])


def sides(padding: Padding, kernel: Pair, stride: Pair, dilation: Pair) -> Sides:
    """Read a padding: one number, two (height, width), two pairs ((top, bottom), (left, right)), "same" or "valid".

    Raises:
        ValueError: None of these, or "same" with a stride, which has no such output size.
    """
    if isinstance(padding, str):
        if padding == "valid":
            return (0, 0), (0, 0)
        if padding != "same":
            raise ValueError(f'padding must be numbers, "same" or "valid"; got {padding!r}')
        if stride != (1, 1):
            raise ValueError(f'padding="same" keeps the size, which a stride of {stride} does not; give numbers')
        return same_sides(kernel[0], dilation[0]), same_sides(kernel[1], dilation[1])
    if isinstance(padding, Sequence) and len(padding) == 2 and isinstance(padding[0], Sequence):
        top_bottom, left_right = cast("Sides", padding)
        return pair(top_bottom, "padding", 0), pair(left_right, "padding", 0)
    down, right = pair(cast("int | Pair", padding), "padding", 0)
    return (down, down), (right, right)


def same_sides(size: int, dilation: int) -> Pair:
    """How much to pad before and after so that the size stays; what is odd goes after, as in PyTorch.

    Example:
        >>> same_sides(3, 1), same_sides(4, 1)
        ((1, 1), (1, 2))
    """
    total = dilation * (size - 1)
    return total // 2, total - total // 2


def check_fit(name: str, shape: tuple[int, ...], down: Window, right: Window) -> None:
    """Refuse a window that reaches further than the padded image.

    Raises:
        ValueError: It does not fit once.
    """
    height, width = shape[2] + down.before + down.after, shape[3] + right.before + right.after
    if height < down.reach or width < right.reach:
        raise ValueError(
            f"{name}: a kernel that reaches over {down.reach} x {right.reach} does not fit the padded input of "
            f"{height} x {width} (input of shape {shape}); use a smaller kernel or dilation, or more padding"
        )


def padded_shape(shape: tuple[int, ...], down: Window, right: Window) -> tuple[int, ...]:
    """The shape of images (N, H, W, C) with their padding."""
    images, height, width, channels = shape
    return images, down.before + height + down.after, right.before + width + right.after, channels


def inside(padded: Array, shape: tuple[int, ...], down: Window, right: Window) -> Array:
    """View padded images without their padding; `shape` is that of the images (N, H, W, C)."""
    return padded[:, down.before : down.before + shape[1], right.before : right.before + shape[2]]


def to_last(x: Array) -> Array:
    """View images (N, C, H, W) as (N, H, W, C), copying nothing."""
    return x.transpose(0, 2, 3, 1)


def to_first(x: Array) -> Array:
    """View images (N, H, W, C) as (N, C, H, W), copying nothing."""
    return x.transpose(0, 3, 1, 2)


def channels_last(x: Array) -> Array:
    """Return images (N, C, H, W) as a contiguous (N, H, W, C): a view if they lie so in memory already."""
    return np.ascontiguousarray(to_last(x))
