"""The vocabulary files of GPT-2, tiktoken and llama2.c."""

from __future__ import annotations

import base64
import itertools
import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tt_tokenizers import BPETokenizer, TokenizerError


class Maker(Protocol):
    def gpt2(
        self, folder: Path, pairs: Sequence[tuple[bytes, bytes]], specials: Sequence[str] = ...
    ) -> tuple[Path, Path]: ...
    def tiktoken(self, folder: Path, tokens: Sequence[bytes]) -> Path: ...
    def llama2c(self, folder: Path, pieces: Sequence[tuple[float, bytes]]) -> Path: ...
    def llama2c_bytes(self, pieces: Sequence[tuple[float, bytes]], longest: int | None = None) -> bytes: ...


def pieces_of(tokenizer: BPETokenizer, text: str) -> list[bytes]:
    return [tokenizer.id_to_bytes(each) for each in tokenizer.encode(text)]


PAIRS = [(b" ", b"t"), (b"h", b"e"), (b" t", b"he"), (b"t", b"he"), (b"\xc3", b"\xa9"), (b"\n", b"\n")]


def test_gpt2_merges_in_the_order_of_the_file(tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_gpt2(*make.gpt2(tmp_path, PAIRS))
    assert tokenizer.vocab_size == 256 + 6 + 1
    assert tokenizer.encode('!"') == [0, 1]
    assert tokenizer.encode(" the the") == [258, 258]
    assert pieces_of(tokenizer, "thé\n\n") == [b"t", b"h", b"\xc3\xa9", b"\n\n"]
    assert tokenizer.encode("<|endoftext|>", allowed_special="all") == [262]
    assert dict(tokenizer.special_ids) == {"<|endoftext|>": 262}
    everything = bytes(range(256))
    assert tokenizer.decode_bytes(tokenizer.encode_bytes(everything)) == everything


def test_gpt2_merges_only_the_pairs_of_the_file(tmp_path: Path, make: Maker) -> None:
    # "abc" is a token, but the way to it leads over (a, bc) alone, and (a, b) goes first.
    pairs = [(b"a", b"b"), (b"b", b"c"), (b"a", b"bc")]
    tokenizer = BPETokenizer.from_gpt2(*make.gpt2(tmp_path, pairs))
    assert pieces_of(tokenizer, "abc") == [b"ab", b"c"]


def test_gpt2_two_pairs_may_spell_one_token(tmp_path: Path, make: Maker) -> None:
    pairs = [(b"a", b"b"), (b"b", b"c"), (b"a", b"bc"), (b"ab", b"c")]
    tokenizer = BPETokenizer.from_gpt2(*make.gpt2(tmp_path, pairs))
    assert tokenizer.vocab_size == 256 + 3 + 1
    assert pieces_of(tokenizer, "abc") == [b"abc"]


def test_gpt2_special_tokens_can_be_named(tmp_path: Path, make: Maker) -> None:
    files = make.gpt2(tmp_path, PAIRS, ["<a b>", "<c>"])
    assert set(BPETokenizer.from_gpt2(*files, special_tokens=["<a b>", "<c>"]).special_ids) == {"<a b>", "<c>"}
    with pytest.raises(TokenizerError, match="special token '<d>' is not in the vocabulary"):
        BPETokenizer.from_gpt2(*files, special_tokens=["<d>"])
    with pytest.raises(TokenizerError, match=r"'<a b>' has U\+0020, which spells no byte"):
        BPETokenizer.from_gpt2(*files, special_tokens=["<c>"])


def test_gpt2_windows_line_ends(tmp_path: Path, make: Maker) -> None:
    vocab, merges = make.gpt2(tmp_path, PAIRS)
    merges.write_bytes(merges.read_bytes().replace(b"\n", b"\r\n"))
    assert BPETokenizer.from_gpt2(vocab, merges).encode(" the") == [258]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("h", "line 2 has 1 parts"),
        ("h e e", "line 2 has 3 parts"),
        ("h \u0120zz", "line 2 names '\u0120zz', not in the vocabulary"),
        ("z q", "line 2 names 'zq'"),
        ("h e\nh e", "merge 1.*stands twice"),
    ],
)
def test_gpt2_malformed_merges(line: str, message: str, tmp_path: Path, make: Maker) -> None:
    vocab, merges = make.gpt2(tmp_path, PAIRS)
    merges.write_text("#version: 0.2\n" + line, encoding="utf-8")
    with pytest.raises(TokenizerError, match=message):
        BPETokenizer.from_gpt2(vocab, merges)


