"""Checkpoints: what goes in comes out, to the bit, and what does not fit changes nothing."""

from __future__ import annotations

import math
import pickletools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from tt_layers import Identity, Linear, Sequential
from tt_optim import Adam
from tt_tensor import Tensor, manual_seed, rng_state
from tt_train import CheckpointError, Stateful, load_checkpoint, read_checkpoint, save_checkpoint


class Box:
    """Anything with a state."""

    def __init__(self, state: Mapping[str, object] | None = None) -> None:
        self.state: Mapping[str, object] = state or {}

    def state_dict(self) -> Mapping[str, Any]:
        return self.state

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        self.state = state


class Picky(Box):
    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        if state.get("good") is not True:
            raise KeyError("good")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.safetensors"


def same(one: object, other: object) -> bool:
    """Equal in type and bits, all the way down."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return same(one.data, other.data)
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    return bool(one == other)


def test_every_kind_of_state_comes_back_as_it_was(path: Path) -> None:
    state = {
        "none": None,
        "flags": [True, False],
        "large": 2**127 + 1,
        "float": 0.1 + 0.2,
        "not finite": [math.inf, -math.inf, math.nan],
        "tuple": (1, (2.0, "three")),
        "numbered": {0: "a", (1, 2): {"b": np.float32(0.1)}},
        "$marked": {"$tensor": "not a tensor"},
        "array": np.arange(6, dtype=np.int16).reshape(2, 3),
        "strided": np.arange(6.0).reshape(2, 3).T,
        "empty": np.zeros((0, 3), dtype=np.float16),
        "zero-d": np.array(5.0),
        "tensor": Tensor([1.5, 2.5]),
        "a.b": np.array([1]),
        "a": {"b": np.array([2])},
        "__metadata__": np.array([3]),
        "unicode": "Ελληνικά",
    }
    box = Box()
    save_checkpoint(path, box=Box(state))
    load_checkpoint(path, box=box)
    assert same(dict(box.state), state)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda nested: (
        st.lists(nested, max_size=3) | st.dictionaries(st.text(max_size=4) | st.integers(), nested, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(tree=TREES)
def test_any_tree_comes_back(tree: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "tree.safetensors"
    save_checkpoint(path, extra={"tree": tree})
    assert same(load_checkpoint(path)["tree"], tree)


def test_weights_stand_under_their_names_for_any_reader(path: Path) -> None:
    model = Sequential(Linear(3, 4), Identity(), Linear(4, 2))
    save_checkpoint(path, model=model)
    read = load_file(path)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(read[f"model.{name}"], value)


def test_a_checkpoint_holds_no_pickle(path: Path) -> None:
    save_checkpoint(path, model=Linear(2, 2))
    content = path.read_bytes()
    with pytest.raises(ValueError, match=r"opcode|pickle"):
        list(pickletools.genops(content))


def test_model_and_optimizer_come_back_to_the_bit(path: Path) -> None:
    def make() -> tuple[Linear, Adam]:
        model = Linear(3, 2)
        return model, Adam(model.parameters(), lr=0.01)

    model, optimizer = make()
    for parameter in model.parameters():
        parameter.grad = Tensor(np.full(parameter.shape, 0.5, dtype=np.float32))
    optimizer.step()
    save_checkpoint(path, model=model, optimizer=optimizer)
    other, other_optimizer = make()
    load_checkpoint(path, model=other, optimizer=other_optimizer)
    assert same(dict(other.state_dict()), dict(model.state_dict()))
    for made, target in ((model, optimizer), (other, other_optimizer)):
        for parameter in made.parameters():
            parameter.grad = Tensor(np.full(parameter.shape, 0.25, dtype=np.float32))
        target.step()
    assert same(dict(other.state_dict()), dict(model.state_dict()))


def test_the_random_generator_goes_back_unless_told_not_to(path: Path) -> None:
    manual_seed(3)
    before = rng_state()
    save_checkpoint(path)
    manual_seed(4)
    load_checkpoint(path, restore_rng=False)
    assert rng_state() != before
    load_checkpoint(path)
    assert rng_state() == before


def test_extra_comes_back_and_parts_not_asked_for_are_left(path: Path) -> None:
    save_checkpoint(path, model=Linear(2, 2), box=Box({"a": 1}), extra={"step": 7})
    assert load_checkpoint(path, model=Linear(2, 2)) == {"step": 7}
    assert read_checkpoint(path).keys() == {"model", "box", "rng", "extra"}


@pytest.mark.parametrize("name", ["rng", "extra", "format"])
def test_taken_names_are_refused(name: str, path: Path) -> None:
    parts: dict[str, Any] = {name: Box()}
    with pytest.raises((ValueError, TypeError, AttributeError)):
        save_checkpoint(path, **parts)
    assert not path.exists()


def test_what_cannot_be_saved_is_named_and_nothing_is_written(path: Path) -> None:
    with pytest.raises(TypeError, match=r"box\.a\.1: a set"):
        save_checkpoint(path, box=Box({"a": [0, {1, 2}]}))
    with pytest.raises(TypeError, match="dtype object"):
        save_checkpoint(path, box=Box({"a": np.array([None])}))
    assert not path.exists()


def test_a_missing_part_is_named(path: Path) -> None:
    save_checkpoint(path, model=Linear(2, 2))
    with pytest.raises(CheckpointError, match=r"no 'optimizer'.*extra, model, rng"):
        load_checkpoint(path, optimizer=Box())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Linear(2, 3), r"'model\.bias' is float32 \(2,\) in the file, but float32 \(3,\)|model\.weight"),
        (Linear(2, 2, bias=False), r"\['bias'\] that the model lacks"),
        (Sequential(Linear(2, 2)), r"lacks \['0\.bias', '0\.weight'\]"),
        (Linear(2, 2, dtype=np.float64), "float64"),
    ],
)
def test_weights_that_do_not_fit_are_named(model: Stateful, message: str, path: Path) -> None:
    save_checkpoint(path, model=Linear(2, 2))
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path, model=model)


def test_a_load_that_fails_changes_nothing(path: Path) -> None:
    manual_seed(1)
    save_checkpoint(path, model=Linear(2, 2), box=Box({"a": np.ones(2)}), picky=Box({"good": False}))
    manual_seed(2)
    model, box, before = Linear(2, 2), Box({"a": np.zeros(2)}), rng_state()
    weights = {name: np.array(value.data) for name, value in model.named_parameters()}
    with pytest.raises(CheckpointError, match="KeyError"):
        load_checkpoint(path, model=model, box=box, picky=Picky({"good": True}))
    np.testing.assert_array_equal(np.asarray(box.state["a"]), np.zeros(2))
    assert rng_state() == before
    for name, value in model.named_parameters():
        np.testing.assert_array_equal(value.data, weights[name])


def test_a_part_whose_state_is_no_dict_is_refused(path: Path) -> None:
    save_checkpoint(path, extra={})
    text = path.read_bytes()
    assert b"{}" in text
    broken = text.replace(b'\\"extra\\":{}', b'\\"extra\\":[]')
    path.write_bytes(broken)
    with pytest.raises(CheckpointError, match="no 'extra'"):
        load_checkpoint(path)


def test_a_rng_state_that_is_none_is_refused(path: Path) -> None:
    save_checkpoint(path)
    path.write_bytes(path.read_bytes().replace(b"PCG64", b"PCG65"))
    before = rng_state()
    with pytest.raises(CheckpointError, match="does not fit"):
        load_checkpoint(path)
    assert rng_state() == before


def test_a_missing_file_is_an_os_error(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_checkpoint(path)


@pytest.mark.parametrize(("number", "wrong"), [('"inc":', '"inc":-'), ('"inc":', '"inc":' + "9" * 60)])
def test_numbers_beyond_all_bounds_are_refused(number: str, wrong: str, path: Path) -> None:
    save_checkpoint(path)
    with safe_open(path, framework="numpy") as file:
        text = file.metadata()["state"].replace(number, wrong)
    save_file({}, path, metadata={"format": "tt-train 1", "state": text})
    before = rng_state()
    with pytest.raises(CheckpointError, match="does not fit"):
        load_checkpoint(path)
    assert rng_state() == before
