"""What a loss may be given: shapes that agree, targets that mean something."""

from __future__ import annotations

import numpy as np
from tt_tensor import Tensor, TensorLike, as_tensor, broadcast_to

from tt_losses._reduction import check_count, check_reduction


def floats(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Give integers and booleans the other's floating type (float32 if neither has one), so that no float64 appears."""
    if x.dtype.kind != "f":
        x = x.astype(y.dtype if y.dtype.kind == "f" else np.float32)
    return x, y if y.dtype.kind == "f" else y.astype(x.dtype)


def same_shape(loss: str, input: TensorLike, target: TensorLike, reduction: str) -> tuple[Tensor, Tensor]:
    """Return both as tensors of one shape; only a single number may stand for a whole target.

    Raises:
        ValueError: The shapes differ, or `reduction` is unknown, or a mean of nothing is asked for.
    """
    check_reduction(loss, reduction)
    x, y = floats(as_tensor(input), as_tensor(target))
    if x.shape != y.shape:
        if y.ndim:
            raise ValueError(_difference(loss, x.shape, y.shape))
        y = broadcast_to(y, x.shape)
    if not x.size:
        check_count(loss, 0, reduction)
    return x, y


def _difference(loss: str, x: tuple[int, ...], y: tuple[int, ...]) -> str:
    message = f"{loss}: input {x} and target {y} differ in shape"
    try:
        together = np.broadcast_shapes(x, y)
    except ValueError:
        return f"{message}; every prediction needs one target"
    return (
        f"{message}. Broadcasting would compare every prediction with other rows' targets, {together} pairs in all, "
        "and the network would learn their average; reshape one, for instance target.reshape(input.shape)"
    )


def check_probabilities(loss: str, input: Tensor) -> None:
    """Raise ValueError unless all of `input` lies in [0, 1]."""
    data = input.data
    if data.size and not (data.min() >= 0 and data.max() <= 1):
        raise ValueError(
            f"{loss}: input must hold probabilities in [0, 1], got values from {data.min()} to {data.max()}; for raw "
            "scores use binary_cross_entropy_with_logits"
        )


def check_signs(loss: str, target: Tensor) -> None:
    """Raise ValueError unless all of `target` is -1 or 1."""
    data = target.data
    if not np.all(np.abs(data) == 1):
        odd = data[np.abs(data) != 1].reshape(-1)[0]
        raise ValueError(f"{loss}: every target must be -1 or 1, got {odd}; for targets of 0 and 1 use 2 * target - 1")


def class_axis(loss: str, logits: Tensor, axis: int | None) -> int:
    """Return where the classes are, counted from the front: axis 1, as in PyTorch, unless told otherwise.

    Raises:
        ValueError: There is no such axis, or it has no classes.
    """
    if axis is None:
        axis = 1 if logits.ndim > 1 else 0
    if not -logits.ndim <= axis < logits.ndim:
        raise ValueError(f"{loss}: input of shape {logits.shape} has no axis {axis} for its classes")
    axis %= logits.ndim
    if not logits.shape[axis]:
        raise ValueError(f"{loss}: input of shape {logits.shape} has no classes on axis {axis}")
    return axis


def check_labels(loss: str, logits: Tensor, targets: Tensor, axis: int) -> None:
    """Raise ValueError or TypeError unless `targets` can be class indices for `logits` with classes at `axis`."""
    if targets.dtype.kind not in "iu":
        raise TypeError(
            f"{loss}: class indices must be integers, got {targets.dtype} of shape {targets.shape}"
            f" for input {logits.shape}; use targets.astype('int64')"
        )
    shape = logits.shape
    expected = shape[:axis] + shape[axis + 1 :]
    if targets.shape != expected:
        hint = ""
        if targets.shape == shape[:-1]:
            hint = "; if the classes are on the last axis, as in (B, T, C) text, say axis=-1"
        elif targets.shape == (*expected, 1):
            hint = "; drop its last axis with targets.reshape(-1)"
        raise ValueError(
            f"{loss}: input {shape} with classes on axis {axis} needs targets of shape {expected}, "
            f"got {targets.shape}{hint}"
        )


def check_weight(loss: str, weight: TensorLike, classes: int) -> Tensor:
    """Return `weight` as a tensor of one number a class.

    Raises:
        ValueError: Another shape.
    """
    weight = as_tensor(weight)
    if weight.shape != (classes,):
        raise ValueError(f"{loss}: weight must hold one number for each of the {classes} classes, got {weight.shape}")
    return weight
