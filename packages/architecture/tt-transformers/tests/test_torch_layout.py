"""PyTorch's names and axes: what `to_torch_layout` writes, `from_torch_layout` reads, and nothing else."""

from __future__ import annotations

import builtins
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tt_attention import MultiHeadAttention
from tt_embeddings import Embedding
from tt_layers import Buffer, Linear, Module, Parameter, Sequential
from tt_tensor import Tensor
from tt_transformers import (
    GPT,
    Llama,
    from_torch_layout,
    load_torch_layout,
    save_torch_layout,
    to_torch_layout,
)

Array = npt.NDArray[Any]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def gpt(seed: int = 0, **settings: Any) -> GPT:
    model = GPT(11, 8, 2, 2, 6, **settings, rng=rng(seed))
    for parameter in model.parameters():
        parameter.data[...] += rng(seed + 1).standard_normal(parameter.shape)
    return model


def llama(seed: int = 0, **settings: Any) -> Llama:
    return Llama(11, 8, 2, 4, 6, num_kv_heads=2, **settings, rng=rng(seed))


class Images(Module):
    """Stand-ins for what module 9 makes, of which this package knows nothing."""

    def __init__(self) -> None:
        self.convolution = Module()
        self.convolution.weight = Parameter(rng().standard_normal((4, 3, 2, 2)))  # type: ignore[attr-defined]
        self.norm = Module()
        self.norm.weight = Parameter(np.ones(4))  # type: ignore[attr-defined]
        self.norm.running_mean = Buffer(np.arange(4.0))  # type: ignore[attr-defined]
        self.norm.running_var = Buffer(np.ones(4))  # type: ignore[attr-defined]
        self.head = Linear(4, 2)


def test_names_and_axes_of_a_gpt() -> None:
    model = gpt()
    state = to_torch_layout(model)
    layer = {
        "self_attn.in_proj_weight": (24, 8),
        "self_attn.in_proj_bias": (24,),
        "self_attn.out_proj.weight": (8, 8),
        "self_attn.out_proj.bias": (8,),
        "linear1.weight": (32, 8),
        "linear1.bias": (32,),
        "linear2.weight": (8, 32),
        "linear2.bias": (8,),
        "norm1.weight": (8,),
        "norm1.bias": (8,),
        "norm2.weight": (8,),
        "norm2.bias": (8,),
    }
    expected = {f"blocks.{i}.{name}": shape for i in range(2) for name, shape in layer.items()}
    expected |= {"tokens.weight": (11, 8), "positions.weight": (6, 8), "norm.weight": (8,), "norm.bias": (8,)}
    assert {name: array.shape for name, array in state.items()} == expected | {"head.weight": (11, 8)}
    np.testing.assert_array_equal(state["head.weight"], state["tokens.weight"])
    np.testing.assert_array_equal(state["blocks.1.linear1.weight"], model.blocks[1].mlp.up.weight.data.T)
    np.testing.assert_array_equal(
        state["blocks.0.self_attn.in_proj_weight"], model.blocks[0].attention.qkv.weight.data.T
    )
    assert all(array.flags.c_contiguous and array.flags.owndata for array in state.values())


def test_names_and_axes_of_a_llama() -> None:
    model = llama(tie_weights=False)
    state = to_torch_layout(model)
    assert state["blocks.0.attention.q_proj.weight"].shape == (8, 8)
    assert state["blocks.0.attention.k_proj.weight"].shape == (4, 8)
    assert state["head.weight"].shape == (11, 8)
    qkv = model.blocks[1].attention.qkv.weight.data
    np.testing.assert_array_equal(state["blocks.1.attention.v_proj.weight"], qkv[:, 12:].T)
    np.testing.assert_array_equal(state["blocks.1.mlp.gate.weight"], model.state_dict()["blocks.1.mlp.gate.weight"].T)


def test_names_and_axes_of_other_things() -> None:
    model = Images()
    state = to_torch_layout(model)
    assert state["convolution.weight"].shape == (4, 3, 2, 2)
    assert state["head.weight"].shape == (2, 4)
    assert state["norm.num_batches_tracked"].shape == ()
    assert state["norm.num_batches_tracked"].dtype == np.int64
    assert list(to_torch_layout(Embedding(5, 2))) == ["weight"]
    assert set(to_torch_layout(MultiHeadAttention(4, 2))) == {
        "in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"
    }  # fmt: skip
    assert to_torch_layout(Sequential(Linear(3, 2)))["0.weight"].shape == (2, 3)
    del state["norm.num_batches_tracked"]  # PyTorch itself does without it
    from_torch_layout(Images(), state)


