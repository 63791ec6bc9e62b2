"""Gradients of the losses: first of numbers and probabilities, then of classes."""

from __future__ import annotations

import numpy as np
import tt_losses  # noqa: F401  # makes the primitives
from tt_tensor import Array, primitives

from tt_autograd._table import Spec, defvjp

P = primitives()

Pair = tuple[Array | None, Array | None]
Triple = tuple[Array | None, ...]


def each(g: Array, x: Array | Spec, reduction: str) -> Array:
    """The gradient that every element's loss receives from that of the reduced one: 0-d, or in the shape of `x`."""
    return np.asarray(g / x.size) if reduction == "mean" else g


def both(gradient: Array, needs: tuple[bool, ...]) -> Pair:
    """For losses of `input - target`: what the one gets, the other gets negated."""
    return gradient if needs[0] else None, -gradient if needs[1] else None


def mse_gradient(g: Array, _out: Spec, x: Array, y: Array, *, needs: tuple[bool, ...], reduction: str) -> Pair:
    """`2 (x - y)`."""
    gradient = np.asarray(x - y)
    gradient *= each(g, x, reduction) * 2
    return both(gradient, needs)


def l1_gradient(g: Array, _out: Spec, x: Array, y: Array, *, needs: tuple[bool, ...], reduction: str) -> Pair:
    """The sign of `x - y`; 0 where they are equal."""
    gradient = np.asarray(np.sign(x - y))
    gradient *= each(g, x, reduction)
    return both(gradient, needs)


def huber_gradient(
    g: Array, _out: Spec, x: Array, y: Array, *, needs: tuple[bool, ...], delta: float, reduction: str
) -> Pair:
    """`x - y`, cut off at `delta` on both sides."""
    gradient = np.asarray(np.clip(x - y, -delta, delta))
    gradient *= each(g, x, reduction)
    return both(gradient, needs)


def hinge_gradient(g: Array, _out: Spec, x: Array, y: Array, *, needs: tuple[bool, ...], reduction: str) -> Pair:
    """`-y` for the input and `-x` for the target, where the margin is short of 1."""
    short = (x * y < 1) * -each(g, x, reduction)
    return short * y if needs[0] else None, short * x if needs[1] else None


def bce_gradient(g: Array, _out: Spec, x: Array, y: Array, *, needs: tuple[bool, ...], reduction: str) -> Pair:
    """`(x - y) / (x (1 - x))`, the denominator at least 1e-12 as in PyTorch; `log(1 - x) - log(x)` for the target."""
    of_input = of_target = None
    scale = each(g, x, reduction)
    if needs[0]:
        of_input = scale * (x - y) / np.maximum(x * (1 - x), 1e-12)
    if needs[1]:
        with np.errstate(divide="ignore"):
            of_target = scale * (np.maximum(np.log1p(-x), -100) - np.maximum(np.log(x), -100))
    return of_input, of_target


def bce_logits_gradient(g: Array, _out: Spec, x: Array, y: Array, *, needs: tuple[bool, ...], reduction: str) -> Pair:
    """`sigmoid(x) - y` for the scores, `-x` for the targets."""
    scale = each(g, x, reduction)
    of_input = None
    if needs[0]:
        of_input = np.asarray(P["sigmoid"].kernel(x) - y)
        of_input *= scale
    return of_input, -x * scale if needs[1] else None


def kl_gradient(g: Array, _out: Spec, x: Array, y: Array, *, needs: tuple[bool, ...], reduction: str) -> Pair:
    """`-y` for the log-probabilities, `log(y) + 1 - x` for the probabilities (0 where they are 0)."""
    scale = np.asarray(g / x.shape[0]) if reduction == "batchmean" else each(g, x, reduction)
    of_target = None
    if needs[1]:
        with np.errstate(divide="ignore", invalid="ignore"):
            of_target = np.where(y > 0, scale * (np.log(y) + 1 - x), 0)
    return -y * scale if needs[0] else None, of_target


defvjp(P["mse_loss"], joint=mse_gradient)
defvjp(P["l1_loss"], joint=l1_gradient)
defvjp(P["huber_loss"], joint=huber_gradient)
defvjp(P["hinge_loss"], joint=hinge_gradient)
defvjp(P["binary_cross_entropy"], joint=bce_gradient)
defvjp(P["binary_cross_entropy_with_logits"], joint=bce_logits_gradient)
defvjp(P["kl_div"], joint=kl_gradient)


