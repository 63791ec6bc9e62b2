"""A tensor as Python and NumPy know numbers: as lists, arrays, truth, an index."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from tt_tensor._dtypes import DTypeLike
from tt_tensor._primitive import Array

Numbers: TypeAlias = bool | int | float | list["Numbers"]


class Conversions:
    """The ways from a tensor to a Python number, to lists and to arrays."""

    __slots__ = ()

    # A tensor has them.
    _data: Array
    requires_grad: bool

    def item(self) -> float | int | bool:
        """Return the one element as a Python number.

        Raises:
            ValueError: Not exactly one element.
        """
        if self._data.size != 1:
            raise ValueError(f"item() needs a tensor of one element; this one has shape {self._data.shape}")
        number: float | int | bool = self._data.item()
        return number

    def tolist(self) -> Numbers:
        """Return the elements as nested lists of Python numbers."""
        numbers: Numbers = self._data.tolist()
        return numbers

    def numpy(self) -> Array:
        """Return the array, sharing memory.

        Raises:
            RuntimeError: The tensor requires a gradient, which a NumPy operation would lose.
        """
        if self.requires_grad:
            raise RuntimeError("numpy() of a tensor that requires a gradient would lose it; use detach().numpy()")
        return self._data

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        data = self.numpy()
        if dtype is not None and np.dtype(dtype) != data.dtype:
            if copy is False:
                raise ValueError(f"dtype {np.dtype(dtype)} needs a copy of the tensor's {data.dtype}; allow copy")
            return data.astype(dtype)
        return data.copy() if copy else data

    def __dlpack__(self, **settings: Any) -> object:
        return self.numpy().__dlpack__(**settings)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._data.__dlpack_device__()

    def __len__(self) -> int:
        if self._data.ndim == 0:
            raise TypeError("a 0-d tensor has no length")
        return len(self._data)

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise ValueError(f"the truth of a tensor of shape {self._data.shape} is ambiguous; use any() or all()")
        return bool(self._data.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __format__(self, spec: str) -> str:
        """Format the one element as the number that it is: `f"{loss:.3f}"`; without a format, as `str` does."""
        return format(self.item(), spec) if spec else str(self)

    def __index__(self) -> int:
        if self._data.dtype.kind not in "iu" or self._data.size != 1:
            raise TypeError(
                f"only an integer tensor of one element can be an index; got {self._data.dtype}{self._data.shape}"
            )
        return int(self._data.item())
