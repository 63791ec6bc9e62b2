"""Which operation let no gradient through to a leaf: the answer to "why has this parameter no gradient?"."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

from tt_tensor import Primitive, Tensor

from tt_autograd._node import Node, Parent

# Graphs of training steps are far smaller; a walk through a larger one would cost more than the answer is worth.
_MOST_STEPS = 2_000
_MOST_NOTES = 10_000

# By identity: tensors compare their elements.
_cuts: dict[int, tuple[weakref.ref[Tensor], str]] = {}


def note_cut(primitive: Primitive, parents: Sequence[Parent]) -> None:
    """Remember, for every leaf behind `parents`, that `primitive` let no gradient through."""
    if len(_cuts) > _MOST_NOTES:
        for key in [key for key, (reference, _) in _cuts.items() if reference() is None]:
            del _cuts[key]
    for leaf in _leaves(parents):
        _cuts[id(leaf)] = weakref.ref(leaf), primitive.name


def explain_missing(tensor: Tensor) -> str | None:
    """Return why a leaf may have no gradient: the operation that cut it off, as a sentence, or `None` if unknown.

    Example:
        >>> w = Tensor([1.0, 2.0], requires_grad=True)
        >>> loss = (w * 2).detach().sum()
        >>> explain_missing(w)
        'detach let no gradient through to it'
    """
    if not tensor.requires_grad:
        return "it does not require a gradient"
    reference, name = _cuts.get(id(tensor), (None, ""))
    return f"{name} let no gradient through to it" if reference is not None and reference() is tensor else None


def _leaves(starts: Sequence[Parent]) -> list[Tensor]:
    seen: set[int] = set()
    stack, leaves = list(starts), []
    while stack and len(seen) < _MOST_STEPS:
        found = stack.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, Node):
            stack.extend(found.parents)
        elif isinstance(found, Tensor):
            leaves.append(found)
    return leaves
