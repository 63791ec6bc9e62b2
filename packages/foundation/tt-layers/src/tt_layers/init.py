"""Ways to fill a parameter before training: how large should a random weight be?

Every function writes into the tensor it is given and returns it. `rng` says where random numbers come from; without it
they come from tt-tensor's `default_rng()`, which `manual_seed` seeds.

Example:
    >>> from tt_tensor import Tensor, zeros
    >>> float(constant_(zeros((2, 2)), 3.0).data.sum())
    12.0
"""

from __future__ import annotations

import math
from typing import Literal, TypeVar

import numpy as np
from tt_tensor import Array, Tensor, default_rng, increment_version

__all__ = [
    "constant_",
    "fans",
    "gain",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "normal_",
    "ones_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

T = TypeVar("T", bound=Tensor)
Mode = Literal["fan_in", "fan_out"]


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many numbers flow into and out of one unit of a weight of this shape: `(fan_in, fan_out)`.

    Args:
        shape: `(in, out)` for a linear layer; `(out, in, *kernel)` for a convolution, where every position of the
            kernel counts.

    Raises:
        ValueError: If the shape has fewer than two axes.

    Example:
        >>> fans((784, 128)), fans((8, 3, 5, 5))
        ((784, 128), (75, 200))
    """
    if len(shape) < 2:
        raise ValueError(
            f"fan-in and fan-out are those of a weight with at least two axes, but received the shape {shape}. "
            "Fill a bias with zeros_, constant_ or uniform_."
        )
    if len(shape) == 2:
        return shape[0], shape[1]
    positions = math.prod(shape[2:])
    return shape[1] * positions, shape[0] * positions


def gain(nonlinearity: str, slope: float = 0.01) -> float:
    """Return the factor by which weights must grow to make up for what an activation takes away.

    Args:
        nonlinearity: "linear", "sigmoid", "tanh", "relu", "leaky_relu" or "selu".
        slope: The slope of "leaky_relu" below zero.

    Raises:
        ValueError: If the name is none of these.

    Source: the table of torch.nn.init.calculate_gain.

    Example:
        >>> round(gain("relu"), 4)
        1.4142
    """
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5.0 / 3.0,
        "relu": math.sqrt(2.0),
        "leaky_relu": math.sqrt(2.0 / (1.0 + slope**2)),
        "selu": 0.75,
    }
    if nonlinearity not in gains:
        raise ValueError(f"no gain is known for {nonlinearity!r}; choose one of {', '.join(sorted(gains))}.")
    return gains[nonlinearity]


def _fill(tensor: T, values: Array | float) -> T:
    tensor.data[...] = values
    increment_version(tensor)
    return tensor


def constant_(tensor: T, value: float) -> T:
    """Fill with one value.

    Example:
        >>> constant_(Tensor([1.0, 2.0]), 5.0).tolist()
        [5.0, 5.0]
    """
    return _fill(tensor, value)


def zeros_(tensor: T) -> T:
    """Fill with zeros.

    Example:
        >>> zeros_(Tensor([1.0])).tolist()
        [0.0]
    """
    return _fill(tensor, 0.0)


def ones_(tensor: T) -> T:
    """Fill with ones.

    Example:
        >>> ones_(Tensor([7.0])).tolist()
        [1.0]
    """
    return _fill(tensor, 1.0)


def uniform_(tensor: T, low: float = 0.0, high: float = 1.0, *, rng: np.random.Generator | None = None) -> T:
    """Fill with numbers drawn evenly from [low, high).

    Raises:
        ValueError: If `high` is below `low`.

    Example:
        >>> bool(uniform_(Tensor([9.0]), 0.0, 1.0).data[0] <= 1.0)
        True
    """
    if high < low:
        raise ValueError(f"uniform_ draws from [low, high), but received low={low!r} and high={high!r}. Swap them.")
    generator = default_rng() if rng is None else rng
    return _fill(tensor, generator.uniform(low, high, tensor.shape))


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, *, rng: np.random.Generator | None = None) -> T:
    """Fill with numbers of a normal distribution.

    Raises:
        ValueError: If `std` is negative.

    Example:
        >>> normal_(Tensor([9.0]), mean=2.0, std=0.0).tolist()
        [2.0]
    """
    if std < 0.0:
        raise ValueError(f"normal_ needs a standard deviation of at least 0, but received std={std!r}.")
    generator = default_rng() if rng is None else rng
    return _fill(tensor, generator.normal(mean, std, tensor.shape))


def xavier_std(shape: tuple[int, ...], gain: float = 1.0) -> float:
    """Return Xavier's standard deviation: the compromise between fan-in (forward) and fan-out (backward).

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """
    fan_in, fan_out = fans(shape)
    return gain * math.sqrt(2.0 / max(fan_in + fan_out, 1))


def kaiming_std(shape: tuple[int, ...], a: float, mode: Mode, nonlinearity: str) -> float:
    """Return Kaiming's standard deviation: `gain / sqrt(fan)`, the gain making up for the activation.

    Source: He et al., "Delving deep into rectifiers", 2015.
    """
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode says which fan counts, 'fan_in' or 'fan_out', but received {mode!r}.")
    fan_in, fan_out = fans(shape)
    fan = fan_in if mode == "fan_in" else fan_out
    return gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def _bound(std: float) -> float:
    """Return the b for which the uniform distribution on [-b, b) has this standard deviation."""
    return math.sqrt(3.0) * std


def xavier_uniform_(tensor: T, gain: float = 1.0, *, rng: np.random.Generator | None = None) -> T:
    """Fill evenly from [-b, b), b = gain * sqrt(6 / (fan_in + fan_out)). For tanh, sigmoid and attention.

    Source: Glorot and Bengio, 2010.

    Example:
        >>> bool(abs(xavier_uniform_(Tensor([[0.0, 0.0]])).data).max() <= 6 ** 0.5 / 3 ** 0.5)
        True
    """
    bound = _bound(xavier_std(tensor.shape, gain))
    return uniform_(tensor, -bound, bound, rng=rng)


def xavier_normal_(tensor: T, gain: float = 1.0, *, rng: np.random.Generator | None = None) -> T:
    """Fill normally, with standard deviation gain * sqrt(2 / (fan_in + fan_out)).

    Source: Glorot and Bengio, 2010.

    Example:
        >>> xavier_normal_(Tensor([[9.0, 9.0]]), gain=0.0).tolist()
        [[0.0, 0.0]]
    """
    return normal_(tensor, 0.0, xavier_std(tensor.shape, gain), rng=rng)


def kaiming_uniform_(
    tensor: T,
    a: float = 0.0,
    mode: Mode = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: np.random.Generator | None = None,
) -> T:
    """Fill evenly from [-b, b), b = gain * sqrt(3 / fan). For ReLU and its relatives.

    Args:
        tensor: The weight to fill.
        a: The slope below zero of a leaky ReLU; 0 is a ReLU.
        mode: "fan_in" keeps the variance going forward, "fan_out" going backward.
        nonlinearity: The activation that follows; see `gain`.
        rng: Where the random numbers come from.

    Source: He et al., 2015.

    Example:
        >>> bool(abs(kaiming_uniform_(Tensor([[0.0], [0.0], [0.0]])).data).max() <= 2 ** 0.5)
        True
    """
    bound = _bound(kaiming_std(tensor.shape, a, mode, nonlinearity))
    return uniform_(tensor, -bound, bound, rng=rng)


def kaiming_normal_(
    tensor: T,
    a: float = 0.0,
    mode: Mode = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: np.random.Generator | None = None,
) -> T:
    """Fill normally, with standard deviation gain / sqrt(fan); the arguments are those of `kaiming_uniform_`.

    Source: He et al., 2015.

    Example:
        >>> kaiming_normal_(Tensor([[0.0, 0.0]])).shape
        (1, 2)
    """
    return normal_(tensor, 0.0, kaiming_std(tensor.shape, a, mode, nonlinearity), rng=rng)


def lecun_uniform_(tensor: T, *, rng: np.random.Generator | None = None) -> T:
    """Fill evenly from [-b, b), b = sqrt(3 / fan_in): keeps the variance of a linear unit.

    Source: LeCun et al., "Efficient BackProp", 1998.

    Example:
        >>> bool(abs(lecun_uniform_(Tensor([[0.0], [0.0], [0.0]])).data).max() <= 1.0)
        True
    """
    bound = _bound(kaiming_std(tensor.shape, 0.0, "fan_in", "linear"))
    return uniform_(tensor, -bound, bound, rng=rng)


def lecun_normal_(tensor: T, *, rng: np.random.Generator | None = None) -> T:
    """Fill normally, with standard deviation 1 / sqrt(fan_in): keeps the variance of a linear unit.

    Source: LeCun et al., 1998.

    Example:
        >>> lecun_normal_(Tensor([[0.0, 0.0]])).shape
        (1, 2)
    """
    return normal_(tensor, 0.0, kaiming_std(tensor.shape, 0.0, "fan_in", "linear"), rng=rng)
