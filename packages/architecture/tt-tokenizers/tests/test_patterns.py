"""Where text is split before any merge."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_tokenizers import PATTERNS, TokenizerError, split_words

PIECES = [
    "'s",
    "'LL",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    "a",
    "The",
    "12345",
    "é",
    "中文",
    "🙂",
    "\x1c",
    "\u2003",
    "\U0001d400",
    "!?",
]


@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text(), st.sampled_from(PATTERNS))
@settings(deadline=None, max_examples=200)
def test_the_words_are_the_text(text: str, pattern: str) -> None:
    words = split_words(text, pattern)
    assert "".join(words) == text
    assert all(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello world", ["Hello", " world"]),
        (
            "we'll they've I'm it's 'tis O'Neil",
            ["we", "'ll", " they", "'ve", " I", "'m", " it", "'s", " '", "tis", " O", "'", "Neil"],
        ),
        ("a  b   c", ["a", " ", " b", "  ", " c"]),
        ("a \n b\n\n", ["a", " \n", " b", "\n\n"]),
        ("x=1234 -> y", ["x", "=", "1234", " ->", " y"]),
        ("Größe naïve", ["Größe", " naïve"]),
        ("日本語123", ["日本語", "123"]),
        ("½²Ⅷ x", ["½²Ⅷ", " x"]),
        ("a\u0301b", ["a", "\u0301", "b"]),
        ("🙂🙂 🙂", ["🙂🙂", " 🙂"]),
        ("a\u00a0b\u2003c", ["a", "\u00a0", "b", "\u2003", "c"]),
        # re's own \s has U+001C, Unicode's white space does not.
        ("a\x1c b", ["a", "\x1c", " b"]),
        ("\U0001d400b\U0001d7d9", ["\U0001d400b", "\U0001d7d9"]),
        ("_a_", ["_", "a", "_"]),
    ],
)
def test_as_gpt2_splits(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I'LL we'Re", ["I", "'LL", " we", "'Re"]),
        ("1234567", ["123", "456", "7"]),
        ("a.b(c", ["a", ".b", "(c"]),
        ("x;\n\ny", ["x", ";\n\n", "y"]),
        ("a \n\n b", ["a", " \n\n", " b"]),
        ("a  b", ["a", " ", " b"]),
        ("'\u017f\n ", ["'\u017f", "\n "]),
        ("'\u017fa", ["'\u017f", "a"]),
    ],
)
def test_as_cl100k_splits(text: str, words: list[str]) -> None:
    assert split_words(text, "cl100k") == words


def test_the_other_patterns() -> None:
    assert split_words("  a b  ", "spaces") == ["  a", " b", "  "]
    assert split_words("a b\nc", "spaces") == ["a", " b\nc"]
    assert split_words("a b", "none") == ["a b"]
    assert split_words("", "none") == []


@pytest.mark.parametrize("pattern", PATTERNS)
def test_only_a_str_is_split(pattern: str) -> None:
    with pytest.raises(TokenizerError, match="text is of type bytes; give a str"):
        split_words(b"a", pattern)  # type: ignore[arg-type] # the error under test
    assert split_words("\ud800 a", pattern)[0][0] == "\ud800"


def test_an_unknown_pattern_names_those_there_are() -> None:
    with pytest.raises(TokenizerError, match="no pattern 'gpt5'; choose one of gpt2, cl100k, spaces, none"):
        split_words("a", "gpt5")


@given(st.text(st.sampled_from("ab1 !'\n"), max_size=40))
@settings(deadline=None, max_examples=60)
def test_a_character_further_on_changes_nothing_before_it(text: str) -> None:
    # Texts with characters beyond ASCII, or beyond the first plane, take other patterns: they must agree.
    plain = split_words(text + "\n!")
    for tail in ("é", "\U0001d400"):
        assert split_words(text + "\n!" + tail) == [*plain, tail]
