"""Kernels that move elements, or only rename their places: reshape, transpose, join, pad, repeat."""

from __future__ import annotations

import numpy as np

from tt_tensor._kernels_elementwise import Array


def broadcast_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Work out the shape that several shapes broadcast to.

    Shapes are aligned at the right; along each axis the sizes must be equal, or 1, which stretches.

    Raises:
        ValueError: naming the axis at which two sizes disagree.

    Example:
        >>> broadcast_shape((3, 1), (4,))
        (3, 4)
    """
    result: list[int] = []
    for axis in range(1, max(map(len, shapes), default=0) + 1):
        sizes = {shape[-axis] for shape in shapes if len(shape) >= axis} - {1}
        if len(sizes) > 1:
            raise ValueError(
                f"shapes {' and '.join(map(str, shapes))} do not broadcast: at axis {-axis} the sizes are "
                f"{' and '.join(map(str, sorted(sizes)))}; they must be equal, or one of them 1"
            )
        result.insert(0, sizes.pop() if sizes else 1)
    return tuple(result)


def check_broadcast(name: str, *shapes: tuple[int, ...], cause: Exception | None = None) -> None:
    """Raise ValueError, naming the operation, if the shapes do not broadcast."""
    try:
        broadcast_shape(*shapes)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from cause


def reshape(x: Array, *, shape: tuple[int, ...]) -> Array:
    """See the same elements, in row-major order, in another shape; one size may be -1."""
    try:
        return x.reshape(shape)
    except ValueError as error:
        raise ValueError(
            f"reshape: {x.size} elements of shape {x.shape} do not fill shape {shape}; "
            f"its sizes must multiply to {x.size}, and at most one may be -1"
        ) from error


def transpose(x: Array, *, axes: tuple[int, ...] | None = None) -> Array:
    """Put the axes into another order (reversed without `axes`): a view, nothing moves."""
    try:
        return x.transpose(axes)
    except ValueError as error:
        raise ValueError(f"transpose: axes {axes} are no ordering of the {x.ndim} axes of shape {x.shape}") from error


def expand_dims(x: Array, *, axis: int | tuple[int, ...]) -> Array:
    """Insert axes of size 1 at the given positions of the result."""
    return np.expand_dims(x, axis)


def squeeze(x: Array, *, axis: int | tuple[int, ...] | None = None) -> Array:
    """Drop axes of size 1: those named, or all."""
    try:
        return np.squeeze(x, axis)
    except np.exceptions.AxisError:
        raise
    except ValueError as error:
        raise ValueError(f"squeeze: axis {axis} of shape {x.shape} has not size 1") from error


def broadcast_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    """See x as if stretched to a shape: a read-only view whose stretched axes step by 0 bytes."""
    try:
        return np.broadcast_to(x, shape)
    except ValueError as error:
        raise ValueError(
            f"broadcast_to: shape {x.shape} does not stretch to {shape}; aligned at the right, sizes must be equal or 1"
        ) from error


def concat(*arrays: Array, axis: int = 0) -> Array:
    """Join arrays along an axis they already have; all other sizes must agree."""
    try:
        return np.concatenate(arrays, axis)
    except np.exceptions.AxisError:
        raise
    except ValueError as error:
        if not arrays[0].ndim:
            raise ValueError("concat: numbers alone have no axis to be joined along; use stack") from error
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"concat: shapes {shapes} may differ only at axis {axis}") from error


def stack(*arrays: Array, axis: int = 0) -> Array:
    """Join equally shaped arrays along a new axis."""
    try:
        return np.stack(arrays, axis)
    except np.exceptions.AxisError:
        raise
    except ValueError as error:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"stack: all shapes must be equal, got {shapes}") from error


def pad(x: Array, *, width: tuple[tuple[int, int], ...], value: float = 0.0) -> Array:
    """Put a frame of one value around x: (before, after) elements for each axis."""
    if len(width) != x.ndim or any(side < 0 for pair in width for side in pair):
        raise ValueError(f"pad: shape {x.shape} needs {x.ndim} pairs (before, after) of sizes >= 0, got {width}")
    sizes = [before + size + after for (before, after), size in zip(width, x.shape, strict=True)]
    out = np.full(sizes, value, dtype=x.dtype)
    out[tuple(slice(before, before + size) for (before, _), size in zip(width, x.shape, strict=True))] = x
    return out


def flip(x: Array, *, axis: int | tuple[int, ...] | None = None) -> Array:
    """Reverse the order along some axes, or all: a view with negative strides."""
    return np.flip(x, axis)


def tile(x: Array, *, reps: tuple[int, ...]) -> Array:
    """Lay copies of the whole array side by side: reps[i] of them along axis i."""
    return np.tile(x, reps)


def repeat(x: Array, *, repeats: int, axis: int | None = None) -> Array:
    """Repeat every element `repeats` times where it stands; without axis, of the flattened array."""
    return np.repeat(x, repeats, axis)
