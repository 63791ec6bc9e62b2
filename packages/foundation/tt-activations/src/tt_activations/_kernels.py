"""The activations as functions of arrays: what module 2 asks a learner to write.

Each makes few arrays: at these sizes memory traffic, not arithmetic, is the cost, so results are built up with `out=`.
"""

from __future__ import annotations

import numpy as np
from tt_tensor import Array

from tt_activations._normal import exact_gelu
from tt_activations._precision import smooth


def relu(x: Array) -> Array:
    """`max(x, 0)`, element by element; NaN stays NaN."""
    return np.asarray(np.maximum(x, 0))


@smooth
def leaky_relu(x: Array, *, slope: float) -> Array:
    """`x` where positive, `slope * x` elsewhere."""
    out = np.asarray(np.minimum(x, 0))
    out *= slope
    out += np.maximum(x, 0)
    return out


@smooth
def sigmoid(x: Array) -> Array:
    """`1 / (1 + exp(-x))`: into (0, 1)."""
    out = np.asarray(np.negative(x))
    np.exp(out, out=out)  # may be inf, whose reciprocal below is the right answer
    out += 1
    np.reciprocal(out, out=out)
    return out


@smooth
def silu(x: Array) -> Array:
    """`x * sigmoid(x)`."""
    out = sigmoid(x)
    out *= x
    return out


@smooth
def softplus(x: Array, *, beta: float) -> Array:
    """`log(1 + exp(beta * x)) / beta`: a smooth relu, with `exp` only ever taken of what is not positive."""
    out = np.asarray(np.abs(x))
    out *= -beta
    np.exp(out, out=out)
    np.log1p(out, out=out)
    out /= beta
    out += np.maximum(x, 0)
    return out


@smooth
def elu(x: Array, *, alpha: float) -> Array:
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere."""
    out = np.asarray(np.minimum(x, 0))
    np.expm1(out, out=out)
    out *= alpha
    out += np.maximum(x, 0)
    return out


def tanh_cdf(x: Array) -> Array:
    """The share of a standard normal distribution below `x`, nearly (Hendrycks and Gimpel, 2016).

    `(1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2`.
    """
    out = np.asarray(x * x)
    out *= 0.044715
    out += 1
    out *= x
    out *= (2 / np.pi) ** 0.5
    np.tanh(out, out=out)
    out += 1
    out *= 0.5
    return out


@smooth
def gelu(x: Array, *, approximate: str) -> Array:
    """`x * P(X <= x)` for a standard normal `X`: exact with `"none"`, by tanh with `"tanh"`."""
    if approximate == "none":
        return exact_gelu(x)[0]
    out = tanh_cdf(x)
    out *= x
    return out


@smooth
def softmax(x: Array, *, axis: int) -> Array:
    """`exp(x) / exp(x).sum(axis)`, computed so that no finite `x` can overflow: the largest exponent is 0."""
    out = np.asarray(x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf))
    np.exp(out, out=out)
    out /= np.add.reduce(out, axis=axis, keepdims=True)
    return out


@smooth
def log_softmax(x: Array, *, axis: int) -> Array:
    """`log(softmax(x))` without ever taking the logarithm of a probability that has rounded to 0."""
    out = np.asarray(x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf))
    out -= np.log(np.add.reduce(np.exp(out), axis=axis, keepdims=True))
    return out
