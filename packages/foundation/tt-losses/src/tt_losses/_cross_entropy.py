"""Cross-entropy from logits in one go: log-softmax, picking and averaging, with the gradient as a by-product."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array

from tt_losses._targets import BLOCK, as_rows, divisor, from_rows, known_labels


def label_losses(
    rows: Array, labels: Array, weight: Array | None, smoothing: float, exponentials: Array
) -> tuple[Array, Array]:
    """Return the loss of every row (M,) and the sums of its exponentials (M,).

    `exponentials` (M, C) is where the work is done: it is left holding `exp(rows - rows.max())`. A row's loss is
    `weight[label] * (logsum - z[label])`; of it, `smoothing` goes evenly to all classes, each with its own weight.
    """
    z = np.subtract(rows, np.maximum.reduce(rows, axis=1, keepdims=True), out=exponentials)
    picked = z.reshape(-1)[np.arange(0, z.size, z.shape[1]) + labels]
    spread = (np.add.reduce(z, axis=1) if weight is None else z @ weight) if smoothing else None
    np.exp(z, out=z)
    sums = np.add.reduce(z, axis=1)
    logsums = np.log(sums)
    losses = logsums - picked
    if weight is not None:
        losses *= weight[labels]
    if spread is not None:
        classes = rows.shape[1]
        losses *= 1 - smoothing
        total = classes if weight is None else np.add.reduce(weight)
        losses += (smoothing / classes) * (total * logsums - spread)
    return losses, sums


def label_gradient(
    exponentials: Array, sums: Array, labels: Array, weight: Array | None, smoothing: float, scale: float
) -> None:
    """Turn `exponentials` (M, C) into the gradient of the summed losses, times `scale`: probabilities minus targets."""
    classes = exponentials.shape[1]
    each: Array | float = scale * (1 - smoothing)  # what a row asks of its own class
    rest: Array | float = scale * smoothing / classes  # and of every class
    total: Array | float = scale
    if weight is not None:
        each = each * weight[labels]
        rest = rest * weight
        total = each + np.add.reduce(rest)
    exponentials *= np.asarray(total / sums)[:, np.newaxis]
    exponentials.reshape(-1)[np.arange(0, exponentials.size, classes) + labels] -= each
    if smoothing:
        exponentials -= rest


def probability_losses(rows: Array, targets: Array, weight: Array | None, smoothing: float) -> tuple[Array, Array]:
    """Return the loss of every row (M,) for target probabilities (M, C), and the log-probabilities (M, C)."""
    logs = np.subtract(rows, np.maximum.reduce(rows, axis=1, keepdims=True))
    logs -= np.log(np.add.reduce(np.exp(logs), axis=1, keepdims=True))
    if smoothing:
        targets = targets * (1 - smoothing) + smoothing / rows.shape[1]
    if weight is not None:
        targets = targets * weight
    terms = targets * logs
    terms[targets == 0] = 0  # 0 * -inf: an impossible class that nobody asked for costs nothing
    return -np.add.reduce(terms, axis=1), logs


def cross_entropy(
    logits: Array,
    targets: Array,
    weight: Array | None = None,
    *,
    ignore_index: int,
    label_smoothing: float,
    reduction: str,
    axis: int,
) -> Array:
    """Cross-entropy of logits with their classes at `axis`, against class indices or probabilities."""
    options = (ignore_index, label_smoothing, reduction, axis)
    return _run(logits, targets, weight, *options, keep=False)[0]


def cross_entropy_recording(
    logits: Array,
    targets: Array,
    weight: Array | None = None,
    *,
    ignore_index: int,
    label_smoothing: float,
    reduction: str,
    axis: int,
) -> tuple[Array, Array | None]:
    """The same, and what its rule wants, in the shape of the logits.

    For class indices the gradient itself (of the summed or averaged loss), made in the array of the exponentials. For
    probabilities the log-softmax, since they may want a gradient too.
    """
    options = (ignore_index, label_smoothing, reduction, axis)
    return _run(logits, targets, weight, *options, keep=True)


def _run(
    logits: Array,
    targets: Array,
    weight: Array | None,
    ignore_index: int,
    smoothing: float,
    reduction: str,
    axis: int,
    *,
    keep: bool,
) -> tuple[Array, Array | None]:
    kept: Array | None
    rows = as_rows(logits, axis)
    if rows.dtype.char not in "fd":
        loss, kept = _run(
            logits.astype(np.float32), targets, weight, ignore_index, smoothing, reduction, axis, keep=keep
        )
        with np.errstate(over="ignore"):
            return (loss.astype(logits.dtype), kept) if logits.dtype.kind == "f" else (loss, kept)
    if weight is not None:
        weight = weight.astype(rows.dtype, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        if targets.dtype.kind == "f":
            wide = targets.astype(np.promote_types(targets.dtype, rows.dtype), copy=False)
            losses, kept = probability_losses(rows, as_rows(wide, axis), weight, smoothing)
            count = float(len(rows)) if reduction == "mean" else 1.0
        else:
            labels, counted = known_labels(targets.reshape(-1), rows.shape[1], ignore_index)
            count = divisor(labels, counted, weight, reduction)
            losses, kept = _by_blocks(rows, labels, counted, weight, smoothing, 1 / count, keep=keep)
        loss = losses if reduction == "none" else np.asarray(np.add.reduce(losses) / count)
    if reduction == "none":
        loss = loss.reshape(logits.shape[:axis] + logits.shape[axis + 1 :])
    return loss, from_rows(kept, logits.shape, axis) if keep and kept is not None else None


def _by_blocks(
    rows: Array,
    labels: Array,
    counted: Array | None,
    weight: Array | None,
    smoothing: float,
    scale: float,
    *,
    keep: bool,
) -> tuple[Array, Array | None]:
    """Losses (M,) and, with `keep`, the gradient (M, C); what does not count is 0 in both, whatever its logits."""
    step = max(1, BLOCK // rows.shape[1])
    work = np.empty(rows.shape if keep else (min(step, len(rows)), rows.shape[1]), rows.dtype)
    if len(rows) <= step:
        losses, sums = label_losses(rows, labels, weight, smoothing, work)
        if keep:
            label_gradient(work, sums, labels, weight, smoothing, scale)
    else:
        losses = np.empty(len(rows), rows.dtype)
        for start in range(0, len(rows), step):
            block = slice(start, start + step)
            part = rows[block]
            space = work[block] if keep else work[: len(part)]
            losses[block], sums = label_losses(part, labels[block], weight, smoothing, space)
            if keep:
                label_gradient(space, sums, labels[block], weight, smoothing, scale)
    if counted is not None:
        losses[~counted] = 0
        if keep:
            work[~counted] = 0
    return losses, work if keep else None


def nll_loss(
    input: Array, targets: Array, weight: Array | None = None, *, ignore_index: int, reduction: str, axis: int
) -> Array:
    """Minus the log-probability of every target, times its class's weight; reduced."""
    rows = as_rows(input, axis)
    labels, counted = known_labels(targets.reshape(-1), rows.shape[1], ignore_index)
    count = divisor(labels, counted, weight, reduction)
    picked = rows[np.arange(len(rows)), labels]
    losses = np.negative(picked, dtype=np.promote_types(picked.dtype, np.float32))  # float16 is rounded once, below
    if weight is not None:
        losses *= weight[labels]
    if counted is not None:
        losses[~counted] = 0
    with np.errstate(over="ignore"):
        if reduction == "none":
            return losses.reshape(targets.shape).astype(input.dtype, copy=False)
        return np.asarray(np.add.reduce(losses) / count).astype(input.dtype, copy=False)
