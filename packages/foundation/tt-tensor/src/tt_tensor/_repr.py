"""How a tensor shows itself: its values, then what the values do not say."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_OPENING = "Tensor("
_THRESHOLD = 200  # more elements than these are summarised, three from each edge of every axis


def format_tensor(array: npt.NDArray[Any], requires_grad: bool, grad_fn_name: str | None) -> str:
    """Show values, shape, dtype and where gradients go, in lines short enough to read.

    Shapes:
        Any; large arrays show the three first and last entries of every axis.

    Args:
        array: The values.
        requires_grad: Whether a gradient is left in `grad`.
        grad_fn_name: The operation that made the tensor, if it was recorded.

    Example:
        >>> import numpy as np
        >>> print(format_tensor(np.eye(2, dtype=np.float32), True, None))
        Tensor([[1., 0.],
                [0., 1.]], shape=(2, 2), dtype=float32, requires_grad=True)
    """
    values = np.array2string(
        array, separator=", ", prefix=_OPENING, threshold=_THRESHOLD, precision=4, max_line_width=100
    )
    facts = [f"shape={array.shape}", f"dtype={array.dtype.name}"]
    if grad_fn_name is not None:
        facts.append(f"grad_fn={grad_fn_name}")
    elif requires_grad:
        facts.append("requires_grad=True")
    return f"{_OPENING}{values}, {', '.join(facts)})"
