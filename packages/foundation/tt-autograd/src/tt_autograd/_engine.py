"""The backward pass: visit the recorded steps from last to first, and let each pass its gradient on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
from tt_tensor import Array, Interpreter, Tensor, current

from tt_autograd._leaves import LeafGradients
from tt_autograd._node import Node
from tt_autograd._table import Spec
from tt_autograd._unbroadcast import unbroadcast


def backward_order(roots: Iterable[Node]) -> list[Node]:
    """Return all steps that the roots came from, in reverse order of creation.

    A step's gradient is whole when everything that used its result was visited; whatever used it was created later.
    """
    seen = set(roots)
    stack = list(seen)
    while stack:
        for parent in stack.pop().parents:
            if type(parent) is Node and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=_sequence_of, reverse=True)


def _sequence_of(node: Node) -> int:
    return node.sequence


_running: ContextVar[LeafGradients | None] = ContextVar("tt_autograd_leaves", default=None)


@contextmanager
def isolated() -> Iterator[None]:
    """Keep a backward pass that runs inside another one apart from it."""
    token = _running.set(None)
    try:
        yield
    finally:
        _running.reset(token)


def is_running() -> bool:
    """Return whether a backward pass runs around this one."""
    return _running.get() is not None


def propagate(
    roots: Sequence[tuple[Tensor, Array]], *, retain_graph: bool = False, watch: Iterable[Node] = ()
) -> tuple[LeafGradients, dict[Node, Array]]:
    """Run backward from `roots` and return the gradients of the leaves, and those of the watched steps' results.

    Within a running pass (a checkpoint's recomputation) the leaves' gradients join that pass.
    A root given twice starts from the sum of its gradients.
    """
    outer = _running.get()
    leaves = LeafGradients() if outer is None else outer
    pending: dict[Node, Array] = {}
    for root, gradient in roots:
        if isinstance(root.grad_fn, Node):
            present = pending.get(root.grad_fn)
            pending[root.grad_fn] = gradient if present is None else np.asarray(present + gradient)
        else:
            leaves.add(root, gradient, owned=False)
    seen: dict[Node, Array] = {}
    watched = set(watch)
    top = current()
    # Where nobody watches the rules, they are called directly.
    interpreter = top if top.watches_rules() else None
    token = _running.set(leaves)
    try:
        with np.errstate(all="ignore"):  # an infinite slope, as that of sqrt at 0, is a result and no accident
            for node in backward_order(pending):
                g = pending.pop(node, None)
                if g is None:
                    continue
                if node in watched:
                    seen[node] = g
                _visit(node, g, pending, leaves, interpreter)
                if not retain_graph:
                    node.free()
    finally:
        _running.reset(token)
    return leaves, seen


def _visit(
    node: Node, g: Array, pending: dict[Node, Array], leaves: LeafGradients, interpreter: Interpreter | None
) -> None:
    """Run the rules of one step and pass the gradients of its inputs on."""
    arrays = node.arrays(g)
    row, params = node.gradient, node.params
    primitive = row.primitive
    if primitive.has_residuals:
        params = {**params, "residuals": node.residuals}
    try:
        if row.joint is not None:
            params = {**params, "needs": node.plan.wants}
            if interpreter is not None:
                results = interpreter.pull(primitive, row.joint, arrays, params)
            else:
                results = row.joint(*arrays, **params)
            _pass_on_joint(node, results, arrays, pending, leaves)
        elif not row.rules:
            raise NotImplementedError(_no_rules(node))
        for position, rule in node.plan.rules:
            if interpreter is not None:
                result = interpreter.pull(primitive, rule, arrays, params)
            else:
                result = rule(*arrays, **params) if params else rule(*arrays)
            _pass_on(node, position, result, arrays, pending, leaves)
    except (ArithmeticError, LookupError, TypeError, ValueError, NotImplementedError) as error:
        error.add_note(f"in the gradient of {node.name}" + (f", applied at {node.origin}" if node.origin else ""))
        raise


def _pass_on_joint(
    node: Node,
    results: tuple[Array | None, ...],
    arrays: list[Array | Spec | None],
    pending: dict[Node, Array],
    leaves: LeafGradients,
) -> None:
    if len(results) != len(node.parents):
        raise ValueError(
            f"the joint rule of {node.name} returned {len(results)} gradients for {len(node.parents)} inputs; return "
            "one an input, None for those that need none"
        )
    for position, result in enumerate(results):
        if not node.plan.wants[position]:
            continue
        if result is None:
            raise ValueError(f"the joint rule of {node.name} returned None for input {position}, which needs one")
        _pass_on(node, position, result, arrays, pending, leaves)
        arrays.append(result)


def _pass_on(
    node: Node,
    position: int,
    result: Array,
    others: list[Array | Spec | None],
    pending: dict[Node, Array],
    leaves: LeafGradients,
) -> None:
    """Check one gradient and add it to what has arrived for the input."""
    given = others[position + 2]
    shape, dtype = given.shape, given.dtype  # type: ignore[union-attr]  # only the output may be absent
    if type(result) is not np.ndarray:
        result = np.asarray(result)
    if result.shape != shape:
        if not node.primitive.elementwise or result.shape != others[0].shape:  # type: ignore[union-attr]  # g is there
            raise ValueError(
                f"the gradient rule of {node.name} for input {position} returned shape {result.shape}; the input has "
                f"shape {shape}"
            )
        result = unbroadcast(result, shape)
    if result.dtype is not dtype:
        result = result.astype(dtype, copy=False)
    parent = node.parents[position]
    if type(parent) is Node:
        present = pending.get(parent)
        pending[parent] = result if present is None else np.asarray(present + result)
    else:
        leaves.add(parent, result, _is_fresh(result, others, node.residuals))  # type: ignore[arg-type]  # it is wanted


def _is_fresh(result: Array, others: list[Array | Spec | None], residuals: object) -> bool:
    """Return whether a rule made this array itself, so that nobody else can see it."""
    if result.base is not None:
        return False
    for other in others:
        if result is other:
            return False
    if residuals is None:
        return True
    kept = residuals if isinstance(residuals, tuple) else (residuals,)
    return all(isinstance(k, (np.ndarray, int, float)) and k is not result for k in kept)


def _no_rules(node: Node) -> str:
    return (
        f"{node.name} has no gradient rules; add them with defvjp({node.name}, ...), or, if it has no gradient by "
        "nature, add it to NONDIFFERENTIABLE"
    )
