"""Kernels of products: matrix multiplication and einsum."""

from __future__ import annotations

import numpy as np

from tt_tensor._kernels_elementwise import Array
from tt_tensor._kernels_reduce import exact_int64
from tt_tensor._matrices import as_matrix
from tt_tensor._threads import LARGE_PRODUCT, matrix_product


def matmul(a: Array, b: Array) -> Array:
    """Multiply matrices (..., n, k) and (..., k, m); 1-D operands are a row or a column, leading axes broadcast.

    Integers are multiplied exactly and give int64.

    Raises:
        ValueError: if the inner sizes differ, an operand has no axis, or leading axes do not broadcast.
        OverflowError: if an integer result does not fit into int64.
    """
    try:
        if a.dtype.kind == "f" or b.dtype.kind == "f":
            if a.dtype.char == "e" or b.dtype.char == "e":
                return _half_matmul(a, b)
            # The sizes alone say of most products that they are too small for the question.
            if a.size * b.size >= LARGE_PRODUCT and _is_one_product(a, b):
                return matrix_product(as_matrix(a), b).reshape(*a.shape[:-1], b.shape[1])
            result: Array = np.matmul(a, b)
            return result
        return integer_matmul(a, b)
    except ValueError as error:
        raise ValueError(matmul_complaint(a.shape, b.shape)) from error


def _is_one_product(a: Array, b: Array) -> bool:
    """Return whether every row meets the same matrix, in a type that BLAS multiplies."""
    return a.ndim >= 2 and b.ndim == 2 and a.dtype == b.dtype and a.dtype.char in "fd"


def _half_matmul(a: Array, b: Array) -> Array:
    """Multiply where one side is float16: in float32 at least, rounded once.

    BLAS knows no smaller type, and NumPy's own loop takes a hundred times as long.
    """
    kind = np.result_type(a, b)
    wide = np.result_type(kind, np.float32)
    return matmul(a.astype(wide, copy=False), b.astype(wide, copy=False)).astype(kind, copy=False)


def matmul_complaint(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """Say why two shapes cannot be multiplied, and what would help."""
    said = f"matmul: cannot multiply shapes {a} and {b}: "
    if not a or not b:
        return said + "each side needs at least one axis; use * to multiply by a number"
    inner = b[0] if len(b) == 1 else b[-2]
    if a[-1] != inner:
        hint = " - perhaps one side wants a transpose" if a[-1] in b or inner in a else ""
        return said + f"the inner sizes {a[-1]} and {inner} must be equal{hint}"
    return said + f"the leading axes {a[:-2]} and {b[:-2]} do not broadcast"


def integer_matmul(a: Array, b: Array) -> Array:
    """Multiply integers exactly, through BLAS floats where every partial sum is an exact float."""
    inner = a.shape[-1] if a.ndim else 0
    bound = _magnitude(a) * _magnitude(b) * inner
    for exact_below, dtype in ((2**24, np.float32), (2**53, np.float64), (2**63, np.int64)):
        if bound < exact_below:
            product: Array = np.matmul(a.astype(dtype), b.astype(dtype))
            return product.astype(np.int64)
    return exact_int64("matmul", np.matmul(a.astype(object), b.astype(object)))


def _magnitude(x: Array) -> int:
    return max(abs(int(x.max())), abs(int(x.min()))) if x.size else 0


def einsum(*arrays: Array, equation: str) -> Array:
    """Multiply and sum as the equation says ("bij,bjk->bik"), products through BLAS where that is possible.

    Integers give int64, as sums and matrix products of them do.
    """
    if not any(array.dtype.kind == "f" for array in arrays):
        arrays = tuple(array.astype(np.int64, copy=False) for array in arrays)
    try:
        return np.asarray(np.einsum(equation, *arrays, optimize=len(arrays) > 1))
    except ValueError as error:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"einsum: {equation!r} does not fit shapes {shapes}: {error}") from error
