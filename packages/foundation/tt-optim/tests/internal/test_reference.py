"""How this implementation lays out its states, what it says of those that do not fit, how one writes an optimizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tt_optim import SGD, Adam, Optimizer, ParamGroup, Schedule
from tt_tensor import Tensor

Array = npt.NDArray[Any]
Leaf = Callable[..., Tensor]


def test_state_of_what_never_moved_is_not_there(leaf: Leaf) -> None:
    frozen, moved = leaf(1.0), leaf(2.0)
    frozen.requires_grad = False
    optimizer = Adam([frozen, moved])
    optimizer.step()
    state = optimizer.state_dict()
    assert list(state["state"]) == ["1"]  # type: ignore[call-overload]  # the tree is typed as object
    other = [leaf(1.0), leaf(2.0)]
    resumed = Adam(other)
    resumed.load_state_dict(state)
    resumed.step()
    assert other[0].item() == pytest.approx(1.0 - 1e-3)


def spoil(state: dict[str, Any], how: str) -> dict[str, Any]:
    if how == "keys":
        return {"weights": []}
    if how == "groups":
        return {**state, "param_groups": state["param_groups"] * 2}
    if how == "count":
        return {**state, "param_groups": [{**state["param_groups"][0], "params": [0]}]}
    if how == "no group":
        return {**state, "param_groups": [3]}
    if how == "settings":
        return {**state, "param_groups": [{"params": [0, 1], "names": ["a", "b"], "lr": 0.1}]}
    if how == "eps":
        return {**state, "param_groups": [{**state["param_groups"][0], "eps": 0.0}]}
    entries = dict(state["state"])
    if how == "unknown":
        entries["7"] = entries["0"]
    elif how == "step":
        entries["1"] = {**entries["1"], "step": -1}
    else:
        entries["1"] = {key: value if key == "step" else np.zeros((2, 2)) for key, value in entries["1"].items()}
    return {**state, "state": entries}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("keys", "needs 'param_groups' and 'state'"),
        ("groups", "2 parameter groups, the optimizer 1"),
        ("count", "group 0 has 1 parameters, the optimizer's has 2"),
        ("no group", "group 0 is no dict"),
        ("settings", "has the settings lr instead of"),
        ("eps", "eps keeps"),
        ("unknown", "no parameter '7'"),
        ("step", "has seen -1 steps"),
        ("shape", r"of parameter 1 is float64 \(2, 2\)"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(how: str, message: str, leaf: Leaf) -> None:
    weights = [leaf(1.0), leaf(2.0)]
    optimizer = Adam(weights, lr=0.5)
    optimizer.step()
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(spoil(before, how))
    after = optimizer.state_dict()
    np.testing.assert_equal(after, before)


def test_betas_may_come_back_as_a_list(leaf: Leaf) -> None:
    optimizer = Adam([leaf(1.0)], betas=(0.5, 0.75))
    state = optimizer.state_dict()
    state["param_groups"][0]["betas"] = [0.5, 0.75]  # type: ignore[index]  # the tree is typed as object
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["betas"] == (0.5, 0.75)


def test_states_may_come_back_as_tensors(leaf: Leaf) -> None:
    weight = leaf(1.0)
    optimizer = SGD([weight], lr=1.0, momentum=0.5)
    optimizer.step()
    state = optimizer.state_dict()
    entry = state["state"]["0"]  # type: ignore[index]  # the tree is typed as object
    for key, value in entry.items():
        if isinstance(value, np.ndarray):
            entry[key] = Tensor(value)
    optimizer.load_state_dict(state)
    optimizer.step()
    assert weight.item() == 1.0 - 1.0 - 1.5


def test_an_optimizer_of_ones_own_needs_two_methods(leaf: Leaf) -> None:
    class Signs(Optimizer):
        def state_names(self, group: ParamGroup) -> tuple[str, ...]:
            return ()

        def update(
            self, gradient: Array, states: Mapping[str, Array], out: Array, step: int, group: ParamGroup
        ) -> None:
            np.multiply(np.sign(gradient), group["lr"], out=out)

    weight = leaf(1.0, 2.0)
    Signs([weight], {"lr": 0.5}).step()
    assert weight.tolist() == [0.5, 1.5]
    with pytest.raises(NotImplementedError, match="write state_names"):
        Optimizer([weight], {"lr": 0.5}).step()

    class Half(Optimizer):
        def state_names(self, group: ParamGroup) -> tuple[str, ...]:
            return ()

    with pytest.raises(NotImplementedError, match="write update"):
        Half([weight], {"lr": 0.5}).step()


def test_shows_its_settings(leaf: Leaf) -> None:
    text = repr(Adam([leaf(1.0)], lr=0.25))
    assert "Adam" in text
    assert "lr=0.25" in text


def test_a_schedule_of_ones_own_needs_one_method(leaf: Leaf) -> None:
    class Halves(Schedule):
        def value(self, base: float, step: int) -> float:
            return float(base / 2**step)

    target = SGD([leaf(1.0)], lr=8.0)
    schedule = Halves(target)
    schedule.step()
    schedule.step()
    assert target.param_groups[0]["lr"] == 2.0
    with pytest.raises(NotImplementedError, match="write value"):
        Schedule(target)
