"""The two ways to start a backward pass: `backward`, which fills `grad`, and `grad`, which returns the gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tt_tensor import Array, Tensor, TensorLike, from_numpy, increment_version, wrap

from tt_autograd._engine import is_running, isolated, propagate
from tt_autograd._node import Node


def accumulate_into_leaves(tensor: Tensor, gradient: Tensor | None, *, retain_graph: bool = False) -> None:
    """Run backward from `tensor` and add the result to the leaves' `grad`, all of them or, on an error, none."""
    if not tensor.requires_grad:
        raise RuntimeError(
            "backward() of a tensor that requires no gradient: none of its inputs has requires_grad=True, or the "
            "operations ran under no_grad() or are not differentiable (NONDIFFERENTIABLE)"
        )
    leaves, _ = propagate([(tensor, seed(tensor, gradient))], retain_graph=retain_graph)
    if is_running():
        return  # they have joined that pass, which adds them at its end
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
