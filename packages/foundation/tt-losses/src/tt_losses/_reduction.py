"""From a loss per element to one number."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Literal, ParamSpec

import numpy as np
from tt_tensor import Array

P = ParamSpec("P")
Reduction = Literal["mean", "sum", "none"]


def reduce_losses(losses: Array, reduction: str) -> Array:
    """The mean, the sum or the losses themselves."""
    if reduction == "none":
        return losses
    total = np.asarray(np.add.reduce(losses, axis=None))
    if reduction == "mean":
        total /= losses.size
    return total


def check_reduction(loss: str, reduction: str, allowed: tuple[str, ...] = ("mean", "sum", "none")) -> None:
    """Raise ValueError unless `reduction` is one of `allowed`."""
    if reduction not in allowed:
        raise ValueError(f"{loss}: reduction must be one of {', '.join(map(repr, allowed))}, got {reduction!r}")


def check_count(loss: str, count: int, reduction: str) -> None:
    """Raise ValueError for the mean of nothing, which is 0 / 0: as NaN it would poison every weight unseen."""
    if count == 0 and reduction == "mean":
        raise ValueError(
            f"{loss}: the mean of no losses is undefined (the batch is empty); skip the batch or use reduction='sum'"
        )


def smooth(kernel: Callable[P, Array]) -> Callable[P, Array]:
    """Let `kernel` see float32 or float64 only, and let it overflow to infinity in silence.

    Integers are computed in float32, and so is float16, whose sums end at 65,504; its result is rounded back once.
    """

    @wraps(kernel)
    def wide(*args: P.args, **kwargs: P.kwargs) -> Array:
        arrays = [np.asarray(x) for x in args]
        common = np.result_type(*arrays)
        dtype = common if common.char in "fd" else np.dtype(np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            # ParamSpec cannot say that every positional argument is an array.
            result = kernel(*[x.astype(dtype, copy=False) for x in arrays], **kwargs)  # type: ignore[arg-type]
            return result.astype(common) if common.char == "e" else result

    return wide
