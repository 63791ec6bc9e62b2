"""What stands beside a tensor in an operation becomes one too."""

from __future__ import annotations

from typing import Any

import numpy as np

from tt_tensor._dtypes import array_like, wider
from tt_tensor._operators import TensorLike
from tt_tensor._primitive import bind_tensor
from tt_tensor._tensor import Tensor, wrap


def lift(values: tuple[TensorLike, ...]) -> tuple[Tensor, ...]:
    """Return the values as tensors; Python numbers take the element type of the tensors beside them."""
    like: np.dtype[Any] | None = None
    for value in values:
        if isinstance(value, Tensor):
            like = wider(like, value._data.dtype)
    return tuple([value if isinstance(value, Tensor) else wrap(array_like(value, like)) for value in values])


bind_tensor(Tensor, lift)
