"""Losses of classes: cross-entropy from logits, and its second half from log-probabilities."""

from __future__ import annotations

import numpy as np
from tt_tensor import Primitive, Tensor, TensorLike, applies, as_tensor

from tt_losses import _cross_entropy as kernels
from tt_losses._checks import check_labels, check_weight, class_axis
from tt_losses._reduction import Reduction, check_count, check_reduction

_cross_entropy = Primitive("cross_entropy", kernels.cross_entropy, recording=kernels.cross_entropy_recording)
_nll_loss = Primitive("nll_loss", kernels.nll_loss)


def check_smoothing(label_smoothing: float) -> None:
    """Raise ValueError unless `label_smoothing` is in [0, 1]."""
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must be in [0, 1], got {label_smoothing!r}")


@applies(_cross_entropy)
def cross_entropy(
    logits: TensorLike,
    targets: TensorLike,
    reduction: Reduction = "mean",
    *,
    weight: TensorLike | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    axis: int | None = None,
) -> Tensor:
    """Minus the log-probability that softmax(logits) gives to the targets, without ever making that probability.

    Exact at any finite logits. With `weight`, the mean over class indices divides by the weights of the targets, as in
    PyTorch. Unlike there, the mean of nothing (an empty batch, every target ignored) is an error instead of NaN, and
    an impossible class (logit -inf) whose target probability is 0 costs 0.

    Args:
        logits: (N, C), (C,), or (N, C, d1, ...): any scores, classes on axis 1 as in PyTorch. With `axis=-1`: (..., C).
        targets: Class indices (integers) of the shape of `logits` without its class axis; or probabilities (floats) of
            the shape of `logits`, which may have a gradient of their own.
        reduction: `"mean"` over the targets that count, `"sum"`, or `"none"`.
        weight: (C,), the importance of every class; it gets no gradient.
        ignore_index: Targets of this index cost nothing and do not count. No effect on probabilities.
        label_smoothing: The share of every target that is spread evenly over all classes (Szegedy et al., 2015).
        axis: Where the classes are.

    Raises:
        IndexError: A class index is negative or C or more, and not `ignore_index`.
        ValueError: Shapes that do not fit, an unknown reduction, smoothing outside [0, 1], the mean of nothing.
        TypeError: Targets of the shape of indices that are not integers.

    Example:
        >>> cross_entropy([[0.0, 1e4], [0.0, 1e4]], [1, 0], "none").tolist()
        [0.0, 10000.0]
    """
    check_reduction("cross_entropy", reduction)
    check_smoothing(label_smoothing)
    logits, targets = as_tensor(logits), as_tensor(targets)
    axis = class_axis("cross_entropy", logits, axis)
    if targets.dtype.kind != "f" or targets.shape != logits.shape:
        check_labels("cross_entropy", logits, targets, axis)
    else:
        check_count("cross_entropy", logits.size, reduction)
    inputs: tuple[Tensor, ...] = (logits, targets)
    if weight is not None:
        inputs += (check_weight("cross_entropy", weight, logits.shape[axis]),)
    return _cross_entropy(
        *inputs, ignore_index=ignore_index, label_smoothing=label_smoothing, reduction=reduction, axis=axis
    )


@applies(_nll_loss)
def nll_loss(
    input: TensorLike,
    targets: TensorLike,
    reduction: Reduction = "mean",
    *,
    weight: TensorLike | None = None,
    ignore_index: int = -100,
    axis: int | None = None,
) -> Tensor:
    """Minus the log-probability of every target class: what follows `log_softmax` in a cross-entropy.

    Args:
        input: Log-probabilities: (N, C), (C,), or (N, C, d1, ...), classes on axis 1; with `axis=-1`, (..., C).
        targets: Class indices of the shape of `input` without its class axis.
        reduction: `"mean"` over the targets that count (by weight), `"sum"`, or `"none"`.
        weight: (C,), the importance of every class; it gets no gradient.
        ignore_index: Targets of this index cost nothing and do not count.
        axis: Where the classes are.

    Raises:
        IndexError: A class index is negative or C or more, and not `ignore_index`.
        ValueError: Shapes that do not fit, an unknown reduction, the mean of nothing.
        TypeError: Targets that are not integers.

    Example:
        >>> nll_loss([[-0.5, -1.5], [-2.0, -0.25]], [0, 1], "none").tolist()
        [0.5, 0.25]
    """
    check_reduction("nll_loss", reduction)
    input, targets = as_tensor(input), as_tensor(targets)
    if input.dtype.kind != "f":
        input = input.astype(np.float32)
    axis = class_axis("nll_loss", input, axis)
    check_labels("nll_loss", input, targets, axis)
    inputs: tuple[Tensor, ...] = (input, targets)
    if weight is not None:
        inputs += (check_weight("nll_loss", weight, input.shape[axis]),)
    return _nll_loss(*inputs, ignore_index=ignore_index, reduction=reduction, axis=axis)
