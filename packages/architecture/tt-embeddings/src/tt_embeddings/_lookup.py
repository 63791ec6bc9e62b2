"""Looking rows up in a table, and what the table learns from it."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from tt_autograd import Spec, defvjp
from tt_tensor import Array, Primitive, Tensor, TensorLike, applies

Nested: TypeAlias = "int | tuple[Nested, ...]"

# Up to so many rows the gradient is a product with one-hot rows, which BLAS computes; beyond, the zeros of the one-hot
# rows cost more than sorting the ids.
SMALL_VOCABULARY = 256
CHUNK = 4096  # ids that are one-hot at a time


def check_ids(ids: Array, rows: int) -> None:
    """Raise unless every id is an integer that names a row of the table; negative ones do not count from the end."""
    if ids.dtype.kind not in "iu":
        raise TypeError(
            f"embedding looks rows up by number and needs integer ids, but received {ids.dtype}; "
            "use ids.astype('int64')"
        )
    if ids.size and (int(ids.min()) < 0 or int(ids.max()) >= rows):
        where = np.unravel_index(int(np.argmax((ids < 0) | (ids >= rows))), ids.shape)
        place = tuple(int(i) for i in where)
        raise IndexError(
            f"embedding: id {int(ids[place])} at position {place} is out of range for a table of {rows} rows "
            f"(allowed: 0 to {rows - 1}); check the tokenizer's vocabulary size"
        )


def lookup(ids: Array, weight: Array, *, padding_idx: int | None) -> Array:
    """Return row `ids[...]` of the table for every id: (...) and (V, C) -> (..., C)."""
    check_ids(ids, weight.shape[0])
    return np.take(weight, ids, axis=0)


def one_hot_sums(g: Array, ids: Array, rows: int) -> Array:
    """Add row i of `g` (N, C) into row `ids[i]` of (V, C), as the product of one-hot columns with `g`."""
    total = np.zeros((rows, g.shape[1]), g.dtype)
    names = np.arange(rows)[:, np.newaxis]
    for start in range(0, len(ids), CHUNK):
        part = slice(start, start + CHUNK)
        total += (ids[part] == names).astype(g.dtype) @ g[part]  # (V, n) @ (n, C)
    return total


def segment_sums(g: Array, ids: Array, rows: int) -> Array:
    """Add row i of `g` (N, C) into row `ids[i]` of (V, C): sorted, so that equal ids are summed in one run."""
    total = np.zeros((rows, g.shape[1]), g.dtype)
    if not g.size:
        return total
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    total[ordered[starts]] = np.add.reduceat(g[order], starts, axis=0)
    return total


def table_gradient(g: Array, _out: None, ids: Array, _weight: Spec, *, padding_idx: int | None) -> Array:
    """Gradient of the table: each row gets the sum of the gradients of its uses; the padding row gets none."""
    rows, width = _weight.shape
    wide = g.reshape(math.prod(ids.shape), width).astype(np.result_type(g.dtype, np.float32), copy=False)
    names = ids.reshape(-1)
    total = one_hot_sums(wide, names, rows) if rows <= SMALL_VOCABULARY else None
    # 0 times infinity is NaN, which the product spreads to every row.
    if total is None or not np.isfinite(total).all():
        total = segment_sums(wide, names, rows)
    if padding_idx is not None:
        total[padding_idx] = 0
    return total.astype(g.dtype, copy=False)


def ids_gradient(g: Array, _out: None, _ids: Spec, _weight: Spec, *, padding_idx: int | None) -> Array:
    """Refuse: ids are names of rows, not quantities; integers never ask."""
    raise TypeError("embedding's ids have no gradient: give it integers")


embedding_primitive = Primitive("embedding", lookup)
defvjp(embedding_primitive, ids_gradient, table_gradient)


@applies(embedding_primitive)
def embedding(ids: TensorLike, weight: Tensor, *, padding_idx: int | None = None) -> Tensor:
    """Look up a row of the table for every id.

    Shapes: ids (...), weight (V, C) -> (..., C).

    Args:
        ids: Integers from 0 to V - 1, of any shape.
        weight: The table, one row for each id.
        padding_idx: The id whose row gets no gradient.

    Raises:
        IndexError: An id is negative or not below V; the message says which, and where.
        TypeError: The ids are no integers.
        ValueError: The table has not two axes, or the padding row does not exist.

    Example:
        >>> embedding([[1, 0]], Tensor([[0.0, 0.5], [1.0, 1.5]])).tolist()
        [[[1.0, 1.5], [0.0, 0.5]]]
    """
    if weight.ndim != 2:
        raise ValueError(f"embedding looks rows up in a table (V, C), but received a weight of shape {weight.shape}.")
    if padding_idx is not None and not 0 <= padding_idx < weight.shape[0]:
        raise ValueError(
            f"padding_idx={padding_idx} is no row of a table of {weight.shape[0]} rows; give it 0 to "
            f"{weight.shape[0] - 1}, or None."
        )
    return embedding_primitive(ids, weight, padding_idx=padding_idx)
