"""Checking an optimizer's saved state before anything of it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeAlias

import numpy as np
from tt_tensor import Array, Tensor

from tt_optim._settings import ParamGroup, check_settings

States: TypeAlias = "dict[int, tuple[int, dict[str, Array]]]"


def _refuse(kind: str, problem: str) -> NoReturn:
    raise ValueError(f"this state does not fit the {kind}, and nothing was loaded: {problem}.")


def check_saved(
    state: Mapping[str, object], groups: Sequence[ParamGroup], kind: str
) -> tuple[list[dict[str, object]], States]:
    """Return the settings of each group and the states of each parameter, or say what does not fit.

    Args:
        state: What `Optimizer.state_dict` returned.
        groups: The groups that it is to be loaded into.
        kind: The optimizer's name, for messages.

    Raises:
        ValueError: If the numbers of groups or parameters, the settings or the shapes are not these groups'.
    """
    saved_groups, saved_state = state.get("param_groups"), state.get("state")
    if not isinstance(saved_groups, Sequence) or not isinstance(saved_state, Mapping):
        _refuse(kind, f"it needs 'param_groups' and 'state', but has {sorted(state)}")
    if len(saved_groups) != len(groups):
        _refuse(kind, f"it has {len(saved_groups)} parameter groups, the optimizer {len(groups)}")
    settings = []
    for number, (saved, group) in enumerate(zip(saved_groups, groups, strict=True)):
        settings.append(_check_group(saved, group, number, kind))
    parameters = [parameter for group in groups for parameter in group["params"]]
    states: States = {}
    for key, entry in saved_state.items():
        if not str(key).isdecimal() or int(key) >= len(parameters) or not isinstance(entry, Mapping):
            _refuse(kind, f"there is no parameter {key!r}")
        states[int(key)] = _check_entry(entry, parameters[int(key)], int(key), kind)
    return settings, states


def _check_group(saved: object, group: ParamGroup, number: int, kind: str) -> dict[str, object]:
    if not isinstance(saved, Mapping):
        _refuse(kind, f"group {number} is no dict")
    params = saved.get("params")
    count = len(params) if isinstance(params, Sequence) else 0
    if count != len(group["params"]):
        _refuse(kind, f"group {number} has {count} parameters, the optimizer's has {len(group['params'])}")
    expected = sorted(key for key in group if key not in ("params", "names"))
    found = {key: value for key, value in saved.items() if key not in ("params", "names")}
    if sorted(found) != expected:
        _refuse(kind, f"group {number} has the settings {', '.join(sorted(found))} instead of {', '.join(expected)}")
    if isinstance(found.get("betas"), list):  # formats without tuples make a list of one
        found["betas"] = tuple(found["betas"])
    check_settings(found)
    return found


def _check_entry(
    entry: Mapping[str, object], parameter: Tensor, number: int, kind: str
) -> tuple[int, dict[str, Array]]:
    step = entry.get("step")
    if isinstance(step, bool) or not isinstance(step, (int, np.integer)) or step < 0:
        _refuse(kind, f"parameter {number} has seen {step!r} steps")
    arrays = {}
    for name, value in entry.items():
        if name == "step":
            continue
        array = value.data if isinstance(value, Tensor) else np.asarray(value)
        if array.shape != parameter.shape or not np.issubdtype(array.dtype, np.floating):
            _refuse(
                kind, f"{name} of parameter {number} is {array.dtype} {array.shape}, the parameter {parameter.shape}"
            )
        arrays[name] = array
    return int(step), arrays
