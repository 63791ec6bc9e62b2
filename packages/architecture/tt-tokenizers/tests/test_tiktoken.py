"""tiktoken's vocabulary files: a token in base64 and its rank on each line."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest
from tt_tokenizers import BPETokenizer, TokenizerError


class Maker(Protocol):
    def pieces(self, tokenizer: BPETokenizer, text: str) -> list[bytes]: ...
    def tiktoken(self, folder: Path, tokens: Sequence[bytes]) -> Path: ...


def test_merges_by_rank(tmp_path: Path, make: Maker) -> None:
    path = make.tiktoken(tmp_path, [b"he", b" t", b" the", b"th"])
    tokenizer = BPETokenizer.from_tiktoken(path, special_tokens={"<|end|>": 300})
    assert tokenizer.pattern == "cl100k"
    assert tokenizer.vocab_size == 301
    assert make.pieces(tokenizer, " the the") == [b" the", b" the"]
    assert make.pieces(tokenizer, "thethe") == [b"t", b"he", b"t", b"he"]
    assert tokenizer.encode("<|end|>a", allowed_special="all") == [300, 64]
    assert tokenizer.decode([300]) == "<|end|>"


def test_any_two_tokens_that_spell_a_third_merge(tmp_path: Path, make: Maker) -> None:
    # "abcd" from (ab, cd), from (a, bcd), from (abc, d): whichever comes about.
    tokens = [b"ab", b"cd", b"bcd", b"xabcd", b"abcd"]
    tokenizer = BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, tokens), pattern="none")
    assert make.pieces(tokenizer, "yabcd") == [b"y", b"abcd"]
    tokens = [b"cd", b"bcd", b"abcd"]
    tokenizer = BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, tokens), pattern="none")
    assert make.pieces(tokenizer, "yabcd") == [b"y", b"abcd"]


@pytest.mark.parametrize("times", [1, 20])
def test_a_pair_that_is_gone_does_not_give_its_rank_to_another(times: int, tmp_path: Path, make: Maker) -> None:
    # "bc" merges before "ab"; where "a" stood beside "b" it stands beside "bc" then, and that pair comes after (bc, d).
    tokenizer = BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, [b"bc", b"ab", b"bcd", b"abc"]), pattern="none")
    assert make.pieces(tokenizer, "abcd" * times) == [b"a", b"bcd"] * times


def test_a_word_that_is_a_token_needs_no_merges(tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, [b"wxyz"]))
    assert tokenizer.encode("wxyz") == [256]
    assert len(tokenizer.encode("wxyzw")) == 5


def test_holes_have_no_bytes(tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, []), special_tokens={"<x>": 258})
    assert tokenizer.decode([64, 258]) == "a<x>"
    assert 257 not in tokenizer.vocabulary
    for call in (tokenizer.decode, tokenizer.decode_bytes):
        with pytest.raises(TokenizerError, match="id 257 is not in the vocabulary, which has holes"):
            call([64, 257])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Y2Q=", "line 257, 'Y2Q=', is not base64, a space and a rank"),
        ("Y2Q= x", "line 257, 'Y2Q= x', is not base64"),
        ("Y2Q= -5", "line 257, 'Y2Q= -5', is not base64"),
        ("Y2Q= 25_6", "line 257, 'Y2Q= 25_6', is not base64"),
        ("Y2Q=  256", "line 257, 'Y2Q=  256', is not base64"),
        ("Y2Q= 256 7", "line 257, 'Y2Q= 256 7', is not base64"),
        ("Y2 256", "line 257, 'Y2 256', is not base64"),
        ("Y2Q*= 256", "line 257, .* is not base64"),
        ("YQ== 256", "line 257 has the token b'a' once more; it has the rank 64 already"),
        ("Y2Q= 0", "tokens b'!' and b'cd' have the same rank, 0"),
        (" 256", "id 256 is empty"),
        ("Y2Q= 1000000000000", "ids reach 1000000000000 with 257 tokens"),
        ("Y2Q= " + "9" * 5000, "line 257, .* is not base64"),
        (base64.b64encode(b"a" * 1025).decode() + " 256", "a token has 1,025 bytes; at most 1,024"),
    ],
)
def test_malformed(line: str, message: str, tmp_path: Path, make: Maker) -> None:
    path = make.tiktoken(tmp_path, [])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(TokenizerError, match=rf"small\.tiktoken: .*{message}"):
        BPETokenizer.from_tiktoken(path)


@pytest.mark.parametrize(
    ("specials", "message"),
    [
        ({"<x>": 5}, "'<x>' has the id 5; give an integer of 0 or more that no token has"),
        ({"<x>": True}, "'<x>' has the id True; give an integer"),
        ({"<x>": "300"}, "'<x>' has the id '300'; give an integer"),
        ({"<x>": 10**12}, "ids reach 1000000000000 with 256 tokens; number them from 0"),
        ({"<x>": -1}, "'<x>' has the id -1; give an integer of 0 or more"),
        ({"<x>": 256, "<y>": 256}, "'<y>' has the id 256, as another has"),
        ({"": 256}, "a special token is empty"),
        ({"\ud800": 256}, "lone surrogate"),
    ],
)
def test_special_ids(specials: dict[str, int], message: str, tmp_path: Path, make: Maker) -> None:
    with pytest.raises(TokenizerError, match=message):
        BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, []), special_tokens=specials)


def test_needs_every_byte_and_a_pattern(tmp_path: Path, make: Maker) -> None:
    path = make.tiktoken(tmp_path, [])
    with pytest.raises(TokenizerError, match=r"^there is no pattern 'o200k'"):
        BPETokenizer.from_tiktoken(path, pattern="o200k")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(TokenizerError, match="byte 0x21 has no token"):
        BPETokenizer.from_tiktoken(path)
    path.write_bytes(b"\xff")
    with pytest.raises(TokenizerError, match="not UTF-8"):
        BPETokenizer.from_tiktoken(path)
