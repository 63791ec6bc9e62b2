"""Losses of classes as objects: settings chosen once, then called with `(logits, targets)`."""

from __future__ import annotations

from dataclasses import dataclass

from tt_tensor import Tensor, TensorLike, as_tensor

from tt_losses import _classification as classification
from tt_losses._reduction import Reduction, check_reduction


@dataclass(frozen=True, slots=True, eq=False)
class CrossEntropyLoss:
    """`cross_entropy` as an object.

    Example:
        >>> CrossEntropyLoss()([[0.0, 1e4]], [0]).item()
        10000.0
    """

    reduction: Reduction = "mean"
    weight: TensorLike | None = None
    ignore_index: int = -100
    label_smoothing: float = 0.0
    axis: int | None = None

    def __post_init__(self) -> None:
        check_reduction("CrossEntropyLoss", self.reduction)
        classification.check_smoothing(self.label_smoothing)
        if self.weight is not None:
            object.__setattr__(self, "weight", as_tensor(self.weight))

    def __call__(self, logits: TensorLike, targets: TensorLike) -> Tensor:
        """Apply `cross_entropy` to logits, and class indices or probabilities."""
        return classification.cross_entropy(
            logits,
            targets,
            self.reduction,
            weight=self.weight,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            axis=self.axis,
        )


@dataclass(frozen=True, slots=True, eq=False)
class NLLLoss:
    """`nll_loss` as an object.

    Example:
        >>> NLLLoss()([[-0.5, -1.5]], [1]).item()
        1.5
    """

    reduction: Reduction = "mean"
    weight: TensorLike | None = None
    ignore_index: int = -100
    axis: int | None = None

    def __post_init__(self) -> None:
        check_reduction("NLLLoss", self.reduction)
        if self.weight is not None:
            object.__setattr__(self, "weight", as_tensor(self.weight))

    def __call__(self, input: TensorLike, targets: TensorLike) -> Tensor:
        """Apply `nll_loss` to log-probabilities and class indices."""
        return classification.nll_loss(
            input, targets, self.reduction, weight=self.weight, ignore_index=self.ignore_index, axis=self.axis
        )
