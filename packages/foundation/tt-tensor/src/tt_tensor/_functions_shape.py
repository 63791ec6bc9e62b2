"""Functions that see the same elements in another shape or order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._lift import lift
from tt_tensor._methods import Axis
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import applies
from tt_tensor._tensor import Tensor


@applies(P.reshape)
def reshape(x: TensorLike, shape: int | Sequence[int]) -> Tensor:
    """Return the same elements, in row-major order, in another shape; shares memory where it can.

    Args:
        x: Any shape.
        shape: Sizes with the same product; one may be -1 and is worked out.

    Raises:
        ValueError: The elements do not fill the shape.

    Example:
        >>> reshape(Tensor([1, 2, 3, 4]), (2, -1)).tolist()
        [[1, 2], [3, 4]]
    """
    return P.reshape(x, shape=sizes_of(shape))


def view(x: TensorLike, shape: int | Sequence[int]) -> Tensor:
    """Return the same elements in another shape, sharing memory or not at all.

    Args:
        x: Any shape.
        shape: Sizes with the same product; one may be -1 and is worked out.

    Raises:
        ValueError: The elements do not fill the shape, or lie such that only a copy could have it.

    Example:
        >>> x = Tensor([[1, 2], [3, 4]])
        >>> view(x, 4).tolist()
        [1, 2, 3, 4]
        >>> view(x.T, 4)
        Traceback (most recent call last):
        ValueError: view: strides (8, 16) of shape (2, 2) cannot be seen as shape (4,) without a copy; use reshape
    """
    (tensor,) = lift((x,))
    seen = P.reshape(tensor, shape=sizes_of(shape))
    if seen.size and not np.may_share_memory(seen.data, tensor.data):
        raise ValueError(
            f"view: strides {tensor.data.strides} of shape {tensor.shape} cannot be seen as shape {seen.shape} "
            "without a copy; use reshape"
        )
    return seen


def flatten(x: TensorLike, start_axis: int = 0) -> Tensor:
    """Return x with its axes from `start_axis` on made into one.

    Args:
        x: Shape (..., *rest).
        start_axis: The first axis to merge; 1 keeps a batch's axis.

    Raises:
        ValueError: No such axis.

    Example:
        >>> flatten(Tensor([[[1, 2], [3, 4]]]), 1).shape
        (1, 4)
    """
    (tensor,) = lift((x,))
    axis = position("flatten", start_axis, tensor.ndim or 1)
    size = 1
    for length in tensor.shape[axis:]:  # not -1: an empty batch has no length to work out
        size *= length
    return P.reshape(tensor, shape=(*tensor.shape[:axis], size))


@applies(P.transpose)
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """Return x with its axes in another order, reversed without one; shares memory.

    Args:
        x: Any shape.
        axes: Which old axis stands at each place.

    Raises:
        ValueError: `axes` is no ordering of x's axes.

    Example:
        >>> transpose(Tensor([[1, 2], [3, 4]])).tolist()
        [[1, 3], [2, 4]]
    """
    return P.transpose(x, axes=None if axes is None else tuple(axes))


def permute(x: TensorLike, axes: Sequence[int]) -> Tensor:
    """Return x with its axes in the given order; shares memory.

    Args:
        x: Any shape.
        axes: Which old axis stands at each place.

    Raises:
        ValueError: `axes` is no ordering of x's axes.

    Example:
        >>> permute(Tensor([[[1, 2, 3]]]), (2, 0, 1)).shape
        (3, 1, 1)
    """
    return P.transpose(x, axes=tuple(axes))


def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Return x with two axes exchanged; shares memory.

    Args:
        x: Any shape.
        axis1: One axis.
        axis2: The other.

    Raises:
        ValueError: No such axis.

    Example:
        >>> swapaxes(Tensor([[[1, 2, 3]]]), 0, -1).shape
        (3, 1, 1)
    """
    (tensor,) = lift((x,))
    order = list(range(tensor.ndim))
    first, second = position("swapaxes", axis1, tensor.ndim), position("swapaxes", axis2, tensor.ndim)
    order[first], order[second] = second, first
    return P.transpose(tensor, axes=tuple(order))


@applies(P.expand_dims)
def expand_dims(x: TensorLike, axis: int | tuple[int, ...]) -> Tensor:
    """Return x with new axes of size 1 at the given places of the result; shares memory.

    Args:
        x: Any shape.
        axis: Where the new axes stand.

    Raises:
        ValueError: No such place.

    Example:
        >>> expand_dims(Tensor([1, 2]), 0).shape
        (1, 2)
    """
    return P.expand_dims(x, axis=axis)


@applies(P.squeeze)
def squeeze(x: TensorLike, axis: Axis = None) -> Tensor:
    """Return x without axes of size 1; shares memory.

    Args:
        x: Any shape.
        axis: The axes to drop; all of size 1 without.

    Raises:
        ValueError: A named axis has another size.

    Example:
        >>> squeeze(Tensor([[[1, 2]]])).shape
        (2,)
    """
    return P.squeeze(x, axis=axis)


@applies(P.broadcast_to)
def broadcast_to(x: TensorLike, shape: Sequence[int]) -> Tensor:
    """Return x as if stretched to a shape, without copying: stretched axes step by 0 bytes.

    Args:
        x: A shape that broadcasts to `shape`.
        shape: The shape of the result, which is read-only.

    Raises:
        ValueError: x does not stretch to that shape.

    Example:
        >>> broadcast_to(Tensor([1, 2]), (2, 2)).tolist()
        [[1, 2], [1, 2]]
    """
    return P.broadcast_to(x, shape=sizes_of(shape))


@applies(P.flip)
def flip(x: TensorLike, axis: Axis = None) -> Tensor:
    """Return the elements in reverse order; shares memory.

    Args:
        x: Any shape.
        axis: The axes to reverse; all without.

    Raises:
        ValueError: No such axis.

    Example:
        >>> flip(Tensor([1, 2, 3])).tolist()
        [3, 2, 1]
    """
    return P.flip(x, axis=axis)


def sizes_of(shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return one size, or several, as a tuple."""
    return (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)


def position(name: str, axis: int, ndim: int) -> int:
    """Return an axis counted from the front."""
    if not -ndim <= axis < ndim:
        raise ValueError(f"{name}: axis {axis} is out of range for {ndim} axes")
    return axis % ndim
