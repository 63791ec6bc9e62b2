"""The arithmetic in which activations are computed: float32 or float64, silent at infinity."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import numpy as np
from tt_tensor import Array

P = ParamSpec("P")


def smooth(kernel: Callable[Concatenate[Array, P], Array]) -> Callable[Concatenate[Array, P], Array]:
    """Let `kernel` see float32 or float64 only, and let it overflow to infinity in silence.

    Integers are computed in float32. float16 is too, and rounded back once at the end: its exponentials overflow at
    11 and its sums at 65,504. An overflow is no accident here: `1 / (1 + inf)` is 0, exactly what a sigmoid wants.
    """

    @wraps(kernel)
    def wide(x: Array, /, *args: P.args, **kwargs: P.kwargs) -> Array:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if x.dtype.char in "fd":
                return kernel(x, *args, **kwargs)
            result = kernel(x.astype(np.float32), *args, **kwargs)
            return result.astype(x.dtype) if x.dtype.kind == "f" else result

    return wide
