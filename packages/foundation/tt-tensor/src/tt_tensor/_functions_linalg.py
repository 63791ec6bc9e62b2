"""Products of matrices, and sums of products in general."""

from __future__ import annotations

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import applies
from tt_tensor._tensor import Tensor


@applies(P.matmul)
def matmul(a: TensorLike, b: TensorLike) -> Tensor:
    """Return the matrix product; integers give exact int64.

    Args:
        a: Shape (..., n, k), or (k,), which counts as one row that the result lacks.
        b: Shape (..., k, m), or (k,), which counts as one column that the result lacks. Leading axes broadcast.

    Raises:
        ValueError: Inner sizes differ, a side has no axis, or leading axes do not broadcast.
        OverflowError: An integer result does not fit into int64.

    Example:
        >>> matmul(Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]])).tolist()
        [[11.0]]
    """
    return P.matmul(a, b)


@applies(P.einsum)
def einsum(equation: str, *tensors: TensorLike) -> Tensor:
    """Return products summed as an equation says: letters that the result lacks are summed over; integers give int64.

    Args:
        equation: Letters for the axes of each input and, after "->", of the result: "bij,bjk->bik".
        tensors: One for each group of letters.

    Raises:
        ValueError: The equation does not fit the shapes.

    Example:
        >>> einsum("ij,j->i", Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 1.0])).tolist()
        [3.0, 7.0]
    """
    return P.einsum(*tensors, equation=equation)
