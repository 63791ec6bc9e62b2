"""The blocks' operations as functions of tensors."""

from __future__ import annotations

from tt_tensor import Tensor, TensorLike, applies, as_tensor

from tt_transformers._gate_kernels import linear_gelu_primitive, swiglu_primitive
from tt_transformers._norm_kernels import layer_norm_primitive, rms_norm_primitive

__all__ = ["layer_norm", "linear_gelu", "rms_norm", "swiglu"]


def _floating(x: TensorLike) -> Tensor:
    """Return a tensor of floating-point numbers; integers give float32, as in activations."""
    x = as_tensor(x)
    return x if x.dtype.kind == "f" else x.astype("float32")


def _check(name: str, x: Tensor, eps: float, **vectors: Tensor) -> None:
    """Refuse an input without features, integers, a parameter of another length, and a negative eps."""
    if x.ndim == 0 or x.shape[-1] == 0 or x.dtype.kind != "f":
        raise ValueError(
            f"{name} works along the last axis of an input (..., C) of floating-point numbers, but received shape "
            f"{x.shape} of {x.dtype}. Give it at least one feature, or cast with astype('float32')."
        )
    for what, vector in vectors.items():
        if vector.shape != x.shape[-1:]:
            raise ValueError(
                f"{name} has one {what} for each of the {x.shape[-1]} features, but received a {what} of shape "
                f"{vector.shape}. Give it the shape {x.shape[-1:]}."
            )
    if not eps >= 0.0:
        raise ValueError(f"{name}'s eps keeps the divisor from 0 and is at least 0, but received {eps!r}.")


@applies(layer_norm_primitive)
def layer_norm(x: TensorLike, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Bring the last axis of `x` to mean 0 and variance 1, then scale and shift each feature.

    Shapes: x (..., C), weight and bias (C,) -> (..., C).

    Args:
        x: The input.
        weight: What each feature is multiplied by.
        bias: What is added to each feature.
        eps: What is added to the variance, so that a constant row does not divide by zero.

    Raises:
        ValueError: If the shapes do not fit together, or `x` holds integers.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016.

    Example:
        >>> layer_norm(Tensor([[1.0, 3.0]]), Tensor([1.0, 1.0]), Tensor([0.0, 10.0]), eps=0.0).tolist()
        [[-1.0, 11.0]]
    """
    x = as_tensor(x)
    _check("layer_norm", x, eps, weight=weight, bias=bias)
    return layer_norm_primitive(x, weight, bias, eps=eps)


@applies(rms_norm_primitive)
def rms_norm(x: TensorLike, weight: Tensor, eps: float = 1e-5) -> Tensor:
    """Divide the last axis of `x` by its root mean square, then scale each feature.

    Shapes: x (..., C), weight (C,) -> (..., C).

    Args:
        x: The input.
        weight: What each feature is multiplied by.
        eps: What is added to the mean square.

    Raises:
        ValueError: If the shapes do not fit together, or `x` holds integers.

    Source: Zhang and Sennrich, "Root mean square layer normalization", 2019.

    Example:
        >>> rms_norm(Tensor([[2.0, -2.0]]), Tensor([1.0, 3.0]), eps=0.0).tolist()
        [[1.0, -3.0]]
    """
    x = as_tensor(x)
    _check("rms_norm", x, eps, weight=weight)
    return rms_norm_primitive(x, weight, eps=eps)


@applies(swiglu_primitive)
def swiglu(gate: TensorLike, up: TensorLike) -> Tensor:
    """Compute `silu(gate) * up`: the gate says how much of each feature passes.

    Shapes: gate and up equal -> the same.

    Args:
        gate: What goes through `silu`; integers give float32.
        up: What is multiplied by it.

    Raises:
        ValueError: If the shapes differ.

    Source: Shazeer, "GLU variants improve transformer", 2020.

    Example:
        >>> swiglu(Tensor([0.0, 100.0]), Tensor([3.0, 3.0])).tolist()
        [0.0, 300.0]
    """
    gate, up = _floating(gate), _floating(up)
    if gate.shape != up.shape:
        raise ValueError(f"swiglu multiplies feature by feature, but received shapes {gate.shape} and {up.shape}.")
    return swiglu_primitive(gate, up)


@applies(linear_gelu_primitive)
def linear_gelu(x: TensorLike, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute `gelu(x @ weight + bias)` (the tanh approximation) as one operation, which keeps one array and not two.

    Shapes: x (..., in), weight (in, out), bias (out,) -> (..., out).

    Args:
        x: The input.
        weight: One column for each output.
        bias: One number for each output.

    Raises:
        ValueError: If the shapes do not fit together.

    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016.

    Example:
        >>> round(linear_gelu(Tensor([[1.0]]), Tensor([[2.0]]), Tensor([0.0])).item(), 4)
        1.9546
    """
    x = as_tensor(x)
    if weight.ndim != 2 or x.ndim == 0 or x.shape[-1] != weight.shape[0] or bias.shape != weight.shape[1:]:
        raise ValueError(
            f"linear_gelu takes x (..., in), weight (in, out) and bias (out,), but received shapes {x.shape}, "
            f"{weight.shape} and {bias.shape}."
        )
    return linear_gelu_primitive(x, weight, bias)
