"""The backward pass: visit the recorded steps from last to first, and let each pass its gradient on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextvars import ContextVar

import numpy as np
from tt_tensor import Array, Interpreter, Tensor, TensorLike, current, from_numpy, increment_version, wrap

from tt_autograd._node import Node, Parent
from tt_autograd._table import NONDIFFERENTIABLE, Spec


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
    stretched = [
        added + axis for axis, length in enumerate(shape) if added >= 0 and length == 1 != gradient.shape[added + axis]
    ]
    axes = (*range(added), *stretched)
    if not axes:
        if gradient.shape != shape:
            raise ValueError(f"a gradient of shape {gradient.shape} does not come from an input of shape {shape}")
        return gradient
    total: Array = np.add.reduce(gradient, axis=axes, keepdims=True)
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


class Gradients:
    """Gradients on their way: summed where several arrive, and never sharing memory with anything else once taken.

    An array that arrives may be somebody else's (a view of the output's gradient, a saved input), so it is written
    into only after the first sum, which is ours.
    """

    __slots__ = ("_arrays", "_owned")

    def __init__(self) -> None:
        self._arrays: dict[Node | Tensor, Array] = {}
        self._owned: set[Node | Tensor] = set()

    def add(self, target: Node | Tensor, gradient: Array, owned: bool) -> None:
        """Add a gradient to what has arrived for `target`."""
        present = self._arrays.get(target)
        if present is None:
            self._arrays[target] = gradient
        elif target in self._owned:
            np.add(present, gradient, out=present)
            return
        else:
            self._arrays[target] = np.asarray(present + gradient)
            owned = True
        if owned:
            self._owned.add(target)

    def pop(self, target: Node | Tensor) -> Array | None:
        """Take what has arrived, to read only."""
        return self._arrays.pop(target, None)

    def peek(self, target: Node | Tensor) -> Array | None:
        """Look at what has arrived, to read only."""
        return self._arrays.get(target)

    def items(self) -> list[tuple[Node | Tensor, Array]]:
        """Return all that has arrived, as arrays that nobody else holds."""
        return [(t, a if t in self._owned else a.copy()) for t, a in self._arrays.items()]


_running: ContextVar[Gradients | None] = ContextVar("tt_autograd_leaves", default=None)


def propagate(
    roots: Sequence[tuple[Tensor, Array]], *, retain_graph: bool = False, watch: Iterable[Node] = ()
) -> tuple[Gradients, dict[Node, Array]]:
    """Run backward from `roots` and return the gradients of the leaves, and those of the watched steps' results.

    Within a running pass (a checkpoint's recomputation) the leaves' gradients join that pass.
    """
    watched = dict.fromkeys(watch)
    outer = _running.get()
    leaves = Gradients() if outer is None else outer
    pending = Gradients()
    starts = []
    for root, gradient in roots:
        target = _target(root)
        if isinstance(target, Node):
            starts.append(target)
        (pending if isinstance(target, Node) else leaves).add(target, gradient, False)
    token = _running.set(leaves)
    interpreter = current()
    seen: dict[Node, Array] = {}
    try:
        for node in backward_order(starts):
            gradient_of_output = pending.pop(node)
            if gradient_of_output is None:
                continue
            if node in watched:
                seen[node] = gradient_of_output
            _visit(node, gradient_of_output, pending, leaves, interpreter)
            if not retain_graph:
                node.free()
    finally:
        _running.reset(token)
    return leaves, seen


def _target(tensor: Tensor) -> Node | Tensor:
    node = tensor.grad_fn
    return node if isinstance(node, Node) else tensor


def _visit(node: Node, g: Array, pending: Gradients, leaves: Gradients, interpreter: Interpreter) -> None:
    """Run the rules of one step and pass the gradients of its inputs on."""
    arrays = node.arrays()
    primitive, plan = node.primitive, node.plan
    params = dict(node.params)
    if primitive.has_residuals:
        params["residuals"] = node.residuals
    arguments = (g, *arrays)
    try:
        if node.gradient.joint is not None:
            results = interpreter.pull(primitive, node.gradient.joint, arguments, {**params, "needs": plan.wants})
            _pass_on_joint(node, results, g, arrays, pending, leaves)
            return
        if not plan.rules:
            raise NotImplementedError(_no_rules(node))
        for position, rule in plan.rules:
            result = interpreter.pull(primitive, rule, arguments, params)
            _pass_on(node, position, result, (g, *arrays), pending, leaves)
    except (ArithmeticError, LookupError, TypeError, ValueError, NotImplementedError) as error:
        error.add_note(f"in the gradient of {node.name}" + (f", applied at {node.origin}" if node.origin else ""))
        raise


def _pass_on_joint(
    node: Node, results: tuple[Array | None, ...], g: Array, arrays: Sequence[Array | Spec], pending: Gradients,
    leaves: Gradients,
) -> None:  # fmt: skip
    if len(results) != len(node.parents):
        raise ValueError(f"the joint rule of {node.name} returned {len(results)} gradients for {len(node.parents)} inputs")
    others: list[Array | Spec] = [g, *arrays]
    for position, result in enumerate(results):
        if not node.plan.wants[position]:
            continue
        if result is None:
            raise ValueError(f"the joint rule of {node.name} returned no gradient for input {position}, which needs one")
        _pass_on(node, position, result, others, pending, leaves)
        others.append(result)


def _pass_on(
    node: Node, position: int, result: Array, others: Sequence[Array | Spec], pending: Gradients, leaves: Gradients
) -> None:
    """Check one gradient and add it to what has arrived for the input."""
    shape, dtype = node.specs[position]
    if type(result) is not np.ndarray:
        result = np.asarray(result)
    if result.shape != shape:
        if not node.primitive.elementwise:
            raise ValueError(
                f"the gradient rule of {node.name} for input {position} returned shape {result.shape}; the input has "
                f"shape {shape}"
            )
        result = unbroadcast(result, shape)
    if result.dtype != dtype:
        result = result.astype(dtype)
    parent: Parent = node.parents[position]
    if type(parent) is Node:
        pending.add(parent, result, False)
    elif parent is not None:
        leaves.add(parent, result, _is_fresh(result, others, node.residuals))


def _is_fresh(result: Array, others: Sequence[Array | Spec], residuals: object) -> bool:
    """Return whether a rule made this array itself, so that nobody else can see it."""
    if result.base is not None or any([result is other for other in others]):
        return False
    if residuals is None:
        return True
    kept = residuals if isinstance(residuals, tuple) else (residuals,)
    return all([isinstance(k, (np.ndarray, int, float)) for k in kept]) and not any([result is k for k in kept])


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
        if not isinstance(leaf, Tensor):
            continue
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
        return np.ones(tensor.shape, tensor.dtype)
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
    targets = [_target(tensor) for tensor in wanted]
    token = _running.set(None)
    try:
        leaves, seen = propagate(
            [(output, start)], retain_graph=retain_graph, watch=[t for t in targets if isinstance(t, Node)]
        )
    finally:
        _running.reset(token)
    found: list[Tensor] = []
    for position, target in enumerate(targets):
        array = seen.get(target) if isinstance(target, Node) else leaves.peek(target)
        if array is None:
            raise RuntimeError(f"output does not depend on input {position} (shape {wanted[position].shape})")
        found.append(wrap(array.copy()))
    return tuple(found)


def _as_tensor(value: TensorLike, like: Tensor) -> Tensor:
    return value if isinstance(value, Tensor) else from_numpy(np.asarray(value, like.dtype))


__all__ = ["NONDIFFERENTIABLE", "Gradients", "accumulate_into_leaves", "backward_order", "grad", "propagate", "unbroadcast"]
