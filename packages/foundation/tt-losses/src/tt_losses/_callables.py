"""Losses as objects: settings chosen once, then called with `(input, target)`. They hold no state."""

from __future__ import annotations

from dataclasses import dataclass

from tt_tensor import Tensor, TensorLike

from tt_losses import _functional as functional
from tt_losses._functional import KLReduction, check_delta
from tt_losses._reduction import Reduction, check_reduction


@dataclass(frozen=True, slots=True)
class MSELoss:
    """`mse_loss` as an object.

    Example:
        >>> MSELoss()([1.0, 2.0], [1.0, 4.0]).item()
        2.0
    """

    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        check_reduction("MSELoss", self.reduction)

    def __call__(self, input: TensorLike, target: TensorLike) -> Tensor:
        """Apply `mse_loss` to two tensors of one shape."""
        return functional.mse_loss(input, target, self.reduction)


@dataclass(frozen=True, slots=True)
class L1Loss:
    """`l1_loss` as an object.

    Example:
        >>> L1Loss()([1.0, 2.0], [1.0, 4.0]).item()
        1.0
    """

    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        check_reduction("L1Loss", self.reduction)

    def __call__(self, input: TensorLike, target: TensorLike) -> Tensor:
        """Apply `l1_loss` to two tensors of one shape."""
        return functional.l1_loss(input, target, self.reduction)


@dataclass(frozen=True, slots=True)
class HingeLoss:
    """`hinge_loss` as an object.

    Example:
        >>> HingeLoss()([2.0, -1.0], [1, 1]).item()
        1.0
    """

    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        check_reduction("HingeLoss", self.reduction)

    def __call__(self, input: TensorLike, target: TensorLike) -> Tensor:
        """Apply `hinge_loss` to two tensors of one shape."""
        return functional.hinge_loss(input, target, self.reduction)


@dataclass(frozen=True, slots=True)
class BCELoss:
    """`binary_cross_entropy` as an object.

    Example:
        >>> BCELoss()([1.0, 0.0], [1.0, 1.0]).item()
        50.0
    """

    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        check_reduction("BCELoss", self.reduction)

    def __call__(self, input: TensorLike, target: TensorLike) -> Tensor:
        """Apply `binary_cross_entropy` to two tensors of one shape."""
        return functional.binary_cross_entropy(input, target, self.reduction)


@dataclass(frozen=True, slots=True)
class BCEWithLogitsLoss:
    """`binary_cross_entropy_with_logits` as an object.

    Example:
        >>> BCEWithLogitsLoss()([1e4], [0.0]).item()
        10000.0
    """

    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        check_reduction("BCEWithLogitsLoss", self.reduction)

    def __call__(self, input: TensorLike, target: TensorLike) -> Tensor:
        """Apply `binary_cross_entropy_with_logits` to two tensors of one shape."""
        return functional.binary_cross_entropy_with_logits(input, target, self.reduction)


@dataclass(frozen=True, slots=True)
class HuberLoss:
    """`huber_loss` as an object.

    Example:
        >>> HuberLoss(delta=2.0)([0.0], [4.0]).item()
        6.0
    """

    reduction: Reduction = "mean"
    delta: float = 1.0

    def __post_init__(self) -> None:
        check_reduction("HuberLoss", self.reduction)
        check_delta(self.delta)

    def __call__(self, input: TensorLike, target: TensorLike) -> Tensor:
        """Apply `huber_loss` to two tensors of one shape."""
        return functional.huber_loss(input, target, self.reduction, delta=self.delta)


@dataclass(frozen=True, slots=True)
class KLDivLoss:
    """`kl_div` as an object.

    Example:
        >>> KLDivLoss("batchmean")([[0.0, -1e4]], [[1.0, 0.0]]).item()
        0.0
    """

    reduction: KLReduction = "mean"

    def __post_init__(self) -> None:
        check_reduction("KLDivLoss", self.reduction, ("mean", "batchmean", "sum", "none"))

    def __call__(self, input: TensorLike, target: TensorLike) -> Tensor:
        """Apply `kl_div` to log-probabilities and probabilities of one shape."""
        return functional.kl_div(input, target, self.reduction)
