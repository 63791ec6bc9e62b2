"""Functions that fold axes away: sums, averages, extremes.

`axis` is one axis, a tuple of axes or `None` for all; `keepdims` leaves folded axes with size 1.
"""

from __future__ import annotations

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._methods import Axis
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import applies
from tt_tensor._tensor import Tensor


@applies(P.sum_)
def sum(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the sum over `axis`, floats to the rounding of float64 accumulation, integers exactly in int64.

    Args:
        x: Numbers of any shape.
        axis: The axes to fold; `None` for all.
        keepdims: Keep folded axes with size 1.

    Raises:
        OverflowError: An integer sum does not fit into int64.

    Example:
        >>> sum(Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0).tolist()
        [4.0, 6.0]
    """
    return P.sum_(x, axis=axis, keepdims=keepdims)


@applies(P.mean)
def mean(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the mean over `axis`; float32 of integers, NaN of nothing.

    Args:
        x: Numbers of any shape.
        axis: The axes to fold; `None` for all.
        keepdims: Keep folded axes with size 1.

    Example:
        >>> mean(Tensor([1, 2])).item()
        1.5
    """
    return P.mean(x, axis=axis, keepdims=keepdims)


@applies(P.var)
def var(x: TensorLike, axis: Axis = None, *, keepdims: bool = False, correction: int = 0) -> Tensor:
    """Return the variance over `axis`, in two passes, so that a large mean costs no digits.

    Args:
        x: Numbers of any shape.
        axis: The axes to fold; `None` for all.
        keepdims: Keep folded axes with size 1.
        correction: Taken from the count before dividing: 0 describes these numbers, 1 estimates where they came from.

    Example:
        >>> var(Tensor([1e8, 1e8 + 8, 1e8 + 16]), correction=1).item()
        64.0
    """
    return P.var(x, axis=axis, keepdims=keepdims, correction=correction)


@applies(P.std)
def std(x: TensorLike, axis: Axis = None, *, keepdims: bool = False, correction: int = 0) -> Tensor:
    """Return the standard deviation over `axis`: the square root of `var`.

    Args:
        x: Numbers of any shape.
        axis: The axes to fold; `None` for all.
        keepdims: Keep folded axes with size 1.
        correction: As of `var`.

    Example:
        >>> std(Tensor([1.0, 3.0])).item()
        1.0
    """
    return P.std(x, axis=axis, keepdims=keepdims, correction=correction)


@applies(P.prod)
def prod(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the product over `axis`; 1 of nothing.

    Args:
        x: Numbers of any shape.
        axis: The axes to fold; `None` for all.
        keepdims: Keep folded axes with size 1.

    Raises:
        OverflowError: An integer product does not fit into int64.

    Example:
        >>> prod(Tensor([2, 3, 4])).item()
        24
    """
    return P.prod(x, axis=axis, keepdims=keepdims)


@applies(P.max_)
def max(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the largest element over `axis`; a NaN wins.

    Args:
        x: Numbers of any shape.
        axis: The axes to fold; `None` for all.
        keepdims: Keep folded axes with size 1.

    Raises:
        ValueError: There is nothing to choose from.

    Example:
        >>> max(Tensor([[1.0, 5.0], [7.0, 2.0]]), axis=1).tolist()
        [5.0, 7.0]
    """
    return P.max_(x, axis=axis, keepdims=keepdims)


@applies(P.min_)
def min(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the smallest element over `axis`; a NaN wins.

    Args:
        x: Numbers of any shape.
        axis: The axes to fold; `None` for all.
        keepdims: Keep folded axes with size 1.

    Raises:
        ValueError: There is nothing to choose from.

    Example:
        >>> min(Tensor([[1.0, 5.0], [7.0, 2.0]]), axis=1).tolist()
        [1.0, 2.0]
    """
    return P.min_(x, axis=axis, keepdims=keepdims)


@applies(P.argmax)
def argmax(x: TensorLike, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Return the position of the largest element, of the first among equals.

    Args:
        x: Numbers of any shape.
        axis: One axis; `None` counts in the flattened tensor.
        keepdims: Keep the folded axis with size 1.

    Raises:
        ValueError: There is nothing to choose from.

    Example:
        >>> argmax(Tensor([3.0, 7.0, 7.0])).item()
        1
    """
    return P.argmax(x, axis=axis, keepdims=keepdims)


@applies(P.argmin)
def argmin(x: TensorLike, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Return the position of the smallest element, of the first among equals.

    Args:
        x: Numbers of any shape.
        axis: One axis; `None` counts in the flattened tensor.
        keepdims: Keep the folded axis with size 1.

    Raises:
        ValueError: There is nothing to choose from.

    Example:
        >>> argmin(Tensor([3.0, 1.0, 1.0])).item()
        1
    """
    return P.argmin(x, axis=axis, keepdims=keepdims)


@applies(P.any_)
def any(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return whether any element over `axis` is true, or not 0.

    Args:
        x: Booleans or numbers of any shape.
        axis: The axes to fold; `None` for all.
        keepdims: Keep folded axes with size 1.

    Example:
        >>> any(Tensor([False, True])).item()
        True
    """
    return P.any_(x, axis=axis, keepdims=keepdims)


@applies(P.all_)
def all(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return whether all elements over `axis` are true, or not 0.

    Args:
        x: Booleans or numbers of any shape.
        axis: The axes to fold; `None` for all.
        keepdims: Keep folded axes with size 1.

    Example:
        >>> all(Tensor([False, True])).item()
        False
    """
    return P.all_(x, axis=axis, keepdims=keepdims)


@applies(P.logsumexp)
def logsumexp(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return log(sum(exp(x))) over `axis`, with the maximum taken out so that nothing overflows.

    Args:
        x: Numbers of any shape.
        axis: The axes to fold; `None` for all.
        keepdims: Keep folded axes with size 1.

    Example:
        >>> logsumexp(Tensor([1e30, 0.0])).item() == Tensor(1e30).item()
        True
    """
    return P.logsumexp(x, axis=axis, keepdims=keepdims)


@applies(P.cumsum)
def cumsum(x: TensorLike, axis: int = 0) -> Tensor:
    """Return running sums along `axis`: element i is the sum of the elements 0 to i.

    Args:
        x: Numbers of at least one axis.
        axis: The axis to run along.

    Raises:
        OverflowError: An integer sum does not fit into int64.

    Example:
        >>> cumsum(Tensor([1, 2, 3])).tolist()
        [1, 3, 6]
    """
    return P.cumsum(x, axis=axis)


@applies(P.norm)
def norm(x: TensorLike, ord: float = 2, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the vector norm (sum |x|**ord) ** (1/ord) over `axis`, without overflow on the way.

    Args:
        x: Numbers of any shape.
        ord: 1 adds magnitudes, 2 is Euclid's, `float("inf")` takes the largest magnitude.
        axis: The axes to fold; `None` for all.
        keepdims: Keep folded axes with size 1.

    Raises:
        ValueError: ord is not positive.

    Example:
        >>> norm(Tensor([3.0, 4.0])).item()
        5.0
    """
    return P.norm(x, ord=ord, axis=axis, keepdims=keepdims)
