"""What applying an operation means: the one seam that every Tensor operation goes through.

An `Interpreter` decides. tt-tensor's own, `Evaluate`, runs the kernel and wraps the result; tt-autograd installs one
around it that also remembers the step; a profiler is a third, stacked on top for the length of a `with` block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tt_tensor._primitive import Primitive
    from tt_tensor._tensor import Tensor

T = TypeVar("T")


class Interpreter:
    """The meaning of applying a primitive; subclass it and pass on to `inner` what you do not change.

    Args:
        inner: The interpreter below. `None` only for the one that runs kernels itself.
    """

    def __init__(self, inner: Interpreter | None = None) -> None:
        self._inner = inner

    @property
    def inner(self) -> Interpreter:
        """The interpreter below this one.

        Raises:
            RuntimeError: This one stands at the bottom.
        """
        if self._inner is None:
            raise RuntimeError(f"{type(self).__name__} is the bottom interpreter: it has none below to pass on to")
        return self._inner

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        """Apply `primitive` to `inputs` and return its result."""
        return self.inner.apply(primitive, inputs, params)

    def apply_with_residuals(
        self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]
    ) -> tuple[Tensor, object]:
        """Apply `primitive` and also return what its forward pass kept for the backward one (`None` if nothing)."""
        return self.inner.apply_with_residuals(primitive, inputs, params)

    def backward(self, tensor: Tensor, gradient: Tensor | None, *, retain_graph: bool) -> None:
        """Run the backward pass from `tensor`."""
        self.inner.backward(tensor, gradient, retain_graph=retain_graph)

    def pull(
        self, primitive: Primitive, rule: Callable[..., T], arguments: Sequence[object], params: Mapping[str, object]
    ) -> T:
        """Run one gradient rule of `primitive`; a profiler overrides this to see the backward pass."""
        if self._inner is None:
            return rule(*arguments, **params)
        return self._inner.pull(primitive, rule, arguments, params)

    def watches_rules(self) -> bool:
        """Return whether this interpreter or one below overrides `pull`; if not, rules may be called directly."""
        if type(self).pull is not Interpreter.pull:
            return True
        return self._inner is not None and self._inner.watches_rules()


_installed: Interpreter
_stacked: ContextVar[Interpreter | None] = ContextVar("tt_tensor_interpreter", default=None)


def current() -> Interpreter:
    """Return the interpreter that operations go through now.

    Example:
        >>> isinstance(current(), Interpreter)
        True
    """
    return _stacked.get() or _installed


def install(wrap: Callable[[Interpreter], Interpreter]) -> Interpreter:
    """Put an interpreter around the process-wide one, for every thread, and return it.

    tt-autograd calls this once, on import. Everything else stacks with `use_interpreter`, which ends.

    Args:
        wrap: Receives the installed interpreter and returns the one to install.
    """
    global _installed
    _installed = wrap(_installed)
    return _installed


def set_bottom(interpreter: Interpreter) -> None:
    """Install the interpreter that stands at the bottom (tt-tensor calls this once, on import)."""
    global _installed
    _installed = interpreter


@contextmanager
def use_interpreter(interpreter: Interpreter) -> Iterator[Interpreter]:
    """Send the operations of this context (thread, task) through `interpreter` while the block runs.

    Args:
        interpreter: Usually built around `current()`.

    Example:
        >>> from tt_tensor import Tensor
        >>> class Count(Interpreter):
        ...     calls = 0
        ...     def apply(self, primitive, inputs, params):
        ...         self.calls += 1
        ...         return self.inner.apply(primitive, inputs, params)
        >>> with use_interpreter(Count(current())) as counter:
        ...     _ = Tensor([1.0]) + 1.0
        >>> counter.calls
        1
    """
    token = _stacked.set(interpreter)
    try:
        yield interpreter
    finally:
        _stacked.reset(token)
