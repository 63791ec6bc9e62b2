"""Learning merges: against a trainer that counts everything again after each merge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_tokenizers import BPETokenizer, TokenizerError, count_pairs, merge_pair, split_words

# GPT-2's order of the bytes, written here once more.
ORDER = [
    *range(ord("!"), ord("~") + 1),
    *range(ord("¡"), ord("¬") + 1),
    *range(ord("®"), ord("ÿ") + 1),
    *range(33),
    *range(127, 161),
    173,
]


def learn_slowly(texts: list[str], size: int, min_frequency: int = 1) -> list[bytes]:
    """Every word as often as it occurs, every pair counted again."""
    tokens = [bytes([byte]) for byte in ORDER]
    words = [[ORDER.index(byte) for byte in word.encode()] for text in texts for word in split_words(text)]
    while len(tokens) < size:
        counts: dict[tuple[int, int], int] = {}
        for word in words:
            for i in range(len(word) - 1):
                counts[word[i], word[i + 1]] = counts.get((word[i], word[i + 1]), 0) + 1
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if best is None or counts[best] < min_frequency:
            break
        token = tokens[best[0]] + tokens[best[1]]
        if token not in tokens:
            tokens.append(token)
        for number, word in enumerate(words):
            merged: list[int] = []
            for each in word:
                if merged and (merged[-1], each) == best:
                    merged[-1] = -1 - tokens.index(token)
                else:
                    merged.append(each)
            words[number] = [each if each >= 0 else -1 - each for each in merged]
    return tokens


def learnt(tokenizer: BPETokenizer) -> list[bytes]:
    vocabulary = tokenizer.vocabulary
    return [vocabulary[number] for number in range(len(vocabulary))]


@given(st.lists(st.text("ab ", max_size=30), max_size=6), st.integers(0, 30))
@settings(deadline=None, max_examples=150)
def test_the_merges_are_those_of_counting_again(texts: list[str], extra: int) -> None:
    assert learnt(BPETokenizer.train(texts, 256 + extra)) == learn_slowly(texts, 256 + extra)


@given(st.lists(st.text("abcdé 's1", max_size=60), max_size=8), st.integers(1, 4))
@settings(deadline=None, max_examples=40)
def test_and_with_more_letters(texts: list[str], min_frequency: int) -> None:
    got = BPETokenizer.train(texts, 300, min_frequency=min_frequency)
    assert learnt(got) == learn_slowly(texts, 300, min_frequency)


def test_on_a_longer_text() -> None:
    text = " ".join(
        f"{a}{b}{c}ing {b}{a} the {c}s." for a in ("st", "br", "l") for b in "aeiou" for c in ("nd", "k", "t")
    )
    assert learnt(BPETokenizer.train(text, 330)) == learn_slowly([text], 330)


def test_runs_of_one_letter() -> None:
    for length in (2, 3, 5, 16, 31, 100):
        text = "a" * length
        got = BPETokenizer.train(text, 256 + 50)
        assert learnt(got) == learn_slowly([text], 256 + 50)
        assert got.decode(got.encode(text)) == text


@given(st.text("a", min_size=1, max_size=60), st.text("ab", max_size=60))
@settings(deadline=None, max_examples=60)
def test_no_token_stands_twice(first: str, second: str) -> None:
    # (aa, a) and (a, aa) both spell aaa: only one of them may come about.
    tokenizer = BPETokenizer.train([first, second, first + second], 300)
    tokens = learnt(tokenizer)
    assert len(set(tokens)) == len(tokens)
    assert tokenizer.decode(tokenizer.encode(first + second)) == first + second


def test_of_equal_counts_the_lowest_ids_win() -> None:
    # b and c come after a and before d; the space, 0x20, comes after all visible characters.
    assert learnt(BPETokenizer.train("cd ab", 257))[256] == b"ab"
    assert learnt(BPETokenizer.train(["x y", " b"], 257))[256] == b" b"


def test_merges_stay_within_words_and_texts() -> None:
    assert BPETokenizer.train(["a", "b"] * 9, 300).vocab_size == 256
    assert BPETokenizer.train("a1" * 9, 300).vocab_size == 256
    assert BPETokenizer.train("a1" * 9, 257, pattern="none").vocabulary[256] == b"a1"


def test_the_size_is_a_bound() -> None:
    assert BPETokenizer.train("", 1000).vocab_size == 256
    assert BPETokenizer.train("ab", 1000).vocab_size == 257
    assert BPETokenizer.train("abcdefgh" * 10, 260).vocab_size == 260


def test_rare_pairs_can_be_left() -> None:
    assert learnt(BPETokenizer.train("xy xy xy ab", 300, min_frequency=2))[256:] == [b"xy", b" xy"]


def test_special_tokens_get_the_last_ids() -> None:
    tokenizer = BPETokenizer.train("abab", 260, special_tokens=["<a>", "<b>"])
    assert tokenizer.vocab_size == 260
    assert dict(tokenizer.special_ids) == {"<a>": 258, "<b>": 259}
    assert tokenizer.id_to_bytes(258) == b"<a>"


def test_special_tokens_in_the_training_text_are_text() -> None:
    with_special = BPETokenizer.train("<a><a><a>", 258, special_tokens=["<a>"])
    assert learnt(with_special)[256] == learnt(BPETokenizer.train("<a><a><a>", 257))[256]


@pytest.mark.parametrize(
    ("size", "specials", "message"),
    [
        (255, [], "vocab_size is 255; the 256 bytes and 0 special tokens need 256"),
        (256, ["<a>"], "the 256 bytes and 1 special tokens need 257"),
        (300.5, [], r"vocab_size is 300\.5, of type float; give an integer"),
        (True, [], "vocab_size is True, of type bool; give an integer"),
        ("300", [], "vocab_size is '300', of type str; give an integer"),
        (300, ["<a>", "<b>", "<a>"], "special token '<a>' stands twice"),
        (300, ["<a>", ""], r"a special token is empty in \['<a>', ''\]"),
        (300, ["\ud800"], "a special token has the lone surrogate"),
        (300, "<a>", "special_tokens is one str, '<a>'; give a list"),
    ],
)
def test_what_cannot_be_trained(size: Any, specials: list[str], message: str) -> None:
    with pytest.raises(TokenizerError, match=message):
        BPETokenizer.train("text", size, special_tokens=specials)


def test_what_is_wrong_with_special_tokens_is_said_before_training() -> None:
    texts = iter(["text"])
    with pytest.raises(TokenizerError, match="stands twice"):
        BPETokenizer.train(texts, 300, special_tokens=["<a>", "<a>"])
    assert list(texts) == ["text"]


def test_numbers_may_be_numpys() -> None:
    assert BPETokenizer.train("xy xy xy ab", np.int64(300), min_frequency=np.int32(2)).vocab_size == 258  # type: ignore[arg-type] # they serve as int
    with pytest.raises(TokenizerError, match=r"min_frequency is 1\.5, of type float"):
        BPETokenizer.train("ab", 300, min_frequency=1.5)  # type: ignore[arg-type] # the error under test


def test_a_lone_surrogate_cannot_be_trained_on() -> None:
    with pytest.raises(TokenizerError, match=r"U\+DC80 at position 3"):
        BPETokenizer.train(["ok", "bad\udc80"], 300)
    with pytest.raises(TokenizerError, match="text is of type bytes; give a str"):
        BPETokenizer.train(b"text", 300)  # type: ignore[arg-type] # the error under test


def test_an_unknown_pattern_cannot_be_trained_with() -> None:
    with pytest.raises(TokenizerError, match="no pattern 'gpt3'"):
        BPETokenizer.train("text", 300, pattern="gpt3")


def test_pairs_are_counted_with_their_words() -> None:
    assert count_pairs([[1, 2, 3], [2, 3]], [10, 1]) == {(1, 2): 10, (2, 3): 11}
    assert count_pairs([[7, 7, 7]], [2]) == {(7, 7): 4}
    assert count_pairs([[], [1]], [5, 5]) == {}
    with pytest.raises(ValueError, match="shorter"):
        count_pairs([[1, 2], [3, 4]], [1])


@pytest.mark.parametrize(
    ("ids", "merged"),
    [
        ([], []),
        ([1], [1]),
        ([1, 2], [9]),
        ([2, 1], [2, 1]),
        ([1, 2, 1, 2], [9, 9]),
        ([1, 1, 2, 2], [1, 9, 2]),
        ([0, 1, 2], [0, 9]),
    ],
)
def test_a_pair_is_merged(ids: list[int], merged: list[int]) -> None:
    before = list(ids)
    assert merge_pair(ids, (1, 2), 9) == merged
    assert merge_pair(ids, [1, 2], 9) == merged  # type: ignore[arg-type] # any two ids do
    assert ids == before


def test_merges_do_not_overlap() -> None:
    assert merge_pair([5] * 5, (5, 5), 6) == [6, 6, 5]
