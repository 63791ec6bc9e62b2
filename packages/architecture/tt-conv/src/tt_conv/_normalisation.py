"""Normalisation as functions of tensors."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from tt_tensor import Array, Tensor, TensorLike, applies, as_tensor, from_numpy, increment_version

from tt_conv._check import as_images, check_floating
from tt_conv._primitives import (
    batch_norm_primitive,
    batch_norm_relu_primitive,
    channel_moments_primitive,
    group_norm_primitive,
)

Activation: TypeAlias = Literal["relu"] | None


def check_activation(activation: str | None, name: str) -> None:
    """Refuse an activation that cannot be joined to a normalisation."""
    if activation not in (None, "relu"):
        raise ValueError(f'{name}: activation must be "relu" or None, but received {activation!r}')


def affine_pair(weight: Tensor | None, bias: Tensor | None, channels: int, name: str) -> tuple[Tensor, ...]:
    """Return weight and bias, what is missing of the two filled in; nothing if both are missing.

    Raises:
        ValueError: One has not one number for each channel.
    """
    for given, called in ((weight, "weight"), (bias, "bias")):
        if given is not None and given.shape != (channels,):
            raise ValueError(f"{name}: {called} must have the shape {(channels,)}, but received {given.shape}")
    if weight is None and bias is None:
        return ()
    dtype = (weight if weight is not None else bias).dtype  # type: ignore[union-attr]  # one of them is there
    ones, zeros = np.ones(channels, dtype), np.zeros(channels, dtype)
    return (from_numpy(ones) if weight is None else weight, from_numpy(zeros) if bias is None else bias)


def update_running(running: Tensor | None, seen: Array, momentum: float) -> None:
    """Move a running statistic towards what a batch has shown: `(1 - momentum) * running + momentum * seen`."""
    if running is not None:
        running.data[...] = (1 - momentum) * running.data + momentum * seen
        increment_version(running)


@applies(batch_norm_primitive)
def batch_norm2d(
    x: TensorLike,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    activation: Activation = None,
) -> Tensor:
    """Normalise every channel: subtract its mean, divide by its deviation; then scale and shift.

    Shapes: x (N, C, H, W), all others (C,) -> the same as x.

    While training, mean and (biased) variance are those of the batch, and the running ones move towards them, the
    variance unbiased. Else the running ones are used; without them, the batch's.

    Args:
        x: The images.
        running_mean: The running means, written in place while training; or None.
        running_var: The running variances, alike.
        weight: What to multiply each channel by, or None.
        bias: What to add to each channel, or None.
        training: Whether the batch's own statistics count.
        momentum: How far the running statistics move.
        eps: What is added to the variance, so that a constant channel does not divide by zero.
        activation: "relu" replaces what is negative by 0 in the same passes over memory, in place of a layer behind.

    Returns:
        The normalised images.

    Raises:
        ValueError: If shapes do not fit, there is one value for a channel only, which has no variance, or no such
            activation.
        TypeError: If `x` holds integers or booleans.

    Source: Ioffe and Szegedy, "Batch normalization", 2015.

    Example:
        >>> batch_norm2d(Tensor([[[[1.0, 3.0]]]]), training=True, eps=0.0).tolist()
        [[[[-1.0, 1.0]]]]
    """
    check_activation(activation, "batch_norm2d")
    images = as_images(x, "batch_norm2d")
    channels = images.shape[1]
    affine = affine_pair(weight, bias, channels, "batch_norm2d")
    primitive = batch_norm_primitive if activation is None else batch_norm_relu_primitive
    affine_pair(running_mean, running_var, channels, "batch_norm2d's running statistics")
    if training or running_mean is None or running_var is None:
        count = images.size // max(1, channels)
        if count == 1:
            raise ValueError(
                f"batch_norm2d needs more than one value for a channel's statistics, but received the shape "
                f"{images.shape}; give it a larger batch, or running statistics and training=False (a layer: eval())"
            )
        moments = channel_moments_primitive(images.detach())
        if training and count:
            mean, variance = moments.data
            update_running(running_mean, mean, momentum)
            update_running(running_var, variance * (count / (count - 1)), momentum)
        return primitive(images, moments, *affine, eps=eps, training=True)
    moments = from_numpy(np.stack([running_mean.data, running_var.data]))
    return primitive(images, moments, *affine, eps=eps, training=False)


@applies(group_norm_primitive)
def group_norm(
    x: TensorLike, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalise every group of channels of every example by itself; then scale and shift every channel.

    Shapes: x (N, C, ...), weight and bias (C,) -> the same as x.

    No example looks at another, so it does the same in training and in use, for a batch of one too. One group is layer
    normalisation over the image; as many groups as channels is instance normalisation.

    Args:
        x: The examples.
        num_groups: Into how many groups the channels are cut.
        weight: What to multiply each channel by, or None.
        bias: What to add to each channel, or None.
        eps: What is added to the variance.

    Returns:
        The normalised examples.

    Raises:
        ValueError: If the groups do not divide the channels, or shapes do not fit.
        TypeError: If `x` holds integers or booleans.

    Source: Wu and He, "Group normalization", 2018.

    Example:
        >>> group_norm(Tensor([[[1.0], [3.0], [0.0], [8.0]]]), 2, eps=0.0).tolist()
        [[[-1.0], [1.0], [-1.0], [1.0]]]
    """
    examples = as_tensor(x)
    check_floating(examples, "group_norm")
    if examples.ndim < 2 or num_groups < 1 or examples.shape[1] % num_groups:
        raise ValueError(
            f"group_norm cuts the channels of (N, C, ...) into equal groups, but received num_groups={num_groups} for "
            f"the shape {examples.shape}"
        )
    affine = affine_pair(weight, bias, examples.shape[1], "group_norm")
    return group_norm_primitive(examples, *affine, groups=num_groups, eps=eps)
