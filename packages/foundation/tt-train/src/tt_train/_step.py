"""The heart of training: from a group of batches to gradients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Literal

import numpy as np
from tt_autograd import parallel
from tt_layers import Module
from tt_tensor import Tensor, current, from_numpy, use_interpreter

from ._evaluate import Forward, Loss, Pair
from ._precision import HalfPrecision

__all__ = [
    "accumulate_gradients",
    "half_forward",
    "half_gradients",
    "in_parallel",
    "micro_weights",
    "parallel_pays",
]


def micro_weights(sizes: Sequence[int]) -> list[float]:
    """Say how much each micro-batch's mean loss counts, so that together they are the mean over all examples.

    Args:
        sizes: The micro-batches' numbers of examples.

    Returns:
        One weight each, summing to 1. Equal only if the sizes are: the last batch of an epoch may be short.
    """
    total = sum(sizes)
    return [size / total for size in sizes]


def accumulate_gradients(forward: Forward, loss: Loss, group: Sequence[Pair]) -> float:
    """Add the gradient of the mean loss over a group of batches to the parameters' `grad`, one batch at a time.

    Only one batch's activations are alive at a time: the result is that of one large batch (to rounding), the peak
    of memory that of a small one.

    Args:
        forward: From inputs to outputs.
        loss: A loss with `reduction="mean"`.
        group: The batches.

    Returns:
        The mean loss over all examples of the group.

    Raises:
        FloatingPointError: A loss is nan or infinite; its gradients have not been added.
    """
    if len(group) == 1:
        x, y = group[0]
        mean = loss(forward(x), y)
        value = mean.item()
        check_loss(value)
        mean.backward()
        return value
    total = 0.0
    for (x, y), weight in zip(group, micro_weights([x.shape[0] for x, _ in group]), strict=True):
        mean = loss(forward(x), y)
        value = mean.item()
        check_loss(value)
        mean.backward(from_numpy(np.full(mean.shape, weight, mean.dtype)))
        total += weight * value
    return total


def check_loss(value: float) -> None:
    """Stop before a loss that is no number spoils every weight.

    Args:
        value: The loss.

    Raises:
        FloatingPointError: It is nan or infinite.
    """
    if not math.isfinite(value):
        raise FloatingPointError(
            f"the loss is {value}, so no step was taken and the weights are as before it; lower the learning rate, "
            "clip gradients (Trainer(clip=1.0)), or find the operation with tt_autograd.detect_anomaly()"
        )


def parallel_pays(model: Module, wish: bool | Literal["auto"]) -> bool:
    """Say whether to run a model on parts of each batch.

    Args:
        model: The model, whose parts may have an opinion (`Module.parallel_batches`).
        wish: What the user wants; "auto" asks the parts.

    Raises:
        ValueError: It is wished, but examples meet in a part of the model.
    """
    if wish is False:
        return False
    opinions = {name or type(module).__name__: module.parallel_batches for name, module in model.named_modules()}
    against = [name for name, opinion in opinions.items() if opinion is False]
    if wish is True and against:
        raise ValueError(
            f"parallel=True would cut batches whose examples meet in {against[0]} (batch norm); use parallel='auto'"
        )
    return wish is True or (True in opinions.values() and not against)


def in_parallel(model: Module) -> Forward:
    """Return a forward pass that runs parts of the batch in threads.

    Args:
        model: The model; its examples do not meet.
    """
    return partial(parallel, model)


def half_forward(model: Module) -> Forward:
    """Return a forward pass that computes in float16 and hands out float32.

    Args:
        model: The model; its float32 parameters are cast at each call.
    """

    def forward(x: Tensor) -> Tensor:
        with use_interpreter(HalfPrecision(current())), np.errstate(over="ignore", invalid="ignore"):
            outputs = model(x)
        return outputs.astype(np.float32)

    return forward


def half_gradients(forward: Forward, loss: Loss, group: Sequence[Pair], scale: float) -> float:
    """Do as `accumulate_gradients`, with the loss scaled and float16 overflow let through: the gradients show it.

    Args:
        forward: A forward pass of `half_forward`.
        loss: A loss with `reduction="mean"`; it computes in float32.
        group: The batches.
        scale: What every gradient is multiplied by.

    Returns:
        The mean loss over all examples of the group, unscaled; nan or inf if the forward pass overflowed.
    """
    total = 0.0
    for (x, y), weight in zip(group, micro_weights([x.shape[0] for x, _ in group]), strict=True):
        with ExitStack() as stack:
            stack.enter_context(np.errstate(over="ignore", invalid="ignore", divide="ignore"))
            mean = loss(forward(x), y)
            # The same interpreter below as in the forward pass: what recomputes, recomputes in float16.
            stack.enter_context(use_interpreter(HalfPrecision(current())))
            mean.backward(from_numpy(np.full(mean.shape, weight * scale, mean.dtype)))
        total += weight * mean.item()
    return total
