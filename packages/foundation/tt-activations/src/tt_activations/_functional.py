"""The public functions: typed, checked, and applied through the engine so that they can be recorded and replaced."""

from __future__ import annotations

from typing import Literal

from tt_tensor import Primitive, Tensor, TensorLike, applies

from tt_activations import _kernels as kernels
from tt_activations._recording import gelu_recording

Approximate = Literal["none", "tanh"]

_relu = Primitive("relu", kernels.relu, elementwise=True)
_leaky_relu = Primitive("leaky_relu", kernels.leaky_relu, elementwise=True)
_sigmoid = Primitive("sigmoid", kernels.sigmoid, elementwise=True)
_gelu = Primitive("gelu", kernels.gelu, elementwise=True, recording=gelu_recording)
_silu = Primitive("silu", kernels.silu, elementwise=True)
_softplus = Primitive("softplus", kernels.softplus, elementwise=True)
_elu = Primitive("elu", kernels.elu, elementwise=True)
_softmax = Primitive("softmax", kernels.softmax)
_log_softmax = Primitive("log_softmax", kernels.log_softmax)


def check_not_negative(function: str, name: str, value: float) -> None:
    """Raise ValueError where `value` is negative or NaN: the gradient is read off the output, whose sign must tell."""
    if not value >= 0:
        raise ValueError(f"{function}: {name} must be 0 or more, got {value!r}")


def check_positive(function: str, name: str, value: float) -> None:
    """Raise ValueError unless `value` is above 0."""
    if not value > 0:
        raise ValueError(f"{function}: {name} must be above 0, got {value!r}")


def check_approximate(approximate: str) -> None:
    """Raise ValueError unless `approximate` names one of GELU's two forms."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be 'none' (exact) or 'tanh', got {approximate!r}")


@applies(_relu)
def relu(x: TensorLike) -> Tensor:
    """Keep what is positive, replace the rest by 0 (Nair and Hinton, 2010).

    Its gradient is 1 where the output is positive and 0 elsewhere, also at 0.

    Args:
        x: Any shape.

    Example:
        >>> relu([-2.0, 0.0, 3.0]).tolist()
        [0.0, 0.0, 3.0]
    """
    return _relu(x)


@applies(_leaky_relu)
def leaky_relu(x: TensorLike, slope: float = 0.01) -> Tensor:
    """ReLU that lets `slope` times a negative input through, so that no unit dies (Maas et al., 2013).

    Args:
        x: Any shape.
        slope: Factor on negative inputs.

    Raises:
        ValueError: `slope` is negative.

    Example:
        >>> leaky_relu([-2.0, 3.0], slope=0.5).tolist()
        [-1.0, 3.0]
    """
    check_not_negative("leaky_relu", "slope", slope)
    return _leaky_relu(x, slope=slope)


@applies(_sigmoid)
def sigmoid(x: TensorLike) -> Tensor:
    """Squash into (0, 1): `1 / (1 + exp(-x))`.

    Args:
        x: Any shape; integers give float32.

    Example:
        >>> sigmoid([-1000.0, 0.0, 1000.0]).tolist()
        [0.0, 0.5, 1.0]
    """
    return _sigmoid(x)


@applies(_gelu)
def gelu(x: TensorLike, approximate: Approximate = "none") -> Tensor:
    """Weigh `x` by the share of a normal distribution below it (Hendrycks and Gimpel, 2016).

    In float32 the exact form errs by at most `8 + x * x / 2` units in the last place, however small the share: one unit
    of `x` makes as much. So does its derivative, and by up to 3e-7 where that passes through 0.

    Args:
        x: Any shape.
        approximate: `"none"` is exact; `"tanh"` is what GPT-2 was trained with.

    Raises:
        ValueError: `approximate` is neither.

    Example:
        >>> gelu([-10.0, 0.0, 10.0]).tolist()[1:]
        [0.0, 10.0]
    """
    check_approximate(approximate)
    return _gelu(x, approximate=approximate)


@applies(_silu)
def silu(x: TensorLike) -> Tensor:
    """`x * sigmoid(x)`, also called swish (Elfwing et al., 2017).

    Args:
        x: Any shape.

    Example:
        >>> silu([0.0, 100.0]).tolist()
        [0.0, 100.0]
    """
    return _silu(x)


@applies(_softplus)
def softplus(x: TensorLike, beta: float = 1.0) -> Tensor:
    """A smooth ReLU: `log(1 + exp(beta * x)) / beta`, exact at both ends (no threshold).

    Args:
        x: Any shape.
        beta: How sharp the bend at 0 is.

    Raises:
        ValueError: `beta` is not above 0.

    Example:
        >>> softplus([-1000.0, 1000.0]).tolist()
        [0.0, 1000.0]
    """
    check_positive("softplus", "beta", beta)
    return _softplus(x, beta=beta)


@applies(_elu)
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2015).

    Args:
        x: Any shape.
        alpha: The output tends to `-alpha` far below 0.

    Raises:
        ValueError: `alpha` is negative.

    Example:
        >>> elu([-1000.0, 2.0]).tolist()
        [-1.0, 2.0]
    """
    check_not_negative("elu", "alpha", alpha)
    return _elu(x, alpha=alpha)


@applies(_softmax)
def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """Turn scores into probabilities that sum to 1 along `axis`.

    No finite score overflows; a score of -inf has probability 0; a slice of nothing but -inf has no answer, and is NaN.

    Args:
        x: Scores, such as (B, C); a single one is certain.
        axis: The axis along which the probabilities sum to 1.

    Raises:
        numpy.exceptions.AxisError: `x` has no such axis.

    Example:
        >>> softmax([[1e4, 1e4], [0.0, -1e4]]).tolist()
        [[0.5, 0.5], [1.0, 0.0]]
    """
    return _softmax(x, axis=axis)


@applies(_log_softmax)
def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """The logarithm of `softmax(x)`, finite where a probability itself would round to 0.

    Args:
        x: Scores, such as (B, C); a single one is certain.
        axis: The axis along which the probabilities sum to 1.

    Raises:
        numpy.exceptions.AxisError: `x` has no such axis.

    Example:
        >>> log_softmax([0.0, -1e4]).tolist()
        [0.0, -10000.0]
    """
    return _log_softmax(x, axis=axis)
