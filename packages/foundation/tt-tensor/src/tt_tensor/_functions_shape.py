"""Functions that move elements, or only rename their places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._methods import Axis
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import applies
from tt_tensor._tensor import Tensor, lift


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
    return P.reshape(x, shape=_sizes(shape))


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
    seen = P.reshape(tensor, shape=_sizes(shape))
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
    axis = _position("flatten", start_axis, tensor.ndim or 1)
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
    first, second = _position("swapaxes", axis1, tensor.ndim), _position("swapaxes", axis2, tensor.ndim)
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
    return P.broadcast_to(x, shape=_sizes(shape))


@applies(P.concat)
def concat(tensors: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Return tensors joined along an axis that they already have.

    Args:
        tensors: One or more; their shapes may differ only at `axis`.
        axis: The axis to join along.

    Raises:
        ValueError: No tensors, or shapes that do not fit.

    Example:
        >>> concat([Tensor([1, 2]), Tensor([3])]).tolist()
        [1, 2, 3]
    """
    if not tensors:
        raise ValueError("concat: got no tensors; it needs at least one, whose dtype the result takes")
    return P.concat(*tensors, axis=axis)


@applies(P.stack)
def stack(tensors: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Return equally shaped tensors joined along a new axis.

    Args:
        tensors: One or more of one shape.
        axis: Where the new axis stands in the result.

    Raises:
        ValueError: No tensors, or different shapes.

    Example:
        >>> stack([Tensor([1, 2]), Tensor([3, 4])], axis=1).tolist()
        [[1, 3], [2, 4]]
    """
    if not tensors:
        raise ValueError("stack: got no tensors; it needs at least one, whose dtype the result takes")
    return P.stack(*tensors, axis=axis)


def split(x: TensorLike, sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Return x cut into consecutive parts along an axis; the parts share its memory.

    Args:
        x: At least one axis.
        sections: How many equal parts, or the size of each part.
        axis: The axis to cut.

    Raises:
        ValueError: The axis does not divide into equal parts, or the sizes do not add up to it.

    Example:
        >>> [part.tolist() for part in split(Tensor([1, 2, 3, 4]), 2)]
        [[1, 2], [3, 4]]
        >>> [part.tolist() for part in split(Tensor([1, 2, 3]), [1, 2])]
        [[1], [2, 3]]
    """
    (tensor,) = lift((x,))
    axis = _position("split", axis, tensor.ndim)
    parts: list[Tensor] = []
    start = 0
    for size in part_sizes(tensor.shape[axis], sections):
        parts.append(P.index(tensor, key=(slice(None),) * axis + (slice(start, start + size),)))
        start += size
    return parts


def part_sizes(length: int, sections: int | Sequence[int]) -> tuple[int, ...]:
    """Work out the sizes of the parts that `split` cuts.

    Raises:
        ValueError: `length` is not divided evenly, or the sizes do not add up to it.
    """
    if isinstance(sections, int):
        if sections < 1 or length % sections:
            raise ValueError(
                f"split: {sections} equal parts do not divide an axis of size {length}; give the sizes instead"
            )
        return (length // sections,) * sections
    sizes = tuple(sections)
    total = 0
    for size in sizes:
        if size < 0:
            raise ValueError(f"split: part sizes must be at least 0, got {sizes}")
        total += size
    if total != length:
        raise ValueError(f"split: part sizes {sizes} add up to {total}, the axis has size {length}")
    return sizes


@applies(P.pad)
def pad(x: TensorLike, width: int | Sequence[Sequence[int]], value: float = 0.0) -> Tensor:
    """Return x in a frame of one value.

    Args:
        x: Any shape.
        width: (before, after) for each axis, or one number for every side.
        value: What the frame is made of.

    Raises:
        ValueError: Not one pair of sizes of at least 0 for each axis.

    Example:
        >>> pad(Tensor([1, 2]), [(1, 2)]).tolist()
        [0, 1, 2, 0, 0]
    """
    (tensor,) = lift((x,))
    if isinstance(width, int):
        pairs = ((width, width),) * tensor.ndim
    else:
        if not all(len(pair) == 2 for pair in width):
            raise ValueError(f"pad: width needs a pair (before, after) for each axis, got {width}")
        pairs = tuple((pair[0], pair[1]) for pair in width)
    return P.pad(tensor, width=pairs, value=value)


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


@applies(P.tile)
def tile(x: TensorLike, reps: int | Sequence[int]) -> Tensor:
    """Return copies of the whole tensor laid side by side.

    Args:
        x: Any shape.
        reps: How many copies along each axis; missing ones, at the front, count as 1.

    Example:
        >>> tile(Tensor([1, 2]), 2).tolist()
        [1, 2, 1, 2]
    """
    return P.tile(x, reps=_sizes(reps))


@applies(P.repeat)
def repeat(x: TensorLike, repeats: int, axis: int | None = None) -> Tensor:
    """Return each element `repeats` times where it stands.

    Args:
        x: Any shape.
        repeats: How often.
        axis: The axis to repeat along; without, the flattened tensor is repeated.

    Raises:
        ValueError: `repeats` is negative.

    Example:
        >>> repeat(Tensor([1, 2]), 2).tolist()
        [1, 1, 2, 2]
    """
    if repeats < 0:
        raise ValueError(f"repeat: repeats must be at least 0, got {repeats}")
    return P.repeat(x, repeats=repeats, axis=axis)


def _sizes(shape: int | Sequence[int]) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def _position(name: str, axis: int, ndim: int) -> int:
    """Return an axis counted from the front."""
    if not -ndim <= axis < ndim:
        raise ValueError(f"{name}: axis {axis} is out of range for {ndim} axes")
    return axis % ndim
