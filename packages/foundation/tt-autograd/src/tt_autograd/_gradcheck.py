"""Compare analytic gradients with central differences, in float64 and against a random cotangent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from tt_tensor import Array, Tensor, rng_state, set_rng_state

from tt_autograd._record import no_grad

Float64 = npt.NDArray[np.float64]


class GradcheckError(AssertionError):
    """An analytic gradient differs from the numeric one."""


def gradcheck(
    fn: Callable[..., Tensor],
    *inputs: Tensor | Array | float,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-4,
    rng: np.random.Generator | None = None,
) -> bool:
    """Check the gradients of ``fn`` for every floating input; shapes are arbitrary.

    Inputs are copied to float64; integers and booleans are passed on as they are. The output is multiplied by a random
    cotangent, so that errors that cancel in a plain sum are seen. Whatever ``fn`` draws from ``default_rng`` is
    replayed, so that dropout can be checked too.

    Args:
        fn: Takes as many tensors as there are inputs and returns one tensor.
        *inputs: Points at which to check; away from kinks, where no derivative exists.
        eps: Step of the central differences.
        atol: Absolute tolerance.
        rtol: Relative tolerance.
        rng: Draws the cotangent; a generator of fixed seed by default, so that a failure repeats.

    Returns:
        True; there is no False.

    Raises:
        GradcheckError: If a gradient differs. Says which input and element, and both values.

    Example:
        >>> import numpy as np
        >>> gradcheck(lambda x, y: x * y + x, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
        True
    """
    rng = rng if rng is not None else np.random.default_rng(0)
    arrays = [_copy(x) for x in inputs]
    state = rng_state()
    leaves = _leaves(arrays)
    out = fn(*leaves)
    if out.dtype != np.float64:
        raise GradcheckError(
            f"gradcheck works in float64, but fn returned {out.dtype}: no floating input reached its output, or fn "
            "casts on the way. Make its constants float64 or Python numbers."
        )
    cotangent = rng.standard_normal(out.shape)
    if out.requires_grad:
        out.backward(Tensor(cotangent, dtype=np.float64))
    for position, leaf in enumerate(leaves):
        if leaf.requires_grad:
            analytic = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.data
            _compare(position, analytic, _numeric(fn, arrays, position, cotangent, eps, state), atol, rtol)
    return True


def numeric_gradient(f: Callable[[Float64], float], x: Float64, eps: float = 1e-6) -> Float64:
    """Differentiate a function of an array to a number by central differences, one element at a time.

    Args:
        f: Called with arrays of the shape of ``x``.
        x: Where to differentiate; left as it was.
        eps: How far to step to either side.
    """
    slope = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        moved = x.copy()
        moved[index] = x[index] + eps
        above = f(moved)
        moved[index] = x[index] - eps
        slope[index] = (above - f(moved)) / (2 * eps)
    return slope


def _copy(x: Tensor | Array | float) -> Array:
    array = x.data if isinstance(x, Tensor) else np.asarray(x)
    return np.array(array, dtype=np.float64 if array.dtype.kind == "f" else array.dtype)


def _leaves(arrays: list[Array]) -> list[Tensor]:
    return [Tensor(a, dtype=a.dtype, requires_grad=a.dtype.kind == "f") for a in arrays]


def _numeric(
    fn: Callable[..., Tensor],
    arrays: list[Array],
    position: int,
    cotangent: Array,
    eps: float,
    state: dict[str, object],
) -> Float64:
    def projected(moved: Float64) -> float:
        set_rng_state(state)
        with no_grad():
            out = fn(*_leaves([moved if i == position else a for i, a in enumerate(arrays)]))
        return float((out.data * cotangent).sum())

    return numeric_gradient(projected, arrays[position], eps)


def _compare(position: int, analytic: Array, numeric: Float64, atol: float, rtol: float) -> None:
    error = np.abs(analytic - numeric)
    wrong = ~(error <= atol + rtol * np.abs(numeric))  # written so that a nan is wrong
    if not wrong.any():
        return
    index = np.unravel_index(int(np.argmax(np.where(wrong, np.nan_to_num(error, nan=np.inf), -1))), error.shape)
    where = tuple(int(i) for i in index)
    raise GradcheckError(
        f"the gradient of input {position} is wrong in {int(wrong.sum())} of {wrong.size} elements; the worst is "
        f"{where}: analytic {analytic[where]:.9g}, numeric {numeric[where]:.9g}. "
        "Check the rule of the operation for this input, or move the input away from a kink."
    )
