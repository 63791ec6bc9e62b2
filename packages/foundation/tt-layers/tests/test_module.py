"""Module: what it finds, under which names, and what it saves and loads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_layers import Buffer, Dropout, Identity, Linear, Module, Parameter, Sequential, observe_calls
from tt_tensor import Tensor


class Block(Module):
    def __init__(self) -> None:
        self.scale = Parameter([1.0, 2.0])
        self.mean = Buffer([0.0])
        self.mask = Buffer([1.0, 1.0], persistent=False)
        self.size = 2

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


class Nest(Module):
    def __init__(self) -> None:
        self.block = Block()
        self.many = [Block(), (Identity(), Parameter([3.0]))]
        self.table = {"left": Linear(2, 2), "right": [Parameter([4.0])]}
        self.note = "no tensor"

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


class Tied(Module):
    def __init__(self) -> None:
        self.first = Linear(2, 2)
        self.second = Linear(2, 2)
        self.second.weight = self.first.weight
        self.again = self.first

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x))


def test_finds_parameters_through_attributes_lists_tuples_and_dicts() -> None:
    assert [name for name, _ in Nest().named_parameters()] == [
        "block.scale",
        "many.0.scale",
        "many.1.1",
        "table.left.weight",
        "table.left.bias",
        "table.right.0",
    ]
    model = Nest()
    assert [id(p) for p in model.parameters()] == [id(p) for _, p in model.named_parameters()]


def test_finds_what_members_puts_into_lists_on_the_fly() -> None:
    class Short(Module):
        def __init__(self) -> None:
            self.first, self.second, self.third, self.fourth = (Parameter([float(n)]) for n in range(4))

        def members(self) -> Iterator[tuple[str, object]]:
            for number, parameter in enumerate(vars(self).values()):
                yield f"p{number}", [parameter]  # each list is gone, and its id free for the next, once it was walked

    assert [name for name, _ in Short().named_parameters()] == ["p0.0", "p1.0", "p2.0", "p3.0"]


def test_finds_buffers_apart_from_parameters() -> None:
    model = Nest()
    assert [name for name, _ in model.named_buffers()] == ["block.mean", "block.mask", "many.0.mean", "many.0.mask"]
    assert [id(b) for b in model.buffers()] == [id(b) for _, b in model.named_buffers()]
    assert not any(buffer.requires_grad for buffer in model.buffers())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_finds_modules_and_children() -> None:
    model = Nest()
    assert [name for name, _ in model.named_modules()] == ["", "block", "many.0", "many.1.0", "table.left"]
    assert next(model.modules()) is model
    assert [name for name, _ in model.named_children()] == ["block", "many.0", "many.1.0", "table.left"]
    outer = Sequential(Sequential(Identity()), Identity())
    assert [name for name, _ in outer.named_children()] == ["0", "1"]
    assert list(outer.children()) == [outer[0], outer[1]]


def test_what_is_shared_counts_once() -> None:
    model = Tied()
    assert [name for name, _ in model.named_parameters()] == ["first.weight", "first.bias", "second.bias"]
    assert [name for name, _ in model.named_modules()] == ["", "first", "second"]
    assert model.num_parameters() == 4 + 2 + 2
    assert list(model.state_dict()) == ["first.weight", "first.bias", "second.bias"]


def test_circles_end() -> None:
    model = Block()
    model.__dict__["self_again"] = [model, {"deep": model}]
    assert [name for name, _ in model.named_parameters()] == ["scale"]


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        st.just("p"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
        max_leaves=8,
    )
)
def test_every_parameter_of_any_nest_is_found_once(shape: Any) -> None:
    made: list[Parameter] = []

    def build(node: Any) -> Any:
        if isinstance(node, list):
            return [build(item) for item in node]
        if isinstance(node, dict):
            return {key: build(item) for key, item in node.items()}
        made.append(Parameter([float(len(made))]))
        return made[-1]

    model = Identity()
    model.__dict__["parts"] = build(shape)
    assert [id(p) for p in model.parameters()] == [id(p) for p in made]
    assert len({name for name, _ in model.named_parameters()}) == len(made)


def test_state_is_a_copy_of_parameters_and_persistent_buffers() -> None:
    model = Block()
    state = model.state_dict()
    assert {name: array.tolist() for name, array in state.items()} == {"scale": [1.0, 2.0], "mean": [0.0]}
    assert all(isinstance(array, np.ndarray) for array in state.values())
    state["scale"][0] = 99.0
    assert model.scale.tolist() == [1.0, 2.0]


def test_loading_writes_into_the_same_memory_and_says_so() -> None:
    model = Block()
    memory, version = model.scale.data, model.scale.version
    report = model.load_state_dict({"scale": Tensor([5.0, 6.0]), "mean": np.array([7.0])})
    assert model.scale.data is memory
    assert model.scale.tolist() == [5.0, 6.0]
    assert model.mean.tolist() == [7.0]
    assert model.scale.dtype == model.mean.dtype == np.float32
    assert model.scale.version > version
    assert report == ([], [])


def test_a_model_takes_over_the_state_of_its_like() -> None:
    first, second = Nest(), Nest()
    for parameter in first.parameters():
        parameter.data[...] += 1.0
    second.load_state_dict(first.state_dict())
    for name, array in second.state_dict().items():
        np.testing.assert_array_equal(array, first.state_dict()[name])


def test_a_state_that_does_not_fit_says_all_that_is_wrong_and_changes_nothing() -> None:
    model = Nest()
    before = model.state_dict()
    state: dict[str, Any] = {name: array + 1 for name, array in before.items()}
    del state["block.scale"], state["many.1.1"]
    state["extra"] = state["more"] = np.zeros(1)
    state["table.left.weight"] = np.zeros((3, 2))
    state["table.left.bias"] = np.zeros(2, complex)
    with pytest.raises(ValueError, match="nothing was loaded") as caught:
        model.load_state_dict(state)
    message = str(caught.value)
    assert "missing from the state: block.scale, many.1.1" in message
    assert "unexpected in the state: extra, more" in message
    assert "shape of table.left.weight: the module has (2, 2), the state (3, 2)" in message
    assert "type of table.left.bias: the module has float32, the state complex128" in message
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_strict_false_passes_over_names_but_not_over_shapes() -> None:
    model = Block()
    report = model.load_state_dict({"scale": np.array([8.0, 9.0]), "other": np.zeros(1)}, strict=False)
    assert report.missing == ["mean"]
    assert report.unexpected == ["other"]
    assert model.scale.tolist() == [8.0, 9.0]
    with pytest.raises(ValueError, match="shape of scale"):
        model.load_state_dict({"scale": np.zeros(3), "mean": np.zeros(1)}, strict=False)


def test_views_of_the_parameters_themselves_may_be_loaded() -> None:
    model = Sequential(Identity())
    model.__dict__["parts"] = [Parameter([1.0, 2.0]), Parameter([3.0, 4.0])]
    first, second = model.parameters()
    model.load_state_dict({"parts.0": second.data, "parts.1": first.data[::-1]})
    assert (first.tolist(), second.tolist()) == ([3.0, 4.0], [2.0, 1.0])


def test_two_names_that_read_alike_are_refused() -> None:
    model = Identity()
    model.__dict__["table"] = {1: Parameter([1.0]), "1": Parameter([2.0])}
    with pytest.raises(ValueError, match=r"have the name 'table\.1'"):
        model.state_dict()


def test_train_and_eval_reach_every_module() -> None:
    model = Nest()
    assert all(module.training for module in model.modules())
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert model.train() is model
    assert all(module.training for module in model.modules())
    assert Dropout().training


def test_gradients_are_forgotten_and_parameters_frozen() -> None:
    model = Nest()
    for parameter in model.parameters():
        parameter.grad = Tensor(np.ones(parameter.shape))
    model.zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert model.requires_grad_(False) is model
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert (model.num_parameters(), model.num_parameters(trainable_only=True)) == (12, 0)
    model.block.requires_grad_()
    assert model.num_parameters(trainable_only=True) == 2


def test_apply_goes_to_the_parts_first() -> None:
    model = Sequential(Identity(), Sequential(Linear(2, 2)))
    seen: list[Module] = []
    assert model.apply(seen.append) is model
    assert len(seen) == 4
    assert seen[-1] is model
    assert seen.index(model[1]) > seen.index(model[1][0])  # type: ignore[arg-type,index]  # they are modules here


def test_observers_see_every_call_inside_the_block_only() -> None:
    model = Sequential(Linear(2, 3), lambda x: x * 2.0, Identity())
    seen: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = []

    def note(module: Module, inputs: tuple[object, ...], output: Tensor) -> None:
        assert isinstance(inputs[0], Tensor)
        seen.append((type(module).__name__, inputs[0].shape, output.shape))

    x = Tensor([[1.0, 2.0]])
    with observe_calls(note):
        model(x)
    model(x)
    assert seen == [("Linear", (1, 2), (1, 3)), ("Identity", (1, 3), (1, 3)), ("Sequential", (1, 2), (1, 3))]
    with pytest.raises(RuntimeError), observe_calls(note):
        raise RuntimeError
    seen.clear()
    model(x)
    assert seen == []


def test_a_module_without_forward_says_what_to_write() -> None:
    class Empty(Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty has no forward\(\)"):
        Empty()(Tensor([1.0]))


def test_settings_reach_forward_by_name() -> None:
    class Shift(Module):
        def forward(self, x: Tensor, *, by: float = 0.0) -> Tensor:
            return x + by

    assert Shift()(Tensor([1.0]), by=2.0).tolist() == [3.0]


def test_a_parameter_is_a_copy_and_may_start_frozen() -> None:
    array = np.zeros(2, np.float32)
    parameter, frozen = Parameter(array), Parameter(array, requires_grad=False)
    array[0] = 1.0
    assert parameter.tolist() == [0.0, 0.0]
    assert isinstance(parameter, Tensor)
    assert not frozen.requires_grad
    assert Parameter(array, dtype=np.float64).dtype == np.float64


def test_shows_its_parts() -> None:
    text = repr(Nest())
    assert "(table.left): Linear(in_features=2, out_features=2, bias=True)" in text
    assert repr(Identity()) == "Identity()"


def test_a_plain_tensor_does_not_take_a_buffers_place() -> None:
    block = Block()
    with pytest.raises(TypeError, match=r"Block\.mean is a Buffer.*not be saved.*mean\.assign_"):
        block.mean = block.mean * 0.5  # type: ignore[assignment]  # the types would say so, too
    block.mean = Buffer([0.5])
    block.note = Tensor([1.0])  # type: ignore[attr-defined]  # a new name is free
    assert block.state_dict()["mean"].tolist() == [0.5]