def test_gpt2_a_first_line_without_version_is_a_merge(tmp_path: Path, make: Maker) -> None:
    vocab, merges = make.gpt2(tmp_path, PAIRS)
    lines = merges.read_text(encoding="utf-8").split("\n", 1)[1]
    merges.write_text(lines, encoding="utf-8")
    assert BPETokenizer.from_gpt2(vocab, merges).encode(" the") == [258]


def without(key: str) -> Callable[[dict[str, object]], object]:
    return lambda found: {name: number for number, name in enumerate(each for each in found if each != key)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: {**found, "!": 10**12}, "not 0, 1"),
        (lambda found: {**found, "!": 1}, "not 0, 1"),
        (lambda found: {**found, "!": "0"}, "not 0, 1"),
        (lambda found: {**found, "!": False}, "not 0, 1"),
        (lambda found: {**found, "!": None}, "not 0, 1"),
        (lambda found: list(found), "a JSON object was expected"),
        (without("Q"), "byte 0x51 has no token"),
    ],
)
def test_gpt2_malformed_vocabularies(
    change: Callable[[dict[str, object]], object], message: str, tmp_path: Path, make: Maker
) -> None:
    vocab, merges = make.gpt2(tmp_path, PAIRS)
    vocab.write_text(json.dumps(change(json.loads(vocab.read_text(encoding="utf-8")))))
    with pytest.raises(TokenizerError, match=message):
        BPETokenizer.from_gpt2(vocab, merges)


def test_gpt2_files_that_are_no_text(tmp_path: Path, make: Maker) -> None:
    vocab, merges = make.gpt2(tmp_path, PAIRS)
    merges.write_bytes(b"\xff\xfe")
    with pytest.raises(TokenizerError, match=r"merges\.txt: not UTF-8"):
        BPETokenizer.from_gpt2(vocab, merges)
    vocab.write_bytes(b'{"a": 0')
    with pytest.raises(TokenizerError, match=r"vocab\.json: not a JSON file"):
        BPETokenizer.from_gpt2(vocab, merges)


def test_tiktoken_merges_by_rank(tmp_path: Path, make: Maker) -> None:
    path = make.tiktoken(tmp_path, [b"he", b" t", b" the", b"th"])
    tokenizer = BPETokenizer.from_tiktoken(path, special_tokens={"<|end|>": 300})
    assert tokenizer.pattern == "cl100k"
    assert tokenizer.vocab_size == 301
    assert pieces_of(tokenizer, " the the") == [b" the", b" the"]
    assert pieces_of(tokenizer, "thethe") == [b"t", b"he", b"t", b"he"]
    assert tokenizer.encode("<|end|>a", allowed_special="all") == [300, 64]
    assert tokenizer.decode([300]) == "<|end|>"


def test_tiktoken_any_two_tokens_that_spell_a_third_merge(tmp_path: Path, make: Maker) -> None:
    # "abcd" from (ab, cd), from (a, bcd), from (abc, d): whichever comes about.
    tokens = [b"ab", b"cd", b"bcd", b"xabcd", b"abcd"]
    tokenizer = BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, tokens), pattern="none")
    assert pieces_of(tokenizer, "yabcd") == [b"y", b"abcd"]
    tokens = [b"cd", b"bcd", b"abcd"]
    tokenizer = BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, tokens), pattern="none")
    assert pieces_of(tokenizer, "yabcd") == [b"y", b"abcd"]


def test_tiktoken_a_word_that_is_a_token_needs_no_merges(tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, [b"wxyz"]))
    assert tokenizer.encode("wxyz") == [256]
    assert len(tokenizer.encode("wxyzw")) == 5


