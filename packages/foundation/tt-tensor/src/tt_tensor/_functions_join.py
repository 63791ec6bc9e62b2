"""Functions that join, cut, frame and repeat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._functions_shape import position, sizes_of
from tt_tensor._lift import lift
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import applies
from tt_tensor._tensor import Tensor


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
    axis = position("split", axis, tensor.ndim)
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
    if isinstance(sections, (int, np.integer)):
        if sections < 1 or length % sections:
            raise ValueError(
                f"split: {sections} equal parts do not divide an axis of size {length}; give the sizes instead"
            )
        return (length // int(sections),) * int(sections)
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
    if isinstance(width, (int, np.integer)):
        pairs = ((int(width), int(width)),) * tensor.ndim
    else:
        try:
            pairs = tuple((before, after) for before, after in width)
        except (TypeError, ValueError) as error:
            raise ValueError(f"pad: width needs a pair (before, after) for each axis, got {width}") from error
    return P.pad(tensor, width=pairs, value=value)


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
    return P.tile(x, reps=sizes_of(reps))


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
