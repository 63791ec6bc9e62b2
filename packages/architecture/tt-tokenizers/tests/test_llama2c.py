"""llama2.c's vocabulary files: score, length and bytes of each token."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tt_tokenizers import BPETokenizer, TokenizerError


class Maker(Protocol):
    def pieces(self, tokenizer: BPETokenizer, text: str) -> list[bytes]: ...
    def llama2c(self, folder: Path, pieces: Sequence[tuple[float, bytes]]) -> Path: ...
    def llama2c_bytes(self, pieces: Sequence[tuple[float, bytes]], longest: int | None = None) -> bytes: ...


LLAMA = [(-0.0, b"he"), (-1.0, b" t"), (-2.0, b" the"), (-3.0, b" a"), (-9.0, b" "), (-10.0, b"t"), (-11.0, b"h")]
LLAMA += [(-12.0, b"e"), (-13.0, b"a"), (-14.0, "é".encode())]


def test_puts_a_space_before_the_text(tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_llama2c(make.llama2c(tmp_path, LLAMA))
    assert (tokenizer.bos_id, dict(tokenizer.special_ids)) == (1, {"<unk>": 0, "<s>": 1, "</s>": 2})
    assert make.pieces(tokenizer, "the the a") == [b" the", b" the", b" a"]
    assert tokenizer.decode(tokenizer.encode("the a")) == "the a"
    # It is taken away once, at the start and after id 1; the text's own spaces stay.
    ids = tokenizer.encode(" the")
    assert tokenizer.decode(ids) == " the"
    the = tokenizer.encode("the")[0]
    assert tokenizer.decode([1, the, the, 2, 1, the]) == "the thethe"
    assert tokenizer.decode([the, 2, the]) == "the the"
    stream = tokenizer.stream()
    assert [stream.push(each) for each in [1, the, the, 1, the]] == ["", "the", " the", "", "the"]
    assert stream.finish() == ""
    assert stream.push(the) == "the"
    assert tokenizer.id_to_bytes(the) == b" the"
    assert tokenizer.encode("") == []
    assert tokenizer.encode_bytes(b"") == []


def test_characters_first_then_bytes(tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_llama2c(make.llama2c(tmp_path, LLAMA))
    space, e_acute = 259 + 4, 259 + 9
    assert tokenizer.encode("é\nZ") == [space, e_acute, 3 + 10, 3 + ord("Z")]
    assert tokenizer.encode("🙂") == [space, *(3 + byte for byte in "🙂".encode())]
    assert tokenizer.decode(tokenizer.encode("é🙂\n")) == "é🙂\n"


def test_tokens_with_a_space_inside_merge_across_words(tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_llama2c(make.llama2c(tmp_path, LLAMA))
    assert tokenizer.pattern == "spaces"
    tokenizer = BPETokenizer.from_llama2c(make.llama2c(tmp_path, [*LLAMA, (-0.5, b"a ")]))
    assert tokenizer.pattern == "none"
    assert make.pieces(tokenizer, "aa a") == [b" a", b"a ", b"a"]


def test_the_best_score_first_the_leftmost_of_equals(tmp_path: Path, make: Maker) -> None:
    letters = [(-100.0, bytes([byte])) for byte in b" abc"]
    worse_first = BPETokenizer.from_llama2c(make.llama2c(tmp_path, [(-5.0, b"ab"), (-4.0, b"bc"), *letters]))
    assert make.pieces(worse_first, "abc") == [b" ", b"a", b"bc"]
    equal = BPETokenizer.from_llama2c(make.llama2c(tmp_path, [(-5.0, b"bc"), (-5.0, b"ab"), *letters]))
    assert make.pieces(equal, "abc") == [b" ", b"ab", b"c"]
    assert make.pieces(equal, "abc" * 20)[1:] == [b"ab", b"c"] * 20
    assert make.pieces(equal, "bcab") == [b" ", b"bc", b"ab"]


def test_special_tokens_and_bytes_in_a_text_are_text(tmp_path: Path, make: Maker) -> None:
    # Letters from which "<s>" could be spelled, and pieces that lead there.
    letters = [(-100.0, bytes([byte])) for byte in b" <s>x0A\nunk"]
    pieces = [(-1.0, b"<s"), (-1.0, b"<un"), (-1.0, b"k>"), (-2.0, b"\n<s"), (-3.0, b">\n"), *letters]
    tokenizer = BPETokenizer.from_llama2c(make.llama2c(tmp_path, pieces))
    for text in ("<s>", "\n<s>\n", "<0x0A>", "</s>", "<unk>"):
        ids = tokenizer.encode(text)
        assert not {0, 1, 2} & set(ids)
        assert tokenizer.decode(ids) == text
    ids = tokenizer.encode("<s>x</s>", allowed_special="all")
    assert (ids[0], ids[-1], tokenizer.decode(ids)) == (1, 2, "x")
    # Only where a text begins is a space put before it; there only one is taken away.
    for text, read in (("<s> x", " x"), ("</s> x", " x"), ("</s>x", "x"), ("x</s> x", "x x"), ("<s><s> x", " x")):
        ids = tokenizer.encode(text, allowed_special="all")
        assert tokenizer.decode(ids) == read
        stream = tokenizer.stream()
        assert "".join(map(stream.push, ids)) == read


@pytest.mark.parametrize("inner", [[], [(-0.5, b"a t")]])
def test_words_are_split_only_where_no_token_crosses(
    inner: list[tuple[float, bytes]], tmp_path: Path, make: Maker
) -> None:
    extra = [*inner, (-0.7, b"  "), (-0.2, b" a")]
    tokenizer = BPETokenizer.from_llama2c(make.llama2c(tmp_path, [*(p for p in LLAMA if p[1] != b" a"), *extra]))
    scores = {piece: score for score, piece in [*LLAMA, *extra]}
    for text in ("the a the  a", "a   a", "a t a t", "   ", "the the a the  "):
        parts = [each.encode() for each in " " + text]
        while True:
            found = [(-scores[a + b], i) for i, (a, b) in enumerate(itertools.pairwise(parts)) if a + b in scores]
            if not found:
                break
            place = min(found)[1]
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
        assert make.pieces(tokenizer, text) == parts


@given(data=st.binary(max_size=40), text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everything_comes_back(data: bytes, text: str, tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_llama2c(make.llama2c(tmp_path, LLAMA))
    assert tokenizer.decode_bytes(tokenizer.encode_bytes(data)) == data
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.encode_bytes(text.encode()) == tokenizer.encode(text)
    stream = tokenizer.stream()
    assert "".join(map(stream.push, [1, *tokenizer.encode(text)])) + stream.finish() == text


def test_the_real_one(stories: Path) -> None:
    tokenizer = BPETokenizer.from_llama2c(stories)
    assert tokenizer.vocab_size == 512
    ids = tokenizer.encode("Once upon a time, there was")
    assert ids == [403, 407, 261, 378, 432, 383, 286]
    expected = (stories.parent / "expected_greedy_200.txt").read_text(encoding="utf-8")
    assert tokenizer.decode([1, *tokenizer.encode(expected)]) == expected
    # The reference text came from 200 steps of the model, which has learnt to write the ids that merging gives.
    assert len(tokenizer.encode(expected)) == 200


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes; there must be 4"),
        (b"\x07\x00\x00\x00", "0 tokens; there must be <unk>"),
        (b"\x07\x00\x00\x00\x01\x02", "ends within the head of token 0"),
        (struct.pack("<ifi", 7, 0.0, 2**31 - 1) + b"<unk>", "token 0 has the length 2147483647; 5 bytes are left"),
        (struct.pack("<ifi", 7, 0.0, -1) + b"<unk>", "token 0 has the length -1"),
        (struct.pack("<ifi", 7, 0.0, 0) + b"<unk>", "token 0 has the length 0"),
        (struct.pack("<ifi", 7, float("nan"), 1) + b"<", "token 0 has the score nan"),
        (struct.pack("<ifi", 7, float("inf"), 1) + b"<", "token 0 has the score inf"),
    ],
)
def test_malformed(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.bin"
    path.write_bytes(data)
    with pytest.raises(TokenizerError, match=message):
        BPETokenizer.from_llama2c(path)


@pytest.mark.parametrize(
    ("pieces", "longest", "message"),
    [
        ([(-1.0, b"ab"), (-2.0, b"ab")], None, "b'ab' stands twice, as id 259 and as id 260"),
        ([(-1.0, b"<0x41>")], None, "byte token b'<0x41>' stands twice, as id 68 and as id 259"),
        ([(-1.0, b"abcdefgh")], 7, "token 259 has the length 8.*7 is the greatest length"),
        ([], 5, "token 2 has the length 6.*5 is the greatest length"),
        ([(-1.0, b"a" * 1025)], None, "at most 1,024"),
    ],
)
def test_malformed_pieces(
    pieces: list[tuple[float, bytes]], longest: int | None, message: str, tmp_path: Path, make: Maker
) -> None:
    path = tmp_path / "bad.bin"
    path.write_bytes(make.llama2c_bytes(pieces, longest))
    with pytest.raises(TokenizerError, match=message):
        BPETokenizer.from_llama2c(path)


def test_cut_anywhere_is_an_error_or_a_whole_vocabulary(tmp_path: Path, make: Maker) -> None:
    data = make.llama2c_bytes(LLAMA)
    path = tmp_path / "cut.bin"
    for length in [*range(60), *range(len(data) - 150, len(data), 7), len(data) - 1]:
        path.write_bytes(data[:length])
        try:
            tokenizer = BPETokenizer.from_llama2c(path)
        except TokenizerError:
            continue
        assert tokenizer.vocab_size < 259 + len(LLAMA)
