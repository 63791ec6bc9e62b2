"""Weights to and from PyTorch's layout: names and axes change at the border, and nowhere else.

A `Linear` becomes a `torch.nn.Linear`, whose weight is (out, in). A plain `MultiHeadAttention` becomes a
`torch.nn.MultiheadAttention` (`in_proj_weight`, `out_proj.weight`); one with grouped queries or rotary positions, which
PyTorch has not, four `torch.nn.Linear`: `q_proj`, `k_proj`, `v_proj` and `out_proj`. A `TransformerBlock` with an `MLP`
becomes a `torch.nn.TransformerEncoderLayer(norm_first=True)`, whose parts have the names `self_attn`, `linear1`,
`linear2`, `norm1` and `norm2`. What normalises batches has PyTorch's counter `num_batches_tracked` beside its buffers.
Everything else (embeddings, norms, convolutions) has PyTorch's axes and names already.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tt_attention import MultiHeadAttention
from tt_layers import Buffer, Linear, Module
from tt_tensor import Array, Tensor

from tt_transformers._blocks import MLP, TransformerBlock
from tt_transformers._generate import LanguageModel

BLOCK_NAMES = {
    "attention": "self_attn",
    "attention_norm": "norm1",
    "mlp_norm": "norm2",
    "mlp.up": "linear1",
    "mlp.down": "linear2",
}
NUMPY_KINDS = {"BOOL", "I8", "U8", "I16", "U16", "F16", "I32", "U32", "F32", "I64", "U64", "F64"}  # in safetensors
COUNTER = "num_batches_tracked"


class Entry(NamedTuple):
    """One array of the PyTorch model: which rows of which of our tensors it is.

    Attributes:
        name: PyTorch's name.
        own: Our name in `state_dict`.
        turned: Whether the axes of a matrix are exchanged.
        columns: Which entries of our last axis it holds; None all.
    """

    name: str
    own: str
    turned: bool = False
    columns: tuple[int, int] | None = None


def entries(model: Module) -> list[Entry]:
    """Return the arrays of the equivalent PyTorch model, in the order of our `state_dict`."""
    modules = dict(model.named_modules())
    found: list[Entry] = []
    for own in model.state_dict():
        owner, _, leaf = own.rpartition(".")
        above, _, last = owner.rpartition(".")
        prefix = _renamed(modules, owner)
        if isinstance(modules.get(above), MultiHeadAttention) and last in ("qkv", "output"):
            found += _attention_entries(modules[above], own, _renamed(modules, above), last, leaf)
        else:
            turned = leaf == "weight" and isinstance(modules.get(owner), Linear)
            found.append(Entry(f"{prefix}.{leaf}" if prefix else leaf, own, turned))
    if isinstance(model, LanguageModel) and "head.weight" not in model.state_dict():
        found.append(Entry("head.weight", "tokens.weight"))  # tied: PyTorch's state names the shared table twice
    return found


def _renamed(modules: Mapping[str, Module], name: str) -> str:
    """Return PyTorch's name of a module: parts of a block with layer norm and GELU have names of their own."""
    for owner, block in modules.items():
        inside = name.removeprefix(f"{owner}." if owner else "")
        if isinstance(block, TransformerBlock) and isinstance(block.mlp, MLP) and inside in BLOCK_NAMES:
            if owner and not name.startswith(f"{owner}."):
                continue
            return f"{owner}.{BLOCK_NAMES[inside]}" if owner else BLOCK_NAMES[inside]
    return name


def _attention_entries(module: Module, own: str, prefix: str, last: str, leaf: str) -> Iterator[Entry]:
    assert isinstance(module, MultiHeadAttention)
    lead, turned = f"{prefix}." if prefix else "", leaf == "weight"
    if last == "output":
        yield Entry(f"{lead}out_proj.{leaf}", own, turned)
    elif module.num_kv_heads == module.num_heads and module.rotary is None:
        yield Entry(f"{lead}in_proj_{leaf}", own, turned)
    else:
        start = 0
        width = module.num_kv_heads * module.head_dim
        for name, length in (("q_proj", module.embed_dim), ("k_proj", width), ("v_proj", width)):
            yield Entry(f"{lead}{name}.{leaf}", own, turned, (start, start + length))
            start += length


def counters(model: Module) -> list[str]:
    """Return the names of the counters that PyTorch keeps in what normalises batches."""
    return [
        f"{name}.{COUNTER}" if name else COUNTER
        for name, module in model.named_modules()
        if isinstance(vars(module).get("running_mean"), Buffer)
    ]


def outgoing(array: Array, entry: Entry) -> Array:
    """Return the part of one of our arrays that PyTorch's `entry` holds, with PyTorch's axes, as a copy."""
    part = array if entry.columns is None else array[..., slice(*entry.columns)]
    return np.array(part.T if entry.turned else part, order="C")


def to_torch_layout(model: Module) -> dict[str, Array]:
    """Return copies of a model's weights with the names and axes of the equivalent PyTorch model.

    For a `GPT` that is a module with `tokens` and `positions` (`torch.nn.Embedding`; the first T rows of `positions`
    are added), `blocks` (a `ModuleList` of `torch.nn.TransformerEncoderLayer(C, H, 4 * C, batch_first=True,
    norm_first=True, activation=lambda x: gelu(x, approximate="tanh"))`, called with a causal mask), `norm`
    (`torch.nn.LayerNorm`) and `head` (`torch.nn.Linear` without bias). For a `Llama` it has modules of our names:
    `torch.nn.RMSNorm`, `torch.nn.Linear` and `torch.nn.Embedding`.

    Args:
        model: Any module of linear layers, embeddings, norms, convolutions and attention.

    Returns:
        Arrays by PyTorch's names; tied logits stand under both names.

    Example:
        >>> to_torch_layout(Linear(3, 2))["weight"].shape
        (2, 3)
    """
    own = model.state_dict()
    state = {entry.name: outgoing(own[entry.own], entry) for entry in entries(model)}
    state.update({name: np.array(0, np.int64) for name in counters(model)})
    return state


