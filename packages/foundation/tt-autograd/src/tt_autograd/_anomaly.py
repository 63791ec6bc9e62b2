"""Find the operation, and the line, that made the first NaN or infinity."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from tt_tensor import Interpreter, Primitive, Tensor, current, use_interpreter

from tt_autograd._node import Node

T = TypeVar("T")


class AnomalyError(FloatingPointError):
    """A NaN or an infinity appeared where all that went in was finite."""


class Detect(Interpreter):
    """Looks at every result, forward and backward, and stops at the first that is not finite."""

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        """Apply, note the user's line in the graph, and look at the result."""
        line = user_line()
        out = self.inner.apply(primitive, inputs, params)
        if isinstance(out.grad_fn, Node):
            out.grad_fn.origin = line
        bad = trouble(out.data)
        if bad is None:
            return out
        for position, tensor in enumerate(inputs):
            if trouble(tensor.data) == "NaN":
                raise AnomalyError(
                    f"input {position} of {primitive.name} holds NaN already, at {line}; look at the data"
                )
        if bad == "NaN" or not brings_infinity(inputs, params):
            raise AnomalyError(f"{primitive.name} made {bad} of {describe(inputs)}, at {line}")
        return out

    def pull(
        self, primitive: Primitive, rule: Callable[..., T], arguments: Sequence[object], params: Mapping[str, object]
    ) -> T:
        """Run a gradient rule and look at what it returns."""
        result = self.inner.pull(primitive, rule, arguments, params)
        if trouble(arguments[0]) is not None:
            return result
        for gradient in result if isinstance(result, tuple) else (result,):
            bad = trouble(gradient)
            if bad is not None:
                raise AnomalyError(f"the gradient rule of {primitive.name} made {bad} of a finite gradient")
        return result

    def backward(self, tensor: Tensor, gradient: Tensor | None, *, retain_graph: bool) -> None:
        """Run backward; the engine's note on an error says at which line the operation was applied."""
        try:
            super().backward(tensor, gradient, retain_graph=retain_graph)
        except AnomalyError as error:
            notes = [note for note in getattr(error, "__notes__", ()) if "applied at" in note]
            advice = notes[:1] or ["run the forward pass inside detect_anomaly() too, to learn the line"]
            raise AnomalyError(f"{error}; {advice[0]}") from None


def trouble(value: object) -> str | None:
    """Return what is wrong with a floating array: ``"NaN"``, ``"infinity"`` or nothing."""
    if not isinstance(value, (np.ndarray, np.floating)) or value.dtype.kind != "f" or bool(np.isfinite(value).all()):
        return None
    return "NaN" if bool(np.isnan(value).any()) else "infinity"


def brings_infinity(inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> bool:
    """Return whether an infinity came in, as an input or as a setting (masks are filled with -inf on purpose)."""
    settings = [value for value in params.values() if isinstance(value, float)]
    return any(math.isinf(value) for value in settings) or any(trouble(tensor.data) for tensor in inputs)


def describe(inputs: tuple[Tensor, ...]) -> str:
    """Say what went in: shapes and ranges."""
    parts = []
    for tensor in inputs:
        span = f" in [{tensor.data.min():.4g}, {tensor.data.max():.4g}]" if tensor.size else ""
        parts.append(f"{tensor.dtype} {tensor.shape}{span}")
    return " and ".join(parts)


def user_line() -> str:
    """Return ``file:line`` of the innermost frame that is not TinyTorch's own."""
    frame = inspect.currentframe()
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if not package.startswith("tt_") and package not in {"tinytorch", "contextlib", "functools"}:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return "an unknown line"


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Stop at the first operation that makes a NaN, or an infinity out of finite numbers, forward or backward.

    Runs every operation through one more check, so use it to search and not to train. Infinities that come in on
    purpose (a mask filled with -inf) pass; NaN never does.

    Raises:
        AnomalyError: In the block: names the operation, what went in, and the line of yours that applied it.

    Example:
        >>> x = Tensor([0.0], requires_grad=True)
        >>> with detect_anomaly():
        ...     (x.sqrt() * 0.0).sum().backward()
        Traceback (most recent call last):
        ...
        tt_autograd._anomaly.AnomalyError: the gradient rule of sqrt made NaN of a finite gradient; ...
    """
    with use_interpreter(Detect(current())):
        yield
