"""What all optimizers share: in-place steps, groups, refusals, saving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tt_autograd import no_grad
from tt_layers import Linear, Parameter, Sequential
from tt_optim import SGD, Adam, AdamW, Optimizer, RMSprop
from tt_tensor import Tensor, from_numpy

Array = npt.NDArray[Any]
Make = Callable[..., Optimizer]
ALL: dict[str, Make] = {
    "SGD": lambda p, **s: SGD(p, **{"momentum": 0.9, **s}),
    "RMSprop": lambda p, **s: RMSprop(p, **{"momentum": 0.5, **s}),
    "Adam": lambda p, **s: Adam(p, **s),
    "AdamW": lambda p, **s: AdamW(p, **s),
}
each = pytest.mark.parametrize("make", ALL.values(), ids=ALL)


def leaf(*values: float) -> Tensor:
    tensor = Tensor(list(values), requires_grad=True)
    tensor.grad = Tensor([1.0] * len(values))
    return tensor


@each
def test_writes_into_the_parameters_own_memory_and_says_so(make: Make) -> None:
    weight = leaf(1.0, 2.0)
    memory, version = weight.data, weight.version
    make([weight]).step()
    assert weight.data is memory
    assert memory[0] != 1.0
    assert weight.version > version


@each
def test_leaves_the_gradient_as_it_is(make: Make) -> None:
    weights = [leaf(1.0, 2.0), leaf(3.0)]
    optimizer = make(weights, weight_decay=0.5)
    optimizer.step()
    optimizer.step()
    assert [w.grad.tolist() for w in weights if w.grad is not None] == [[1.0, 1.0], [1.0]]


@each
def test_zero_grad_forgets_all_gradients(make: Make) -> None:
    weights = [leaf(1.0), leaf(2.0)]
    make(weights).zero_grad()
    assert [w.grad for w in weights] == [None, None]


@each
def test_writes_into_memory_that_is_not_contiguous(make: Make) -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    strided, plain = from_numpy(array.T), Tensor(array.T.copy(), requires_grad=True)
    strided.requires_grad = True
    gradient = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    for weight in (strided, plain):
        weight.grad = Tensor(gradient)
        optimizer = make([weight], weight_decay=0.1)
        optimizer.step()
        optimizer.step()
    np.testing.assert_array_equal(strided.data, plain.data)
    np.testing.assert_array_equal(array.T, plain.data)


@each
def test_reads_gradients_that_are_not_contiguous(make: Make) -> None:
    gradient = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    first, second = Tensor(np.ones((4, 3)), requires_grad=True), Tensor(np.ones((4, 3)), requires_grad=True)
    first.grad, second.grad = from_numpy(gradient.T), Tensor(gradient.T.copy())
    make([first]).step()
    make([second]).step()
    np.testing.assert_array_equal(first.data, second.data)


@each
def test_parameters_of_all_types_keep_theirs_and_move_alike(make: Make) -> None:
    weights = [Tensor([1.0, -2.0], dtype=kind, requires_grad=True) for kind in (np.float16, np.float32, np.float64)]
    optimizer = make(weights, lr=0.01)
    for _ in range(3):
        for weight in weights:
            weight.grad = Tensor([0.5, 1e-3], dtype=weight.dtype)
        optimizer.step()
    assert [weight.dtype for weight in weights] == [np.float16, np.float32, np.float64]
    np.testing.assert_allclose(weights[1].data, weights[2].data, rtol=1e-6)
    np.testing.assert_allclose(weights[0].data, weights[2].data, rtol=4e-3)


@each
def test_a_frozen_parameter_stays_and_may_thaw(make: Make) -> None:
    first, second, third = leaf(1.0), leaf(2.0), leaf(3.0)
    optimizer = make([first, second, third])
    optimizer.step()
    second.requires_grad = False
    moved = first.item(), second.item(), third.item()
    optimizer.step()
    assert second.item() == moved[1]
    assert first.item() != moved[0]
    assert third.item() != moved[2]
    second.requires_grad = True
    optimizer.step()
    assert second.item() != moved[1]
    alone = leaf(2.0)  # what has been frozen for a step has simply missed it
    fresh = make([alone])
    fresh.step()
    fresh.step()
    assert alone.item() == pytest.approx(second.item(), rel=1e-6)


@each
def test_a_parameter_that_thaws_late_starts_as_if_new(make: Make) -> None:
    late, early = leaf(1.0), leaf(5.0)
    late.requires_grad = False
    optimizer = make([late, early])
    optimizer.step()
    optimizer.step()
    late.requires_grad = True
    optimizer.step()
    alone = leaf(1.0)
    make([alone]).step()
    assert late.item() == alone.item()


def test_groups_have_settings_of_their_own() -> None:
    slow, fast = leaf(0.0), leaf(0.0)
    groups: list[dict[str, object]] = [{"params": [slow], "lr": 0.1}, {"params": fast}]
    optimizer = SGD(groups, lr=1.0)
    optimizer.step()
    assert [slow.item(), fast.item()] == pytest.approx([-0.1, -1.0])
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 1.0]
    optimizer.param_groups[0]["lr"] = 0.5
    optimizer.step()
    assert slow.item() == pytest.approx(-0.6)


def test_a_group_may_be_added_later() -> None:
    first, second = leaf(0.0), leaf(0.0)
    optimizer = Adam([first], lr=0.1)
    optimizer.step()
    optimizer.add_param_group({"params": [second], "lr": 0.5})
    optimizer.step()
    assert second.item() == pytest.approx(-0.5, rel=1e-5)
    assert len(optimizer.param_groups) == 2
    with pytest.raises(ValueError, match="twice"):
        optimizer.add_param_group({"params": [first]})


def test_momentum_may_be_switched_on_later() -> None:
    weight = leaf(0.0)
    optimizer = SGD([weight], lr=1.0)
    optimizer.step()
    optimizer.param_groups[0]["momentum"] = 0.5
    optimizer.step()
    optimizer.step()
    assert weight.item() == -1.0 - 1.0 - 1.5


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
def test_refuses_settings_out_of_range(make: Make, setting: dict[str, Any]) -> None:
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
def test_refuses_settings_of_the_wrong_kind(make: Make, setting: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=min(setting)):
        make([leaf(1.0)], **setting)


def test_a_setting_spoilt_between_steps_is_found() -> None:
    weight = leaf(1.0)
    optimizer = Adam([weight])
    optimizer.step()
    before = weight.item()
    optimizer.param_groups[0]["lr"] = float("nan")
    with pytest.raises(ValueError, match="lr"):
        optimizer.step()
    assert weight.item() == before


def test_refuses_an_unknown_setting_and_a_group_without_parameters() -> None:
    with pytest.raises(TypeError, match="betas"):
        SGD([{"params": [leaf(1.0)], "betas": (0.9, 0.9)}])
    with pytest.raises(ValueError, match="params"):
        SGD([{"lr": 0.1}])


@each
def test_refuses_to_have_nothing_to_do(make: Make) -> None:
    with pytest.raises(ValueError, match="no parameters"):
        make([])
    model = Linear(2, 2)
    generator = model.parameters()
    make(generator)
    with pytest.raises(ValueError, match="no parameters"):
        make(generator)


def test_refuses_a_parameter_twice_and_names_it() -> None:
    shared = leaf(1.0, 2.0)
    with pytest.raises(ValueError, match="twice"):
        SGD([shared, shared])
    with pytest.raises(ValueError, match=r"decoder.*twice"):
        SGD([("encoder", shared), ("decoder", shared)])
    with pytest.raises(ValueError, match="twice"):
        SGD([{"params": [shared]}, {"params": [shared]}])


def test_refuses_what_cannot_be_trained() -> None:
    with pytest.raises(TypeError, match="tensor"):
        SGD([np.zeros(2)])  # type: ignore[arg-type]  # that is the point
    with pytest.raises(TypeError, match="int64"):
        SGD([Tensor([1, 2])])
    with pytest.raises(TypeError, match="tensors"):
        SGD([{"params": 3}])
    with pytest.raises(ValueError, match="leaf"):
        SGD([leaf(1.0) * 2.0])


def test_one_tensor_may_stand_alone() -> None:
    weight = leaf(1.0)
    SGD(weight, lr=1.0).step()
    assert weight.item() == 0.0


@each
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


def test_a_parameter_without_a_name_is_told_by_its_number_and_shape() -> None:
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


@each
def test_all_frozen_is_no_error(make: Make) -> None:
    weight = Tensor([1.0])
    make([weight]).step()
    assert weight.item() == 1.0


def walk(optimizer: Optimizer, weights: list[Tensor], steps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        for weight in weights:
            weight.grad = Tensor(rng.standard_normal(weight.shape))
        optimizer.step()


def plain(node: object) -> bool:
    if isinstance(node, Mapping):
        return all(isinstance(key, str) and plain(value) for key, value in node.items())
    if isinstance(node, (list, tuple)):
        return all(plain(value) for value in node)
    return isinstance(node, (np.ndarray, int, float, str, bool))


@each
def test_resumes_bit_for_bit(make: Make) -> None:
    start = [np.random.default_rng(1).standard_normal(shape) for shape in [(3, 2), (4,), ()]]
    weights = [Tensor(array, requires_grad=True) for array in start]
    optimizer = make(weights, lr=0.02)
    walk(optimizer, weights, 5, seed=2)
    state, copies = optimizer.state_dict(), [Tensor(weight.data, requires_grad=True) for weight in weights]
    walk(optimizer, weights, 4, seed=3)
    resumed = make(copies, lr=0.9)
    resumed.load_state_dict(state)
    walk(resumed, copies, 4, seed=3)
    for weight, copy in zip(weights, copies, strict=True):
        np.testing.assert_array_equal(weight.data, copy.data)
    assert resumed.param_groups[0]["lr"] == 0.02


@each
def test_state_is_plain_and_a_copy(make: Make) -> None:
    weight = leaf(1.0, 2.0)
    optimizer = make([weight])
    optimizer.step()
    state = optimizer.state_dict()
    assert plain(state)
    before = deepcopy(state)
    optimizer.step()
    np.testing.assert_equal(state, before)
    restored = make([leaf(1.0, 2.0)])
    restored.load_state_dict(state)
    restored.step()
    np.testing.assert_equal(state, before)


@pytest.mark.parametrize("other", [
    lambda: [{"params": [leaf(1.0)]}, {"params": [leaf(2.0)]}],
    lambda: [leaf(1.0), leaf(2.0), leaf(3.0)],
    lambda: [leaf(1.0, 2.0), leaf(3.0, 4.0)],
], ids=["groups", "number", "shapes"])  # fmt: skip
def test_a_state_of_another_model_is_refused_and_changes_nothing(other: Callable[[], Any]) -> None:
    foreign = Adam(other(), lr=0.25)
    foreign.step()
    optimizer = Adam([leaf(1.0), leaf(2.0)], lr=0.5)
    optimizer.step()
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=r"."):
        optimizer.load_state_dict(foreign.state_dict())
    np.testing.assert_equal(optimizer.state_dict(), before)


def test_trains_a_model() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((64, 3)), rng.standard_normal((3, 1))
    target = Tensor(x @ weight)
    layer = Linear(3, 1, rng=rng)
    optimizer = Adam(layer.named_parameters(), lr=0.1)
    for _ in range(200):
        error = layer(Tensor(x)) - target
        optimizer.zero_grad()
        (error * error).mean().backward()
        optimizer.step()
    with no_grad():
        np.testing.assert_allclose(layer.weight.data, weight, atol=1e-2)


def test_frozen_layers_of_a_model_are_passed_over() -> None:
    model = Sequential(Linear(2, 2).requires_grad_(False), Linear(2, 1))
    optimizer = SGD(model.parameters(), lr=0.1)
    model(Tensor([[1.0, 2.0]])).sum().backward()
    optimizer.step()
    assert isinstance(next(model.parameters()), Parameter)
