"""Gradient checkpointing: keep a function's inputs instead of all it computes, and compute again for the gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from tt_tensor import (
    Array,
    Interpreter,
    Primitive,
    Tensor,
    current,
    rng_state,
    set_rng_state,
    use_interpreter,
    wrap,
)

from tt_autograd._engine import propagate
from tt_autograd._record import enable_grad, is_grad_enabled, no_grad
from tt_autograd._table import defvjp


class _Watch(Interpreter):
    """Notes every tensor that requires a gradient and is used without having been passed in: captured parameters."""

    def __init__(self, inner: Interpreter, passed: tuple[Tensor, ...]) -> None:
        super().__init__(inner)
        self._passed = {id(tensor) for tensor in passed}
        self.captured: dict[int, Tensor] = {}

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        for tensor in inputs:
            if tensor.requires_grad and id(tensor) not in self._passed:
                self.captured[id(tensor)] = tensor
        return self.inner.apply(primitive, inputs, params)


class _Substitute(Interpreter):
    """Uses a twin wherever a captured tensor is used, so that the second run ends at its own leaves."""

    def __init__(self, inner: Interpreter, twins: dict[int, Tensor]) -> None:
        super().__init__(inner)
        self._twins = twins

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        return self.inner.apply(primitive, tuple([self._twins.get(id(tensor), tensor) for tensor in inputs]), params)


@dataclass
class Replay:
    """What it takes to run the function again, just as it ran before."""

    fn: Callable[..., Tensor]
    arity: int
    rng: Mapping[str, object]
    captured: tuple[Tensor, ...] = ()
    first: list[Array] = field(default_factory=list)

    def run(self, tensors: list[Tensor]) -> Tensor:
        """Run the function on stand-ins for its inputs and for what it captured, with the same random numbers."""
        twins = {id(old): new for old, new in zip(self.captured, tensors[self.arity :], strict=True)}
        now = rng_state()
        set_rng_state(self.rng)
        try:
            with use_interpreter(_Substitute(current(), twins)):
                return self.fn(*tensors[: self.arity])
        finally:
            set_rng_state(now)


def checkpoint_kernel(*arrays: Array, replay: Replay) -> Array:
    """Return what the first run gave, or run again."""
    if replay.first:
        return replay.first.pop()
    with no_grad():
        return replay.run([wrap(array) for array in arrays]).data


def checkpoint_gradient(
    g: Array, _out: None, *inputs: Array, needs: tuple[bool, ...], replay: Replay
) -> tuple[Array | None, ...]:
    """Run the function again, recording this time, and go backward through it at once."""
    twins = [wrap(array) for array in inputs]
    for twin, needed in zip(twins, needs, strict=True):
        twin.requires_grad = needed
    with enable_grad():
        out = replay.run(twins)
    if out.shape != g.shape:
        raise ValueError(
            f"checkpoint: the function returned shape {g.shape} at first and {out.shape} when it was run again; it may "
            "depend on nothing but its inputs, parameters and default_rng"
        )
    if not out.requires_grad:
        return tuple(np.zeros_like(a) if needed else None for a, needed in zip(inputs, needs, strict=True))
    leaves, _ = propagate([(out, g.astype(out.dtype, copy=False))])
    found = [leaves.take(twin) for twin in twins]
    return tuple(
        (np.zeros_like(array) if gradient is None else gradient) if needed else None
        for array, gradient, needed in zip(inputs, found, needs, strict=True)
    )


CHECKPOINT = Primitive("checkpoint", checkpoint_kernel, view=True)
defvjp(CHECKPOINT, joint=checkpoint_gradient)


def checkpoint(fn: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Call ``fn(*inputs)``, keeping only its inputs; everything between is computed again for the gradient.

    The price is one more forward pass through ``fn``, the gain is the memory of all its intermediate results (after
    Chen et al. 2016, "Training deep nets with sublinear memory cost"). Parameters that ``fn`` uses without receiving
    them, those of a layer for example, get their gradients too. What ``fn`` draws from ``default_rng`` is drawn again
    alike.

    Args:
        fn: Takes tensors, of any shapes, and returns one. Called twice, so it should do nothing else.
        *inputs: Its arguments.

    Raises:
        TypeError: If an input, or what ``fn`` returns, is no tensor.

    Example:
        >>> x = Tensor([0.5], requires_grad=True)
        >>> checkpoint(lambda t: t.tanh().tanh().tanh(), x).backward()
        >>> x.grad is not None
        True
    """
    for position, tensor in enumerate(inputs):
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"checkpoint takes tensors; input {position} is {type(tensor).__name__}. Let fn capture it instead: "
                "checkpoint(lambda x: fn(x, other), x)"
            )
    if not is_grad_enabled():
        return _one_tensor(fn(*inputs))
    replay = Replay(fn, len(inputs), rng_state())
    watch = _Watch(current(), inputs)
    with no_grad(), use_interpreter(watch):
        out = _one_tensor(fn(*inputs))
    replay.captured = tuple(watch.captured.values())
    replay.first.append(out.data)
    return CHECKPOINT(*inputs, *replay.captured, replay=replay)


def _one_tensor(out: Tensor) -> Tensor:
    if not isinstance(out, Tensor):
        raise TypeError(
            f"checkpoint: fn must return one tensor, not {type(out).__name__}; checkpoint each result by itself, or "
            "concat() them"
        )
    return out
