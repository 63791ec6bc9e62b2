"""One recorded step: what was applied to what, and what its gradient rules will need."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import count
from typing import TypeAlias

from tt_tensor import Array, Primitive, Tensor, share_version, wrap, write_clock

from tt_autograd._table import Gradient, Plan, Spec

# Where a gradient goes on: to an earlier step, into a leaf, or nowhere.
Parent: TypeAlias = "Node | Tensor | None"

_sequence = count()
# Twice as fast as calling Spec, and made for every input that is not kept.
_spec = partial(tuple.__new__, Spec)


def now() -> int:
    """Return a number above those of all steps made so far, and below those of all later ones."""
    return next(_sequence)


class Node:
    """A step of the graph. It keeps the inputs and the output only where a rule that will run uses them.

    Attributes:
        sequence: The order of creation.
        params: The settings of the primitive.
        parents: For each input, where its gradient goes.
        origin: The user's line that made it, if anomaly detection is on.
    """

    __slots__ = (
        "__weakref__", "gradient", "origin", "out", "params", "parents", "plan", "residuals", "saved", "sequence",
        "stamp",
    )  # fmt: skip

    def __init__(
        self,
        gradient: Gradient,
        plan: Plan,
        parents: list[Parent],
        inputs: tuple[Tensor, ...],
        params: Mapping[str, object],
        out: Tensor,
        residuals: object = None,
    ) -> None:
        self.sequence = next(_sequence)
        self.gradient = gradient
        self.plan = plan
        self.parents = parents
        self.params = params
        self.residuals = residuals
        self.origin: str | None = None
        # The output is kept by a twin: the tensor itself holds this node, and a cycle would outlive the step.
        self.out = _twin(out) if plan.keep_output else None
        saved: list[Tensor | Spec] | None = (
            list(inputs) if plan.keep_all else
            [t if keep else _spec(((a := t.data).shape, a.dtype)) for t, keep in zip(inputs, plan.keep_inputs)]  # noqa: B905
        )  # fmt: skip
        self.saved = saved
        self.stamp = write_clock()

    @property
    def primitive(self) -> Primitive:
        """What was applied."""
        return self.gradient.primitive

    @property
    def name(self) -> str:
        """The name of the operation."""
        return self.primitive.name

    def arrays(self, g: Array) -> list[Array | Spec | None]:
        """Return the gradient, the output (`None` if not kept) and the inputs, as the rules take them.

        Raises:
            RuntimeError: The step was freed by an earlier backward pass, or what it kept was written in place.
        """
        saved, out = self.saved, self.out
        if saved is None:
            raise RuntimeError(
                f"backward ran through {self.name} already, and freed what it kept; run the forward pass again, or "
                "call the first backward with retain_graph=True"
            )
        if self.stamp != write_clock():
            self._check_unwritten(saved, out)
        arrays: list[Array | Spec | None] = [g, None if out is None else out.data]
        for kept in saved:
            arrays.append(kept if type(kept) is Spec else kept.data)  # type: ignore[union-attr]
        return arrays

    def free(self) -> None:
        """Let go of arrays and parents."""
        self.saved = self.out = self.residuals = None
        self.parents = []

    def _check_unwritten(self, saved: list[Tensor | Spec], out: Tensor | None) -> None:
        for position, kept in enumerate([out, *saved]):
            if isinstance(kept, Tensor) and kept.written_at > self.stamp:
                what = "result" if position == 0 else f"input {position - 1}"
                raise RuntimeError(
                    f"the {what} of {self.name} (shape {kept.shape}) was written in place after {self.name} ran, and "
                    "its gradient needs the old values; write before the forward pass, or into a copy()"
                    + (f"; {self.name} ran at {self.origin}" if self.origin else "")
                )

    def __repr__(self) -> str:
        return f"<{self.name} #{self.sequence}>"


def _twin(tensor: Tensor) -> Tensor:
    twin = wrap(tensor.data)
    share_version(twin, tensor)
    return twin
