"""GPT-2's vocabulary files: `vocab.json` and `merges.txt`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import pytest
from tt_tokenizers import BPETokenizer, TokenizerError


class Maker(Protocol):
    def pieces(self, tokenizer: BPETokenizer, text: str) -> list[bytes]: ...
    def gpt2(
        self, folder: Path, pairs: Sequence[tuple[bytes, bytes]], specials: Sequence[str] = ...
    ) -> tuple[Path, Path]: ...


PAIRS = [(b" ", b"t"), (b"h", b"e"), (b" t", b"he"), (b"t", b"he"), (b"\xc3", b"\xa9"), (b"\n", b"\n")]


def test_merges_in_the_order_of_the_file(tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_gpt2(*make.gpt2(tmp_path, PAIRS))
    assert tokenizer.vocab_size == 256 + 6 + 1
    assert tokenizer.encode('!"') == [0, 1]
    assert tokenizer.encode(" the the") == [258, 258]
    assert make.pieces(tokenizer, "thé\n\n") == [b"t", b"h", b"\xc3\xa9", b"\n\n"]
    assert tokenizer.encode("<|endoftext|>", allowed_special="all") == [262]
    assert dict(tokenizer.special_ids) == {"<|endoftext|>": 262}
    everything = bytes(range(256))
    assert tokenizer.decode_bytes(tokenizer.encode_bytes(everything)) == everything


def test_merges_only_the_pairs_of_the_file(tmp_path: Path, make: Maker) -> None:
    # "abc" is a token, but the way to it leads over (a, bc) alone, and (a, b) goes first.
    pairs = [(b"a", b"b"), (b"b", b"c"), (b"a", b"bc")]
    tokenizer = BPETokenizer.from_gpt2(*make.gpt2(tmp_path, pairs))
    assert make.pieces(tokenizer, "abc") == [b"ab", b"c"]


def test_two_pairs_may_spell_one_token(tmp_path: Path, make: Maker) -> None:
    pairs = [(b"a", b"b"), (b"b", b"c"), (b"a", b"bc"), (b"ab", b"c")]
    tokenizer = BPETokenizer.from_gpt2(*make.gpt2(tmp_path, pairs))
    assert tokenizer.vocab_size == 256 + 3 + 1
    assert make.pieces(tokenizer, "abc") == [b"abc"]


def test_special_tokens_can_be_named(tmp_path: Path, make: Maker) -> None:
    files = make.gpt2(tmp_path, PAIRS, ["<a b>", "<c>"])
    assert set(BPETokenizer.from_gpt2(*files, special_tokens=["<a b>", "<c>"]).special_ids) == {"<a b>", "<c>"}
    with pytest.raises(TokenizerError, match="special token '<d>' is not in the vocabulary"):
        BPETokenizer.from_gpt2(*files, special_tokens=["<d>"])
    with pytest.raises(TokenizerError, match=r"'<a b>' has U\+0020, which spells no byte"):
        BPETokenizer.from_gpt2(*files, special_tokens=["<c>"])
    with pytest.raises(TokenizerError, match="special_tokens is one str, '<c>'; give a list"):
        BPETokenizer.from_gpt2(*files, special_tokens="<c>")
    with pytest.raises(TokenizerError, match="'<c>' stands twice"):
        BPETokenizer.from_gpt2(*files, special_tokens=["<c>", "<c>"])


def test_windows_line_ends(tmp_path: Path, make: Maker) -> None:
    vocab, merges = make.gpt2(tmp_path, PAIRS)
    merges.write_bytes(merges.read_bytes().replace(b"\n", b"\r\n"))
    assert BPETokenizer.from_gpt2(vocab, merges).encode(" the") == [258]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("h", r"merges\.txt: line 2, 'h', has 1 parts"),
        ("h e e", "line 2, 'h e e', has 3 parts"),
        ("h \u0120zz", "line 2 names '\u0120zz', not in the vocabulary"),
        ("z q", "line 2 names 'zq'"),
        ("h e\nh e", r"merges\.txt: merge 1, \(71, 68\), stands twice: it is merge 0 already"),
    ],
)
def test_malformed_merges(line: str, message: str, tmp_path: Path, make: Maker) -> None:
    vocab, merges = make.gpt2(tmp_path, PAIRS)
    merges.write_text("#version: 0.2\n" + line, encoding="utf-8")
    with pytest.raises(TokenizerError, match=message):
        BPETokenizer.from_gpt2(vocab, merges)


def test_a_first_line_without_version_is_a_merge(tmp_path: Path, make: Maker) -> None:
    vocab, merges = make.gpt2(tmp_path, PAIRS)
    lines = merges.read_text(encoding="utf-8").split("\n", 1)[1]
    merges.write_text(lines, encoding="utf-8")
    assert BPETokenizer.from_gpt2(vocab, merges).encode(" the") == [258]


def without(key: str) -> Callable[[dict[str, object]], object]:
    return lambda found: {name: number for number, name in enumerate(each for each in found if each != key)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: {**found, "!": 10**12}, "none of 263 tokens has the id 0; ids are 0, 1"),
        (lambda found: {**found, "!": 1}, "none of 263 tokens has the id 0"),
        (lambda found: {**found, "!": "0"}, "the token '!' has the id '0'; ids are the integers 0, 1"),
        (lambda found: {**found, "!": False}, "the token '!' has the id False"),
        (lambda found: {**found, "!": None}, "the token '!' has the id None"),
        (lambda found: list(found), "a JSON object was expected"),
        (without("Q"), "byte 0x51 has no token"),
    ],
)
def test_malformed_vocabularies(
    change: Callable[[dict[str, object]], object], message: str, tmp_path: Path, make: Maker
) -> None:
    vocab, merges = make.gpt2(tmp_path, PAIRS)
    vocab.write_text(json.dumps(change(json.loads(vocab.read_text(encoding="utf-8")))))
    with pytest.raises(TokenizerError, match=rf"vocab\.json.*{message}"):
        BPETokenizer.from_gpt2(vocab, merges)


def test_files_that_are_no_text(tmp_path: Path, make: Maker) -> None:
    vocab, merges = make.gpt2(tmp_path, PAIRS)
    merges.write_bytes(b"\xff\xfe")
    with pytest.raises(TokenizerError, match=r"merges\.txt: not UTF-8"):
        BPETokenizer.from_gpt2(vocab, merges)
    vocab.write_bytes(b'{"a": 0')
    with pytest.raises(TokenizerError, match=r"vocab\.json: not a JSON file"):
        BPETokenizer.from_gpt2(vocab, merges)
