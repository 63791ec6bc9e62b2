"""The table of gradients: for each primitive, one rule an input, and what each rule needs kept alive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import NamedTuple, TypeAlias

import numpy as np
from tt_tensor import Array, Primitive, primitive_of, primitives

Rule: TypeAlias = Callable[..., Array]
JointRule: TypeAlias = Callable[..., tuple[Array | None, ...]]


class Spec(NamedTuple):
    """The shape and element type of an array that was not kept."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one kind of step does: which inputs want a gradient, and what must be kept for the rules that run."""

    wants: tuple[bool, ...]
    keep_inputs: tuple[bool, ...]
    keep_output: bool
    rules: tuple[tuple[int, Rule], ...]
    keep_all: bool

    @staticmethod
    def make(wants: tuple[bool, ...], keeps: Sequence[bool], rules: tuple[tuple[int, Rule], ...]) -> Plan:
        """Make a plan from what is kept of `(out, *inputs)`."""
        keep_output, *keep_inputs = keeps
        return Plan(wants, tuple(keep_inputs), keep_output, rules, all(keep_inputs))


@dataclass(frozen=True)
class Gradient:
    """A row of the table."""

    primitive: Primitive
    rules: tuple[Rule, ...] = ()
    joint: JointRule | None = None
    # By the bit mask of the inputs that want a gradient, with one more bit set above them.
    plans: dict[int, Plan] = field(default_factory=dict)

    def make_plan(self, inputs: int, mask: int) -> Plan:
        """Make the plan for so many inputs, of which those in the bit mask want a gradient, and keep it in `plans`."""
        plan = self._make_plan(tuple(bool(mask >> i & 1) for i in range(inputs)))
        self.plans[mask | 1 << inputs] = plan
        return plan

    def _make_plan(self, wants: tuple[bool, ...]) -> Plan:
        if self.joint is not None:
            keeps = kept_arguments(self.joint, len(wants))
            return Plan.make(wants, keeps[1:], ())
        if not self.rules:
            return Plan.make(wants, (False,) * (len(wants) + 1), ())
        if len(wants) > len(self.rules):
            raise TypeError(
                f"{self.primitive.name} was applied to {len(wants)} inputs, but has gradient rules for "
                f"{len(self.rules)}; give defvjp one rule an input, or a joint rule"
            )
        chosen = tuple((i, rule) for i, rule in enumerate(self.rules) if i < len(wants) and wants[i])
        kept = [kept_arguments(rule, len(wants)) for _, rule in chosen]
        columns = [any(column) for column in zip(*kept, strict=True)]
        return Plan.make(wants, columns[1:], chosen)


def kept_arguments(rule: Callable[..., object], inputs: int) -> list[bool] | tuple[bool, ...]:
    """Return for `(g, out, *inputs)` whether the rule uses it: a leading underscore says that it does not."""
    code = getattr(rule, "__code__", None)
    if code is None:
        return (True,) * (inputs + 2)
    named = [not name.startswith("_") for name in code.co_varnames[: code.co_argcount]][: inputs + 2]
    missing = inputs + 2 - len(named)
    takes_rest = bool(code.co_flags & 0x04)
    rest = takes_rest and not code.co_varnames[code.co_argcount + code.co_kwonlyargcount].startswith("_")
    return tuple(named + [rest] * missing)


RULES: dict[Primitive, Gradient] = {}
# Primitives that have no gradient by nature: comparisons, indices, rounding. A result of integers or booleans has none
# either, so these are the ones that could pass for differentiable.
NONDIFFERENTIABLE: set[Primitive] = {
    primitive
    for name, primitive in primitives().items()
    if name
    in {
        "all", "any", "argmax", "argmin", "argsort", "detach", "equal", "floor", "floor_divide", "greater",
        "greater_equal", "isfinite", "isnan", "less", "less_equal", "logical_not", "not_equal", "one_hot", "sign",
    }
}  # fmt: skip


def defvjp(target: Primitive | Callable[..., object] | str, *rules: Rule, joint: JointRule | None = None) -> None:
    """Say how gradients flow back through a primitive.

    A rule is `(g, out, *inputs, **params) -> gradient`: `g` is the gradient of the result, `out` the result; all are
    arrays. An argument whose name begins with an underscore is not kept alive until the backward pass: the rule
    receives a `Spec` (shape and dtype) in place of an input, and `None` in place of `out`, whose shape is that of `g`.
    A primitive with residuals passes them by keyword (`residuals`, which is `None` where a swapped-in kernel keeps
    none).

    Args:
        target: The primitive, its public function or its name.
        rules: One an input. They may leave broadcasting in if the primitive is elementwise.
        joint: Instead of `rules`, one function for all inputs, `(g, out, *inputs, needs, **params)`, which returns a
            tuple with a gradient for each input that `needs` one and `None` for the others.

    Raises:
        ValueError: Neither or both of `rules` and `joint`, or the primitive has its rules already.

    Example:
        >>> import numpy as np
        >>> from tt_tensor import Primitive, Tensor
        >>> double = Primitive("doc_double", lambda x: 2 * x, elementwise=True)
        >>> defvjp(double, lambda g, _out, _x: 2 * g)
        >>> x = Tensor([1.0], requires_grad=True)
        >>> double(x).backward()
        >>> x.grad.tolist()
        [2.0]
    """
    primitive = primitive_of(target)
    if bool(rules) == (joint is not None):
        raise ValueError(f"defvjp({primitive.name}) takes either one rule an input or joint=, and not both")
    if primitive in RULES:
        raise ValueError(f"{primitive.name} has gradient rules already; a swapped kernel keeps them")
    RULES[primitive] = Gradient(primitive, tuple(rules), joint)


def has_rules(primitive: Primitive) -> bool:
    """Return whether `defvjp` was called for a primitive."""
    return primitive in RULES
