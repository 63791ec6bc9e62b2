"""The tensor: an array, and what the engine must know about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._conversions import Conversions
from tt_tensor._dtypes import DTypeLike, array_like, to_array
from tt_tensor._interpreter import current
from tt_tensor._methods import Methods
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import Array
from tt_tensor._repr import format_tensor
from tt_tensor._versions import increment_version


class GradFn(Protocol):
    """What a tensor keeps of the operation that made it; tt-autograd's `Node` is one."""

    @property
    def name(self) -> str:
        """The name of the operation."""


class Tensor(Conversions, Methods):
    """An n-dimensional array of numbers whose operations can be recorded.

    Args:
        data: Numbers, nested sequences, an array or a tensor; always copied.
        dtype: The element type. Without it floating input becomes float32; integers and booleans stay what they are.
        requires_grad: Whether a backward pass shall leave the gradient in `grad`.

    Raises:
        TypeError: Elements that are no numbers, or `requires_grad` of integers.
        ValueError: Nested sequences of unequal lengths.

    Example:
        >>> x = Tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> (x @ x).tolist()
        [[7.0, 10.0], [15.0, 22.0]]
    """

    __slots__ = ("__weakref__", "_data", "_grad", "_requires_grad", "_version", "grad_fn")

    # NumPy then leaves `array + tensor` to us.
    __array_priority__ = 1000
    grad_fn: GradFn | None

    def __init__(self, data: TensorLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> None:
        self._data: Array = to_array(data._data if isinstance(data, Tensor) else data, dtype)
        self._grad: Tensor | None = None
        self._requires_grad = False
        self._version: list[int] | None = None
        self.grad_fn = None
        if requires_grad:
            self.requires_grad = True

    # -- attributes

    @property
    def data(self) -> Array:
        """The array itself. After writing into it, call `increment_version(tensor)`."""
        return self._data

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return self._data.dtype

    @property
    def nbytes(self) -> int:
        """The bytes its elements take."""
        return self._data.nbytes

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor: set on a leaf, or inherited from an operation's inputs."""
        return self._requires_grad or self.grad_fn is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self.grad_fn is not None and not value:
            raise RuntimeError("requires_grad can be switched off for a leaf only; use detach() on a result")
        if value and self._data.dtype.kind != "f":
            raise TypeError(f"only floating tensors can require a gradient; this one has dtype {self._data.dtype}")
        self._requires_grad = bool(value)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it."""
        return self.grad_fn is None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have accumulated, or `None`."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"grad must be a Tensor or None; got {type(value).__name__}")
            if value._data.shape != self._data.shape:
                raise ValueError(f"grad must have the tensor's shape {self.shape}; got {value.shape}")
        self._grad = value

    @property
    def version(self) -> int:
        """How often the memory was written in place; views share it."""
        return 0 if self._version is None else self._version[0]

    @property
    def written_at(self) -> int:
        """When the memory was last written in place, by `write_clock`; 0 if never."""
        return 0 if self._version is None else self._version[1]

    # -- gradients

    def detach(self) -> Tensor:
        """Return a tensor that shares the memory, and to which no gradient flows."""
        return P.detach(self)

    def backward(self, gradient: TensorLike | None = None, *, retain_graph: bool = False) -> None:
        """Compute the gradient of this tensor with respect to every leaf that requires one.

        Args:
            gradient: The gradient of the final result with respect to this tensor, of its shape; may be left out
                for a scalar.
            retain_graph: Keep what the pass needs, so that it can run again.

        Raises:
            RuntimeError: tt-autograd is not imported, or as tt-autograd says.
        """
        given = gradient if gradient is None or isinstance(gradient, Tensor) else wrap(self._array_of(gradient))
        current().backward(self, given, retain_graph=retain_graph)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self._grad = None

    # -- writing in place

    def assign_(self, value: TensorLike) -> Tensor:
        """Overwrite the elements in place with `value`, broadcast to this shape, and return the tensor.

        Raises:
            RuntimeError: The tensor is the result of a recorded operation.
            ValueError: `value` does not broadcast to the shape.
        """
        if self.grad_fn is not None:
            raise RuntimeError(
                f"assign_ would change the result of {self.grad_fn.name}; assign to a leaf, or detach() first"
            )
        source = self._array_of(value)
        try:
            np.copyto(self._data, source, casting="same_kind")
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"cannot assign shape {source.shape}, dtype {source.dtype} to shape {self.shape}, "
                f"dtype {self.dtype}; reshape or astype it first"
            ) from error
        increment_version(self)
        return self

    def _array_of(self, value: TensorLike) -> Array:
        """Return the array of a value that meets this tensor; numbers take its element type."""
        return value._data if isinstance(value, Tensor) else array_like(value, self._data.dtype)

    # -- elements

    def __getitem__(self, key: object) -> Tensor:
        return P.index(self, key=_array_key(key))

    def __setitem__(self, key: object, value: TensorLike) -> None:
        if self.requires_grad:
            raise RuntimeError(
                "assigning elements of a tensor that requires a gradient would lose it; use where(), "
                "masked_fill() or concat(), or assign_() on a parameter"
            )
        self._data[_array_key(key)] = self._array_of(value)
        increment_version(self)

    # -- protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: TensorLike, **settings: object) -> Tensor:
        from tt_tensor._ufuncs import apply_ufunc

        return apply_ufunc(ufunc, method, inputs, settings)

    def __iter__(self) -> Iterator[Tensor]:
        for i in range(len(self)):
            yield self[i]

    def __contains__(self, value: TensorLike) -> bool:
        try:
            return bool((self._data == self._array_of(value)).any())
        except OverflowError:  # of a number that no element can be
            return False

    def __repr__(self) -> str:
        return format_tensor(self._data, self._requires_grad, None if self.grad_fn is None else self.grad_fn.name)

    def __deepcopy__(self, memo: dict[int, object]) -> Tensor:
        if self.grad_fn is not None:
            raise RuntimeError(f"cannot copy the result of {self.grad_fn.name} with its history; detach() it first")
        twin = wrap(self._data.copy(), kind=type(self))
        twin._requires_grad = self._requires_grad
        memo[id(self)] = twin
        if self._grad is not None:
            twin._grad = wrap(self._grad._data.copy())
        return twin

    def __reduce__(self) -> tuple[object, ...]:
        if self.grad_fn is not None:
            raise TypeError(f"cannot pickle the result of {self.grad_fn.name} with its history; detach() it first")
        return _rebuild, (type(self), self._data, self._requires_grad)


def _rebuild(kind: type[Tensor], array: Array, requires_grad: bool) -> Tensor:
    tensor = wrap(array, kind=kind)
    tensor._requires_grad = requires_grad
    return tensor


_new = object.__new__


def wrap(array: Array, *, kind: type[Tensor] = Tensor) -> Tensor:
    """Make a tensor of an array, neither casting nor copying; for authors of packages.

    Args:
        array: An ndarray (no scalar) of booleans, integers or floating numbers.
        kind: `Tensor` or a subclass of it.
    """
    tensor = _new(kind)
    tensor._data = array
    tensor._grad = None
    tensor._requires_grad = False
    tensor._version = None
    tensor.grad_fn = None
    return tensor


def _array_key(key: object) -> Any:
    """Return an index in which tensors have become arrays, and arrays are copies: backward reads them once more."""
    if isinstance(key, tuple):
        return tuple([_array_key(part) for part in key])
    if isinstance(key, list):
        return np.asarray(key) if key else np.zeros(0, np.int64)
    if isinstance(key, Tensor):
        return key._data.copy()
    return key.copy() if isinstance(key, np.ndarray) else key