def from_torch_layout(model: Module, state: Mapping[str, Tensor | Array]) -> None:
    """Load a state with PyTorch's names and axes, as `to_torch_layout` describes them.

    Args:
        model: What to load into.
        state: Arrays by PyTorch's names; a tied table may stand under both of its names, or under one.

    Raises:
        ValueError: If the state does not fit; the message lists every problem, and nothing has been changed.

    Example:
        >>> layer = Linear(3, 2)
        >>> from_torch_layout(layer, {"weight": np.ones((2, 3), np.float32), "bias": np.zeros(2, np.float32)})
        >>> layer.weight.tolist()
        [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    """
    own, wanted = model.state_dict(), entries(model)
    arrays = {name: value.data if isinstance(value, Tensor) else np.asarray(value) for name, value in state.items()}
    if problems := fit_problems(own, wanted, arrays, set(counters(model))):
        raise ValueError(
            f"this state does not fit the PyTorch layout of {type(model).__name__}, and nothing was loaded:\n  "
            + "\n  ".join(problems)
            + "\nto_torch_layout(model) shows the names and shapes that fit."
        )
    for entry in wanted:
        if entry.name not in arrays:
            continue  # a tied table, which stands under its other name
        target = own[entry.own] if entry.columns is None else own[entry.own][..., slice(*entry.columns)]
        target[...] = arrays[entry.name].T if entry.turned else arrays[entry.name]
    model.load_state_dict(own)


def fit_problems(
    own: Mapping[str, Array], wanted: list[Entry], arrays: Mapping[str, Array], optional: set[str]
) -> list[str]:
    """Say everything in which a state differs from what a model wants."""
    names = {entry.name for entry in wanted}
    held = {entry.own for entry in wanted if entry.columns is None and entry.name in arrays}
    missing = sorted(entry.name for entry in wanted if entry.name not in arrays and entry.own not in held)
    unexpected = sorted(arrays.keys() - names - optional)
    problems = [f"missing from the state: {', '.join(missing)}"] if missing else []
    problems += [f"unexpected in the state: {', '.join(unexpected)}"] if unexpected else []
    first: dict[Entry, Array] = {}
    for entry in wanted:
        if entry.name not in arrays:
            continue
        given, have = arrays[entry.name], outgoing(own[entry.own], entry)
        same = first.setdefault(entry._replace(name=""), given)
        if given.shape != have.shape:
            problems.append(f"shape of {entry.name}: the model has {have.shape}, the state {given.shape}")
        elif not np.can_cast(given.dtype, have.dtype, casting="same_kind"):
            problems.append(f"type of {entry.name}: the model has {have.dtype}, the state {given.dtype}")
        elif same.shape == given.shape and not np.array_equal(same, given, equal_nan=True):
            problems.append(f"{entry.name} is tied to {entry.own} here, but the state has other values for it")
    return problems


def save_torch_layout(path: str | os.PathLike[str], model: Module) -> None:
    """Write a model's weights in PyTorch's layout into a safetensors file, for `safetensors.torch.load_file`.

    Args:
        path: The file; its folder must exist.
        model: See `to_torch_layout`.

    Raises:
        ImportError: If safetensors is not installed.
        OSError: If the file cannot be written.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import save_file
    except ImportError as error:
        raise ImportError(
            "save_torch_layout writes safetensors: pip install 'tt-transformers[torch-layout]'."
        ) from error
    try:
        save_file(to_torch_layout(model), os.fspath(path))
    except SafetensorError as error:
        raise OSError(f"{os.fspath(path)} cannot be written: {error}") from error


def load_torch_layout(path: str | os.PathLike[str], model: Module) -> None:
    """Load a safetensors file in PyTorch's layout, such as `safetensors.torch.save_model` writes, into a model.

    bfloat16, which NumPy has not, is read as float32.

    Args:
        path: The file.
        model: What to load into.

    Raises:
        ImportError: If safetensors is not installed.
        ValueError: If the file is malformed or does not fit; the model is as it was.
        OSError: If the file cannot be read.
    """
    try:
        from safetensors import SafetensorError
    except ImportError as error:
        raise ImportError(
            "load_torch_layout reads safetensors: pip install 'tt-transformers[torch-layout]'."
        ) from error
    try:
        state = read_safetensors(path)
    except SafetensorError as error:
        raise ValueError(f"{os.fspath(path)} is no safetensors file: {error}") from error
    from_torch_layout(model, state)


def read_safetensors(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Return the arrays of a file; bfloat16, the upper half of a float32, gets zeros for the lower one."""
    from safetensors import deserialize, safe_open

    with safe_open(os.fspath(path), framework="numpy") as file:
        kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118  # no mapping
        if unknown := sorted(set(kinds.values()) - NUMPY_KINDS - {"BF16"}):
            raise ValueError(f"{os.fspath(path)} holds numbers of types that NumPy has not: {', '.join(unknown)}")
        arrays: dict[str, Array] = {name: file.get_tensor(name) for name, kind in kinds.items() if kind != "BF16"}
    if len(arrays) < len(kinds):
        whole = Path(path).read_bytes()
        for name, entry in deserialize(whole):  # type: ignore[no-untyped-call, unused-ignore]  # by its version
            if entry["dtype"] == "BF16":
                halves = np.frombuffer(entry["data"], "<u2").astype(np.uint32)
                arrays[name] = (halves << 16).view(np.float32).reshape(entry["shape"])
    return arrays