def refuse_weight(loss: str, needs: tuple[bool, ...]) -> None:
    """Say that class weights are settings: PyTorch has no gradient for them either."""
    if any(needs[2:]):
        raise NotImplementedError(f"{loss} has no gradient for its weight; pass weight.detach()")


def label_shares(
    shape: tuple[int, ...], labels: Array, weight: Array | None, ignore_index: int, reduction: str, axis: int
) -> tuple[Array, float]:
    """What every class of every row is asked for (one-hot times the class's weight, 0 if ignored), and its scale."""
    kept = np.expand_dims(labels != ignore_index, axis)
    classes = np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(shape))])
    shares = ((np.expand_dims(labels, axis) == classes) & kept).astype(np.float32 if weight is None else weight.dtype)
    if weight is not None:
        shares *= weight.reshape(classes.shape)
    return shares, 1 / float(shares.sum(dtype=np.float64)) if reduction == "mean" else 1.0


def cross_entropy_gradient(
    g: Array,
    _out: Spec,
    logits: Array,
    targets: Array,
    weight: Array | None = None,
    *,
    needs: tuple[bool, ...],
    residuals: Array | None,
    ignore_index: int,
    label_smoothing: float,
    reduction: str,
    axis: int,
) -> Triple:
    """Probabilities minus targets: for class indices the forward pass left just that, averaged; else log-softmax."""
    refuse_weight("cross_entropy", needs)
    above = np.expand_dims(g, axis) if reduction == "none" else g
    others = (None,) * (len(needs) - 2)
    if targets.dtype.kind != "f":
        if residuals is None:
            residuals = _gradient_of_labels(logits, targets, weight, ignore_index, label_smoothing, reduction, axis)
        return (np.asarray(above * residuals, logits.dtype), None, *others)
    logs = P["log_softmax"].kernel(logits, axis=axis) if residuals is None else residuals
    if reduction == "mean":
        above = above / (logits.size // logits.shape[axis])
    of_logits = of_targets = None
    factor = 1 if weight is None else weight.reshape([-1 if i == axis else 1 for i in range(logits.ndim)])
    if needs[0]:
        asked = (targets * (1 - label_smoothing) + label_smoothing / logits.shape[axis]) * factor
        of_logits = np.exp(logs) * asked.sum(axis, keepdims=True)
        of_logits -= asked
        of_logits *= above
    if needs[1]:
        of_targets = logs * (factor * (label_smoothing - 1)) * above
    return (of_logits, of_targets, *others)


def _gradient_of_labels(
    logits: Array,
    targets: Array,
    weight: Array | None,
    ignore_index: int,
    smoothing: float,
    reduction: str,
    axis: int,
) -> Array:
    """Compute again what a kernel without residuals did not keep."""
    asked, scale = label_shares(logits.shape, targets, weight, ignore_index, reduction, axis)
    asked = asked.astype(logits.dtype)
    asked *= 1 - smoothing
    kept = np.expand_dims(targets != ignore_index, axis)
    even = np.ones(logits.shape[axis], logits.dtype) if weight is None else weight
    even = even.reshape([-1 if i == axis else 1 for i in range(logits.ndim)]) * (smoothing / logits.shape[axis])
    asked += even * kept
    gradient = P["softmax"].kernel(logits, axis=axis) * asked.sum(axis, keepdims=True)
    gradient -= asked
    gradient *= scale
    return np.where(kept, gradient, 0)


def nll_gradient(
    g: Array,
    _out: Spec,
    _input: Spec,
    targets: Array,
    weight: Array | None = None,
    *,
    needs: tuple[bool, ...],
    ignore_index: int,
    reduction: str,
    axis: int,
) -> Triple:
    """Minus the weight of the target at every target, 0 elsewhere."""
    refuse_weight("nll_loss", needs)
    shares, scale = label_shares(_input.shape, targets, weight, ignore_index, reduction, axis)
    above = np.expand_dims(g, axis) if reduction == "none" else g
    return (np.asarray(shares * (above * -scale), _input.dtype), *(None,) * (len(needs) - 1))


defvjp(P["cross_entropy"], joint=cross_entropy_gradient)
defvjp(P["nll_loss"], joint=nll_gradient)
