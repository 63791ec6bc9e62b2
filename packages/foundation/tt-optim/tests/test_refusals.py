"""What optimizers refuse, and what they say: settings, parameters, steps without gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tt_layers import Linear, Sequential
from tt_optim import SGD, Adam, AdamW, Optimizer, RMSprop
from tt_tensor import Tensor

Make = Callable[..., Optimizer]
Leaf = Callable[..., Tensor]


@pytest.mark.parametrize(
    ("make", "setting"),
    [
        (SGD, {"lr": -0.1}),
        (SGD, {"lr": float("nan")}),
        (Adam, {"lr": float("inf")}),
        (SGD, {"momentum": 1.0}),
        (SGD, {"momentum": -0.1}),
        (SGD, {"dampening": -1.0}),
        (SGD, {"weight_decay": -1.0}),
        (SGD, {"nesterov": True}),
        (SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
        (RMSprop, {"alpha": 1.0}),
        (RMSprop, {"eps": 0.0}),
        (Adam, {"eps": 0.0}),
        (Adam, {"eps": -1e-8}),
        (Adam, {"eps": 1e-50}),
        (Adam, {"betas": (0.9, 1.0)}),
        (AdamW, {"betas": (-0.1, 0.9)}),
        (AdamW, {"weight_decay": float("nan")}),
    ],
)
def test_refuses_settings_out_of_range(make: Make, setting: dict[str, Any], leaf: Leaf) -> None:
    with pytest.raises(ValueError, match=min(setting)):
        make([leaf(1.0)], **setting)
    with pytest.raises(ValueError, match=min(setting)):
        make([{"params": [leaf(1.0)], **setting}])


@pytest.mark.parametrize(
    ("make", "setting"),
    [
        (SGD, {"lr": "fast"}),
        (SGD, {"nesterov": 1}),
        (Adam, {"betas": 0.9}),
        (Adam, {"betas": (0.9,)}),
    ],
)
def test_refuses_settings_of_the_wrong_kind(make: Make, setting: dict[str, Any], leaf: Leaf) -> None:
    with pytest.raises(TypeError, match=min(setting)):
        make([leaf(1.0)], **setting)


def test_a_setting_spoilt_between_steps_is_found(leaf: Leaf) -> None:
    weight = leaf(1.0)
    optimizer = Adam([weight])
    optimizer.step()
    before = weight.item()
    optimizer.param_groups[0]["lr"] = float("nan")
    with pytest.raises(ValueError, match="lr"):
        optimizer.step()
    assert weight.item() == before


def test_a_setting_spoilt_in_one_group_stops_all(leaf: Leaf) -> None:
    first, second = leaf(1.0), leaf(2.0)
    optimizer = SGD([{"params": [first]}, {"params": [second]}], lr=0.1)
    optimizer.param_groups[1]["lr"] = -1.0
    with pytest.raises(ValueError, match="lr"):
        optimizer.step()
    assert [first.item(), second.item()] == [1.0, 2.0]


def test_takes_numpy_numbers_as_pythons(leaf: Leaf) -> None:
    # As they are, float64 ones would lift the arithmetic on float32 parameters to float64.
    settings: dict[str, Any] = {"lr": np.float32(0.5), "betas": (np.float64(0.5), 0.9), "eps": np.float64(1e-6)}
    optimizer = Adam([leaf(1.0)], **settings)
    group = optimizer.param_groups[0]
    assert [type(n) for n in (group["lr"], *group["betas"], group["eps"])] == [float] * 4
    group["lr"] = np.float32(0.25)  # type: ignore[typeddict-item]  # as somebody's schedule may
    optimizer.step()
    assert optimizer.param_groups[0]["params"][0].item() == pytest.approx(0.75, rel=1e-5)


def test_refuses_an_unknown_setting_and_a_group_without_parameters(leaf: Leaf) -> None:
    with pytest.raises(TypeError, match="betas"):
        SGD([{"params": [leaf(1.0)], "betas": (0.9, 0.9)}])
    with pytest.raises(ValueError, match="params"):
        SGD([{"lr": 0.1}])


def test_refuses_to_have_nothing_to_do(make: Make) -> None:
    with pytest.raises(ValueError, match="no parameters"):
        make([])
    model = Linear(2, 2)
    generator = model.parameters()
    make(generator)
    with pytest.raises(ValueError, match="no parameters"):
        make(generator)


def test_refuses_a_parameter_twice_and_names_it(leaf: Leaf) -> None:
    shared = leaf(1.0, 2.0)
    with pytest.raises(ValueError, match="twice"):
        SGD([shared, shared])
    with pytest.raises(ValueError, match=r"decoder.*twice"):
        SGD([("encoder", shared), ("decoder", shared)])
    with pytest.raises(ValueError, match="twice"):
        SGD([{"params": [shared]}, {"params": [shared]}])


def test_refuses_what_cannot_be_trained(leaf: Leaf) -> None:
    with pytest.raises(TypeError, match="tensor"):
        SGD([np.zeros(2)])  # type: ignore[arg-type]  # that is the point
    with pytest.raises(TypeError, match="int64"):
        SGD([Tensor([1, 2])])
    with pytest.raises(TypeError, match="tensors"):
        SGD([{"params": 3}])
    with pytest.raises(TypeError, match=r"received Linear\(.*model\.parameters\(\)"):
        SGD(Linear(2, 1))  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ValueError, match="leaf"):
        SGD([leaf(1.0) * 2.0])


def test_a_parameter_without_a_gradient_is_named_and_nothing_moves(make: Make) -> None:
    model = Sequential(Linear(2, 3), Linear(3, 1))
    optimizer = make(model.named_parameters())
    model(Tensor([[1.0, 2.0]])).sum().backward()
    layer = model[1]
    assert isinstance(layer, Linear)
    layer.weight.grad = None
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"1\.weight.*\(3, 1\)") as caught:
        optimizer.step()
    assert "0.weight" not in str(caught.value)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("lost", "last"), [(8, "  parameter 'number 7' with shape (1,):"), (9, "  and 1 more"), (20, "  and 12 more")]
)
def test_of_many_parameters_without_a_gradient_eight_are_named(lost: int, last: str, leaf: Leaf) -> None:
    used = leaf(1.0)
    unused = [(f"number {n}", Tensor([1.0], requires_grad=True)) for n in range(lost)]
    with pytest.raises(ValueError, match="nothing was moved") as caught:
        SGD([("used", used), *unused]).step()
    _start, *shown, _advice = str(caught.value).split("\n")
    assert shown[-1].startswith(last)
    assert len(shown) == min(lost, 9)


def test_a_parameter_without_a_name_is_told_by_its_number_and_shape(leaf: Leaf) -> None:
    with pytest.raises(ValueError, match=r"parameter 1 with shape \(4, 2\)"):
        SGD([leaf(1.0), Tensor(np.zeros((4, 2)), requires_grad=True)]).step()


def test_the_operation_that_cut_a_parameter_off_is_named() -> None:
    used, cut = Tensor([1.0], requires_grad=True), Tensor([2.0], requires_grad=True)
    optimizer = SGD([("used", used), ("cut", cut)])
    (used * (cut * 3.0).detach()).sum().backward()
    with pytest.raises(ValueError, match=r"cut.*\(1,\).*detach"):
        optimizer.step()


def test_forgetting_backward_is_told_as_such() -> None:
    weights = [Tensor([float(i)], requires_grad=True) for i in range(12)]
    with pytest.raises(ValueError, match=r"backward\(\)"):
        SGD(weights).step()