@pytest.mark.parametrize(
    "make", [gpt, llama, lambda seed=0: gpt(seed, tie_weights=False), lambda seed=0: llama(seed, tie_weights=False)]
)
def test_a_state_goes_there_and_back(make: Any, tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    model, other, third = make(), make(5), make(6)
    from_torch_layout(other, to_torch_layout(model))
    save_torch_layout(tmp_path / "weights.safetensors", model)
    load_torch_layout(tmp_path / "weights.safetensors", third)
    for (name, a), b, c in zip(model.named_parameters(), other.parameters(), third.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data, err_msg=name)
        np.testing.assert_array_equal(a.data, c.data, err_msg=name)
    ids = rng().integers(0, 11, (1, 4))
    np.testing.assert_array_equal(model(ids).data, other(ids).data)


def test_what_was_written_is_a_copy() -> None:
    model = gpt()
    state = to_torch_layout(model)
    before = model.tokens.weight.data.copy()
    state["tokens.weight"][...] = 0
    np.testing.assert_array_equal(model.tokens.weight.data, before)


def test_everything_wrong_is_said_at_once_and_nothing_is_loaded() -> None:
    model = gpt()
    before = model.state_dict()
    state: dict[str, Any] = to_torch_layout(gpt(3))
    state["positions.weight"] = state["positions.weight"][:4]
    state["extra"] = np.zeros(1)
    state["norm.bias"] = np.zeros(8, np.complex64)
    state["head.weight"] = Tensor(state["head.weight"] + 1)
    del state["blocks.0.self_attn.in_proj_bias"]
    with pytest.raises(ValueError, match="GPT") as caught:
        from_torch_layout(model, state)
    said = str(caught.value)
    assert "missing from the state: blocks.0.self_attn.in_proj_bias" in said
    assert "unexpected in the state: extra" in said
    assert "shape of positions.weight: the model has (6, 8), the state (4, 8)" in said
    assert "type of norm.bias: the model has float32, the state complex64" in said
    assert "head.weight is tied to tokens.weight" in said
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("gone", ["head.weight", "tokens.weight"])
def test_a_tied_table_may_stand_under_one_of_its_names(gone: str) -> None:
    """`safetensors.torch.save_model` writes what is shared once."""
    model, state = gpt(), to_torch_layout(gpt(3))
    del state[gone]
    from_torch_layout(model, state)
    np.testing.assert_array_equal(model.tokens.weight.data, gpt(3).tokens.weight.data)
    state.pop("head.weight", None)
    state.pop("tokens.weight", None)
    with pytest.raises(ValueError, match=r"missing from the state: head.weight, tokens.weight"):
        from_torch_layout(model, state)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    (tmp_path / "weights").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="is no safetensors file"):
        load_torch_layout(tmp_path / "weights", gpt())
    with pytest.raises(OSError, match="nowhere"):
        save_torch_layout(tmp_path / "nowhere" / "weights", gpt())


def write_linear(path: Path, kind: str, weight: bytes, bias: Array) -> None:
    """Write a layer of 3 inputs and 2 outputs as safetensors, by hand: its weight is of a type that NumPy has not."""
    size = len(weight)
    entries = {
        "weight": {"dtype": kind, "shape": [2, 3], "data_offsets": [0, size]},
        "bias": {"dtype": "F32", "shape": [2], "data_offsets": [size, size + 8]},
    }
    header = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + weight + bias.tobytes())


def test_a_file_of_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    """NumPy has no such type: it is the upper half of a float32."""
    pytest.importorskip("safetensors")
    state = to_torch_layout(Linear(3, 2, rng=rng()))
    halves = (state["weight"].view(np.uint32) >> 16).astype("<u2")
    write_linear(tmp_path / "weights", "BF16", halves.tobytes(), state["bias"])
    model = Linear(3, 2)
    load_torch_layout(tmp_path / "weights", model)
    np.testing.assert_array_equal(model.weight.data, (halves.astype(np.uint32) << 16).view(np.float32).T)
    assert model.bias is not None
    np.testing.assert_array_equal(model.bias.data, state["bias"])


def test_a_file_of_a_type_that_numpy_has_not_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    write_linear(tmp_path / "weights", "F8_E4M3", bytes(6), np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="types that NumPy has not: F8_E4M3"):
        load_torch_layout(tmp_path / "weights", Linear(3, 2))


@pytest.mark.parametrize("function", [save_torch_layout, load_torch_layout])
def test_without_safetensors_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **settings: Any) -> Any:
        if name.startswith("safetensors"):
            raise ImportError(name)
        return real(name, *args, **settings)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'tt-transformers\[torch-layout\]'"):
        function("weights", gpt())
