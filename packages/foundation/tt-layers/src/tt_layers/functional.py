"""The layers as functions of tensors: what `Linear` and `Dropout` call."""

from __future__ import annotations

import numpy as np
from tt_tensor import Tensor, TensorLike, applies, as_tensor, default_rng

from tt_layers._kernels import dropout_primitive, linear_primitive

__all__ = ["dropout", "linear"]


@applies(linear_primitive)
def linear(x: TensorLike, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Compute `x @ weight + bias`.

    Shapes: x (..., in), weight (in, out), bias (out,) -> (..., out).

    Args:
        x: The input; all axes but the last are kept as they are.
        weight: One column for each output.
        bias: One number for each output, or None.

    Raises:
        ValueError: If the shapes do not fit together.

    Example:
        >>> linear(Tensor([[1.0, 2.0]]), Tensor([[1.0], [10.0]])).tolist()
        [[21.0]]
    """
    x = as_tensor(x)
    if weight.ndim != 2 or x.ndim == 0 or x.shape[-1] != weight.shape[0]:
        raise ValueError(
            f"linear computes x @ weight for x of shape (..., in) and weight of shape (in, out), but received x of "
            f"shape {x.shape} and weight of shape {weight.shape}. Reshape x, or transpose a weight that is (out, in)."
        )
    if bias is None:
        return linear_primitive(x, weight)
    if bias.shape != weight.shape[1:]:
        raise ValueError(
            f"linear adds one bias to each of {weight.shape[1]} outputs, but received a bias of shape {bias.shape}. "
            f"Give it the shape {weight.shape[1:]}."
        )
    return linear_primitive(x, weight, bias)


def check_probability(p: float) -> None:
    """Refuse a probability of dropping outside [0, 1] (or NaN)."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout's p is the probability of dropping a value, from 0 to 1, but received {p!r}.")


@applies(dropout_primitive)
def dropout(x: TensorLike, p: float = 0.5, *, training: bool = True, rng: np.random.Generator | None = None) -> Tensor:
    """Drop each value with probability `p`, and scale those that stay by `1 / (1 - p)`.

    Shapes: x of any shape -> the same.

    The scaling keeps the expected value, so that nothing has to be done when the network is used ("inverted dropout").

    Args:
        x: The input, of floating-point numbers.
        p: The probability of dropping a value; 0 keeps all, 1 drops all.
        training: False returns `x` itself.
        rng: Where the random numbers come from; tt-tensor's `default_rng()` without it.

    Raises:
        ValueError: If `p` is not between 0 and 1.
        TypeError: If `x` holds integers or booleans.

    Source: Srivastava et al., "Dropout", JMLR 15, 2014.

    Example:
        >>> dropout(Tensor([1.0, 2.0]), p=1.0).tolist()
        [0.0, 0.0]
    """
    check_probability(p)
    x = as_tensor(x)
    if not np.issubdtype(x.dtype, np.floating):
        raise TypeError(f"dropout scales what it keeps and so needs floating-point numbers, but received {x.dtype}.")
    if not training or p == 0.0:
        return x
    generator = default_rng() if rng is None else rng
    # p == 1 keeps nothing, and 1 / (1 - p) has no value: any finite scale will do.
    scale = 1.0 / (1.0 - p) if p < 1.0 else 0.0
    return dropout_primitive(x, keep_mask(x.shape, p, generator), scale=scale)


def keep_mask(shape: tuple[int, ...], p: float, rng: np.random.Generator) -> Tensor:
    """Draw a boolean tensor of `shape`: each value is true with probability `1 - p`.

    Example:
        >>> keep_mask((2, 3), 0.0, np.random.default_rng(0)).data.all()
        np.True_
    """
    return Tensor(rng.random(shape, dtype=np.float32) >= p)
