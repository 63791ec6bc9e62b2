"""The rules by which gradients become steps, on flat arrays.

Each writes into `out` what is to be subtracted from the parameters, and moves its states on in place. It may read
`gradient` but not write to it, and makes no array of its own: a training step should not ask for memory.
"""

from __future__ import annotations

import math

import numpy as np
from tt_tensor import Array


def sgd_update(
    gradient: Array,
    velocity: Array | None,
    out: Array,
    *,
    step: int,
    lr: float,
    momentum: float,
    dampening: float,
    nesterov: bool,
) -> None:
    """Write the step of gradient descent: `lr * gradient`, or with momentum `lr * velocity`.

    The velocity becomes `momentum * velocity + (1 - dampening) * gradient`; the first gradient enters undamped.
    Nesterov's variant looks ahead: it steps along `gradient + momentum * velocity`.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    Example:
        >>> out, velocity = np.zeros(1), np.array([10.0])
        >>> sgd_update(np.array([1.0]), velocity, out, step=2, lr=0.1, momentum=0.5, dampening=0.0, nesterov=False)
        >>> velocity.tolist(), out.round(6).tolist()
        ([6.0], [0.6])
    """
    if velocity is None:
        np.multiply(gradient, lr, out=out)
        return
    np.multiply(velocity, momentum, out=velocity)
    if step > 1 and dampening:
        np.multiply(gradient, 1.0 - dampening, out=out)
        np.add(velocity, out, out=velocity)
    else:
        np.add(velocity, gradient, out=velocity)
    if nesterov:
        np.multiply(velocity, momentum, out=out)
        np.add(out, gradient, out=out)
        np.multiply(out, lr, out=out)
    else:
        np.multiply(velocity, lr, out=out)


def rmsprop_update(
    gradient: Array,
    square: Array,
    velocity: Array | None,
    out: Array,
    *,
    lr: float,
    alpha: float,
    eps: float,
    momentum: float,
) -> None:
    """Write RMSprop's step: `lr * gradient / (sqrt(square) + eps)`, with momentum if there is a velocity.

    The running mean of squares becomes `alpha * square + (1 - alpha) * gradient**2`.

    Source: Hinton, "Neural networks for machine learning", lecture 6e, 2012.

    Example:
        >>> out, square = np.zeros(1), np.zeros(1)
        >>> rmsprop_update(np.array([2.0]), square, None, out, lr=0.1, alpha=0.75, eps=1e-8, momentum=0.0)
        >>> square.tolist(), out.round(6).tolist()
        ([1.0], [0.2])
    """
    np.multiply(gradient, gradient, out=out)
    np.multiply(out, 1.0 - alpha, out=out)
    np.multiply(square, alpha, out=square)
    np.add(square, out, out=square)
    np.sqrt(square, out=out)
    np.add(out, eps, out=out)
    np.divide(gradient, out, out=out)
    if velocity is not None:
        np.multiply(velocity, momentum, out=velocity)
        np.add(velocity, out, out=velocity)
        np.multiply(velocity, lr, out=out)
    else:
        np.multiply(out, lr, out=out)


def adam_update(
    gradient: Array,
    gradient_sum: Array,
    square_sum: Array,
    out: Array,
    *,
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> None:
    """Write Adam's step: `lr * mean / (sqrt(mean square) + eps)`.

    Both means are weighted: a gradient counts `beta` times less with each step that passes. The states are the weighted
    sums, `sum = beta * sum + gradient`; divided by `weights(step, beta)`, the sum of the weights, they are means. The
    paper keeps `(1 - beta) * sum` and divides by `1 - beta**step`: the same quotient, two more passes over memory.
    The divisors are numbers, and so go into `lr` and `eps`:
    `(s1 / w1) / (sqrt(s2 / w2) + eps) = sqrt(w2) / w1 * s1 / (sqrt(s2) + eps * sqrt(w2))`.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015.

    Example:
        >>> s1, s2, out = np.zeros(1), np.zeros(1), np.zeros(1)
        >>> adam_update(np.array([2.0]), s1, s2, out, step=1, lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8)
        >>> s1.tolist(), s2.tolist(), out.round(6).tolist()
        ([2.0], [4.0], [0.1])
    """
    np.multiply(gradient_sum, beta1, out=gradient_sum)
    np.add(gradient_sum, gradient, out=gradient_sum)
    np.multiply(gradient, gradient, out=out)
    np.multiply(square_sum, beta2, out=square_sum)
    np.add(square_sum, out, out=square_sum)
    root = math.sqrt(weights(step, beta2))
    np.sqrt(square_sum, out=out)
    np.add(out, eps * root, out=out)
    np.divide(gradient_sum, out, out=out)
    np.multiply(out, lr * root / weights(step, beta1), out=out)


def weights(step: int, beta: float) -> float:
    """Return `1 + beta + beta**2 + ...`, one term for each step.

    Example:
        >>> weights(3, 0.5)
        1.75
    """
    return (1.0 - beta**step) / (1.0 - beta)
