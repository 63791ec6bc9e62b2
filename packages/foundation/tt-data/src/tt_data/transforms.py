"""Transforms: changes made to whole batches of images `(N, C, H, W)`.

Reference: A. Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks", 2012 (crops and
flips); T. DeVries and G. Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from tt_tensor import Tensor, default_rng, wrap

from . import _image_kernels as kernels
from ._errors import DataError
from ._loader import Transform

__all__ = ["Compose", "Cutout", "Normalize", "RandomCrop", "RandomHorizontalFlip", "Transform"]


def _require_images(x: Tensor, name: str) -> None:
    if x.ndim != 4:
        raise DataError(f"{name} wants images (N, C, H, W); got shape {x.shape}", hint="reshape them first")


class Compose:
    """Several transforms, one after the other.

    Args:
        transforms: What to apply, in order.

    Example:
        >>> double = Compose([Normalize([0.0], [0.5]), RandomHorizontalFlip(1.0)])
        >>> double(Tensor([[[[1.0, 2.0]]]])).tolist()
        [[[[4.0, 2.0]]]]
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = tuple(transforms)

    def __call__(self, x: Tensor, /, *, rng: np.random.Generator | None = None) -> Tensor:
        """Return the changed images."""
        for transform in self.transforms:
            x = transform(x, rng=rng)
        return x


class Normalize:
    """`(x - mean) / std`, channel by channel.

    Args:
        mean: One number for each channel.
        std: One number for each channel, none of them zero.

    Raises:
        DataError: Their lengths differ, or a standard deviation is not positive.

    Example:
        >>> Normalize([1.0], [2.0])(Tensor([[[[3.0, 5.0]]]])).tolist()
        [[[[1.0, 2.0]]]]
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.mean, self.std = np.array(mean, np.float64), np.array(std, np.float64)
        if self.mean.shape != self.std.shape or self.mean.ndim != 1 or not (self.std > 0).all():
            raise DataError(f"Normalize wants a mean and a positive std for each channel; got {mean} and {std}")

    def __call__(self, x: Tensor, /, *, rng: np.random.Generator | None = None) -> Tensor:
        """Return the normalised images; integers become float32."""
        _require_images(x, "Normalize")
        if x.shape[1] != len(self.mean):
            raise DataError(f"Normalize has {len(self.mean)} means, the images {x.shape[1]} channels")
        dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
        at_least = np.promote_types(dtype, np.float32)  # half precision is rounded once, at the end
        y = kernels.normalize(x.data, self.mean.astype(at_least), self.std.astype(at_least))
        return wrap(y.astype(dtype, copy=False))


class RandomCrop:
    """Pad each image, then cut a window out of it at a random place.

    Args:
        size: Height and width of the window; one number for both.
        padding: Pixels to add on each side beforehand.
        padding_mode: What they are: `"constant"` (zeros) or `"reflect"` (the image, mirrored at its edge).

    Raises:
        DataError: A number is out of range, or the mode unknown.

    Example:
        >>> RandomCrop(2, padding=1)(Tensor([[[[1.0, 2.0], [3.0, 4.0]]]])).shape
        (1, 1, 2, 2)
    """

    def __init__(
        self,
        size: int | tuple[int, int],
        padding: int = 0,
        padding_mode: Literal["constant", "reflect"] = "constant",
    ) -> None:
        self.size = (size, size) if isinstance(size, int) else size
        self.padding, self.padding_mode = padding, padding_mode
        if min(self.size) < 1 or padding < 0 or padding_mode not in ("constant", "reflect"):
            raise DataError(
                f"RandomCrop wants size >= 1, padding >= 0 and a mode 'constant' or 'reflect'; "
                f"got {size}, {padding} and {padding_mode!r}"
            )

    def __call__(self, x: Tensor, /, *, rng: np.random.Generator | None = None) -> Tensor:
        """Return the windows `(N, C, height, width)`."""
        _require_images(x, "RandomCrop")
        around = ((0, 0), (0, 0), (self.padding, self.padding), (self.padding, self.padding))
        images = x.data
        if self.padding and self.padding_mode == "reflect":
            if self.padding >= min(x.shape[2:]):
                raise DataError(f"cannot reflect {self.padding} pixels of images of {x.shape[2:]}")
            images = np.pad(images, around, mode="reflect")
        elif self.padding:
            images = np.pad(images, around)
        (count, _, height, width), (rows, columns) = images.shape, self.size
        if rows > height or columns > width:
            raise DataError(f"cannot crop {self.size} out of padded images of {(height, width)}")
        rng = default_rng(rng)
        top, left = rng.integers(height - rows + 1, size=count), rng.integers(width - columns + 1, size=count)
        return wrap(kernels.crop(images, top, left, rows, columns))


class RandomHorizontalFlip:
    """Mirror each image left to right with probability `p`.

    Args:
        p: The probability.

    Raises:
        DataError: `p` is no probability.

    Example:
        >>> RandomHorizontalFlip(p=1.0)(Tensor([[[[1.0, 2.0]]]])).tolist()
        [[[[2.0, 1.0]]]]
    """

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise DataError(f"a probability lies between 0 and 1; got {p}")
        self.p = p

    def __call__(self, x: Tensor, /, *, rng: np.random.Generator | None = None) -> Tensor:
        """Return the images, some of them mirrored."""
        _require_images(x, "RandomHorizontalFlip")
        return wrap(kernels.flip_where(x.data, default_rng(rng).random(len(x)) < self.p))


class Cutout:
    """Set one square of each image to zero, its centre anywhere in the image.

    Args:
        size: Side of the square, in pixels.

    Raises:
        DataError: `size` is below 1.

    Example:
        >>> Cutout(1)(Tensor([[[[1.0, 1.0], [1.0, 1.0]]]])).data.sum().item()
        3.0
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise DataError(f"the square's side must be at least 1; got {size}")
        self.size = size

    def __call__(self, x: Tensor, /, *, rng: np.random.Generator | None = None) -> Tensor:
        """Return the images, each with its hole."""
        _require_images(x, "Cutout")
        rng, (count, _, height, width) = default_rng(rng), x.shape
        row = rng.integers(height, size=count) - self.size // 2
        column = rng.integers(width, size=count) - self.size // 2
        return wrap(kernels.cut_out(x.data, row, column, self.size))
