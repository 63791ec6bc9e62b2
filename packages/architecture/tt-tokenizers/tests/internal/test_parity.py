"""The same ids as tiktoken and HuggingFace's tokenizers, on the same merges; the same words as their patterns."""

from __future__ import annotations

import base64
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_tokenizers import BPETokenizer, split_words
from tt_tokenizers._byte_alphabet import byte_characters
from tt_tokenizers.lessons import python_help

tiktoken = pytest.importorskip("tiktoken")
tokenizers = pytest.importorskip("tokenizers")

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
# The oracle's Unicode tables are newer: only characters that both know.
KNOWN = st.characters(exclude_categories=["Cs", "Cn"]).filter(lambda c: unicodedata.category(c) != "Cn")
PIECES = st.sampled_from(
    ["'s", "'LL", " ", "  ", "\n", "\r\n", "\t", "a", "The", "12345", "é", "\u017f", "中文", "🙂", "\x1c", "\u2003"]
)
TEXTS = st.lists(PIECES | KNOWN).map("".join)


def ranks_of(tokenizer: BPETokenizer) -> dict[bytes, int]:
    return {token: number for number, token in tokenizer.vocabulary.items() if number < 1024}


@pytest.fixture(scope="module")
def ours() -> BPETokenizer:
    return BPETokenizer.train(python_help()[:200_000], 1024)


@pytest.fixture(scope="module")
def theirs() -> Any:
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=1024, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([python_help()[:200_000]], trainer=trainer)
    return tokenizer


def test_training_learns_what_theirs_learns(ours: BPETokenizer, theirs: Any) -> None:
    spelled = byte_characters()
    mine = {"".join(spelled[byte] for byte in token): number for number, token in ours.vocabulary.items()}
    assert mine == theirs.get_vocab()


def test_ids_are_theirs(ours: BPETokenizer, theirs: Any) -> None:
    text = python_help()[100_000:300_000]
    assert ours.encode(text) == theirs.encode(text).ids


def test_their_files_give_their_ids(theirs: Any, tmp_path: Path) -> None:
    theirs.model.save(str(tmp_path))
    read = BPETokenizer.from_gpt2(tmp_path / "vocab.json", tmp_path / "merges.txt")
    assert read.special_ids == {}
    text = python_help()[:50_000] + "größer 🙂 'Tis 中文 \x1c\u2003"
    assert read.encode(text) == theirs.encode(text).ids
    assert len(json.loads((tmp_path / "vocab.json").read_text())) == read.vocab_size


@pytest.mark.parametrize(("name", "pattern"), [("gpt2", GPT2), ("cl100k", CL100K)])
def test_ids_are_tiktokens(ours: BPETokenizer, name: str, pattern: str, tmp_path: Path) -> None:
    ranks = ranks_of(ours)
    oracle = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={"<|end|>": 1024})
    lines = [f"{base64.b64encode(token).decode()} {rank}" for token, rank in ranks.items()]
    (tmp_path / "x.tiktoken").write_text("\n".join(lines) + "\n")
    read = BPETokenizer.from_tiktoken(tmp_path / "x.tiktoken", special_tokens={"<|end|>": 1024}, pattern=name)
    text = python_help()[:100_000]
    assert read.encode(text) == oracle.encode_ordinary(text)
    assert read.encode("a<|end|>b", allowed_special="all") == oracle.encode("a<|end|>b", allowed_special="all")
    long = "a" * 1000 + "ab" * 500 + " " * 77
    assert read.encode(long) == oracle.encode_ordinary(long)

    @given(TEXTS)
    @settings(max_examples=300, deadline=None)
    def agrees(text: str) -> None:
        assert read.encode(text) == oracle.encode_ordinary(text)

    agrees()


def test_every_known_character_is_split_like_theirs() -> None:
    """Each character of this Python's Unicode between letters, digits, spaces and punctuation."""
    characters = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) not in ("Cs", "Cn")]
    characters = [each for each in characters if unicodedata.category(each) != "Co"]
    split = tokenizers.pre_tokenizers.Split(tokenizers.Regex(GPT2_ONIGURUMA), "isolated")
    wrong = []
    for start in range(0, len(characters), 2000):
        text = "".join(f"a{each}1{each}! {each}{each} " for each in characters[start : start + 2000])
        theirs = [piece for piece, _ in split.pre_tokenize_str(text)]
        if split_words(text) != theirs:
            wrong += [
                each
                for each in characters[start : start + 2000]
                if split_words(f"a{each}1{each}! {each}{each} ")
                != [piece for piece, _ in split.pre_tokenize_str(f"a{each}1{each}! {each}{each} ")]
            ]
    assert [f"U+{ord(each):04X} {unicodedata.category(each)}" for each in wrong] == []


GPT2_ONIGURUMA = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
