"""Comparisons, tests and choices, element by element."""

from __future__ import annotations

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import applies
from tt_tensor._tensor import Tensor


@applies(P.equal)
def equal(x: TensorLike, y: TensorLike) -> Tensor:
    """Return whether x == y, element by element.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> equal(Tensor([1, 2]), 2).tolist()
        [False, True]
    """
    return P.equal(x, y)


@applies(P.not_equal)
def not_equal(x: TensorLike, y: TensorLike) -> Tensor:
    """Return whether x != y, element by element.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> not_equal(Tensor([1, 2]), 2).tolist()
        [True, False]
    """
    return P.not_equal(x, y)


@applies(P.less)
def less(x: TensorLike, y: TensorLike) -> Tensor:
    """Return whether x < y, element by element.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> less(Tensor([1, 2]), 2).tolist()
        [True, False]
    """
    return P.less(x, y)


@applies(P.less_equal)
def less_equal(x: TensorLike, y: TensorLike) -> Tensor:
    """Return whether x <= y, element by element.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> less_equal(Tensor([1, 3]), 2).tolist()
        [True, False]
    """
    return P.less_equal(x, y)


@applies(P.greater)
def greater(x: TensorLike, y: TensorLike) -> Tensor:
    """Return whether x > y, element by element.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> greater(Tensor([1, 3]), 2).tolist()
        [False, True]
    """
    return P.greater(x, y)


@applies(P.greater_equal)
def greater_equal(x: TensorLike, y: TensorLike) -> Tensor:
    """Return whether x >= y, element by element.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> greater_equal(Tensor([1, 2]), 2).tolist()
        [False, True]
    """
    return P.greater_equal(x, y)


@applies(P.logical_not)
def logical_not(x: TensorLike) -> Tensor:
    """Return whether every element is false, or 0.

    Args:
        x: Booleans or numbers of any shape.

    Example:
        >>> logical_not(Tensor([True, False])).tolist()
        [False, True]
    """
    return P.logical_not(x)


@applies(P.floor)
def floor(x: TensorLike) -> Tensor:
    """Return the largest whole number not above each element; no gradient flows.

    Args:
        x: Numbers of any shape.

    Example:
        >>> floor(Tensor([1.5, -1.5])).tolist()
        [1.0, -2.0]
    """
    return P.floor(x)


@applies(P.sign)
def sign(x: TensorLike) -> Tensor:
    """Return -1, 0 or 1 with the sign of each element; no gradient flows.

    Args:
        x: Numbers of any shape.

    Example:
        >>> sign(Tensor([-2.0, 0.0, 5.0])).tolist()
        [-1.0, 0.0, 1.0]
    """
    return P.sign(x)


@applies(P.isfinite)
def isfinite(x: TensorLike) -> Tensor:
    """Return whether each element is neither infinite nor NaN.

    Args:
        x: Numbers of any shape.

    Example:
        >>> isfinite(Tensor([1.0, float('inf')])).tolist()
        [True, False]
    """
    return P.isfinite(x)


@applies(P.isnan)
def isnan(x: TensorLike) -> Tensor:
    """Return whether each element is NaN.

    Args:
        x: Numbers of any shape.

    Example:
        >>> isnan(Tensor([1.0, float('nan')])).tolist()
        [False, True]
    """
    return P.isnan(x)


@applies(P.where)
def where(condition: TensorLike, x: TensorLike, y: TensorLike) -> Tensor:
    """Return elements of x where the condition holds, of y elsewhere.

    Args:
        condition: Booleans.
        x: Numbers; all three broadcast together.
        y: Numbers.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> where(Tensor([True, False]), Tensor([1.0, 2.0]), 0).tolist()
        [1.0, 0.0]
    """
    return P.where(condition, x, y)


@applies(P.masked_fill)
def masked_fill(x: TensorLike, mask: TensorLike, value: float) -> Tensor:
    """Return x with one value wherever the mask is true.

    Args:
        x: Numbers of any shape.
        mask: Booleans, of a shape that broadcasts to x's.
        value: What stands under the mask; often -inf, before a softmax.

    Raises:
        TypeError: The mask is not boolean.

    Example:
        >>> masked_fill(Tensor([1.0, 2.0]), Tensor([False, True]), 9.0).tolist()
        [1.0, 9.0]
    """
    return P.masked_fill(x, mask, value=value)


@applies(P.clip)
def clip(x: TensorLike, low: float | None = None, high: float | None = None) -> Tensor:
    """Return x held between low and high; `None` leaves that side open, NaN stays NaN.

    Args:
        x: Numbers of any shape.
        low: The smallest value let through.
        high: The largest value let through.

    Raises:
        ValueError: low is above high.

    Example:
        >>> clip(Tensor([-5.0, 0.5, 5.0]), 0, 1).tolist()
        [0.0, 0.5, 1.0]
    """
    return P.clip(x, low=low, high=high)
