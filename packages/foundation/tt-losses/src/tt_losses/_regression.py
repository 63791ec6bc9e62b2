"""Losses of numbers against numbers. `input` and `target` have one shape here: the public functions see to it."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array

from tt_losses._reduction import reduce_losses, smooth


@smooth
def mse_loss(input: Array, target: Array, *, reduction: str) -> Array:
    """`(input - target) ** 2`, reduced."""
    losses = np.asarray(input - target)
    losses *= losses
    return reduce_losses(losses, reduction)


@smooth
def l1_loss(input: Array, target: Array, *, reduction: str) -> Array:
    """`|input - target|`, reduced."""
    losses = np.asarray(input - target)
    np.abs(losses, out=losses)
    return reduce_losses(losses, reduction)


@smooth
def huber_loss(input: Array, target: Array, *, delta: float, reduction: str) -> Array:
    """`d * d / 2` where `d = |input - target|` is at most `delta`, `delta * (d - delta / 2)` beyond; reduced."""
    distance = np.asarray(input - target)
    np.abs(distance, out=distance)
    near = np.asarray(np.minimum(distance, delta))
    # near * (distance - near / 2) is both branches at once: beyond delta, near is delta.
    distance -= near * 0.5
    distance *= near
    return reduce_losses(distance, reduction)


@smooth
def hinge_loss(input: Array, target: Array, *, reduction: str) -> Array:
    """`max(0, 1 - target * input)` for targets of -1 and 1, reduced."""
    losses = np.asarray(input * target)
    np.subtract(1, losses, out=losses)
    np.maximum(losses, 0, out=losses)
    return reduce_losses(losses, reduction)