def test_tiktoken_holes_have_no_bytes(tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, []), special_tokens={"<x>": 258})
    assert tokenizer.decode([64, 258]) == "a<x>"
    assert 257 not in tokenizer.vocabulary
    for call in (tokenizer.decode, tokenizer.decode_bytes):
        with pytest.raises(TokenizerError, match="id 257 is not in the vocabulary, which has holes"):
            call([64, 257])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Y2Q=", "line 257 is not base64, a space and a rank"),
        ("Y2Q= x", "line 257 is not base64"),
        ("Y2Q= -5", "line 257 has"),
        ("Y2Q= 256 7", "line 257 has"),
        ("Y2 256", "line 257 is not base64"),
        ("Y2Q*= 256", "line 257 is not base64"),
        ("YQ== 256", "line 257 has a token twice"),
        ("Y2Q= 0", "a rank stands twice"),
        (" 256", "id 256 is empty"),
        ("Y2Q= 1000000000000", "ids reach 1000000000000 with 257 tokens"),
        ("Y2Q= " + "9" * 5000, "line 257 is not base64"),
        (base64.b64encode(b"a" * 1025).decode() + " 256", "a token has 1,025 bytes; at most 1,024"),
    ],
)
def test_tiktoken_malformed(line: str, message: str, tmp_path: Path, make: Maker) -> None:
    path = make.tiktoken(tmp_path, [])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(TokenizerError, match=message):
        BPETokenizer.from_tiktoken(path)


@pytest.mark.parametrize(
    ("specials", "message"),
    [
        ({"<x>": 5}, "special ids must be integers that no token"),
        ({"<x>": True}, "special ids must be integers"),
        ({"<x>": 10**12}, "ids reach"),
        ({"<x>": -1}, "number them from 0"),
        ({"<x>": 256, "<y>": 256}, "special tokens must be different"),
        ({"\ud800": 256}, "lone surrogate"),
    ],
)
def test_tiktoken_special_ids(specials: dict[str, int], message: str, tmp_path: Path, make: Maker) -> None:
    with pytest.raises(TokenizerError, match=message):
        BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, []), special_tokens=specials)


def test_tiktoken_needs_every_byte_and_a_pattern(tmp_path: Path, make: Maker) -> None:
    path = make.tiktoken(tmp_path, [])
    with pytest.raises(TokenizerError, match="no pattern 'o200k'"):
        BPETokenizer.from_tiktoken(path, pattern="o200k")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(TokenizerError, match="byte 0x21 has no token"):
        BPETokenizer.from_tiktoken(path)
    path.write_bytes(b"\xff")
    with pytest.raises(TokenizerError, match="not UTF-8"):
        BPETokenizer.from_tiktoken(path)


LLAMA = [(-0.0, b"he"), (-1.0, b" t"), (-2.0, b" the"), (-3.0, b" a"), (-9.0, b" "), (-10.0, b"t"), (-11.0, b"h")]
LLAMA += [(-12.0, b"e"), (-13.0, b"a"), (-14.0, "é".encode())]


