"""The safetensors header: written so that the official library reads it, read so that nothing false gets by."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save_file
from tt_layers import Linear
from tt_tensor import Array
from tt_train import (
    CheckpointError,
    check_header,
    encode_header,
    load_checkpoint,
    read_checkpoint,
    save_checkpoint,
)

ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def framed(header: object) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


def test_the_official_library_reads_what_we_write() -> None:
    arrays: dict[str, Array] = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b.c": np.array(7, dtype=np.int64),
        "none": np.zeros((0, 4), dtype=np.float16),
        "yes": np.array([True, False]),
    }
    data = b"".join(array.tobytes() for array in arrays.values())
    read = load(encode_header(arrays, {"format": "x"}) + data)
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype


def test_the_header_is_a_length_and_padded_json() -> None:
    header = encode_header({"a": np.zeros(3, dtype=np.float32)}, {"who": "me"})
    assert len(header) % 8 == 0
    assert int.from_bytes(header[:8], "little") == len(header) - 8
    assert json.loads(header[8:]) == {
        "__metadata__": {"who": "me"},
        "a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]},
    }


def test_what_the_format_cannot_hold_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="'z' has dtype complex64"):
        encode_header({"z": np.zeros(1, dtype=np.complex64)}, {})


def test_check_header_returns_what_it_describes() -> None:
    header = check_header(json.dumps({"a": ENTRY, "__metadata__": {"k": "v"}}).encode(), 8)
    assert header.entries["a"].shape == (2,)
    assert header.entries["a"].dtype == np.float32
    assert header.metadata == {"k": "v"}


def entry(**changes: object) -> dict[str, object]:
    return {**ENTRY, **changes}


MALFORMED: dict[str, tuple[object, str]] = {
    "not json": (b"{", "not valid JSON"),
    "not text": (b"\xff\xfe{}", "not valid JSON"),
    "a list": ([], "JSON object"),
    "a number": (b"1", "JSON object"),
    "nan": (b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', "NaN"),
    "infinity": (b'{"a":{"dtype":"F32","shape":[-Infinity],"data_offsets":[0,8]}}', "Infinity"),
    "twice": (b'{"a":1,"a":2}', "twice"),
    "deep": (b"[" * 100_000, "not valid JSON"),
    "huge number": (b'{"a":' + b"9" * 5000 + b"}", "not valid JSON"),
    "metadata a number": ({"__metadata__": {"a": 1}}, "__metadata__"),
    "metadata a list": ({"__metadata__": []}, "__metadata__"),
    "no entry": ({"a": 3}, "must have dtype"),
    "a key too many": ({"a": entry(more=1)}, "must have dtype"),
    "a key too few": ({"a": {"dtype": "F32", "shape": [2]}}, "must have dtype"),
    "unknown dtype": ({"a": entry(dtype="F33")}, "unknown dtype 'F33'"),
    "dtype a list": ({"a": entry(dtype=["F32"])}, "unknown dtype"),
    "shape negative": ({"a": entry(shape=[-2])}, "shape"),
    "shape twice negative": ({"a": entry(shape=[-1, -2])}, "shape"),
    "shape fractional": ({"a": entry(shape=[2.0])}, "shape"),
    "shape boolean": ({"a": entry(shape=[True, 2])}, "shape"),
    "shape text": ({"a": entry(shape="2")}, "shape"),
    "shape too large": ({"a": entry(shape=[2**62, 2**62])}, "does not fill"),
    "shape beyond 64 bits": ({"a": entry(shape=[2**70])}, "shape"),
    "shape of 65 axes": ({"a": entry(shape=[1] * 64 + [2])}, "65 axes"),
    "shape wrong": ({"a": entry(shape=[3])}, "does not fill"),
    "offsets backwards": ({"a": entry(data_offsets=[8, 0])}, "does not fill"),
    "offsets three": ({"a": entry(data_offsets=[0, 8, 8])}, "does not fill"),
    "offsets nan": (b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[NaN,8]}}', "NaN"),
    "offsets one": ({"a": entry(data_offsets=[0])}, "does not fill"),
    "a gap": ({"a": entry(data_offsets=[4, 12])}, "gap or an overlap"),
    "overlap": ({"a": entry(), "b": entry()}, "gap or an overlap"),
    "too much": ({"a": entry(shape=[1], data_offsets=[0, 4])}, "describes 4 bytes"),
    "too little": ({"a": entry(shape=[2**40], data_offsets=[0, 2**42])}, "the file holds 8"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_header_is_a_checkpoint_error(case: str, tmp_path: Path) -> None:
    header, message = MALFORMED[case]
    path = tmp_path / "bad.safetensors"
    path.write_bytes(framed(header) + bytes(8))
    with pytest.raises(CheckpointError, match=message) as caught:
        read_checkpoint(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"1234567", (2**63).to_bytes(8, "little") + b"{}", b"\xff" * 8 + b"{}"])
def test_a_file_that_is_no_checkpoint_is_refused_before_memory_is_taken(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"too few|the header claims"):
        read_checkpoint(path)


def test_another_safetensors_file_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"a": np.zeros(2, dtype=np.float32)}, path)
    with pytest.raises(CheckpointError, match="no checkpoint of save_checkpoint"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "must be a JSON object"),
        ("NaN", "NaN"),
        ('{"a":{"$tensor":"gone"},"rng":{},"extra":{}}', "'gone' is missing"),
        ('{"a":{"$what":1}}', r"unknown mark '\$what'"),
        ('{"a":{"$float":"1e"}}', r"unknown mark '\$float'"),
        ('{"a":{"$tuple":1}}', r"unknown mark '\$tuple'"),
        ('{"a":{"$dict":[[{},1]]}}', r"unknown mark '\$dict'"),
        ('{"a":{"$dict":[[1]]}}', r"unknown mark '\$dict'"),
        ('{"a":{"$dict":[[{"$tuple":[[]]},1]]}}', "cannot be read.*unhashable"),
        ('{"extra":{}}', "no 'rng'"),
        ('{"rng":{}}', "no 'extra'"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_a_malformed_state_is_a_checkpoint_error(state: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    save_file({"x": np.zeros(1)}, path, metadata={"format": "tt-train 1", "state": state})
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(path)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "good.safetensors"
    save_checkpoint(path, model=Linear(3, 2))
    return path


def test_a_file_cut_anywhere_is_a_checkpoint_error(good: Path, tmp_path: Path) -> None:
    content, path = good.read_bytes(), tmp_path / "cut.safetensors"
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError):
            read_checkpoint(path)
    path.write_bytes(content + b"x")
    with pytest.raises(CheckpointError, match="the file holds"):
        read_checkpoint(path)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_flipped_byte_in_the_header_is_an_error_or_harmless(good: Path, data: st.DataObject) -> None:
    content = bytearray(good.read_bytes())
    end = 8 + int.from_bytes(content[:8], "little")
    content[data.draw(st.integers(0, end - 1))] = data.draw(st.integers(0, 255))
    path = good.with_name("flipped.safetensors")
    path.write_bytes(content)
    try:
        tree = read_checkpoint(path)
    except CheckpointError:
        return
    assert isinstance(tree, dict)


def test_a_header_that_no_reader_would_take_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "large.safetensors"
    save_checkpoint(path, extra={"step": 1})
    with pytest.raises(ValueError, match=r"of text.*100,000,000.*arrays"):
        save_checkpoint(path, extra={"text": "\x00" * 15_000_000})  # seven bytes each, once they are JSON in JSON
    assert load_checkpoint(path) == {"step": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["large.safetensors"]


def test_a_name_that_is_no_unicode_comes_back(tmp_path: Path) -> None:
    name = "caf\udce9"  # how Python reads a file's name in Latin-1
    save_checkpoint(tmp_path / "x", extra={name: np.ones(2), "caf?": np.zeros(1)})
    extra = load_checkpoint(tmp_path / "x")
    np.testing.assert_equal(extra, {name: np.ones(2), "caf?": np.zeros(1)})
