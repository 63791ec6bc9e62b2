"""The layers themselves: a thin shell of parameters around a function."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from tt_tensor import Array, Tensor, reshape

from tt_layers import init
from tt_layers._kernels import linear_primitive
from tt_layers._module import Module
from tt_layers._parameter import Parameter
from tt_layers.functional import check_probability, dropout


class Linear(Module):
    """A fully connected layer: `x @ weight + bias`.

    Shapes: input (..., in_features) -> output (..., out_features).

    Weight and bias start evenly from [-b, b) with b = 1 / sqrt(in_features), as PyTorch's do (Kaiming's uniform
    initialiser for a slope of sqrt(5)).

    Args:
        in_features: Numbers in.
        out_features: Numbers out.
        bias: False leaves the bias out.
        dtype: The type of the parameters; float32 without it.
        rng: Where the random numbers come from; tt-tensor's `default_rng()` without it.

    Attributes:
        weight: The parameter of shape (in_features, out_features).
        bias: The parameter of shape (out_features,), or None.

    Raises:
        ValueError: If a number of features is not positive.

    Example:
        >>> layer = Linear(3, 2)
        >>> layer(Tensor([[1.0, 2.0, 3.0]])).shape
        (1, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: npt.DTypeLike | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        if in_features < 1 or out_features < 1:
            raise ValueError(
                f"Linear needs at least one feature in and one out, but received in_features={in_features} and "
                f"out_features={out_features}."
            )
        self.in_features = in_features
        self.out_features = out_features
        kind = np.float32 if dtype is None else dtype
        self.weight = Parameter(np.zeros((in_features, out_features), kind), dtype=kind)
        self.bias = Parameter(np.zeros(out_features, kind), dtype=kind) if bias else None
        self.reset_parameters(rng=rng)

    def reset_parameters(self, *, rng: np.random.Generator | None = None) -> None:
        """Draw weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5.0), rng=rng)
        if self.bias is not None:
            bound = 1.0 / math.sqrt(self.in_features)
            init.uniform_(self.bias, -bound, bound, rng=rng)

    def forward(self, x: Tensor | Array) -> Tensor:
        """Return `x @ weight + bias`."""
        if x.shape[-1:] != (self.in_features,):
            raise ValueError(
                f"{self!r} expects an input of shape (..., {self.in_features}), but received {tuple(x.shape)}. "
                + self._remedy(x.shape)
            )
        if self.bias is None:
            return linear_primitive(x, self.weight)
        return linear_primitive(x, self.weight, self.bias)

    def _remedy(self, shape: tuple[int, ...]) -> str:
        if len(shape) > 1 and math.prod(shape[1:]) == self.in_features:
            return "Put a Flatten() before it."
        if self.in_features == 1:
            return "Give it a last axis: x.reshape(-1, 1)."
        return "Change the layer's in_features or the input."

    def describe(self) -> str:
        """Return the sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Dropout(Module):
    """While training, drop each value with probability `p` and scale the others by `1 / (1 - p)`; else do nothing.

    Args:
        p: The probability of dropping a value.
        rng: Where the random numbers come from; tt-tensor's `default_rng()` without it.

    Raises:
        ValueError: If `p` is not between 0 and 1.

    Source: Srivastava et al., "Dropout", JMLR 15, 2014.

    Example:
        >>> layer = Dropout(0.9).eval()
        >>> layer(Tensor([1.0, 2.0])).tolist()
        [1.0, 2.0]
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | None = None) -> None:
        check_probability(p)
        self.p = p
        self.rng = rng

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` with some values dropped, or `x` itself in `eval` mode."""
        return dropout(x, self.p, training=self.training, rng=self.rng)

    def describe(self) -> str:
        """Return the probability."""
        return f"p={self.p}"


class Flatten(Module):
    """Fold all axes from `start_axis` on into one.

    Shapes: (N, A, B, ...) -> (N, A * B * ...).

    Args:
        start_axis: The first axis to fold; 1 keeps the batch.

    Example:
        >>> Flatten()(Tensor([[[1.0, 2.0], [3.0, 4.0]]])).shape
        (1, 4)
    """

    def __init__(self, start_axis: int = 1) -> None:
        self.start_axis = start_axis

    def forward(self, x: Tensor) -> Tensor:
        """Return a view of `x` with fewer axes."""
        start = self.start_axis if self.start_axis >= 0 else x.ndim + self.start_axis
        if not 0 <= start < x.ndim:
            raise ValueError(
                f"Flatten(start_axis={self.start_axis}) needs an input that has that axis, but received the shape "
                f"{x.shape}."
            )
        # Multiplied out rather than -1: NumPy cannot infer an axis of an empty batch.
        return reshape(x, (*x.shape[:start], math.prod(x.shape[start:])))

    def describe(self) -> str:
        """Return the first folded axis."""
        return f"start_axis={self.start_axis}"


class Identity(Module):
    """Return the input: a layer that stands where none is wanted.

    Example:
        >>> Identity()(Tensor([1.0])).tolist()
        [1.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return `x`."""
        return x
