"""The interpreter at the bottom: run the kernel, wrap the result."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tt_tensor._interpreter import Interpreter
from tt_tensor._kernels_shape import check_broadcast
from tt_tensor._primitive import Array, Primitive
from tt_tensor._tensor import Tensor
from tt_tensor._versions import share_version

_ndarray = np.ndarray
_new = object.__new__
_FLOAT64 = np.dtype(np.float64)
_FLOAT32 = np.dtype(np.float32)


class Evaluate(Interpreter):
    """Run kernels. Remembers nothing, so it cannot run a backward pass."""

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        """Run the kernel on the inputs' arrays and wrap what it returns."""
        try:
            arrays = [tensor._data for tensor in inputs]
            # Unpacking an empty mapping is a tenth of a small operation's time.
            result = primitive.kernel(*arrays, **params) if params else primitive.kernel(*arrays)
        except ValueError as error:
            if primitive.elementwise:  # a bare ufunc names neither itself nor the axis
                check_broadcast(primitive.name, *[tensor._data.shape for tensor in inputs], cause=error)
            raise
        return _finish(primitive, inputs, params, result)

    def apply_with_residuals(
        self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]
    ) -> tuple[Tensor, object]:
        """Run the recording kernel where there is one."""
        if primitive.recording is None:
            return self.apply(primitive, inputs, params), None
        result, residuals = primitive.recording(*[tensor._data for tensor in inputs], **params)
        return _finish(primitive, inputs, params, result), residuals

    def backward(self, tensor: Tensor, gradient: Tensor | None, *, retain_graph: bool) -> None:
        """Say what is missing: only tt-autograd knows gradients."""
        raise RuntimeError(
            "backward() needs tt-autograd, which records operations as they run: pip install tt-autograd, and "
            "import tt_autograd before the forward pass"
        )


def _has_float64(inputs: tuple[Tensor, ...]) -> bool:
    return any(tensor._data.dtype == _FLOAT64 for tensor in inputs)


def _finish(primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object], result: Array) -> Tensor:
    if type(result) is not _ndarray:
        result = np.asarray(result)
    # float64 that nobody asked for came from an integer operand.
    if result.dtype is _FLOAT64 and "dtype" not in params and not _has_float64(inputs):
        result = result.astype(_FLOAT32)
    tensor = _new(Tensor)  # as wrap does; a call would be felt here
    tensor._data = result
    tensor._grad = tensor._version = tensor.grad_fn = None
    tensor._requires_grad = False
    if primitive.view:
        share_version(tensor, inputs[0])
    return tensor
