"""Functions of every element alone: arithmetic and the elementary functions."""

from __future__ import annotations

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import applies
from tt_tensor._tensor import Tensor


@applies(P.add)
def add(x: TensorLike, y: TensorLike) -> Tensor:
    """Return x + y, element by element.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> add(Tensor([1.0, 2.0]), 1).tolist()
        [2.0, 3.0]
    """
    return P.add(x, y)


@applies(P.subtract)
def subtract(x: TensorLike, y: TensorLike) -> Tensor:
    """Return x - y, element by element.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> subtract(Tensor([1.0, 2.0]), 1).tolist()
        [0.0, 1.0]
    """
    return P.subtract(x, y)


@applies(P.multiply)
def multiply(x: TensorLike, y: TensorLike) -> Tensor:
    """Return x * y, element by element.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> multiply(Tensor([1.0, 2.0]), 3).tolist()
        [3.0, 6.0]
    """
    return P.multiply(x, y)


@applies(P.power)
def power(x: TensorLike, y: TensorLike) -> Tensor:
    """Return x to the power y: 0**0 is 1, an integer to a negative power is a float.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> power(Tensor([2.0, 3.0]), 2).tolist()
        [4.0, 9.0]
    """
    return P.power(x, y)


@applies(P.maximum)
def maximum(x: TensorLike, y: TensorLike) -> Tensor:
    """Return the larger of x and y, element by element; a NaN wins.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> maximum(Tensor([1.0, -1.0]), 0).tolist()
        [1.0, 0.0]
    """
    return P.maximum(x, y)


@applies(P.minimum)
def minimum(x: TensorLike, y: TensorLike) -> Tensor:
    """Return the smaller of x and y, element by element; a NaN wins.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> minimum(Tensor([1.0, -1.0]), 0).tolist()
        [0.0, -1.0]
    """
    return P.minimum(x, y)


@applies(P.negative)
def negative(x: TensorLike) -> Tensor:
    """Return -x, element by element.

    Args:
        x: Numbers of any shape.

    Example:
        >>> negative(Tensor([1.0, -2.0])).tolist()
        [-1.0, 2.0]
    """
    return P.negative(x)


@applies(P.abs_)
def abs(x: TensorLike) -> Tensor:
    """Return the magnitude of every element.

    Args:
        x: Numbers of any shape.

    Example:
        >>> abs(Tensor([-3, 4])).tolist()
        [3, 4]
    """
    return P.abs_(x)


@applies(P.exp)
def exp(x: TensorLike) -> Tensor:
    """Return e to the power of every element; infinity where that overflows.

    Args:
        x: Numbers of any shape.

    Example:
        >>> exp(Tensor([0.0, 1000.0])).tolist()
        [1.0, inf]
    """
    return P.exp(x)


@applies(P.log)
def log(x: TensorLike) -> Tensor:
    """Return the natural logarithm of every element: -inf at 0, NaN below.

    Args:
        x: Numbers of any shape.

    Example:
        >>> log(Tensor([1.0, 0.0])).tolist()
        [0.0, -inf]
    """
    return P.log(x)


@applies(P.log1p)
def log1p(x: TensorLike) -> Tensor:
    """Return log(1 + x), exact for x near 0 where 1 + x would round to 1.

    Args:
        x: Numbers of any shape, above -1.

    Example:
        >>> log1p(Tensor([0.0])).tolist()
        [0.0]
    """
    return P.log1p(x)


@applies(P.sqrt)
def sqrt(x: TensorLike) -> Tensor:
    """Return the square root of every element; NaN below 0.

    Args:
        x: Numbers of any shape.

    Example:
        >>> sqrt(Tensor([4.0, 9.0])).tolist()
        [2.0, 3.0]
    """
    return P.sqrt(x)


@applies(P.sin)
def sin(x: TensorLike) -> Tensor:
    """Return the sine of every element.

    Args:
        x: Angles in radians, of any shape.

    Example:
        >>> sin(Tensor([0.0])).tolist()
        [0.0]
    """
    return P.sin(x)


@applies(P.cos)
def cos(x: TensorLike) -> Tensor:
    """Return the cosine of every element.

    Args:
        x: Angles in radians, of any shape.

    Example:
        >>> cos(Tensor([0.0])).tolist()
        [1.0]
    """
    return P.cos(x)


@applies(P.tanh)
def tanh(x: TensorLike) -> Tensor:
    """Return the hyperbolic tangent of every element, in [-1, 1].

    Args:
        x: Numbers of any shape.

    Example:
        >>> tanh(Tensor([0.0, 100.0])).tolist()
        [0.0, 1.0]
    """
    return P.tanh(x)


@applies(P.erf)
def erf(x: TensorLike) -> Tensor:
    """Return the error function, 2/sqrt(pi) times the integral of exp(-t*t) from 0 to x.

    In float32 and float64 it errs by at most 5 units in the last place.

    Args:
        x: Numbers of any shape.

    Source:
        W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969).

    Example:
        >>> erf(Tensor([0.0, 10.0])).tolist()
        [0.0, 1.0]
    """
    return P.erf(x)
