"""Class indices: which count, which are ignored, which are wrong; and logits as rows of classes."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array

_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
BLOCK = 1 << 18  # elements in one go: 1 MB of float32 stays in the cache between passes


def as_rows(x: Array, axis: int) -> Array:
    """Lay `x` out with its classes last, one row a prediction: (..., C, ...) to (M, C)."""
    if x.ndim == 2 and axis == 1:
        return x
    return np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])


def from_rows(rows: Array, shape: tuple[int, ...], axis: int) -> Array:
    """Undo `as_rows`: (M, C) to `shape`, which has its classes at `axis`."""
    if len(shape) == 2 and axis == 1:
        return rows
    others = shape[:axis] + shape[axis + 1 :]
    return np.moveaxis(rows.reshape(*others, shape[axis]), -1, axis)


def known_labels(labels: Array, classes: int, ignore_index: int) -> tuple[Array, Array | None]:
    """Return labels that are safe to index with, and which of them count (`None`: all).

    An ignored label becomes 0. Any other label outside `0 .. classes - 1` is an IndexError: NumPy would read -1 as
    the last class.
    """
    # Read as unsigned, a negative label is a huge one: one comparison finds both kinds.
    unsigned = labels.view(_UNSIGNED[labels.itemsize])
    if (not labels.size or np.maximum.reduce(unsigned) < classes) and not 0 <= ignore_index < classes:
        return labels.astype(np.intp, copy=False), None
    kept = np.asarray(labels != ignore_index)
    safe = np.where(kept, labels, 0).astype(np.intp)
    wrong = (safe < 0) | ((safe >= classes) & kept)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise IndexError(
            f"target {labels[first]} (number {first} of {labels.size}) is no class: there are {classes}, numbered from "
            f"0 to {classes - 1}; only ignore_index={ignore_index} may lie outside"
        )
    return safe, kept


def divisor(labels: Array, kept: Array | None, weight: Array | None, reduction: str) -> float:
    """By what the sum of losses is divided: for a mean, the weight (or number) of the targets that count; else 1."""
    if reduction != "mean":
        return 1.0
    if weight is None:
        total = float(labels.size if kept is None else np.count_nonzero(kept))
    else:
        weights = weight[labels]
        total = float(np.add.reduce(weights if kept is None else weights[kept], dtype=np.float64))
    if total == 0:
        raise ValueError(
            f"the mean of no losses is undefined: of {labels.size} targets, all are ignored or have weight 0; skip the "
            "batch or use reduction='sum'"
        )
    return total
