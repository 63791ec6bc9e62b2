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
    first: Array,
    second: Array,
    out: Array,
    *,
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> None:
    """Write Adam's step: `lr * m / (sqrt(v) + eps)` of the bias-corrected moments `m` and `v`.

    `first` and `second` are running means of the gradient and of its square. They start at zero and so are too small at
    first: divided by `1 - beta**step` they are not. Both corrections are numbers, so they are folded into `lr` and `eps`:
    `lr * (first / c1) / (sqrt(second / c2) + eps) = lr * sqrt(c2) / c1 * first / (sqrt(second) + eps * sqrt(c2))`.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015.

    Example:
        >>> first, second, out = np.zeros(1), np.zeros(1), np.zeros(1)
        >>> adam_update(np.array([2.0]), first, second, out, step=1, lr=0.1, beta1=0.5, beta2=0.75, eps=1e-8)
        >>> first.tolist(), second.tolist(), out.round(6).tolist()
        ([1.0], [1.0], [0.1])
    """
    np.multiply(first, beta1, out=first)
    np.multiply(gradient, 1.0 - beta1, out=out)
    np.add(first, out, out=first)
    np.multiply(second, beta2, out=second)
    np.multiply(gradient, gradient, out=out)
    np.multiply(out, 1.0 - beta2, out=out)
    np.add(second, out, out=second)
    correction1 = 1.0 - beta1**step
    correction2 = math.sqrt(1.0 - beta2**step)
    np.sqrt(second, out=out)
    np.add(out, eps * correction2, out=out)
    np.divide(first, out, out=out)
    np.multiply(out, lr * correction2 / correction1, out=out)