def test_llama2c_puts_a_space_before_the_text(tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_llama2c(make.llama2c(tmp_path, LLAMA))
    assert (tokenizer.bos_id, dict(tokenizer.special_ids)) == (1, {"<unk>": 0, "<s>": 1, "</s>": 2})
    assert pieces_of(tokenizer, "the the a") == [b" the", b" the", b" a"]
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


def test_llama2c_characters_first_then_bytes(tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_llama2c(make.llama2c(tmp_path, LLAMA))
    space, e_acute = 259 + 4, 259 + 9
    assert tokenizer.encode("é\nZ") == [space, e_acute, 3 + 10, 3 + ord("Z")]
    assert tokenizer.encode("🙂") == [space, *(3 + byte for byte in "🙂".encode())]
    assert tokenizer.decode(tokenizer.encode("é🙂\n")) == "é🙂\n"


def test_llama2c_the_best_score_first_the_leftmost_of_equals(tmp_path: Path, make: Maker) -> None:
    letters = [(-100.0, bytes([byte])) for byte in b" abc"]
    worse_first = BPETokenizer.from_llama2c(make.llama2c(tmp_path, [(-5.0, b"ab"), (-4.0, b"bc"), *letters]))
    assert pieces_of(worse_first, "abc") == [b" ", b"a", b"bc"]
    equal = BPETokenizer.from_llama2c(make.llama2c(tmp_path, [(-5.0, b"bc"), (-5.0, b"ab"), *letters]))
    assert pieces_of(equal, "abc") == [b" ", b"ab", b"c"]
    assert pieces_of(equal, "abc" * 20)[1:] == [b"ab", b"c"] * 20
    assert pieces_of(equal, "bcab") == [b" ", b"bc", b"ab"]


def test_llama2c_special_tokens_and_bytes_in_a_text_are_text(tmp_path: Path, make: Maker) -> None:
    # Letters from which "<s>" could be spelled, and pieces that lead there.
    letters = [(-100.0, bytes([byte])) for byte in b" <s>x0A\n"]
    pieces = [(-1.0, b"<s"), (-2.0, b"\n<s"), (-3.0, b">\n"), *letters]
    tokenizer = BPETokenizer.from_llama2c(make.llama2c(tmp_path, pieces))
    for text in ("<s>", "\n<s>\n", "<0x0A>", "</s>"):
        ids = tokenizer.encode(text)
        assert not {0, 1, 2} & set(ids)
        assert tokenizer.decode(ids) == text
    ids = tokenizer.encode("<s>x</s>", allowed_special="all")
    assert (ids[0], ids[-1], tokenizer.decode(ids)) == (1, 2, "x")
    assert tokenizer.decode(tokenizer.encode("<s> x", allowed_special="all")) == " x"


@pytest.mark.parametrize("inner", [[], [(-0.5, b"a t")]])
def test_llama2c_words_are_split_only_where_no_token_crosses(
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
        assert pieces_of(tokenizer, text) == parts


@given(data=st.binary(max_size=40), text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_llama2c_everything_comes_back(data: bytes, text: str, tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_llama2c(make.llama2c(tmp_path, LLAMA))
    assert tokenizer.decode_bytes(tokenizer.encode_bytes(data)) == data
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.encode_bytes(text.encode()) == tokenizer.encode(text)
    stream = tokenizer.stream()
    assert "".join(map(stream.push, [1, *tokenizer.encode(text)])) + stream.finish() == text


def test_llama2c_the_real_one(stories: Path) -> None:
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
def test_llama2c_malformed(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.bin"
    path.write_bytes(data)
    with pytest.raises(TokenizerError, match=message):
        BPETokenizer.from_llama2c(path)


@pytest.mark.parametrize(
    ("pieces", "longest", "message"),
    [
        ([(-1.0, b"ab"), (-2.0, b"ab")], None, "b'ab' stands twice, as id 259 and as id 260"),
        ([(-1.0, b"<0x41>")], None, "byte token b'<0x41>' stands twice"),
        ([(-1.0, b"abcd")], 3, "token 259 has the length 4.*3 is the greatest length"),
        ([(-1.0, b"a" * 1025)], None, "at most 1,024"),
    ],
)
def test_llama2c_malformed_pieces(
    pieces: list[tuple[float, bytes]], longest: int | None, message: str, tmp_path: Path, make: Maker
) -> None:
    path = tmp_path / "bad.bin"
    path.write_bytes(make.llama2c_bytes(pieces, longest))
    with pytest.raises(TokenizerError, match=message):
        BPETokenizer.from_llama2c(path)


def test_llama2c_cut_anywhere_is_an_error_or_a_whole_vocabulary(tmp_path: Path, make: Maker) -> None:
    data = make.llama2c_bytes(LLAMA)
    path = tmp_path / "cut.bin"
    for length in [*range(60), *range(len(data) - 150, len(data), 7), len(data) - 1]:
        path.write_bytes(data[:length])
        try:
            tokenizer = BPETokenizer.from_llama2c(path)
        except TokenizerError:
            continue
        assert tokenizer.vocab_size < 259 + len(LLAMA)


@given(data=st.binary(max_size=200))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_refused_with_the_same_error(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "any"
    path.write_bytes(data)
    readers: list[Callable[[Path], object]] = [
        BPETokenizer.from_llama2c,
        BPETokenizer.from_tiktoken,
        BPETokenizer.load,
        lambda each: BPETokenizer.from_gpt2(each, each),
    ]
    for read in readers:
        with pytest.raises(TokenizerError):
            read(path)


def test_a_file_larger_than_any_vocabulary_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as stream:
        stream.truncate((1 << 28) + 1)
    for read in (BPETokenizer.from_llama2c, BPETokenizer.from_tiktoken, BPETokenizer.load):
        with pytest.raises(TokenizerError, match="larger than 268,435,456 bytes"):
            read(path)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    for read in (BPETokenizer.from_llama2c, BPETokenizer.from_tiktoken, BPETokenizer.load):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "absent")
