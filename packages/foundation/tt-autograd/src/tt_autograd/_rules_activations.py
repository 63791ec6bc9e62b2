"""Gradients of the activations.

Most can be read off the output, which the next layer keeps anyway: so those rules do not keep the input alive (its name
begins with an underscore). `g` may be used elsewhere and is never written into.
"""

from __future__ import annotations

import numpy as np
import tt_activations  # noqa: F401  # makes the primitives
from tt_tensor import Array, primitives

from tt_autograd._table import Spec, defvjp

P = primitives()


def leaky_relu_gradient(g: Array, out: Array, _x: Spec, *, slope: float) -> Array:
    """`g` where positive, `slope * g` elsewhere: `slope` is not negative, so the output has the input's sign."""
    factor = (out > 0).astype(g.dtype)
    factor *= 1 - slope
    factor += slope
    factor *= g
    return factor


def sigmoid_gradient(g: Array, out: Array, _x: Spec) -> Array:
    """`g * s * (1 - s)`."""
    gradient = np.asarray(1 - out)
    gradient *= out
    gradient *= g
    return gradient


def gelu_gradient(g: Array, _out: Spec, _x: Spec | Array, *, approximate: str, residuals: Array | None) -> Array:
    """`g` times the derivative, which the forward pass left."""
    if residuals is None:
        raise RuntimeError(
            f"gelu ran with a kernel that records nothing (approximate={approximate!r}), so its derivative is missing: "
            "give use_kernel a recording= that returns (output, derivative)"
        )
    return g * residuals


def silu_gradient(g: Array, _out: Spec, x: Array) -> Array:
    """`g * s * (1 + x * (1 - s))` where `s = sigmoid(x)`."""
    s = P["sigmoid"].kernel(x)
    gradient = np.asarray(1 - s)
    gradient *= x
    gradient += 1
    gradient *= s
    gradient *= g
    return gradient


def softplus_gradient(g: Array, out: Array, _x: Spec, *, beta: float) -> Array:
    """`g * sigmoid(beta * x)`, and that sigmoid is `1 - exp(-beta * softplus(x))`."""
    gradient = np.asarray(out * -beta)
    np.expm1(gradient, out=gradient)
    gradient *= g
    np.negative(gradient, out=gradient)
    return gradient


def elu_gradient(g: Array, out: Array, _x: Spec, *, alpha: float) -> Array:
    """`g` where positive; elsewhere `g * alpha * exp(x)`, which is `g * (out + alpha)`."""
    gradient = np.asarray(np.minimum(out, 0))
    gradient += alpha
    np.copyto(gradient, 1, where=out > 0)
    gradient *= g
    return gradient


def softmax_gradient(g: Array, out: Array, _x: Spec, *, axis: int) -> Array:
    """`p * (g - sum(g * p))`: pushing one probability up pulls the others down."""
    gradient = np.asarray(g * out)
    gradient -= out * np.add.reduce(gradient, axis=axis, keepdims=True)
    return gradient


def log_softmax_gradient(g: Array, out: Array, _x: Spec, *, axis: int) -> Array:
    """`g - p * sum(g)` where `p = exp(out)`."""
    gradient = np.asarray(np.exp(out))
    gradient *= np.add.reduce(g, axis=axis, keepdims=True)
    np.subtract(g, gradient, out=gradient)
    return gradient


# At 0 the gradient is 0, as in PyTorch. A boolean factor: NumPy multiplies by it as fast as by a float.
defvjp(P["relu"], lambda g, out, _x: g * (out > 0))
defvjp(P["leaky_relu"], leaky_relu_gradient)
defvjp(P["sigmoid"], sigmoid_gradient)
defvjp(P["gelu"], gelu_gradient)
defvjp(P["silu"], silu_gradient)
defvjp(P["softplus"], softplus_gradient)
defvjp(P["elu"], elu_gradient)
defvjp(P["softmax"], softmax_gradient)
defvjp(P["log_softmax"], log_softmax_gradient)
