"""The methods of a tensor, by what they do: elementwise, reductions, shape, elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._dtypes import DTypeLike, checked
from tt_tensor._operators import Operators, TensorLike

if TYPE_CHECKING:
    from tt_tensor._tensor import Tensor

Axis: TypeAlias = int | tuple[int, ...] | None


class Methods(Operators):
    """Each method has the meaning, settings and errors of the function of the same name."""

    __slots__ = ()

    # -- elementwise

    def abs(self) -> Tensor:
        """Return absolute values."""
        return P.abs_(self)

    def exp(self) -> Tensor:
        """Return e to the power of each element."""
        return P.exp(self)

    def log(self) -> Tensor:
        """Return natural logarithms."""
        return P.log(self)

    def log1p(self) -> Tensor:
        """Return log(1 + x), exact near 0."""
        return P.log1p(self)

    def sqrt(self) -> Tensor:
        """Return square roots."""
        return P.sqrt(self)

    def sin(self) -> Tensor:
        """Return sines."""
        return P.sin(self)

    def cos(self) -> Tensor:
        """Return cosines."""
        return P.cos(self)

    def tanh(self) -> Tensor:
        """Return hyperbolic tangents."""
        return P.tanh(self)

    def erf(self) -> Tensor:
        """Return the error function."""
        return P.erf(self)

    def clip(self, low: float | None = None, high: float | None = None) -> Tensor:
        """Return the elements limited to [low, high]."""
        return P.clip(self, low=low, high=high)

    def astype(self, dtype: DTypeLike) -> Tensor:
        """Return the elements as another type."""
        return P.astype(self, dtype=checked(dtype))

    def copy(self) -> Tensor:
        """Return a copy; the gradient flows through."""
        return P.copy(self)

    def masked_fill(self, mask: TensorLike, value: float) -> Tensor:
        """Return the elements, `value` where the mask is true."""
        return P.masked_fill(self, mask, value=value)

    # -- reductions

    def sum(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the sum over `axis`."""
        return P.sum_(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the mean over `axis`."""
        return P.mean(self, axis=axis, keepdims=keepdims)

    def var(self, axis: Axis = None, *, keepdims: bool = False, correction: int = 0) -> Tensor:
        """Return the variance over `axis`, dividing by the count less `correction`."""
        return P.var(self, axis=axis, keepdims=keepdims, correction=correction)

    def std(self, axis: Axis = None, *, keepdims: bool = False, correction: int = 0) -> Tensor:
        """Return the standard deviation over `axis`."""
        return P.std(self, axis=axis, keepdims=keepdims, correction=correction)

    def prod(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the product over `axis`."""
        return P.prod(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the largest element over `axis`."""
        return P.max_(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the smallest element over `axis`."""
        return P.min_(self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
        """Return the index of the first largest element."""
        return P.argmax(self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
        """Return the index of the first smallest element."""
        return P.argmin(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return whether any element is true."""
        return P.any_(self, axis=axis, keepdims=keepdims)

    def all(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return whether all elements are true."""
        return P.all_(self, axis=axis, keepdims=keepdims)

    def logsumexp(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return log(sum(exp(x))), computed without overflow."""
        return P.logsumexp(self, axis=axis, keepdims=keepdims)

    def cumsum(self, axis: int = 0) -> Tensor:
        """Return running sums along `axis`."""
        return P.cumsum(self, axis=axis)

    def norm(self, ord: float = 2, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the vector norm over `axis`."""
        return P.norm(self, ord=ord, axis=axis, keepdims=keepdims)

    # -- shape

    @property
    def T(self) -> Tensor:  # noqa: N802  # the field's name for it
        """The tensor with its axes reversed."""
        return P.transpose(self, axes=None)

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """Return the elements in another shape; one length may be -1."""
        return P.reshape(self, shape=_flat(shape))

    def view(self, *shape: int | Sequence[int]) -> Tensor:
        """Return the elements in another shape, never copying.

        Raises:
            ValueError: The shape would need a copy; `reshape` makes one.
        """
        from tt_tensor._functions_shape import view

        return view(self, _flat(shape))

    def split(self, sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
        """Return consecutive parts along `axis`: so many equal ones, or of the given sizes."""
        from tt_tensor._functions_join import split

        return split(self, sections, axis)

    def flatten(self, start_axis: int = 0) -> Tensor:
        """Return a tensor whose axes from `start_axis` on are one."""
        from tt_tensor._functions_shape import flatten

        return flatten(self, start_axis)

    def transpose(self, *axes: int | Sequence[int]) -> Tensor:
        """Return the tensor with its axes in the given order; reversed without one."""
        return P.transpose(self, axes=_flat(axes) or None)

    def permute(self, *axes: int | Sequence[int]) -> Tensor:
        """Return the tensor with its axes in the given order."""
        return P.transpose(self, axes=_flat(axes))

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Return the tensor with two axes exchanged."""
        from tt_tensor._functions_shape import swapaxes

        return swapaxes(self, axis1, axis2)

    def expand_dims(self, axis: int | tuple[int, ...]) -> Tensor:
        """Return the tensor with new axes of length one."""
        return P.expand_dims(self, axis=axis)

    def squeeze(self, axis: Axis = None) -> Tensor:
        """Return the tensor without axes of length one."""
        return P.squeeze(self, axis=axis)

    def broadcast_to(self, *shape: int | Sequence[int]) -> Tensor:
        """Return the tensor repeated to a shape, without copying."""
        return P.broadcast_to(self, shape=_flat(shape))

    def flip(self, axis: Axis = None) -> Tensor:
        """Return the elements in reverse order along `axis`."""
        return P.flip(self, axis=axis)

    def tile(self, *reps: int | Sequence[int]) -> Tensor:
        """Return the tensor laid side by side."""
        return P.tile(self, reps=_flat(reps))

    def repeat(self, repeats: int, axis: int | None = None) -> Tensor:
        """Return each element several times."""
        return P.repeat(self, repeats=repeats, axis=axis)

    # -- elements

    def take(self, indices: TensorLike, axis: int | None = None) -> Tensor:
        """Return whole slices chosen by index."""
        return P.take(self, indices, axis=axis)

    def gather(self, indices: TensorLike, axis: int) -> Tensor:
        """Return one element per index along `axis`."""
        return P.gather(self, indices, axis=axis)

    def sort(self, axis: int = -1, *, descending: bool = False) -> Tensor:
        """Return the elements in order along `axis`."""
        return P.sort(self, axis=axis, descending=descending)

    def argsort(self, axis: int = -1, *, descending: bool = False) -> Tensor:
        """Return the indices that would sort the elements."""
        return P.argsort(self, axis=axis, descending=descending)

    def topk(self, k: int, axis: int = -1) -> tuple[Tensor, Tensor]:
        """Return the k largest elements and their indices."""
        from tt_tensor._functions_index import topk

        return topk(self, k, axis)

    def tril(self, k: int = 0) -> Tensor:
        """Return the lower triangle of the last two axes."""
        return P.tril(self, k=k)

    def triu(self, k: int = 0) -> Tensor:
        """Return the upper triangle of the last two axes."""
        return P.triu(self, k=k)

    def matmul(self, other: TensorLike) -> Tensor:
        """Return the matrix product."""
        return P.matmul(self, other)


def _flat(lengths: tuple[int | Sequence[int], ...]) -> tuple[int, ...]:
    """Return lengths given one by one or as one sequence."""
    if len(lengths) == 1 and not isinstance(lengths[0], (int, np.integer)):
        return tuple(lengths[0])
    return lengths  # type: ignore[return-value]  # what is no integer is refused by the kernel
