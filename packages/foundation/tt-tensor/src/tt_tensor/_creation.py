"""New tensors: constants, ranges, random numbers, and arrays taken over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from tt_tensor._dtypes import FLOAT32, DTypeLike, checked
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import Array
from tt_tensor._random import default_rng
from tt_tensor._tensor import Tensor, wrap

Shape: TypeAlias = int | Sequence[int]
# What lies above it rounds to 1 in float16, which [0, 1) has not.
_BELOW_ONE = np.nextafter(np.float16(1), np.float16(0))


def _made(array: Array, requires_grad: bool) -> Tensor:
    tensor = wrap(array)
    if requires_grad:
        tensor.requires_grad = True
    return tensor


def _shape(shape: tuple[Shape, ...]) -> tuple[int, ...]:
    one = shape[0] if len(shape) == 1 else None
    lengths = tuple(one) if isinstance(one, Iterable) else shape
    if not all(isinstance(n, (int, np.integer)) and n >= 0 for n in lengths):
        raise ValueError(f"a shape is made of lengths of at least 0; got {lengths}")
    return lengths  # type: ignore[return-value]  # all were found to be integers


def zeros(*shape: Shape, dtype: DTypeLike = FLOAT32, requires_grad: bool = False) -> Tensor:
    """Return a tensor of zeros.

    Example:
        >>> zeros(2, 3).shape
        (2, 3)
    """
    return _made(np.zeros(_shape(shape), checked(dtype)), requires_grad)


def ones(*shape: Shape, dtype: DTypeLike = FLOAT32, requires_grad: bool = False) -> Tensor:
    """Return a tensor of ones.

    Example:
        >>> ones(2).tolist()
        [1.0, 1.0]
    """
    return _made(np.ones(_shape(shape), checked(dtype)), requires_grad)


def full(shape: Shape, value: float, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """Return a tensor of one value; a float gives float32, an int int64, unless `dtype` says otherwise.

    Example:
        >>> full((2,), 7).tolist()
        [7, 7]
    """
    own = np.asarray(value).dtype
    kind = dtype if dtype is not None else FLOAT32 if own.kind == "f" else own
    return _made(np.full(_shape((shape,)), value, checked(kind)), requires_grad)


def eye(n: int, m: int | None = None, *, dtype: DTypeLike = FLOAT32) -> Tensor:
    """Return the identity matrix of n rows and m (default n) columns.

    Example:
        >>> eye(2).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    return wrap(np.eye(n, m, dtype=checked(dtype)))


def arange(start: float, stop: float | None = None, step: float = 1, *, dtype: DTypeLike | None = None) -> Tensor:
    """Return numbers from `start` (or 0) up to and without `stop`; integers give int64, floats float32.

    Raises:
        ValueError: `step` is 0.

    Example:
        >>> arange(3).tolist()
        [0, 1, 2]
    """
    if step == 0:
        raise ValueError("arange needs a step other than 0")
    first, last = (0, start) if stop is None else (start, stop)
    integral = all(isinstance(n, (int, np.integer)) for n in (first, last, step))
    return wrap(np.arange(first, last, step).astype(checked(dtype or (np.int64 if integral else FLOAT32)), copy=False))


def linspace(start: float, stop: float, num: int = 50, *, dtype: DTypeLike = FLOAT32) -> Tensor:
    """Return `num` evenly spaced numbers, `stop` included.

    Example:
        >>> linspace(0, 1, 3).tolist()
        [0.0, 0.5, 1.0]
    """
    return wrap(np.linspace(start, stop, num).astype(checked(dtype)))


def rand(
    *shape: Shape, dtype: DTypeLike = FLOAT32, requires_grad: bool = False, rng: np.random.Generator | None = None
) -> Tensor:
    """Return uniform random numbers of [0, 1).

    Args:
        shape: Lengths, one by one or as one sequence.
        dtype: float16, float32 or float64.
        requires_grad: As of `Tensor`.
        rng: The generator; the default one without.

    Example:
        >>> rand(2, 2).shape
        (2, 2)
    """
    drawn = _drawn(default_rng(rng).random, _shape(shape), dtype)
    return _made(np.where(drawn < 1, drawn, _BELOW_ONE) if drawn.dtype == np.float16 else drawn, requires_grad)


def randn(
    *shape: Shape, dtype: DTypeLike = FLOAT32, requires_grad: bool = False, rng: np.random.Generator | None = None
) -> Tensor:
    """Return random numbers of the standard normal distribution; arguments as of `rand`.

    Example:
        >>> randn(3).shape
        (3,)
    """
    return _made(_drawn(default_rng(rng).standard_normal, _shape(shape), dtype), requires_grad)


def _drawn(draw: object, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    kind = checked(dtype)
    if kind.kind != "f":
        raise TypeError(f"random numbers of this kind are floating; got dtype {kind}")
    native = kind if kind.itemsize >= 4 else FLOAT32
    array: Array = draw(shape, dtype=native)  # type: ignore[operator]  # two overloads of Generator, one call
    return array.astype(kind, copy=False)


def zeros_like(tensor: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    """Return zeros of a tensor's shape and element type."""
    return zeros(tensor.shape, dtype=dtype or tensor.dtype)


def ones_like(tensor: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    """Return ones of a tensor's shape and element type."""
    return ones(tensor.shape, dtype=dtype or tensor.dtype)


def full_like(tensor: Tensor, value: float, dtype: DTypeLike | None = None) -> Tensor:
    """Return one value in a tensor's shape and element type."""
    return full(tensor.shape, value, dtype or tensor.dtype)


def rand_like(tensor: Tensor, *, rng: np.random.Generator | None = None) -> Tensor:
    """Return uniform random numbers of a tensor's shape and element type."""
    return rand(tensor.shape, dtype=tensor.dtype, rng=rng)


def randn_like(tensor: Tensor, *, rng: np.random.Generator | None = None) -> Tensor:
    """Return normal random numbers of a tensor's shape and element type."""
    return randn(tensor.shape, dtype=tensor.dtype, rng=rng)


def as_tensor(data: TensorLike) -> Tensor:
    """Return a tensor as it is, and anything else as a new one; for functions that take either.

    Args:
        data: A tensor, or what `Tensor` makes one of: numbers, nested sequences, an array.

    Raises:
        TypeError: Elements that are no numbers.
        ValueError: Nested sequences of unequal lengths.

    Example:
        >>> x = Tensor([1.0])
        >>> as_tensor(x) is x, as_tensor([1.0]) is x
        (True, False)
    """
    return data if isinstance(data, Tensor) else Tensor(data)


def from_numpy(array: Array) -> Tensor:
    """Make a tensor that shares memory with a NumPy array.

    Raises:
        TypeError: No array, or of elements that are no numbers.

    Example:
        >>> import numpy as np
        >>> a = np.zeros(2, np.float32)
        >>> t = from_numpy(a)
        >>> a[0] = 5
        >>> t.tolist()
        [5.0, 0.0]
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy takes an ndarray; got {type(array).__name__}: use Tensor(data), which copies")
    if checked(array.dtype) != array.dtype:
        raise TypeError(f"a Tensor holds the machine's byte order; got {array.dtype}: use Tensor(data), which copies")
    return wrap(array)
