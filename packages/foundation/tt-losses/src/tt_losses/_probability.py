"""Losses of probabilities. `input` and `target` have one shape here: the public functions see to it."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array

from tt_losses._reduction import reduce_losses, smooth

LOG_FLOOR = -100.0  # as in PyTorch: a certain and wrong prediction costs 100, not infinity


@smooth
def binary_cross_entropy(input: Array, target: Array, *, reduction: str) -> Array:
    """`-(target * log(input) + (1 - target) * log(1 - input))`, logarithms no lower than -100; reduced."""
    with np.errstate(divide="ignore"):
        log_yes = np.asarray(np.log(input))
        log_no = np.asarray(np.log1p(-input))
    np.maximum(log_yes, LOG_FLOOR, out=log_yes)
    np.maximum(log_no, LOG_FLOOR, out=log_no)
    # target * (log_no - log_yes) - log_no is the same sum, with one product
    np.subtract(log_no, log_yes, out=log_yes)
    log_yes *= target
    log_yes -= log_no
    return reduce_losses(log_yes, reduction)


@smooth
def binary_cross_entropy_with_logits(input: Array, target: Array, *, reduction: str) -> Array:
    """The same of `sigmoid(input)`: `max(input, 0) - input * target + log(1 + exp(-|input|))`, reduced."""
    losses = np.asarray(np.abs(input))
    np.negative(losses, out=losses)
    np.exp(losses, out=losses)
    np.log1p(losses, out=losses)
    losses += np.maximum(input, 0) - input * target
    return reduce_losses(losses, reduction)


@smooth
def kl_div(input: Array, target: Array, *, reduction: str) -> Array:
    """`target * (log(target) - input)` for log-probabilities `input`, 0 where `target` is 0; reduced.

    `"batchmean"` divides the sum by the length of the first axis: the divergence per distribution.
    """
    with np.errstate(divide="ignore"):
        losses = np.asarray(np.log(target))
    losses -= input
    losses *= target
    losses[target == 0] = 0
    if reduction == "batchmean":
        return np.asarray(reduce_losses(losses, "sum") / losses.shape[0])
    return reduce_losses(losses, reduction)
