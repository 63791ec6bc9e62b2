"""Functions that choose elements, and order them."""

from __future__ import annotations

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._lift import lift
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import applies
from tt_tensor._tensor import Tensor


@applies(P.take)
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Return whole slices along an axis, in the order of the indices.

    Args:
        x: Shape (..., n, ...).
        indices: Integers in [-n, n), of any shape, which replaces the axis.
        axis: The axis to choose from; without, the flattened tensor.

    Raises:
        IndexError: An index is out of range.
        TypeError: The indices are no integers.

    Example:
        >>> take(Tensor([[1, 2], [3, 4]]), [1, 1, 0], axis=0).tolist()
        [[3, 4], [3, 4], [1, 2]]
    """
    return P.take(x, indices, axis=axis)


@applies(P.gather)
def gather(x: TensorLike, indices: TensorLike, axis: int) -> Tensor:
    """Return one element for each index: out[i, j] = x[i, indices[i, j]] for axis 1.

    Args:
        x: Shape (..., n, ...).
        indices: Integers in [-n, n), of x's shape except at `axis`.
        axis: The axis to choose along.

    Raises:
        IndexError: An index is out of range.
        TypeError: The indices are no integers.
        ValueError: The shapes differ elsewhere than at `axis`.

    Example:
        >>> gather(Tensor([[1, 2], [3, 4]]), [[1], [0]], axis=1).tolist()
        [[2], [3]]
    """
    return P.gather(x, indices, axis=axis)


@applies(P.one_hot)
def one_hot(x: TensorLike, num_classes: int) -> Tensor:
    """Return class numbers as rows with a single 1.

    Args:
        x: Integers in [0, num_classes), shape (...).
        num_classes: The length of a row; the result has shape (..., num_classes), float32.

    Raises:
        IndexError: A class number is out of range.
        TypeError: The class numbers are no integers.

    Example:
        >>> one_hot(Tensor([1, 0]), 3).tolist()
        [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    return P.one_hot(x, num_classes=num_classes)


@applies(P.tril)
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """Return the lower triangle of the last two axes, 0 above diagonal k.

    Args:
        x: Shape (..., n, m).
        k: The last diagonal to keep: 0 the main one, positive above it.

    Raises:
        ValueError: Fewer than two axes.

    Example:
        >>> tril(Tensor([[1, 2], [3, 4]])).tolist()
        [[1, 0], [3, 4]]
    """
    return P.tril(x, k=k)


@applies(P.triu)
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """Return the upper triangle of the last two axes, 0 below diagonal k.

    Args:
        x: Shape (..., n, m).
        k: The first diagonal to keep: 0 the main one, positive above it.

    Raises:
        ValueError: Fewer than two axes.

    Example:
        >>> triu(Tensor([[1, 2], [3, 4]])).tolist()
        [[1, 2], [0, 4]]
    """
    return P.triu(x, k=k)


@applies(P.sort)
def sort(x: TensorLike, axis: int = -1, *, descending: bool = False) -> Tensor:
    """Return the elements in order along an axis; NaN counts as the largest.

    Args:
        x: At least one axis.
        axis: The axis to order.
        descending: Largest first.

    Example:
        >>> sort(Tensor([2, 3, 1]), descending=True).tolist()
        [3, 2, 1]
    """
    return P.sort(x, axis=axis, descending=descending)


@applies(P.argsort)
def argsort(x: TensorLike, axis: int = -1, *, descending: bool = False) -> Tensor:
    """Return the indices that put the elements in order; equal elements keep their order.

    Args:
        x: At least one axis.
        axis: The axis to order.
        descending: Largest first.

    Example:
        >>> argsort(Tensor([2, 3, 1])).tolist()
        [2, 0, 1]
    """
    return P.argsort(x, axis=axis, descending=descending)


def topk(x: TensorLike, k: int, axis: int = -1) -> tuple[Tensor, Tensor]:
    """Return the k largest elements along an axis, largest first, and their indices.

    Args:
        x: Shape (..., n, ...).
        k: How many, at most n.
        axis: The axis to choose along.

    Raises:
        ValueError: k is negative or above n.

    Example:
        >>> values, indices = topk(Tensor([2.0, 9.0, 4.0]), 2)
        >>> values.tolist(), indices.tolist()
        ([9.0, 4.0], [1, 2])
    """
    (tensor,) = lift((x,))
    order = P.argsort(tensor, axis=axis, descending=True)
    size = tensor.shape[axis]
    if not 0 <= k <= size:
        raise ValueError(f"topk: k must lie between 0 and {size}, the size of axis {axis}; got {k}")
    first = (slice(None),) * (axis % tensor.ndim) + (slice(k),)
    indices = P.index(order, key=first)
    return P.gather(tensor, indices, axis=axis), indices
