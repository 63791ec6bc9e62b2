"""Losses of numbers and of yes-or-no questions: typed, checked, and applied through the engine."""

from __future__ import annotations

from typing import Literal

from tt_tensor import Primitive, Tensor, TensorLike, applies

from tt_losses import _probability as probability
from tt_losses import _regression as regression
from tt_losses._checks import check_probabilities, check_signs, same_shape
from tt_losses._reduction import Reduction, check_reduction

KLReduction = Literal["mean", "batchmean", "sum", "none"]

_mse_loss = Primitive("mse_loss", regression.mse_loss)
_l1_loss = Primitive("l1_loss", regression.l1_loss)
_huber_loss = Primitive("huber_loss", regression.huber_loss)
_hinge_loss = Primitive("hinge_loss", regression.hinge_loss)
_binary_cross_entropy = Primitive("binary_cross_entropy", probability.binary_cross_entropy)
_with_logits = Primitive("binary_cross_entropy_with_logits", probability.binary_cross_entropy_with_logits)
_kl_div = Primitive("kl_div", probability.kl_div)


def check_delta(delta: float) -> None:
    """Raise ValueError unless `delta` is above 0."""
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be above 0, got {delta!r}")


@applies(_mse_loss)
def mse_loss(input: TensorLike, target: TensorLike, reduction: Reduction = "mean") -> Tensor:
    """The squared difference (Gauss and Legendre, around 1800).

    Args:
        input: Predictions of any shape.
        target: The same shape exactly, or a single number. (N, 1) against (N,) would broadcast to (N, N).
        reduction: `"mean"` over all elements, `"sum"`, or `"none"`.

    Raises:
        ValueError: The shapes differ, the reduction is unknown, or the mean of an empty batch is asked for.

    Example:
        >>> mse_loss([1.0, 2.0], [1.0, 4.0]).item()
        2.0
    """
    return _mse_loss(*same_shape("mse_loss", input, target, reduction), reduction=reduction)


@applies(_l1_loss)
def l1_loss(input: TensorLike, target: TensorLike, reduction: Reduction = "mean") -> Tensor:
    """The distance `|input - target|`; its gradient is the sign, and 0 where they agree.

    Args:
        input: Predictions of any shape.
        target: The same shape exactly, or a single number.
        reduction: `"mean"` over all elements, `"sum"`, or `"none"`.

    Raises:
        ValueError: As for `mse_loss`.

    Example:
        >>> l1_loss([1.0, 2.0], [1.0, 4.0]).item()
        1.0
    """
    return _l1_loss(*same_shape("l1_loss", input, target, reduction), reduction=reduction)


@applies(_huber_loss)
def huber_loss(input: TensorLike, target: TensorLike, reduction: Reduction = "mean", *, delta: float = 1.0) -> Tensor:
    """Squared up to `delta`, straight beyond, so that an outlier cannot drown the rest (Huber, 1964).

    Args:
        input: Predictions of any shape.
        target: The same shape exactly, or a single number.
        reduction: `"mean"` over all elements, `"sum"`, or `"none"`.
        delta: Where the parabola becomes a line.

    Raises:
        ValueError: As for `mse_loss`; or `delta` is not above 0.

    Example:
        >>> huber_loss([0.0, 0.0], [1.0, 3.0], "none").tolist()
        [0.5, 2.5]
    """
    check_delta(delta)
    return _huber_loss(*same_shape("huber_loss", input, target, reduction), delta=delta, reduction=reduction)


@applies(_hinge_loss)
def hinge_loss(input: TensorLike, target: TensorLike, reduction: Reduction = "mean") -> Tensor:
    """`max(0, 1 - target * input)`: nothing to pay once on the right side by 1 (Cortes and Vapnik, 1995).

    Args:
        input: Scores of any shape.
        target: The same shape exactly, or a single number; every one is -1 or 1.
        reduction: `"mean"` over all elements, `"sum"`, or `"none"`.

    Raises:
        ValueError: As for `mse_loss`; or a target is neither -1 nor 1.

    Example:
        >>> hinge_loss([2.0, 0.5, -1.0], [1, 1, 1], "none").tolist()
        [0.0, 0.5, 2.0]
    """
    x, y = same_shape("hinge_loss", input, target, reduction)
    check_signs("hinge_loss", y)
    return _hinge_loss(x, y, reduction=reduction)


@applies(_binary_cross_entropy)
def binary_cross_entropy(input: TensorLike, target: TensorLike, reduction: Reduction = "mean") -> Tensor:
    """Minus the log-probability of yes-or-no answers; a certain and wrong one costs 100, not infinity (as in PyTorch).

    Prefer `binary_cross_entropy_with_logits`: close to 1, float32 probabilities are 6e-8 apart.

    Args:
        input: Probabilities in [0, 1], any shape.
        target: The same shape exactly, or a single number: 0, 1 or in between.
        reduction: `"mean"` over all elements, `"sum"`, or `"none"`.

    Raises:
        ValueError: As for `mse_loss`; or an input is outside [0, 1].

    Example:
        >>> binary_cross_entropy([1.0, 0.0], [1.0, 1.0], "none").tolist()
        [0.0, 100.0]
    """
    x, y = same_shape("binary_cross_entropy", input, target, reduction)
    check_probabilities("binary_cross_entropy", x)
    return _binary_cross_entropy(x, y, reduction=reduction)


@applies(_with_logits)
def binary_cross_entropy_with_logits(input: TensorLike, target: TensorLike, reduction: Reduction = "mean") -> Tensor:
    """Binary cross-entropy of `sigmoid(input)`, exact for every finite score.

    Args:
        input: Scores of any shape.
        target: The same shape exactly, or a single number: 0, 1 or in between.
        reduction: `"mean"` over all elements, `"sum"`, or `"none"`.

    Raises:
        ValueError: As for `mse_loss`.

    Example:
        >>> binary_cross_entropy_with_logits([1e4, 1e4], [1.0, 0.0], "none").tolist()
        [0.0, 10000.0]
    """
    return _with_logits(*same_shape("binary_cross_entropy_with_logits", input, target, reduction), reduction=reduction)


@applies(_kl_div)
def kl_div(input: TensorLike, target: TensorLike, reduction: KLReduction = "mean") -> Tensor:
    """Kullback-Leibler divergence of `target` from `exp(input)`: what it costs to believe the wrong distribution.

    Args:
        input: Log-probabilities (from `log_softmax`), any shape.
        target: Probabilities of the same shape exactly; where one is 0, nothing is paid.
        reduction: `"batchmean"` (sum over axis 0's length, the divergence proper), `"mean"` over all elements, `"sum"`
            or `"none"`.

    Raises:
        ValueError: As for `mse_loss`; or `"batchmean"` of a single number.

    Example:
        >>> round(kl_div([[-0.6931472, -0.6931472]], [[1.0, 0.0]], "batchmean").item(), 4)
        0.6931
    """
    check_reduction("kl_div", reduction, ("mean", "batchmean", "sum", "none"))
    x, y = same_shape("kl_div", input, target, "mean" if reduction == "batchmean" else reduction)
    if reduction == "batchmean" and not x.ndim:
        raise ValueError("kl_div: reduction='batchmean' needs a batch axis, got a single number")
    return _kl_div(x, y, reduction=reduction)
