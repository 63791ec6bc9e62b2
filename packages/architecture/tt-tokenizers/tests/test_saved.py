"""A tokenizer saved is the tokenizer loaded; a malformed file is refused."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tt_tokenizers import BPETokenizer, TokenizerError


class Maker(Protocol):
    def gpt2(self, folder: Path, pairs: Sequence[tuple[bytes, bytes]]) -> tuple[Path, Path]: ...
    def tiktoken(self, folder: Path, tokens: Sequence[bytes]) -> Path: ...
    def llama2c(self, folder: Path, pieces: Sequence[tuple[float, bytes]]) -> Path: ...


TEXT = "the cat  and the dog <|end|> thé 🙂\n"


def saved(folder: Path) -> dict[str, Any]:
    path = folder / "small.json"
    BPETokenizer.train("the the cat", 262, special_tokens=["<|end|>"]).save(path)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_each_kind_comes_back(tmp_path: Path, make: Maker) -> None:
    kinds = [
        BPETokenizer.train(TEXT * 3, 280, special_tokens=["<|end|>"], pattern="cl100k"),
        BPETokenizer.from_gpt2(*make.gpt2(tmp_path, [(b"t", b"h"), (b"th", b"e")])),
        BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, [b"th", b"the"]), special_tokens={"<|end|>": 300}),
        BPETokenizer.from_llama2c(make.llama2c(tmp_path, [(-1.5, b"th"), (-2.5, b"t"), (-3.5, b"h"), (-4.0, b" ")])),
    ]
    for tokenizer in kinds:
        path = tmp_path / "saved.json"
        tokenizer.save(path)
        loaded = BPETokenizer.load(path)
        assert loaded.vocabulary == tokenizer.vocabulary
        assert dict(loaded.special_ids) == dict(tokenizer.special_ids)
        assert (loaded.pattern, loaded.bos_id) == (tokenizer.pattern, tokenizer.bos_id)
        assert loaded.vocab_size == tokenizer.vocab_size
        for allowed in ((), "all"):
            ids = tokenizer.encode(TEXT, allowed_special=allowed)
            assert loaded.encode(TEXT, allowed_special=allowed) == ids
            assert loaded.decode(ids) == tokenizer.decode(ids) == TEXT
        loaded.save(tmp_path / "again.json")
        assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("pattern", ["gpt2", "cl100k", "spaces", "none"])
def test_a_tokenizer_can_be_pickled_and_copied(pattern: str) -> None:
    tokenizer = BPETokenizer.train(TEXT, 270, pattern=pattern)
    for again in (pickle.loads(pickle.dumps(tokenizer)), copy.deepcopy(tokenizer)):
        assert again.encode(TEXT) == tokenizer.encode(TEXT)
        assert again.pattern == pattern


def test_saving_leaves_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    BPETokenizer.train("aa", 257).save(path)
    assert BPETokenizer.load(path).vocab_size == 257
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]
    assert path.stat().st_mode & 0o044 == 0o044  # others may read it
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        BPETokenizer.train("aa", 257).save(tmp_path / "folder")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.json", "folder"]


def put(key: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda found: {**found, key: value}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: {key: value for key, value in found.items() if key != "bytes"}, r"\['bytes'\] are missing"),
        (put("more", 1), r"\[\] are missing, \['more'\] are unknown"),
        (put("version", 2), "version 2; not version 1"),
        (put("format", "other"), "holds 'other'"),
        (put("pattern", "unknown"), "no pattern 'unknown'"),
        (put("pattern", 3), "pattern is of type int; it must be of type str"),
        (put("characters", 1), "characters is of type int; it must be of type bool"),
        (put("space_prefix", None), "space_prefix is of type NoneType; it must be of type bool"),
        (put("special_tokens", ["<|end|>"]), "special_tokens is of type list; it must be of type dict"),
        (put("special_tokens", {"<|end|>": 1.0}), "1.0 stands where an id should"),
        (put("special_tokens", {"<|end|>": 10**12}), "has the id 1000000000000, which stands for no bytes.*0 to 261"),
        (
            put("special_tokens", {"<|end|>": -1}),
            "'<|end|>' has the id -1, which stands for no bytes".replace("|", r"\|"),
        ),
        (lambda found: {**found, "tokens": [*found["tokens"][:-1], None]}, "has the id 261, which stands for no bytes"),
        (put("special_tokens", {"a": 261, "b": 261}), "'b' has the id 261, as another has"),
        (put("special_tokens", {"a": 0}), "'a' has the id 0, as another has"),
        (put("special_tokens", {"": 261}), "the special token with id 261 is empty"),
        (put("special_tokens", {"\ud800": 261}), "lone surrogate"),
        (put("tokens", "abc"), "tokens is of type str; it must be of type list"),
        (lambda found: {**found, "tokens": [*found["tokens"][:-1], 7]}, "7 stands where a token"),
        (lambda found: {**found, "tokens": [*found["tokens"][:-1], "zz"]}, "'zz' stands where a token"),
        (lambda found: {**found, "tokens": found["tokens"][:200]}, "the byte 0x.. has no token"),
        (lambda found: {**found, "tokens": [*found["tokens"], "61"]}, "b'a' stands twice, as id 64 and as id 262"),
        (lambda found: {**found, "tokens": [*found["tokens"], ""]}, "the token with id 262 is empty"),
        (lambda found: {**found, "bytes": found["bytes"][:255]}, "255 bytes have a token"),
        (lambda found: {**found, "bytes": [*found["bytes"], 0]}, "257 bytes have a token"),
        (lambda found: {**found, "bytes": [-1, *found["bytes"][1:]]}, "the byte 0x00 has no token"),
        (lambda found: {**found, "bytes": [True, *found["bytes"][1:]]}, "True stands where an id"),
        (put("merges", [[0, 1]]), r"merge 0, \(0, 1\), makes b'!\"', which is not in the vocabulary"),
        (put("merges", [[0, 10**12]]), "merge 0.*names an id that is no token of text"),
        (put("merges", [[-1, 0]]), "names an id that is no token of text"),
        (put("merges", [[0, 261]]), "names an id that is no token of text"),
        (put("merges", [[0]]), "stands where a pair of ids should"),
        (lambda found: {**found, "merges": [*found["merges"], found["merges"][0]]}, "stands twice"),
        (put("merges", None), "merges and scores are both there, or neither"),
        (put("scores", []), "merges and scores are both there, or neither"),
        (lambda found: {**found, "merges": None, "scores": [1.0]}, "1 scores for 262 tokens"),
        (lambda found: {**found, "merges": None, "scores": ["1"] * 262}, "'1' stands where a score should"),
        (lambda found: {**found, "merges": None, "scores": [True] * 262}, "True stands where a score should"),
        (lambda found: {**found, "merges": None, "scores": [10**400] * 262}, "stands where a score should"),
        (put("bos_id", "1"), "'1' stands where an id should"),
        (put("bos_id", 0), "the id that begins a text is 0, which is no special token's"),
    ],
)
def test_a_malformed_file_is_refused(change: Callable[[dict[str, Any]], object], message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(change(saved(tmp_path))))
    with pytest.raises(TokenizerError, match=message) as caught:
        BPETokenizer.load(path)
    assert "bad.json" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 200_000, '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": 1' + "0" * 5000 + "}"]
)
def test_what_is_no_json_object_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(TokenizerError, match=r"bad\.json"):
        BPETokenizer.load(path)


@given(st.data())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_loads_or_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    saved(tmp_path)
    content = bytearray((tmp_path / "small.json").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path = tmp_path / "damaged.json"
    path.write_bytes(content)
    try:
        tokenizer = BPETokenizer.load(path)
    except TokenizerError:
        return
    everything = bytes(range(256))
    assert tokenizer.decode_bytes(tokenizer.encode_bytes(everything)) == everything
