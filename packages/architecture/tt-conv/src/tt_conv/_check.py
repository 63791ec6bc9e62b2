"""What the public functions ask of their inputs, said once."""

from __future__ import annotations

import numpy as np
from tt_tensor import Tensor, TensorLike, as_tensor


def as_images(x: TensorLike, name: str) -> Tensor:
    """Return floating-point images.

    Raises:
        ValueError: Not four axes.
        TypeError: Integers or booleans.
    """
    images = as_tensor(x)
    if images.ndim != 4:
        raise ValueError(
            f"{name} wants images of shape (N, C, H, W), but received the shape {images.shape}"
            + ("; put expand_dims(x, 0) around a single image" if images.ndim == 3 else "")
        )
    check_floating(images, name)
    return images


def check_floating(x: Tensor, name: str) -> None:
    """Refuse integers and booleans, whose results would be neither."""
    if not np.issubdtype(x.dtype, np.floating):
        raise TypeError(f"{name} needs floating-point numbers, but received {x.dtype}; convert with astype(np.float32)")


def check_filters(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int, name: str) -> None:
    """Refuse filters that do not fit the channels, and a bias that does not fit the filters.

    Raises:
        ValueError: They do not; says what would.
    """
    axes = "(out, in / groups, KH, KW)" if x.ndim == 4 else "(out, in / groups, K)"
    if weight.ndim != x.ndim or min(weight.shape) < 1:
        raise ValueError(f"{name} wants a weight of shape {axes}, nothing empty, but received {weight.shape}")
    if groups < 1 or x.shape[1] % groups or weight.shape[0] % groups:
        raise ValueError(
            f"{name}: groups must divide the channels in and out, but received groups={groups} for {x.shape[1]} in and "
            f"{weight.shape[0]} out"
        )
    if x.shape[1] != weight.shape[1] * groups:
        raise ValueError(
            f"{name}: with groups={groups}, a weight of shape {weight.shape} wants {weight.shape[1] * groups} "
            f"channels, but the input of shape {x.shape} has {x.shape[1]}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(
            f"{name} adds one bias to each of {weight.shape[0]} filters, but received a bias of shape {bias.shape}; "
            f"give it the shape {weight.shape[:1]}"
        )
