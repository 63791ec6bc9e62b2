"""Python's operators on tensors: each is one primitive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._primitive import Array

if TYPE_CHECKING:
    from tt_tensor._tensor import Tensor

Nested: TypeAlias = bool | int | float | Sequence["Nested"]
TensorLike: TypeAlias = Union["Operators", Array, "np.generic[object]", bool, int, float, Sequence[Nested]]


class Operators:
    """Arithmetic, comparison and `@`, with their reflected forms."""

    __slots__ = ()

    def __add__(self, other: TensorLike) -> Tensor:
        return P.add(self, other)

    def __radd__(self, other: TensorLike) -> Tensor:
        return P.add(other, self)

    def __sub__(self, other: TensorLike) -> Tensor:
        return P.subtract(self, other)

    def __rsub__(self, other: TensorLike) -> Tensor:
        return P.subtract(other, self)

    def __mul__(self, other: TensorLike) -> Tensor:
        return P.multiply(self, other)

    def __rmul__(self, other: TensorLike) -> Tensor:
        return P.multiply(other, self)

    def __truediv__(self, other: TensorLike) -> Tensor:
        return P.divide(self, other)

    def __rtruediv__(self, other: TensorLike) -> Tensor:
        return P.divide(other, self)

    def __floordiv__(self, other: TensorLike) -> Tensor:
        return P.floor_divide(self, other)

    def __rfloordiv__(self, other: TensorLike) -> Tensor:
        return P.floor_divide(other, self)

    def __mod__(self, other: TensorLike) -> Tensor:
        return P.remainder(self, other)

    def __rmod__(self, other: TensorLike) -> Tensor:
        return P.remainder(other, self)

    def __pow__(self, other: TensorLike) -> Tensor:
        return P.power(self, other)

    def __rpow__(self, other: TensorLike) -> Tensor:
        return P.power(other, self)

    def __matmul__(self, other: TensorLike) -> Tensor:
        return P.matmul(self, other)

    def __rmatmul__(self, other: TensorLike) -> Tensor:
        return P.matmul(other, self)

    def __neg__(self) -> Tensor:
        return P.negative(self)

    def __pos__(self) -> Tensor:
        return P.copy(self)

    def __abs__(self) -> Tensor:
        return P.abs_(self)

    def __invert__(self) -> Tensor:
        return P.logical_not(self)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]  # compares elements, as arrays do
        return P.equal(self, other) if isinstance(other, _COMPARABLE) else NotImplemented

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]  # compares elements, as arrays do
        return P.not_equal(self, other) if isinstance(other, _COMPARABLE) else NotImplemented

    def __lt__(self, other: TensorLike) -> Tensor:
        return P.less(self, other)

    def __le__(self, other: TensorLike) -> Tensor:
        return P.less_equal(self, other)

    def __gt__(self, other: TensorLike) -> Tensor:
        return P.greater(self, other)

    def __ge__(self, other: TensorLike) -> Tensor:
        return P.greater_equal(self, other)

    __hash__ = object.__hash__


_COMPARABLE = (Operators, np.ndarray, np.generic, bool, int, float, list, tuple)
