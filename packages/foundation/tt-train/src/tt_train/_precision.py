"""Half precision: float16 arithmetic, float32 master weights, and a loss scale that finds its own size.

float16 has 10 bits of mantissa and nothing between 0 and 6e-8. So the weights that the optimizer moves stay float32
(an update of a ten-thousandth of a weight would be rounded away), and the loss is multiplied by a large number before
the backward pass, so that small gradients do not become zero. Micikevicius et al. 2018, "Mixed Precision Training",
https://arxiv.org/abs/1710.03740

NumPy computes float16 by converting each number, there and back: expect half the memory for activations and *more*
time (`tt_train.lessons.half_precision` measures both).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from tt_tensor import Interpreter, Primitive, Tensor, increment_version, primitives

__all__ = ["HalfPrecision", "LossScaler", "unscale_gradients"]

_HALF, _SINGLE = np.dtype(np.float16), np.dtype(np.float32)


class HalfPrecision(Interpreter):
    """Run every operation on float16 copies of its float32 inputs.

    It stands on the same seam as autograd and the profiler, above the recorder: the cast of a weight is itself an
    operation of the graph, and its gradient rule casts back. So the model's parameters are the float32 masters, and
    receive float32 gradients, while everything between them computes in float16.

    Args:
        inner: The interpreter below; build it around `current()`.

    Example:
        >>> from tt_tensor import Tensor, current, use_interpreter
        >>> x = Tensor([1.0, 2.0])
        >>> with use_interpreter(HalfPrecision(current())):
        ...     y = x * x
        >>> x.dtype, y.dtype
        (dtype('float32'), dtype('float16'))
    """

    def __init__(self, inner: Interpreter | None = None) -> None:
        super().__init__(inner)
        self._astype = primitives()["astype"]
        # A weight used twice is cast once; holding the weight keeps its id from being used again.
        self._copies: dict[int, tuple[Tensor, Tensor]] = {}

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        """Apply `primitive` to float16 copies of its float32 inputs.

        Args:
            primitive: The operation; an explicit cast is let through as it is.
            inputs: Its inputs. Integers, booleans and float64 stay what they are.
            params: Its settings.
        """
        if primitive is not self._astype:
            inputs = tuple([self.half(x) if x.dtype == _SINGLE else x for x in inputs])
        return self.inner.apply(primitive, inputs, params)

    def apply_with_residuals(
        self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]
    ) -> tuple[Tensor, object]:
        """Apply `primitive` as `apply` does, and return its residuals too.

        Args:
            primitive: The operation.
            inputs: Its inputs.
            params: Its settings.
        """
        if primitive is not self._astype:
            inputs = tuple([self.half(x) if x.dtype == _SINGLE else x for x in inputs])
        return self.inner.apply_with_residuals(primitive, inputs, params)

    def half(self, x: Tensor) -> Tensor:
        """Cast to float16 through the interpreter below; a leaf that requires a gradient is cast once.

        Args:
            x: A float32 tensor.
        """
        known = self._copies.get(id(x))
        if known is not None:
            return known[1]
        copy = self.inner.apply(self._astype, (x,), {"dtype": _HALF})
        if x.requires_grad and x.is_leaf:
            self._copies[id(x)] = (x, copy)
        return copy


class LossScaler:
    """The factor on the loss: halved when a gradient overflows, doubled after a good while without.

    Args:
        scale: The first factor; a power of two, so that scaling rounds nothing.
        growth_interval: After so many good steps in a row the factor doubles.
        largest: It grows no further than this.

    Raises:
        ValueError: A setting is not positive.

    Example:
        >>> scaler = LossScaler(8.0, growth_interval=2)
        >>> [scaler.update(finite) for finite in (False, True, True)]
        [4.0, 4.0, 8.0]
    """

    def __init__(self, scale: float = 2.0**16, *, growth_interval: int = 2000, largest: float = 2.0**24) -> None:
        if not 0 < scale <= largest or growth_interval < 1:
            raise ValueError(
                "LossScaler needs scale > 0, growth_interval >= 1 and largest >= scale, "
                f"got {scale}, {growth_interval} and {largest}"
            )
        self.scale, self.growth_interval, self.largest = float(scale), growth_interval, float(largest)
        self.good_steps = 0

    def update(self, finite: bool) -> float:
        """Take note of one step.

        Args:
            finite: Whether all its gradients were finite.

        Returns:
            The factor for the next step.

        Raises:
            FloatingPointError: The factor has been halved below 2**-14: it is not the scale that overflows.
        """
        if not finite:
            self.scale, self.good_steps = self.scale / 2, 0
            if self.scale < 2.0**-14:
                raise FloatingPointError(
                    f"gradients are not finite even at a loss scale of {self.scale}: the model itself overflows "
                    "float16 (largest number 65504); lower the learning rate, normalise, or train in float32"
                )
            return self.scale
        self.good_steps += 1
        if self.good_steps >= self.growth_interval:
            self.scale, self.good_steps = min(self.scale * 2, self.largest), 0
        return self.scale

    def state_dict(self) -> dict[str, object]:
        """Return the factor and the count of good steps."""
        return {"scale": self.scale, "good_steps": self.good_steps}

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Take back what `state_dict` returned.

        Args:
            state: The state.

        Raises:
            ValueError: It is not such a state.
        """
        scale, good_steps = state.get("scale"), state.get("good_steps")
        if not isinstance(scale, float) or not isinstance(good_steps, int) or not scale > 0 or good_steps < 0:
            raise ValueError(f"a loss scaler's state has 'scale' and 'good_steps', got {dict(state)}")
        self.scale, self.good_steps = scale, good_steps


def unscale_gradients(parameters: Sequence[Tensor], scale: float) -> bool:
    """Divide gradients by the loss scale, in place, if all of them are finite.

    Args:
        parameters: Tensors whose `grad` is float32 or wider; those without one are passed over.
        scale: What the loss was multiplied by.

    Returns:
        Whether all gradients are finite. If not, they are left as they are, and the step must be skipped.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not all(np.isfinite(gradient.data).all() for gradient in gradients):
        return False
    for gradient in gradients:
        np.multiply(gradient.data, gradient.dtype.type(1.0 / scale), out=gradient.data)
        increment_version(gradient)
    return True
