"""NumPy's ufuncs on tensors: `np.exp(tensor)` is our `exp`, so that its gradient is not lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tt_tensor import _primitives as P  # noqa: N812  # the table of primitives reads as one letter
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import Primitive

if TYPE_CHECKING:
    from tt_tensor._tensor import Tensor

_UFUNCS: dict[np.ufunc, Primitive] = {
    np.add: P.add, np.subtract: P.subtract, np.multiply: P.multiply, np.divide: P.divide, np.power: P.power,
    np.floor_divide: P.floor_divide, np.remainder: P.remainder,
    np.maximum: P.maximum, np.minimum: P.minimum, np.matmul: P.matmul,
    np.negative: P.negative, np.absolute: P.abs_, np.exp: P.exp, np.log: P.log, np.log1p: P.log1p, np.sqrt: P.sqrt,
    np.sin: P.sin, np.cos: P.cos, np.tanh: P.tanh,
    np.equal: P.equal, np.not_equal: P.not_equal, np.less: P.less, np.less_equal: P.less_equal,
    np.greater: P.greater, np.greater_equal: P.greater_equal, np.logical_not: P.logical_not,
    np.floor: P.floor, np.sign: P.sign, np.isfinite: P.isfinite, np.isnan: P.isnan,
}  # fmt: skip


def apply_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[TensorLike, ...], settings: Mapping[str, object]) -> Tensor:
    """Apply the primitive that a ufunc stands for.

    Raises:
        TypeError: No primitive for it, or a ufunc's method or setting that tensors have not.
    """
    primitive = _UFUNCS.get(ufunc)
    if primitive is None or method != "__call__" or settings:
        what = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
        detail = f" with {', '.join(settings)}" if settings else ""
        raise TypeError(
            f"{what}{detail} is not defined on tensors; use tensor.numpy() for NumPy's own, which keeps no gradient"
        )
    return primitive(*inputs)
