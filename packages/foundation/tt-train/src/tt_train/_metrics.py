"""Figures a person can judge a model by; a metric takes outputs and targets and returns a number."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from tt_tensor import Array, Tensor

__all__ = ["accuracy", "confusion_matrix", "perplexity"]

Values: TypeAlias = Tensor | Array


def _array(values: Values) -> Array:
    return values.data if isinstance(values, Tensor) else np.asarray(values)


def predicted_classes(outputs: Values) -> Array:
    """Choose a class for each example: integers are classes already, scores are decided by the largest.

    Args:
        outputs: Scores `(..., C)`, or integer classes `(...)`.

    Returns:
        Integer classes `(...)`.
    """
    array = _array(outputs)
    if array.dtype.kind in "iub":
        return array
    return np.asarray(array.argmax(axis=-1))


def _pairs(outputs: Values, targets: Values) -> tuple[Array, Array]:
    predicted, wanted = predicted_classes(outputs), _array(targets)
    if wanted.dtype.kind not in "iub":
        raise TypeError(f"targets must be integer classes, got {wanted.dtype}")
    if predicted.shape != wanted.shape:
        raise ValueError(
            f"outputs {_array(outputs).shape} give classes of shape {predicted.shape}, targets have {wanted.shape}; "
            "outputs need one more axis (the scores of each class) than targets"
        )
    return predicted, wanted


def accuracy(outputs: Values, targets: Values) -> float:
    """Return the share of examples whose largest score stands at the right class.

    Args:
        outputs: Scores `(..., C)`, or integer classes `(...)`.
        targets: Integer classes `(...)`.

    Returns:
        A number between 0 and 1; nan when there are no examples.

    Raises:
        ValueError: The shapes do not belong together.
        TypeError: The targets are not integers.

    Example:
        >>> import numpy as np
        >>> accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
        0.5
    """
    predicted, wanted = _pairs(outputs, targets)
    if wanted.size == 0:
        return math.nan
    return float(np.count_nonzero(predicted == wanted) / wanted.size)


def confusion_matrix(outputs: Values, targets: Values, classes: int | None = None) -> Array:
    """Count how often each true class (row) was taken for each class (column).

    Args:
        outputs: Scores `(..., C)`, or integer classes `(...)`.
        targets: Integer classes `(...)`.
        classes: The number of classes; by default that of the scores, or the largest class seen plus one.

    Returns:
        Counts `(classes, classes)`, int64; the diagonal holds what was right.

    Raises:
        ValueError: The shapes do not belong together, or a class lies outside `0 .. classes - 1`.
        TypeError: The targets are not integers.

    Example:
        >>> import numpy as np
        >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]))
        array([[1, 1],
               [0, 1]])
    """
    predicted, wanted = _pairs(outputs, targets)
    rows, columns = wanted.astype(np.int64).reshape(-1), predicted.astype(np.int64).reshape(-1)
    if classes is None:
        scores = _array(outputs)
        seen = int(max(rows.max(initial=-1), columns.max(initial=-1))) + 1
        classes = seen if scores.dtype.kind in "iub" else scores.shape[-1]
    for what, values in (("targets", rows), ("outputs", columns)):
        if values.size and not (values.min() >= 0 and values.max() < classes):
            raise ValueError(f"{what} hold classes {values.min()} .. {values.max()}, outside 0 .. {classes - 1}")
    # One number per (row, column) pair turns counting pairs into counting numbers.
    return np.bincount(rows * classes + columns, minlength=classes * classes).reshape(classes, classes)


def perplexity(loss: Tensor | float) -> float:
    """Return the number of equally likely choices that a mean cross-entropy (in nats) amounts to.

    Args:
        loss: The mean cross-entropy per token, a number or a tensor of one element.

    Returns:
        `exp(loss)`; inf where that overflows.

    Example:
        >>> round(perplexity(math.log(50.0)), 6)
        50.0
    """
    value = loss.item() if isinstance(loss, Tensor) else loss
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
