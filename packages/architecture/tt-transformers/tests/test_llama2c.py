"""llama2.c's files: a real model speaks as its reference does, and what is no such file is refused early."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tt_transformers import Llama, Llama2cError

Array = npt.NDArray[Any]
SIZES = {
    "dim": 8,
    "hidden_dim": 12,
    "n_layers": 2,
    "n_heads": 4,
    "n_kv_heads": 2,
    "vocab_size": 11,
    "seq_len": 6,
}
DATA = os.environ.get("TINYTORCH_DATA")


def header(**changes: int) -> bytes:
    return struct.pack("<7i", *{**SIZES, **changes}.values())


def weights(tied: bool = True) -> dict[str, Array]:
    C, H, L, V = 8, 12, 2, 11
    shapes = {
        "emb": (V, C),
        "att": (L, C),
        "wq": (L, C, C),
        "wk": (L, 4, C),
        "wv": (L, 4, C),
        "wo": (L, C, C),
        "ffn": (L, C),
        "w1": (L, H, C),
        "w2": (L, C, H),
        "w3": (L, H, C),
        "final": (C,),
        "real": (6, 1),
        "imag": (6, 1),
    }
    if not tied:
        shapes["cls"] = (V, C)
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape).astype("<f4") for name, shape in shapes.items()}


def write(path: Path, tied: bool = True, extra: bytes = b"", changes: dict[str, int] | None = None) -> Path:
    numbers = b"".join(array.tobytes() for array in weights(tied).values())
    path.write_bytes(header(**{"vocab_size": 11 if tied else -11, **(changes or {})}) + numbers + extra)
    return path


def rms(x: Array, weight: Array) -> Array:
    return np.asarray(x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight)


def turn(x: Array) -> Array:
    """Rotary positions of heads (T, H, 2): one pair, angle = position."""
    angle = np.arange(len(x))[:, np.newaxis]
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([x[..., 0] * c - x[..., 1] * s, x[..., 0] * s + x[..., 1] * c], axis=-1)


def reference(w: dict[str, Array], ids: list[int]) -> Array:
    """The forward pass as llama2.c's `run.c` writes it, in float64: one layer, one head after another."""
    w = {name: array.astype(np.float64) for name, array in w.items()}
    x, T = w["emb"][ids], len(ids)
    for i in range(2):
        n = rms(x, w["att"][i])
        q = turn((n @ w["wq"][i].T).reshape(T, 4, 2))
        k = turn((n @ w["wk"][i].T).reshape(T, 2, 2))
        v = (n @ w["wv"][i].T).reshape(T, 2, 2)
        gathered = np.zeros((T, 4, 2))
        for t in range(T):
            for h in range(4):
                scores = k[: t + 1, h // 2] @ q[t, h] / np.sqrt(2)
                share = np.exp(scores - scores.max())
                gathered[t, h] = share @ v[: t + 1, h // 2] / share.sum()
        x = x + gathered.reshape(T, 8) @ w["wo"][i].T
        n = rms(x, w["ffn"][i])
        a = n @ w["w1"][i].T
        x = x + (a / (1 + np.exp(-a)) * (n @ w["w3"][i].T)) @ w["w2"][i].T
    return np.asarray(rms(x, w["final"]) @ w.get("cls", w["emb"]).T)


@pytest.mark.parametrize("tied", [True, False])
def test_a_file_becomes_the_model_that_it_describes(tmp_path: Path, tied: bool) -> None:
    model = Llama.from_llama2c(write(tmp_path / "model.bin", tied))
    ids = [1, 5, 3, 3, 10, 0]
    np.testing.assert_allclose(model(np.array([ids])).data[0], reference(weights(tied), ids), atol=2e-4, rtol=1e-4)
    assert (model.head is None) == tied
    assert (model.vocab_size, model.max_seq_len) == (11, 6)
    assert Llama.from_llama2c(str(tmp_path / "model.bin")).num_parameters() == model.num_parameters()


def test_the_weights_can_be_trained(tmp_path: Path) -> None:
    model = Llama.from_llama2c(write(tmp_path / "model.bin"))
    model(np.array([[1, 2]])).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.data.flags.writeable, name
        assert parameter.grad is not None, name


@pytest.mark.parametrize(
    ("changes", "extra", "says"),
    [
        ({}, b"\0", r"has \d+ bytes, but the file has \d+"),
        ({"n_layers": 3}, b"", "has .* bytes"),
        ({"n_layers": 2**23, "dim": 2**20, "hidden_dim": 2**20}, b"", "has .* bytes"),  # nothing of it is allocated
        ({"vocab_size": -11}, b"", "has .* bytes"),
        ({"dim": 0}, b"", "dim=0"),
        ({"vocab_size": 0}, b"", "vocab_size=0"),
        ({"seq_len": -6}, b"", "seq_len=-6"),
        ({"n_heads": 3}, b"", "n_heads must divide dim"),
        ({"n_heads": 8}, b"", "even width"),
        ({"n_kv_heads": 3}, b"", "n_kv_heads divide n_heads"),
        ({"hidden_dim": 2**31 - 1}, b"", "from 1 to"),
        ({"dim": 0x616B3432, "hidden_dim": 1}, b"", "version 1, and only version 0"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, changes: dict[str, int], extra: bytes, says: str) -> None:
    path = write(tmp_path / "model.bin", extra=extra, changes=changes)
    with pytest.raises(Llama2cError, match=says) as caught:
        Llama.from_llama2c(path)
    assert "model.bin" in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("size", [0, 27, 28, 1000])
def test_a_file_cut_off_is_refused(tmp_path: Path, size: int) -> None:
    path = write(tmp_path / "model.bin")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(Llama2cError, match=f"{size}"):
        Llama.from_llama2c(path)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Llama.from_llama2c(tmp_path / "none.bin")


def pieces(path: Path) -> list[bytes]:
    """Read the texts of llama2.c's tokenizer file: after its first integer, (score, length, bytes) for each id."""
    raw, texts, at = path.read_bytes(), [], 4
    while at < len(raw):
        (length,) = struct.unpack_from("<i", raw, at + 4)
        texts.append(raw[at + 8 : at + 8 + length])
        at += 8 + length
    return texts


def decode(ids: list[int], texts: list[bytes]) -> bytes:
    out = b"".join(
        bytes([int(texts[i][3:5], 16)]) if texts[i].startswith(b"<0x") and len(texts[i]) == 6 else texts[i] for i in ids
    )
    return out.removeprefix(b" ")  # the piece after the beginning loses its space


@pytest.mark.skipif(DATA is None, reason="TINYTORCH_DATA names no folder with stories260k")
def test_the_real_model_speaks_as_its_reference_does() -> None:
    folder = Path(str(DATA)) / "stories260k"
    if not folder.exists():
        pytest.skip("TINYTORCH_DATA has no stories260k")
    model = Llama.from_llama2c(folder / "stories260K.bin")
    ids = model.generate([1], 200, temperature=0)[1:].tolist()
    expected = (folder / "expected_greedy_200.txt").read_bytes()
    assert len(expected) == 464
    assert decode(ids, pieces(folder / "tok512.bin")) == expected
