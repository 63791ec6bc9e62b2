"""The two kinds of tensor that a module owns."""

from __future__ import annotations

import numpy.typing as npt
from tt_tensor import Tensor, TensorLike


class Parameter(Tensor):
    """A tensor that training changes: a module finds it, an optimizer moves it.

    Args:
        data: The values to start from; they are copied.
        dtype: The element type; floating-point data becomes float32 without it.
        requires_grad: False freezes the parameter.

    Example:
        >>> Parameter([1.0, 2.0]).requires_grad
        True
    """

    def __init__(self, data: TensorLike, dtype: npt.DTypeLike | None = None, requires_grad: bool = True) -> None:
        super().__init__(data, dtype=dtype, requires_grad=requires_grad)


class Buffer(Tensor):
    """A tensor that belongs to a module and is saved with it, but that no optimizer moves.

    Args:
        data: The values to start from; they are copied.
        dtype: The element type; floating-point data becomes float32 without it.
        persistent: False leaves the buffer out of `state_dict`, for what can be computed again (a causal mask).

    Example:
        >>> Buffer([0.0, 0.0]).requires_grad
        False
    """

    def __init__(self, data: TensorLike, dtype: npt.DTypeLike | None = None, *, persistent: bool = True) -> None:
        super().__init__(data, dtype=dtype, requires_grad=False)
        self.persistent = persistent

    def __deepcopy__(self, memo: dict[int, object]) -> Tensor:
        twin = super().__deepcopy__(memo)
        vars(twin).update(vars(self))  # a Tensor copies its own slots only
        return twin

    def __reduce__(self) -> tuple[object, ...]:
        return *super().__reduce__(), vars(self)
