"""Keeping gradients within bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from tt_tensor import Array, Tensor, increment_version

from tt_optim._flat import spans
from tt_optim._settings import Named, Params, named

RUN = 8192  # elements: 64 kB of float64; and below 10,000 OpenBLAS takes a dot product without waking threads


def _gradients(params: Params | Tensor) -> list[Named]:
    """Return the gradients there are, each once, with the names of their parameters."""
    found: dict[int, Named] = {}
    for name, parameter in named(params, 0):
        if parameter.grad is not None:
            found.setdefault(id(parameter.grad), (name, parameter.grad))
    return list(found.values())


def _refuse_non_finite(gradients: Sequence[Named], what: str) -> None:
    for name, gradient in gradients:
        bad = gradient.size - int(np.count_nonzero(np.isfinite(gradient.data)))
        if bad:
            raise ValueError(
                f"{what}: the gradient of {name} has {bad} values that are infinite or NaN. No gradient was changed. "
                "Lower the learning rate, or look for the cause with tt_autograd.detect_anomaly()."
            )


def squares(array: Array, scratch: Array) -> float:
    """Return the sum of the squares, computed in float64 a chunk at a time.

    Args:
        array: The numbers, of any shape.
        scratch: A float64 array; its length is that of a chunk.

    Example:
        >>> squares(np.array([3.0, 4.0], dtype=np.float32), np.empty(8))
        25.0
    """
    flat = array.reshape(-1)
    total = 0.0
    for start, stop in spans(flat.size, scratch.size):
        chunk = scratch[: stop - start]
        np.copyto(chunk, flat[start:stop])
        total += float(np.dot(chunk, chunk))
    return total


def total_norm(arrays: Sequence[Array], norm_type: float) -> float:
    """Return the norm of all numbers in all arrays, as if they were one vector, in float64.

    Args:
        arrays: The numbers.
        norm_type: 2 for the Euclidean norm, `math.inf` for the largest magnitude, or another power.

    Example:
        >>> total_norm([np.array([3.0]), np.array([-4.0])], 2.0)
        5.0
    """
    arrays = [array for array in arrays if array.size]
    if not arrays:
        return 0.0
    if norm_type == 2.0:
        scratch = np.empty(min(RUN, max(array.size for array in arrays)))
        with np.errstate(over="ignore", invalid="ignore"):
            total = sum(squares(array, scratch) for array in arrays)
        if 1e-280 < total < math.inf:
            return math.sqrt(total)
    largest = float(np.max([np.abs(array).max() for array in arrays]))  # Python's max may lose a NaN
    if norm_type == math.inf or largest == 0.0 or not math.isfinite(largest):
        return largest
    # Divided by the largest, no power can leave the range of float64.
    powers = sum(float(np.sum((np.abs(array, dtype=np.float64) / largest) ** norm_type)) for array in arrays)
    return largest * float(powers ** (1.0 / norm_type))


def clip_grad_norm_(params: Params | Tensor, max_norm: float, norm_type: float = 2.0) -> float:
    """Scale all gradients by one factor so that their common norm is at most `max_norm`.

    Their direction stays. Parameters without a gradient are passed over.

    Args:
        params: Tensors or `(name, tensor)` pairs.
        max_norm: The largest norm to allow; `math.inf` only measures.
        norm_type: 2 for the Euclidean norm, `math.inf` for the largest magnitude, or another positive power.

    Returns:
        The norm before clipping, accurate as float64 is.

    Raises:
        ValueError: If a gradient is not finite (the message says whose), `max_norm` is negative or `norm_type` is not
            positive. No gradient has been changed.

    Source: Pascanu et al., "On the difficulty of training recurrent neural networks", 2013.

    Example:
        >>> weight = Tensor([0.0, 0.0], requires_grad=True)
        >>> weight.grad = Tensor([3.0, 4.0])
        >>> clip_grad_norm_([weight], max_norm=2.5), weight.grad.tolist()
        (5.0, [1.5, 2.0])
    """
    if not max_norm >= 0.0:
        raise ValueError(f"max_norm must be zero or more, but received {max_norm!r}.")
    if not norm_type > 0.0:
        raise ValueError(f"norm_type must be positive (2, or math.inf), but received {norm_type!r}.")
    gradients = _gradients(params)
    norm = total_norm([gradient.data for _, gradient in gradients], norm_type)
    if not math.isfinite(norm):
        _refuse_non_finite(gradients, "clip_grad_norm_ cannot scale what has no norm")
        raise ValueError(f"the norm of the gradients is beyond float64's range: {norm}. No gradient was changed.")
    if norm > max_norm:
        factor = max_norm / norm
        for _, gradient in gradients:
            wide = np.promote_types(gradient.dtype, np.float32).type(factor)  # float16 would round the factor to 0
            np.multiply(gradient.data, wide, out=gradient.data)
            increment_version(gradient)
    return norm


def clip_grad_value_(params: Params | Tensor, clip_value: float) -> None:
    """Limit every number in every gradient to [-clip_value, clip_value].

    Unlike `clip_grad_norm_` this changes the gradient's direction.

    Args:
        params: Tensors or `(name, tensor)` pairs.
        clip_value: The largest magnitude to allow.

    Raises:
        ValueError: If a gradient is not finite (the message says whose) or `clip_value` is not positive. No gradient
            has been changed.

    Example:
        >>> weight = Tensor([0.0, 0.0], requires_grad=True)
        >>> weight.grad = Tensor([3.0, -0.5])
        >>> clip_grad_value_([weight], 1.0)
        >>> weight.grad.tolist()
        [1.0, -0.5]
    """
    if not clip_value > 0.0:
        raise ValueError(f"clip_value must be positive, but received {clip_value!r}.")
    gradients = _gradients(params)
    _refuse_non_finite(gradients, "clip_grad_value_ would hide them")
    for _, gradient in gradients:
        with np.errstate(over="ignore"):  # a bound beyond float16's range limits nothing
            np.clip(gradient.data, -clip_value, clip_value, out=gradient.data)
        increment_version(gradient)
