"""The file layout of llama2.c, version 0: seven integers, then every weight of one kind for all layers."""

from __future__ import annotations

import math
import os
import struct
from typing import NamedTuple

import numpy as np
from tt_tensor import Array

HEADER = struct.Struct("<7i")
FIELDS = "dim hidden_dim n_layers n_heads n_kv_heads vocab_size seq_len"
LARGEST = 2**24  # of any single size: a header beyond is no header of a model
MAGIC = 0x616B3432  # "ak42": the layouts from version 1 on begin with it


class Llama2cError(ValueError):
    """A file is not a model in llama2.c's version-0 layout."""


class Header(NamedTuple):
    """The sizes that a file begins with; `vocab_size` without its sign, which is `tied`."""

    dim: int
    hidden_dim: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    vocab_size: int
    seq_len: int
    tied: bool

    @property
    def kv_dim(self) -> int:
        """The width of the keys of all heads."""
        return self.dim // self.n_heads * self.n_kv_heads


def parse_header(raw: bytes) -> Header:
    """Read the seven integers, and refuse sizes that no model has.

    A positive vocabulary size says that the classifier shares the token table; a negative one, that it has its own.

    Raises:
        Llama2cError: If there are fewer bytes, or a size is impossible.
    """
    if len(raw) < HEADER.size:
        raise Llama2cError(f"the header has {HEADER.size} bytes, but the file only {len(raw)}")
    numbers = HEADER.unpack(raw[: HEADER.size])
    if numbers[0] == MAGIC:
        raise Llama2cError(
            f"this is llama2.c's layout of version {numbers[1]}, and only version 0 is read: export with --version 0"
        )
    dim, hidden, layers, heads, kv_heads, vocabulary, places = numbers
    header = Header(dim, hidden, layers, heads, kv_heads, abs(vocabulary), places, tied=vocabulary > 0)
    said = ", ".join(f"{name}={number}" for name, number in zip(FIELDS.split(), numbers, strict=True))
    if not all(0 < size <= LARGEST for size in header[:7]):
        raise Llama2cError(f"the sizes must be from 1 to {LARGEST} (vocab_size may be negative), but are: {said}")
    if header.dim % (2 * header.n_heads) or header.n_heads % header.n_kv_heads:
        raise Llama2cError(
            f"n_heads must divide dim into an even width, and n_kv_heads divide n_heads, but the sizes are: {said}"
        )
    return header


def tensor_shapes(header: Header) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays in the file, in their order; a weight is (out, in)."""
    L, C, H, kv = header.n_layers, header.dim, header.hidden_dim, header.kv_dim
    angles = (header.seq_len, C // header.n_heads // 2)
    shapes: dict[str, tuple[int, ...]] = {
        "token_embedding": (header.vocab_size, C),
        "rms_att": (L, C),
        "wq": (L, C, C),
        "wk": (L, kv, C),
        "wv": (L, kv, C),
        "wo": (L, C, C),
        "rms_ffn": (L, C),
        "w1": (L, H, C),
        "w2": (L, C, H),
        "w3": (L, H, C),
        "rms_final": (C,),
        "freq_cis_real": angles,
        "freq_cis_imag": angles,
    }
    return shapes if header.tied else {**shapes, "wcls": (header.vocab_size, C)}


def state_of(arrays: dict[str, Array], layers: int) -> dict[str, Array]:
    """Name and turn the file's arrays as `Llama` wants them: weights (in, out), w1 is SwiGLU's gate, w3 its `up`."""
    state = {"tokens.weight": arrays["token_embedding"], "norm.weight": arrays["rms_final"]}
    for i in range(layers):
        block = f"blocks.{i}"
        state[f"{block}.attention_norm.weight"] = arrays["rms_att"][i]
        state[f"{block}.attention.qkv.weight"] = np.concatenate([arrays[name][i] for name in ("wq", "wk", "wv")]).T
        state[f"{block}.attention.output.weight"] = arrays["wo"][i].T
        state[f"{block}.mlp_norm.weight"] = arrays["rms_ffn"][i]
        state[f"{block}.mlp.gate.weight"] = arrays["w1"][i].T
        state[f"{block}.mlp.up.weight"] = arrays["w3"][i].T
        state[f"{block}.mlp.down.weight"] = arrays["w2"][i].T
    if "wcls" in arrays:
        state["head.weight"] = arrays["wcls"].T
    return state


def read_llama2c(path: str | os.PathLike[str]) -> tuple[Header, dict[str, Array]]:
    """Read a file: its sizes, and the state of a `Llama` of these sizes.

    Raises:
        Llama2cError: If the header is impossible or the file has not exactly the size that it asks for.
    """
    with open(path, "rb") as file:
        try:
            header = parse_header(file.read(HEADER.size))
        except Llama2cError as error:
            raise Llama2cError(f"{os.fspath(path)}: {error}") from None
        shapes = tensor_shapes(header)
        wanted = HEADER.size + 4 * sum(math.prod(shape) for shape in shapes.values())
        size = os.fstat(file.fileno()).st_size
        if size != wanted:
            raise Llama2cError(
                f"{os.fspath(path)}: a model of these sizes has {wanted} bytes, but the file has {size}: it is cut "
                f"off, or in another layout. The header says {header}"
            )
        arrays: dict[str, Array] = {}
        for name, shape in shapes.items():
            numbers = np.frombuffer(file.read(4 * math.prod(shape)), "<f4")
            if numbers.size != math.prod(shape):
                raise Llama2cError(f"{os.fspath(path)}: the file became shorter while it was read")
            arrays[name] = numbers.reshape(shape).astype(np.float32, copy=False)
    return header, state_of(arrays, header.n_layers)
