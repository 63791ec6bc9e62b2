"""A batch in parts, each on a thread of its own, forward and backward: one step of the graph for all that they did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np
from tt_tensor import Array, Primitive, Tensor, get_num_threads, run_together, wrap

from tt_autograd._engine import backward_order, isolated, propagate
from tt_autograd._node import Node, now
from tt_autograd._record import is_grad_enabled
from tt_autograd._table import Spec, defvjp

# Fewer elements than this are summed sooner than a thread wakes.
_WORTH_SPLITTING = 1 << 20


@dataclass
class Part:
    """Some rows of the batch: what goes in, and what comes out with its own graph."""

    start: int
    stop: int
    inputs: tuple[Tensor, ...]
    out: Tensor = field(init=False)
    leaves: list[Tensor] = field(default_factory=list)

    def run(self, fn: Callable[..., Tensor], born: int) -> None:
        """Call the function, and note the parameters that its graph ends in."""
        out: object = fn(*self.inputs)
        rows = self.stop - self.start
        if not isinstance(out, Tensor) or out.shape[:1] != (rows,):
            got = f"shape {out.shape}" if isinstance(out, Tensor) else type(out).__name__
            raise ValueError(
                f"parallel: given {rows} examples, the function returned {got}; it must return one tensor with a row "
                "for each example. Call it without parallel() (Trainer(parallel=False)) if examples meet in it"
            )
        self.out = out
        if isinstance(self.out.grad_fn, Node):
            self.leaves = leaves_of(self.out.grad_fn, born)
        elif self.out.requires_grad:
            self.leaves = [self.out]

    def pull(self, g: Array) -> dict[Tensor, Array]:
        """Go backward through this part alone, and return the gradients of its leaves."""
        with isolated():
            leaves, _ = propagate([(self.out, g[self.start : self.stop].astype(self.out.dtype, copy=False))])
        return dict(leaves.items())


def leaves_of(root: Node, born: int) -> list[Tensor]:
    """Return the leaves that a graph ends in.

    Raises:
        RuntimeError: It goes on into steps older than `born`, which the parts would share.
    """
    found: dict[Tensor, None] = {}
    for node in backward_order([root]):
        if node.sequence < born:
            raise RuntimeError(
                f"parallel: the function uses a result of {node.name} that was computed before the call; pass it as an "
                "input (it is cut like the others), or compute it inside"
            )
        found.update(dict.fromkeys(parent for parent in node.parents if isinstance(parent, Tensor)))
    return list(found)


def parallel_kernel(*_arrays: Array, parts: list[Part], order: list[Tensor]) -> Array:
    """Join what the parts gave."""
    return np.concatenate([part.out.data for part in parts])


def parallel_gradient(
    g: Array, _out: None, *_inputs: Spec, needs: tuple[bool, ...], parts: list[Part], order: list[Tensor]
) -> tuple[Array | None, ...]:
    """Go backward through all parts at once, join the gradients of their inputs, and sum those of what they share."""
    if not parts:
        raise RuntimeError("backward ran through parallel() already, which keeps its parts for one pass only")
    pulled = run_together([partial(part.pull, g) for part in parts])
    arity = len(parts[0].inputs)
    joined: list[Array | None] = []
    for position in range(arity):
        twins = [part.inputs[position] for part in parts]
        rows = [each.get(twin) for each, twin in zip(pulled, twins, strict=True)]
        joined.append(
            np.concatenate([np.zeros_like(t.data) if row is None else row for row, t in zip(rows, twins, strict=True)])
            if needs[position]
            else None
        )
    parts.clear()
    return (*joined, *shared_gradients(order, pulled))


def shared_gradients(order: list[Tensor], pulled: list[dict[Tensor, Array]]) -> list[Array]:
    """Sum each leaf's gradients over the parts, in the order of the parts and into the first one's memory."""
    totals: dict[Tensor, Array] = {}

    def add(leaves: list[Tensor]) -> None:
        for leaf in leaves:
            first, *others = [each[leaf] for each in pulled if leaf in each]
            for other in others:
                np.add(first, other, out=first)
            totals[leaf] = first

    if sum(leaf.size for leaf in order) < _WORTH_SPLITTING:
        add(order)
    else:
        run_together([partial(add, order[::2]), partial(add, order[1::2])])
    return [totals[leaf] for leaf in order]


PARALLEL = Primitive("parallel", parallel_kernel)
defvjp(PARALLEL, joint=parallel_gradient)


def parallel(fn: Callable[..., Tensor], *inputs: Tensor, parts: int | None = None) -> Tensor:
    """Call `fn` on parts of the batch side by side, each in a thread of its own, and join what they return.

    The backward pass runs side by side, too. The result is that of `fn(*inputs)`, and gradients are to rounding (they
    are sums over parts), if each example is computed alone. Batch norm is no such function. It pays for a model of many
    middle-sized operations, such as a transformer: a matrix product of its own uses the cores well only if it is large,
    and what lies between the products not at all.

    Shapes: every input (N, ...) -> (N, ...).

    Args:
        fn: Takes tensors with a row for each example, and returns one such. It may use parameters that it is not given,
            but no results of operations recorded before the call. What it draws from `default_rng` is drawn by
            generators of the parts' own, alike for any number of threads.
        *inputs: Its arguments; all are cut along the first axis.
        parts: In how many; without it, the number of threads (`set_num_threads`).

    Raises:
        ValueError: The inputs have not one number of rows, or `fn` does not return one row for each.
        RuntimeError: `fn` uses a result of an earlier recorded operation; or, in a second backward pass, there is
            nothing left (`retain_graph` does not reach into the parts).

    Example:
        >>> import numpy as np
        >>> weight = Tensor([2.0], requires_grad=True)
        >>> out = parallel(lambda x: x * weight, Tensor([1.0, 2.0, 3.0]), parts=2)
        >>> out.sum().backward()
        >>> out.tolist(), weight.grad.tolist()
        ([2.0, 4.0, 6.0], [6.0])
    """
    rows = {tensor.shape[:1] for tensor in inputs}
    if len(rows) != 1 or () in rows:
        raise ValueError(
            f"parallel cuts its inputs along their first axis, which must be equally long; got shapes "
            f"{[tensor.shape for tensor in inputs]}"
        )
    length = inputs[0].shape[0]
    count = min(get_num_threads() if parts is None else parts, length)
    if count < 2:
        return fn(*inputs)
    edges = [length * part // count for part in range(count + 1)]
    recording = is_grad_enabled()
    pieces = [Part(start, stop, cut(inputs, start, stop, recording)) for start, stop in pairwise(edges)]
    born = now()
    run_together([partial(piece.run, fn, born) for piece in pieces])
    if not any(piece.leaves for piece in pieces):
        return wrap(parallel_kernel(parts=pieces, order=[]))
    own = {twin for piece in pieces for twin in piece.inputs}
    order = list(dict.fromkeys(leaf for piece in pieces for leaf in piece.leaves if leaf not in own))
    return PARALLEL(*inputs, *order, parts=pieces, order=order)


def cut(inputs: tuple[Tensor, ...], start: int, stop: int, recording: bool) -> tuple[Tensor, ...]:
    """Return those rows of the inputs, as leaves that share the memory."""
    pieces = tuple([wrap(tensor.data[start:stop]) for tensor in inputs])
    for piece, tensor in zip(pieces, inputs, strict=True):
        piece.requires_grad = recording and tensor.requires_grad
    return pieces
