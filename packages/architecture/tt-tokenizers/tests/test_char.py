"""One id for each character."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_tokenizers import CharTokenizer, TokenizerError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(TEXT)
@settings(deadline=None, max_examples=50)
def test_a_text_comes_back(text: str) -> None:
    tokenizer = CharTokenizer.from_text(text)
    ids = tokenizer.encode(text)
    assert all(type(each) is int for each in ids)
    assert tokenizer.decode(ids) == text
    assert tokenizer.alphabet == "".join(sorted(set(text)))
    assert tokenizer.vocab_size == len(set(text))
    array = tokenizer.encode_array(text)
    assert array.dtype == np.int64
    assert array.tolist() == ids
    assert tokenizer.decode(array) == text


def test_ids_follow_the_alphabet_given() -> None:
    tokenizer = CharTokenizer("zebra")
    assert tokenizer.encode("bar") == [2, 4, 3]
    assert tokenizer.encode_array("bar").tolist() == [2, 4, 3]
    assert tokenizer.decode([0, 1, 2]) == "zeb"
    assert CharTokenizer(["z", "e"]).alphabet == "ze"


def test_nothing_is_nothing() -> None:
    tokenizer = CharTokenizer("ab")
    assert tokenizer.encode("") == []
    assert tokenizer.encode_array("").tolist() == []
    assert tokenizer.decode([]) == ""
    assert tokenizer.decode(np.array([])) == ""


@pytest.mark.parametrize("character", ["\x00", "c", "e", "z", "🙂", "\U0010ffff", "\u00c7"])
def test_an_unknown_character_is_named_with_its_position(character: str) -> None:
    # In a table of 102 code points U+00C7, counted from its start again, would stand where an a does.
    tokenizer = CharTokenizer("abd")
    for encode in (tokenizer.encode, tokenizer.encode_array):
        with pytest.raises(TokenizerError, match=r"at position 2 is not in the alphabet of 3 characters") as caught:
            encode(f"ab{character}")
        assert repr(character) in str(caught.value)


def test_a_lone_surrogate_is_no_character() -> None:
    tokenizer = CharTokenizer("ab")
    for call in (tokenizer.encode, tokenizer.encode_array, CharTokenizer.from_text, CharTokenizer):
        with pytest.raises(TokenizerError, match=r"lone surrogate U\+D83D at position 1"):
            call("a\ud83d")


@pytest.mark.parametrize(("alphabet", "message"), [("", "empty"), ("aba", "'a' twice")])
def test_an_alphabet_has_each_character_once(alphabet: str, message: str) -> None:
    with pytest.raises(TokenizerError, match=message):
        CharTokenizer(alphabet)


@pytest.mark.parametrize("wrong", [-1, 3, 10**30])
def test_an_id_out_of_range_is_named(wrong: int) -> None:
    with pytest.raises(TokenizerError, match=rf"id {wrong} at position 1 is out of range; ids go from 0 to 2"):
        CharTokenizer("abc").decode([0, wrong])


def test_ids_are_integers_on_one_axis() -> None:
    tokenizer = CharTokenizer("abc")
    assert tokenizer.decode([np.int32(2), np.uint8(0)]) == "ca"
    with pytest.raises(TokenizerError, match=r"the id at position 1 is 1\.0, of type float; give an integer"):
        tokenizer.decode([0, 1.0])  # type: ignore[list-item] # the error under test
    with pytest.raises(TokenizerError, match="the id at position 0 is True, of type bool"):
        tokenizer.decode([True])
    with pytest.raises(TokenizerError, match="ids are of type int; give a list of integers, or an array"):
        tokenizer.decode(1)  # type: ignore[arg-type] # the error under test
    with pytest.raises(TokenizerError, match="the id at position 0 is 'a', of type str"):
        tokenizer.decode("a")  # type: ignore[arg-type] # the error under test
    with pytest.raises(TokenizerError, match=r"array of int64 with shape \(1, 1\)"):
        tokenizer.decode(np.array([[1]]))
    with pytest.raises(TokenizerError, match="array of float64"):
        tokenizer.decode(np.array([1.0]))


@pytest.mark.parametrize("wrong", [b"a", b"", ["a", "b"], 3])
def test_only_a_str_is_text(wrong: object) -> None:
    tokenizer = CharTokenizer("ab")
    for call in (tokenizer.encode, tokenizer.encode_array, CharTokenizer.from_text):
        with pytest.raises(TokenizerError, match=f"text is of type {type(wrong).__name__}; give a str"):
            call(wrong)  # type: ignore[arg-type] # the error under test
    with pytest.raises(TokenizerError, match="the alphabet is of type int; give a str"):
        CharTokenizer(b"ab")  # type: ignore[arg-type] # the error under test


def test_saved_and_loaded(tmp_path: Path) -> None:
    path = tmp_path / "char.json"
    CharTokenizer('zé"\n🙂').save(path)
    assert CharTokenizer.load(path).alphabet == 'zé"\n🙂'
    assert [each.name for each in tmp_path.iterdir()] == ["char.json"]
    with pytest.raises(FileNotFoundError):
        CharTokenizer("ab").save(tmp_path / "absent" / "char.json")


GOOD = {"format": "tt-tokenizers.char", "version": 1, "alphabet": "ab"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not a JSON file"),
        ('{"alphabet": "ab"', "not a JSON file"),
        ("[" * 100_000, "not a JSON file"),
        ('{"alphabet": "a", "alphabet": "b"}', "'alphabet' stands twice"),
        ('{"version": NaN}', "NaN is not JSON"),
        ("[1]", "a JSON object was expected"),
        (json.dumps({**GOOD, "version": 2}), r"char\.json: holds .*, version 2; not version 1"),
        (json.dumps({**GOOD, "format": "tt-tokenizers.bpe"}), "holds 'tt-tokenizers.bpe', version 1; not version 1 of"),
        (json.dumps({**GOOD, "more": 2}), r"\[\] are missing, \['more'\] are unknown"),
        (json.dumps({"format": GOOD["format"], "version": 1}), r"\['alphabet'\] are missing, \[\] are unknown"),
        (json.dumps({**GOOD, "alphabet": 3}), "the alphabet is of type int; give a str"),
        (json.dumps({**GOOD, "alphabet": ""}), r"char\.json: the alphabet is empty"),
        (json.dumps({**GOOD, "alphabet": "aa"}), "'a' twice"),
        (json.dumps({**GOOD, "alphabet": "\ud800"}), "lone surrogate"),
    ],
)
def test_a_malformed_file_is_refused(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "char.json"
    path.write_text(content)
    with pytest.raises(TokenizerError, match=message):
        CharTokenizer.load(path)


def test_a_failed_save_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    with pytest.raises(OSError, match="here"):
        CharTokenizer("ab").save(tmp_path / "here")
    assert [each.name for each in tmp_path.iterdir()] == ["here"]
