"""Activations as objects to stand in a `Sequential`: they hold settings, no state, and compare by value."""

from __future__ import annotations

from dataclasses import dataclass

from tt_tensor import Tensor, TensorLike, tanh

from tt_activations import _functional as functional
from tt_activations._functional import Approximate, check_approximate, check_not_negative, check_positive


@dataclass(frozen=True, slots=True)
class ReLU:
    """`relu` as an object.

    Example:
        >>> ReLU()([-1.0, 2.0]).tolist()
        [0.0, 2.0]
    """

    def __call__(self, x: TensorLike) -> Tensor:
        """Apply `relu` to a tensor of any shape."""
        return functional.relu(x)


@dataclass(frozen=True, slots=True)
class LeakyReLU:
    """`leaky_relu` as an object.

    Example:
        >>> LeakyReLU(slope=0.5)
        LeakyReLU(slope=0.5)
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        check_not_negative("LeakyReLU", "slope", self.slope)

    def __call__(self, x: TensorLike) -> Tensor:
        """Apply `leaky_relu` to a tensor of any shape."""
        return functional.leaky_relu(x, self.slope)


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """`sigmoid` as an object.

    Example:
        >>> Sigmoid()(0.0).item()
        0.5
    """

    def __call__(self, x: TensorLike) -> Tensor:
        """Apply `sigmoid` to a tensor of any shape."""
        return functional.sigmoid(x)


@dataclass(frozen=True, slots=True)
class Tanh:
    """`tanh` as an object.

    Example:
        >>> Tanh()([0.0, 1000.0]).tolist()
        [0.0, 1.0]
    """

    def __call__(self, x: TensorLike) -> Tensor:
        """Apply `tanh` to a tensor of any shape."""
        return tanh(x)


@dataclass(frozen=True, slots=True)
class GELU:
    """`gelu` as an object.

    Example:
        >>> GELU(approximate="tanh")
        GELU(approximate='tanh')
    """

    approximate: Approximate = "none"

    def __post_init__(self) -> None:
        check_approximate(self.approximate)

    def __call__(self, x: TensorLike) -> Tensor:
        """Apply `gelu` to a tensor of any shape."""
        return functional.gelu(x, self.approximate)


@dataclass(frozen=True, slots=True)
class SiLU:
    """`silu` as an object.

    Example:
        >>> SiLU()(0.0).item()
        0.0
    """

    def __call__(self, x: TensorLike) -> Tensor:
        """Apply `silu` to a tensor of any shape."""
        return functional.silu(x)


@dataclass(frozen=True, slots=True)
class Softplus:
    """`softplus` as an object.

    Example:
        >>> Softplus()(1000.0).item()
        1000.0
    """

    beta: float = 1.0

    def __post_init__(self) -> None:
        check_positive("Softplus", "beta", self.beta)

    def __call__(self, x: TensorLike) -> Tensor:
        """Apply `softplus` to a tensor of any shape."""
        return functional.softplus(x, self.beta)


@dataclass(frozen=True, slots=True)
class ELU:
    """`elu` as an object.

    Example:
        >>> ELU()(-1000.0).item()
        -1.0
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        check_not_negative("ELU", "alpha", self.alpha)

    def __call__(self, x: TensorLike) -> Tensor:
        """Apply `elu` to a tensor of any shape."""
        return functional.elu(x, self.alpha)


@dataclass(frozen=True, slots=True)
class Softmax:
    """`softmax` along one axis, as an object.

    Example:
        >>> Softmax(axis=0)([0.0, 0.0]).tolist()
        [0.5, 0.5]
    """

    axis: int = -1

    def __call__(self, x: TensorLike) -> Tensor:
        """Apply `softmax` to scores such as (B, C)."""
        return functional.softmax(x, self.axis)


@dataclass(frozen=True, slots=True)
class LogSoftmax:
    """`log_softmax` along one axis, as an object.

    Example:
        >>> LogSoftmax()
        LogSoftmax(axis=-1)
    """

    axis: int = -1

    def __call__(self, x: TensorLike) -> Tensor:
        """Apply `log_softmax` to scores such as (B, C)."""
        return functional.log_softmax(x, self.axis)
