"""One recorded step: what was applied to what, and what its gradient rules will need."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import TypeAlias

from tt_tensor import Array, Primitive, Tensor, share_version, wrap

from tt_autograd._table import Gradient, Plan, Spec

# Where a gradient goes on: to an earlier step, into a leaf, or nowhere.
Parent: TypeAlias = "Node | Tensor | None"

_sequence = count()


class Node:
    """A step of the graph. It keeps the inputs and the output only where a rule that will run uses them.

    Attributes:
        sequence: The order of creation.
        primitive: What was applied.
        params: Its settings.
        parents: For each input, where its gradient goes.
        origin: The user's line that made it, if anomaly detection is on.
    """

    __slots__ = (
        "__weakref__", "gradient", "origin", "params", "parents", "plan", "primitive", "residuals", "saved", "sequence",
        "specs", "versions",
    )  # fmt: skip

    def __init__(
        self,
        gradient: Gradient,
        plan: Plan,
        inputs: tuple[Tensor, ...],
        params: Mapping[str, object],
        out: Tensor,
        residuals: object = None,
    ) -> None:
        self.sequence = next(_sequence)
        self.primitive: Primitive = gradient.primitive
        self.gradient = gradient
        self.plan = plan
        self.params = params
        self.residuals = residuals
        self.origin: str | None = None
        self.parents: tuple[Parent, ...] | list[Parent] = [
            (tensor.grad_fn or tensor) if want else None  # type: ignore[misc]  # every grad_fn is a Node
            for tensor, want in zip(inputs, plan.wants, strict=True)
        ]
        self.specs = specs = [Spec((array := tensor.data).shape, array.dtype) for tensor in inputs]
        # The output is kept by a twin: the tensor itself holds this node, and a cycle would outlive the step.
        saved: list[Tensor | Spec] = [_twin(out) if plan.keep_output else Spec((array := out.data).shape, array.dtype)]
        saved += [
            tensor if keep else spec for tensor, keep, spec in zip(inputs, plan.keep_inputs, specs, strict=True)
        ]
        self.saved: list[Tensor | Spec] | None = saved
        self.versions = [saved[i].version for i in plan.kept]  # type: ignore[union-attr]  # the kept are tensors

    @property
    def name(self) -> str:
        """The name of the operation."""
        return self.primitive.name

    def arrays(self) -> list[Array | Spec]:
        """Return the output and the inputs as the rules take them.

        Raises:
            RuntimeError: The step was freed by an earlier backward pass, or what it kept was written in place.
        """
        if self.saved is None:
            raise RuntimeError(
                f"backward ran through {self.name} already, and freed what it kept; run the forward pass again, or "
                "call the first backward with retain_graph=True"
            )
        arrays: list[Array | Spec] = list(self.saved)  # type: ignore[arg-type]  # the tensors are replaced below
        for position, version in zip(self.plan.kept, self.versions, strict=True):
            kept = self.saved[position]
            if kept.version != version:  # type: ignore[union-attr]  # the kept are tensors
                raise RuntimeError(self._written(position, kept, version))  # type: ignore[arg-type]
            arrays[position] = kept.data  # type: ignore[union-attr]
        return arrays

    def free(self) -> None:
        """Let go of arrays and parents."""
        self.saved = None
        self.residuals = None
        self.parents = ()

    def _written(self, position: int, kept: Tensor, version: int) -> str:
        what = "result" if position == 0 else f"input {position - 1}"
        times = kept.version - version
        return (
            f"the {what} of {self.name} (shape {kept.shape}) was written in place {times} time{'s' * (times > 1)} after "
            f"{self.name} ran, and its gradient needs the old values; write before the forward pass, or into a copy()"
            + (f"; {self.name} ran at {self.origin}" if self.origin else "")
        )

    def __repr__(self) -> str:
        return f"<{self.name} #{self.sequence}>"


def _twin(tensor: Tensor) -> Tensor:
    twin = wrap(tensor.data)
    share_version(twin, tensor)
    return twin
