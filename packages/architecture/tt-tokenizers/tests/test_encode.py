"""Text to ids and back."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_tokenizers import BPETokenizer, TokenizerError, split_words


@cache
def trained() -> BPETokenizer:
    return BPETokenizer.train(TEXT, 330, special_tokens=["<|end|>", "<|end|>!", "<|start|>"])


class Maker(Protocol):
    def tiktoken(self, folder: Path, tokens: list[bytes]) -> Path: ...
    def gpt2(self, folder: Path, pairs: list[tuple[bytes, bytes]]) -> tuple[Path, Path]: ...


TEXT = "The cat and the dog sat on the mat; the cow didn't. 'Tis 1234 times: größer, naïve 🙂! " * 3
ANY = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("the cat ndo"), max_size=80)


def encode_slowly(word: bytes, ranks: Mapping[bytes, int]) -> list[int]:
    """Merge the leftmost pair of the lowest rank, one at a time."""
    parts = [word[i : i + 1] for i in range(len(word))]
    while True:
        found = [(ranks.get(a + b, 10**9), i) for i, (a, b) in enumerate(itertools.pairwise(parts))]
        if not found or min(found)[0] == 10**9:
            return [ranks[part] for part in parts]
        place = min(found)[1]
        parts[place : place + 2] = [parts[place] + parts[place + 1]]


@given(ANY)
@settings(deadline=None, max_examples=150)
def test_every_text_comes_back(text: str) -> None:
    ids = trained().encode(text)
    assert all(type(each) is int and 0 <= each < trained().vocab_size for each in ids)
    assert trained().decode(ids) == text
    assert trained().decode(ids, errors="strict") == text
    assert trained().decode_bytes(ids) == text.encode()
    assert trained().encode(text) == ids
    array = trained().encode_array(text)
    assert array.dtype == np.int64
    assert array.tolist() == ids
    assert trained().decode(array) == text


@given(st.binary(max_size=80))
@settings(deadline=None, max_examples=150)
def test_every_byte_string_comes_back(data: bytes) -> None:
    ids = trained().encode_bytes(data)
    assert trained().decode_bytes(ids) == data
    assert trained().decode(ids) == data.decode("utf-8", "replace")


@given(ANY)
@settings(deadline=None, max_examples=40)
def test_the_bytes_of_a_text_have_its_ids(text: str) -> None:
    assert trained().encode_bytes(text.encode()) == trained().encode(text)


@given(ANY)
@settings(deadline=None, max_examples=60)
def test_each_word_is_merged_by_rank(text: str) -> None:
    ranks = {
        token: number for number, token in trained().vocabulary.items() if number < min(trained().special_ids.values())
    }
    expected = [each for word in split_words(text) for each in encode_slowly(word.encode(), ranks)]
    assert trained().encode(text) == expected


def test_training_makes_words_into_tokens() -> None:
    ids = trained().encode("cat the")
    assert [trained().id_to_bytes(each) for each in ids] == [b"c", b"at", b" the"]


@pytest.mark.parametrize("length", [1, 2, 3, 23, 24, 25, 26, 100, 1001])
def test_long_words_are_merged_as_short_ones(length: int, tmp_path: Path, make: Maker) -> None:
    rng = random.Random(length)
    letters = [b"a", b"b"]
    # Ranks in no sensible order: a merge may make a pair of a lower rank than its own.
    tokens = list({left + right for left in letters for right in letters})
    tokens += list({left + right for left in tokens for right in [*letters, *tokens]} - set(tokens))
    for seed in range(6):
        random.Random(seed).shuffle(tokens)
        chosen = tokens[: 10 + seed]
        tokenizer = BPETokenizer.from_tiktoken(make.tiktoken(tmp_path, chosen), pattern="none")
        ranks = {token: number for number, token in tokenizer.vocabulary.items()}
        for word in (bytes(rng.choices(b"ab", k=length)), b"a" * length, (b"ab" * length)[:length]):
            expected = [ranks[word]] if word in ranks else encode_slowly(word, ranks)
            assert tokenizer.encode(word.decode()) == expected


def test_equal_ranks_merge_from_the_left(tmp_path: Path, make: Maker) -> None:
    tokenizer = BPETokenizer.from_gpt2(*make.gpt2(tmp_path, [(b"a", b"a")]))
    for length in (3, 5, 51):
        pieces = [tokenizer.id_to_bytes(each) for each in tokenizer.encode("a" * length)]
        assert pieces == [b"aa"] * (length // 2) + [b"a"]


def test_a_hundred_thousand_letters() -> None:
    text = "a" * 100_000
    for tokenizer in (trained(), BPETokenizer.train(["a" * 4096], 268)):
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(text)) == 100_000 // 4096 + bin(100_000 % 4096).count("1")


def test_what_is_remembered_stays_the_same() -> None:
    first = trained().encode(TEXT)
    first_copy = list(first)
    first.clear()
    words = trained().encode("the")
    words.append(0)
    assert trained().encode(TEXT) == first_copy
    assert trained().encode("the") == words[:-1]


def test_bytes_that_are_no_text_leave_text_alone() -> None:
    trained().encode_bytes(b"\x80")
    with pytest.raises(TokenizerError, match="lone surrogate"):
        trained().encode("\udc80")


def test_special_tokens_in_a_text_are_text() -> None:
    for text in ("<|end|>", "a<|end|>!b", "<|start|><|end|>"):
        ids = trained().encode(text)
        assert not set(ids) & set(trained().special_ids.values())
        assert trained().decode(ids) == text
        assert not set(trained().encode_bytes(text.encode())) & set(trained().special_ids.values())


def test_special_tokens_when_asked() -> None:
    end, longer, start = (trained().special_ids[each] for each in ("<|end|>", "<|end|>!", "<|start|>"))
    both = trained().encode("<|start|>the cat<|end|>", allowed_special="all")
    assert both == [start, *trained().encode("the cat"), end]
    assert trained().decode(both) == "<|start|>the cat<|end|>"
    # The longest wins, and what was not allowed is text.
    assert trained().encode("<|end|>!", allowed_special="all") == [longer]
    assert trained().encode("<|end|>!", allowed_special=["<|end|>"]) == [end, *trained().encode("!")]
    only = trained().encode("<|start|><|end|>", allowed_special={"<|end|>"})
    assert only == [*trained().encode("<|start|>"), end]
    assert trained().encode("<|start|><|end|>", allowed_special=iter(["<|end|>"])) == only  # type: ignore[arg-type] # seen once
    assert trained().encode_array("<|end|>", allowed_special="all").tolist() == [end]


def test_an_unknown_special_token_is_named() -> None:
    with pytest.raises(TokenizerError, match=r"'<x>' is no special token; there are \['<\|end\|>'"):
        trained().encode("a", allowed_special=["<x>"])
    with pytest.raises(TokenizerError, match="give a collection of special tokens, or 'all'"):
        trained().encode("a", allowed_special="<|end|>")


@pytest.mark.parametrize(("text", "place"), [("\ud800", 0), ("ab\udfff", 2), ("é\ud83d\ude42", 1)])
def test_a_lone_surrogate_is_named_with_its_position(text: str, place: int) -> None:
    for call in (trained().encode, trained().encode_array):
        with pytest.raises(TokenizerError, match=rf"lone surrogate U\+{ord(text[place]):04X} at position {place}"):
            call(text)


@pytest.mark.parametrize("wrong", [b"a", ["a"], None])
def test_only_a_str_is_text(wrong: Any) -> None:
    for call in (trained().encode, trained().encode_array):
        with pytest.raises(TokenizerError, match=f"text is of type {type(wrong).__name__}; give a str"):
            call(wrong)


@pytest.mark.parametrize("wrong", ["a", [1], None])
def test_only_bytes_are_bytes(wrong: Any) -> None:
    with pytest.raises(TokenizerError, match=f"data is of type {type(wrong).__name__}; give bytes"):
        trained().encode_bytes(wrong)


def test_bytes_may_stand_in_any_buffer() -> None:
    for data in (bytearray(b"the \xff"), memoryview(b"the \xff")):
        assert trained().encode_bytes(data) == trained().encode_bytes(b"the \xff")


def test_truth_values_are_no_ids() -> None:
    for call in (trained().decode, trained().decode_bytes):
        with pytest.raises(TokenizerError, match="the id at position 1 is True, of type bool; give an integer"):
            call([0, True])


@pytest.mark.parametrize("wrong", [-1, 315, 10**30])
def test_an_id_out_of_range_is_named(wrong: int) -> None:
    for call in (trained().decode, trained().decode_bytes):
        with pytest.raises(TokenizerError, match=f"id {wrong} at position 2 is out of range"):
            call([0, 1, wrong])
    with pytest.raises(TokenizerError, match=f"id {wrong} at position 0"):
        trained().id_to_bytes(wrong)
    with pytest.raises(TokenizerError, match=f"id {wrong} at position 0"):
        trained().stream().push(wrong)


def test_bytes_that_are_no_text_are_replaced_or_refused() -> None:
    ids = trained().encode_bytes(b"a\xffb")
    assert trained().decode(ids) == "a\ufffdb"
    assert trained().decode(ids, errors="ignore") == "ab"
    with pytest.raises(TokenizerError, match=r"no UTF-8 text.*decode_bytes gives their bytes"):
        trained().decode(ids, errors="strict")
    with pytest.raises(TokenizerError, match="errors is 'skip'; give 'replace', 'strict' or 'ignore'"):
        trained().decode(trained().encode("a"), errors="skip")  # type: ignore[arg-type] # the error under test


@given(ANY)
@settings(deadline=None, max_examples=60)
def test_a_stream_gives_the_same_text(text: str) -> None:
    stream = trained().stream()
    parts = [stream.push(each) for each in trained().encode(text)]
    assert stream.finish() == ""
    assert "".join(parts) == text
    assert "\ufffd" not in "".join(parts) or "\ufffd" in text


@given(st.binary(max_size=40))
@settings(deadline=None, max_examples=60)
def test_a_stream_replaces_what_decode_replaces(data: bytes) -> None:
    ids = trained().encode_bytes(data)
    stream = trained().stream()
    assert "".join(map(stream.push, ids)) + stream.finish() == trained().decode(ids)


def test_a_stream_waits_for_whole_characters() -> None:
    tokenizer = BPETokenizer.train("", 256)
    stream = tokenizer.stream()
    assert [stream.push(each) for each in tokenizer.encode("a🙂é")] == ["a", "", "", "", "🙂", "", "é"]
    unfinished = tokenizer.encode("🙂")[:2]
    assert [stream.push(each) for each in unfinished] == ["", ""]
    assert stream.finish() == "\ufffd"
    assert stream.push(tokenizer.encode("b")[0]) == "b"
    broken = [stream.push(each) for each in tokenizer.encode_bytes(b"\xf0\x9fx")]
    assert "".join(broken) == "\ufffdx"


def test_a_stream_goes_on_after_a_wrong_id() -> None:
    stream = trained().stream()
    first = trained().encode("é")
    with pytest.raises(TokenizerError, match="out of range"):
        stream.push(10**6)
    assert "".join(map(stream.push, first)) == "é"


def test_what_can_be_asked() -> None:
    assert trained().vocab_size == 315
    assert trained().pattern == "gpt2"
    assert trained().bos_id is None
    assert sorted(trained().vocabulary) == list(range(315))
    assert trained().vocabulary[0] == b"!"
    assert repr(trained()) == "BPETokenizer(315 tokens, 3 special, pattern 'gpt2')"
    with pytest.raises(TypeError):
        trained().special_ids["<new>"] = 3  # type: ignore[index] # it cannot be written to
    trained().vocabulary.clear()
    assert trained().vocabulary[0] == b"!"
    assert trained().encode("") == []
    assert trained().encode_bytes(b"") == []
    assert trained().decode([]) == ""
