"""Division: as floats, to whole quotients, and what those leave."""

from __future__ import annotations

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import applies
from tt_tensor._tensor import Tensor


@applies(P.divide)
def divide(x: TensorLike, y: TensorLike) -> Tensor:
    """Return x / y as floats, element by element: x/0 is a signed infinity, 0/0 NaN.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.

    Example:
        >>> divide(Tensor([1, 2]), 2).tolist()
        [0.5, 1.0]
    """
    return P.divide(x, y)


@applies(P.floor_divide)
def floor_divide(x: TensorLike, y: TensorLike) -> Tensor:
    """Return the largest whole numbers not above x / y, element by element; integers stay integers.

    Flat wherever it has a slope: no gradient flows back.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.
        ZeroDivisionError: An integer is divided by 0; floats give infinity or NaN.

    Example:
        >>> floor_divide(Tensor([7, -7]), 2).tolist()
        [3, -4]
    """
    return P.floor_divide(x, y)


@applies(P.remainder)
def remainder(x: TensorLike, y: TensorLike) -> Tensor:
    """Return what whole division leaves, x - y * floor(x / y), with the sign of y, element by element.

    Args:
        x: Numbers of any shape.
        y: Numbers of a shape that broadcasts with x's.

    Raises:
        ValueError: The shapes do not broadcast.
        ZeroDivisionError: An integer is divided by 0; floats give NaN.

    Example:
        >>> remainder(Tensor([7, -7]), 2).tolist()
        [1, 1]
    """
    return P.remainder(x, y)
