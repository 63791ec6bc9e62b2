"""Which element types a tensor has, and how Python numbers join one."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tt_tensor._primitive import Array

DTypeLike: TypeAlias = npt.DTypeLike
FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)


def checked(dtype: DTypeLike) -> np.dtype[np.generic]:
    """Return the NumPy dtype, refusing what a tensor cannot hold.

    Raises:
        TypeError: Neither boolean, integer nor floating.
    """
    found = np.dtype(dtype)
    if found.kind not in "biuf":
        raise TypeError(f"a Tensor holds booleans, integers or floating numbers; got dtype {found.name}")
    return np.dtype(found.type)  # the one object for this type, in the machine's byte order


def to_array(data: object, dtype: DTypeLike | None) -> Array:
    """Copy `data` into a fresh array: floating input becomes float32 unless `dtype` says otherwise.

    Raises:
        TypeError: The elements are no numbers.
        ValueError: Nested sequences of unequal lengths.
        OverflowError: A list holds an integer that `dtype` cannot.
    """
    try:
        array = np.array(data)
    except ValueError as error:
        raise ValueError(
            f"cannot make a Tensor from nested sequences of unequal lengths ({error}); every row must have the same "
            "length"
        ) from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a Tensor holds numbers; got {type(data).__name__} with elements of type {array.dtype.name}")
    if dtype is not None:
        kind = checked(dtype)
        if kind.kind in "iu" and array.dtype.kind in "iu" and not isinstance(data, np.ndarray):
            return np.array(data, kind)  # astype would turn what does not fit into another number
        return array.astype(kind, copy=False)
    if array.dtype.kind == "f" or (array.size == 0 and not isinstance(data, np.ndarray)):
        return array.astype(FLOAT32, copy=False)
    return array.astype(np.dtype(array.dtype.type), copy=False)


def scalar_like(value: bool | int | float, like: np.dtype[np.generic] | None) -> Array:
    """Return a Python number as a 0-d array that does not widen `like` (NEP 50: Python numbers are weakly typed).

    Raises:
        OverflowError: An integer that `like` cannot hold.
    """
    if isinstance(value, float):
        return np.asarray(value, like if like is not None and like.kind == "f" else FLOAT32)
    if like is not None and (like.kind == "f" or (like.kind in "iu" and not isinstance(value, bool))):
        return np.asarray(value, like)
    return np.asarray(value)


def wider(a: np.dtype[Any] | None, b: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype that decides: floating before integer before boolean, then the wider."""
    if a is None or a == b:
        return b
    if (a.kind == "f") != (b.kind == "f"):
        return a if a.kind == "f" else b
    return np.promote_types(a, b)


def array_like(value: object, like: np.dtype[Any] | None) -> Array:
    """Return what is no tensor as an array that does not widen `like`, the element type of the tensors beside it.

    Raises:
        TypeError: The elements are no numbers.
        ValueError: Nested sequences of unequal lengths.
        OverflowError: An integer that `like` cannot hold.
    """
    if isinstance(value, np.generic):
        number: Any = value.item()
        return scalar_like(number, like)
    if isinstance(value, (bool, int, float)):
        return scalar_like(value, like)
    array = to_array(value, None)
    # An array keeps float64 only beside a float64 tensor: the caller asked for it there.
    return to_array(value, like) if like == np.float64 and array.dtype.kind == "f" else array
