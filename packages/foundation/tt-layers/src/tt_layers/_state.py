"""Checking a state before anything of it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from tt_tensor import Array, Tensor


class LoadReport(NamedTuple):
    """What `load_state_dict(strict=False)` passed over.

    Attributes:
        missing: Names the module has and the state has not.
        unexpected: Names the state has and the module has not.
    """

    missing: list[str]
    unexpected: list[str]


def check_state(
    owned: Mapping[str, Tensor], state: Mapping[str, Tensor | Array], strict: bool
) -> tuple[dict[str, Array], LoadReport]:
    """Return the arrays to write, cast to the types of the module's own, or say everything that is wrong at once.

    Nothing is written here, so an error leaves the module as it was.

    Args:
        owned: The module's tensors by name.
        state: The tensors to load by name.
        strict: Whether names that only one side has are errors.

    Raises:
        ValueError: If a shape or a kind of number does not fit, or, when strict, names are missing or unexpected.
    """
    missing = [name for name in owned if name not in state]
    unexpected = [name for name in state if name not in owned]
    problems = []
    if strict and missing:
        problems.append(f"missing from the state: {', '.join(missing)}")
    if strict and unexpected:
        problems.append(f"unexpected in the state: {', '.join(unexpected)}")
    values = {}
    for name, tensor in owned.items():
        if name not in state:
            continue
        given = state[name]
        value = given.data if isinstance(given, Tensor) else np.asarray(given)
        if value.shape != tensor.shape:
            problems.append(f"shape of {name}: the module has {tensor.shape}, the state {value.shape}")
        elif not np.can_cast(value.dtype, tensor.dtype, casting="same_kind"):
            problems.append(f"type of {name}: the module has {tensor.dtype}, the state {value.dtype}")
        else:
            values[name] = value.astype(tensor.dtype)  # a copy: the state may be views of the tensors written to
    if problems:
        raise ValueError(
            "this state does not fit the module, and nothing was loaded:\n  "
            + "\n  ".join(problems)
            + "\nBuild the module as it was when the state was saved"
            + ("; strict=False passes over names that only one side has." if missing or unexpected else ".")
        )
    return values, LoadReport(missing, unexpected)
