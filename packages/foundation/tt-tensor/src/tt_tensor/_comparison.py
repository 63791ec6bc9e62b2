"""Comparisons, in which a number may be larger than the other side's type can hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tt_tensor._primitive import Primitive

if TYPE_CHECKING:
    from tt_tensor._operators import TensorLike
    from tt_tensor._tensor import Tensor


class Comparison(Primitive):
    """A primitive whose result is booleans: a Python integer that an element type cannot hold has its place beside it.

    Arithmetic refuses such a number, since its result would not fit either.
    """

    def lifted(self, inputs: tuple[TensorLike, ...]) -> tuple[Tensor, ...]:
        """Return the inputs as tensors; a Python number keeps a type of its own where the others' cannot hold it."""
        try:
            return super().lifted(inputs)
        except OverflowError:
            return super().lifted(tuple(placed(value) for value in inputs))


def placed(value: TensorLike) -> TensorLike:
    """Return a Python integer in a type that holds it: int64, or beyond that an infinity."""
    if not isinstance(value, int):
        return value
    if -(2**63) <= value < 2**64:
        return np.asarray(value)
    return math.inf if value > 0 else -math.inf
