"""The backward pass: visit the recorded steps from last to first, and let each pass its gradient on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
from tt_tensor import Array, Interpreter, Tensor, TensorLike, current, from_numpy, increment_version, wrap

from tt_autograd._node import Node
from tt_autograd._table import Spec


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes that broadcasting added or stretched.

    An element that broadcasting used several times receives the sum of the gradients of its uses.

    Args:
        gradient: The gradient of the broadcast result.
        shape: The shape of the input before broadcasting.

    Raises:
        ValueError: `gradient` cannot have come from `shape` by broadcasting.

    Example:
        >>> unbroadcast(np.ones((2, 3)), (3,)).tolist()
        [2.0, 2.0, 2.0]
    """
    added = gradient.ndim - len(shape)
    kept = gradient.shape[max(added, 0) :]
    if added < 0 or any(length not in (1, kept[axis]) for axis, length in enumerate(shape)):
        raise ValueError(f"a gradient of shape {gradient.shape} does not come from an input of shape {shape}")
    stretched = [added + axis for axis, length in enumerate(shape) if length != kept[axis]]
    if not added and not stretched:
        return gradient
    total: Array = np.add.reduce(gradient, axis=(*range(added), *stretched), keepdims=True)
    return total.reshape(shape)


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


class LeafGradients:
    """The gradients of leaves: summed where several arrive, and in the end in memory that nobody else holds.

    A rule may return what is somebody else's (the gradient it was given, a saved input, a view of either), so a sum is
    written in place only into an array known to be ours.
    """

    __slots__ = ("_arrived",)

    def __init__(self) -> None:
        self._arrived: dict[Tensor, tuple[Array, bool]] = {}

    def add(self, leaf: Tensor, gradient: Array, owned: bool) -> None:
        """Add a gradient to what has arrived for `leaf`; `owned` says that nobody else holds the array."""
        present = self._arrived.get(leaf)
        if present is None:
            self._arrived[leaf] = gradient, owned
        elif present[1]:
            np.add(present[0], gradient, out=present[0])
        else:
            self._arrived[leaf] = np.asarray(present[0] + gradient), True

    def get(self, leaf: Tensor) -> Array | None:
        """Return what has arrived for a leaf, as an array that nobody else holds."""
        array, owned = self._arrived.get(leaf, (None, True))
        return array if array is None or owned else array.copy()

    def take(self, leaf: Tensor) -> Array | None:
        """Take out what has arrived for a leaf, to read only."""
        return self._arrived.pop(leaf, (None, True))[0]

    def items(self) -> list[tuple[Tensor, Array]]:
        """Return the leaves that gradients arrived for, with arrays that nobody else holds."""
        return [(leaf, array if owned else array.copy()) for leaf, (array, owned) in self._arrived.items()]


_running: ContextVar[LeafGradients | None] = ContextVar("tt_autograd_leaves", default=None)


@contextmanager
def isolated() -> Iterator[None]:
    """Keep a backward pass that runs inside another one apart from it."""
    token = _running.set(None)
    try:
        yield
    finally:
        _running.reset(token)


def propagate(
    roots: Sequence[tuple[Tensor, Array]], *, retain_graph: bool = False, watch: Iterable[Node] = ()
) -> tuple[LeafGradients, dict[Node, Array]]:
    """Run backward from `roots` and return the gradients of the leaves, and those of the watched steps' results.

    Within a running pass (a checkpoint's recomputation) the leaves' gradients join that pass.
    """
    outer = _running.get()
    leaves = LeafGradients() if outer is None else outer
    pending: dict[Node, Array] = {}
    for root, gradient in roots:
        if isinstance(root.grad_fn, Node):
            pending[root.grad_fn] = gradient
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


def accumulate_into_leaves(tensor: Tensor, gradient: Tensor | None, *, retain_graph: bool = False) -> None:
    """Run backward from `tensor` and add the result to the leaves' `grad`, all of them or, on an error, none."""
    if not tensor.requires_grad:
        raise RuntimeError(
            "backward() of a tensor that requires no gradient: none of its inputs has requires_grad=True, or the "
            "operations ran under no_grad() or are not differentiable (NONDIFFERENTIABLE)"
        )
    leaves, _ = propagate([(tensor, seed(tensor, gradient))], retain_graph=retain_graph)
    if _running.get() is not None:
        return
    for leaf, total in leaves.items():
        if leaf.grad is None:
            leaf.grad = wrap(total)
        else:
            np.add(leaf.grad.data, total, out=leaf.grad.data)
            increment_version(leaf.grad)


def seed(tensor: Tensor, gradient: Tensor | None) -> Array:
    """Return the gradient to start from: that given, or 1 for a scalar.

    Raises:
        RuntimeError: None was given for a tensor of several elements.
        ValueError: Its shape is not the tensor's.
    """
    if gradient is None:
        if tensor.size != 1:
            raise RuntimeError(
                f"backward() of a tensor of shape {tensor.shape} needs a gradient of that shape; reduce it to a scalar "
                "first (sum(), mean(), a loss), or pass one"
            )
        return np.ones(tensor.shape, tensor.dtype) if tensor.ndim else np.array(1, tensor.dtype)
    if gradient.shape != tensor.shape:
        raise ValueError(f"the gradient passed to backward has shape {gradient.shape}; the tensor has {tensor.shape}")
    return gradient.data.astype(tensor.dtype, copy=False)


def grad(
    output: Tensor, inputs: Tensor | Sequence[Tensor], gradient: TensorLike | None = None, *, retain_graph: bool = False
) -> tuple[Tensor, ...]:
    """Return the gradients of `output` with respect to `inputs`, leaving every `grad` as it is.

    Args:
        output: A scalar, or any tensor with `gradient` given.
        inputs: Leaves or intermediate results that require a gradient.
        gradient: The gradient of the final result with respect to `output`, of its shape.
        retain_graph: Keep the graph for another pass.

    Raises:
        RuntimeError: `output` does not depend on one of the inputs.

    Example:
        >>> x = Tensor([3.0], requires_grad=True)
        >>> grad(x * x, x)[0].tolist()
        [6.0]
    """
    wanted = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    if not output.requires_grad:
        raise RuntimeError("grad() of an output that requires no gradient: no input has requires_grad=True")
    start = seed(output, None if gradient is None else _as_tensor(gradient, output))
    targets = [tensor.grad_fn or tensor for tensor in wanted]
    with isolated():
        leaves, seen = propagate(
            [(output, start)], retain_graph=retain_graph, watch=[t for t in targets if isinstance(t, Node)]
        )
    found: list[Tensor] = []
    for position, target in enumerate(targets):
        array = leaves.get(target) if isinstance(target, Tensor) else seen.get(target)  # type: ignore[call-overload]
        if array is None:
            raise RuntimeError(f"output does not depend on input {position} (shape {wanted[position].shape})")
        found.append(wrap(array if isinstance(target, Tensor) else array.copy()))
    return tuple(found)


def _as_tensor(value: TensorLike, like: Tensor) -> Tensor:
    return value if isinstance(value, Tensor) else from_numpy(np.asarray(value, like.dtype))
