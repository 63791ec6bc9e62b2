"""The interpreter that remembers: run the operation, and note the step if a gradient will be wanted."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any, TypeVar, cast

from tt_tensor import Interpreter, Primitive, Tensor

from tt_autograd._backward import accumulate_into_leaves
from tt_autograd._cuts import note_cut
from tt_autograd._node import Node, Parent
from tt_autograd._table import NONDIFFERENTIABLE, RULES, Gradient

F = TypeVar("F", bound=Callable[..., Any])

_enabled: ContextVar[bool] = ContextVar("tt_autograd_enabled", default=True)


class Record(Interpreter):
    """Apply operations through the interpreter below, and record those whose gradient will be wanted."""

    def __init__(self, inner: Interpreter) -> None:
        super().__init__(inner)
        self._below = inner

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        """Apply `primitive`; attach a `Node` to the result if any input requires a gradient."""
        if not _enabled.get():
            return self._below.apply(primitive, inputs, params)
        parents: list[Parent] = []
        mask, bit = 0, 1
        for tensor in inputs:
            parent: object = tensor.grad_fn
            if parent is None and tensor.requires_grad:
                parent = tensor
            if parent is not None:
                mask |= bit
            bit <<= 1
            parents.append(parent)  # type: ignore[arg-type]  # every grad_fn is a Node
        if not mask:
            return self._below.apply(primitive, inputs, params)
        row = RULES.get(primitive)
        if row is None:
            if primitive in NONDIFFERENTIABLE:
                note_cut(primitive, parents)
                return self._below.apply(primitive, inputs, params)
            row = Gradient(primitive)  # without rules: the backward pass says so, if it comes here
        residuals: object = None
        if primitive.has_residuals:
            out, residuals = self._below.apply_with_residuals(primitive, inputs, params)
        else:
            out = self._below.apply(primitive, inputs, params)
        # A primitive with rules makes floating results, unless it was asked for another type.
        if (not row.rules or "dtype" in params) and out.dtype.kind != "f":
            note_cut(primitive, parents)
            return out
        plan = row.plans.get(mask | bit) or row.make_plan(len(parents), mask)
        out.grad_fn = Node(row, plan, parents, inputs, params, out, residuals)
        return out

    def backward(self, tensor: Tensor, gradient: Tensor | None, *, retain_graph: bool) -> None:
        """Add the gradient of `tensor` to the `grad` of every leaf it came from."""
        accumulate_into_leaves(tensor, gradient, retain_graph=retain_graph)


def is_grad_enabled() -> bool:
    """Return whether operations are recorded in this context.

    Example:
        >>> with no_grad():
        ...     is_grad_enabled()
        False
    """
    return _enabled.get()


class _Switch(ContextDecorator):
    """Switch recording for the length of a block, or of a decorated function, in this context (thread, task) only."""

    _value: bool

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> None:
        self._tokens.append(_enabled.set(self._value))

    def __exit__(self, *exception: object) -> None:
        _enabled.reset(self._tokens.pop())

    def _recreate_cm(self) -> _Switch:
        return type(self)()

    def __call__(self, func: F) -> F:
        """Decorate a function. A generator is switched while it runs, and not while its consumer does."""
        if not isgeneratorfunction(func):
            return super().__call__(func)

        @wraps(func)
        def stepping(*args: object, **settings: object) -> Generator[object, object, object]:
            generator = func(*args, **settings)
            sent: object = None
            try:
                while True:
                    with self._recreate_cm():
                        try:
                            item = generator.send(sent)
                        except StopIteration as stop:
                            return stop.value
                    sent = yield item
            finally:
                generator.close()

        return cast("F", stepping)


class no_grad(_Switch):  # noqa: N801  # used as a function: `with no_grad():`
    """Record nothing inside the block: results require no gradient and keep nothing alive.

    Example:
        >>> from tt_tensor import Tensor
        >>> x = Tensor([1.0], requires_grad=True)
        >>> with no_grad():
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    _value = False


class enable_grad(_Switch):  # noqa: N801  # used as a function: `with enable_grad():`
    """Record again inside the block, within a `no_grad` one.

    Example:
        >>> from tt_tensor import Tensor
        >>> x = Tensor([1.0], requires_grad=True)
        >>> with no_grad(), enable_grad():
        ...     y = x * 2
        >>> y.requires_grad
        True
    """

    _value = True
