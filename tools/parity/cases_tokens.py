"""The rows of tokenizers: the same merges read by HuggingFace tokenizers, tiktoken and us give the same ids."""

from __future__ import annotations

import base64
import tempfile
from functools import cache
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
import tiktoken
import tinytorch as tt
from tiktoken_ext.openai_public import r50k_pat_str
from tokenizers import Tokenizer

from tools.bench import huggingface
from tools.parity.cases_tensor import row

SIZE = 2000
PATTERNS = {
    "gpt2": r50k_pat_str,
    # tiktoken keeps this one behind a download of its ranks.
    "cl100k": r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|"""
    r"""\s++$|\s*[\r\n]|\s+(?!\S)|\s""",
}
ALPHABETS = (
    "abcXYZ019 \t\n.,'!-_\u00e9\u00df\u0130\u017f\u03a9\u0436\u05d0\u0639\u0e01\u4e2d\u8a9e\uac00\U0001f600"
    "\U0001f468\u200d\u0301\u00a0\u2028\ufeff\x00\x7f"
)
EDGES = ("", " ", "  x", "\n\n a", "don't DON'T we'll", "a" * 300, "e\u0301\u00e9", "1234567 89")


@cache
def lines() -> list[str]:
    """Give some thousands of lines: Python's own topics, and characters of many scripts in disorder."""
    rng = np.random.default_rng(0)
    mixed = ["".join(rng.choice(list(ALPHABETS), rng.integers(1, 40))) for _ in range(2000)]
    return [*EDGES, *mixed, *"\n".join(topics[name] for name in sorted(topics)).splitlines()[:4000]]


@cache
def trained() -> Tokenizer:
    """Train HuggingFace's byte-level BPE."""
    return huggingface.trained(lines(), SIZE)


@cache
def from_files() -> tt.text.BPETokenizer:
    """Read the files that HuggingFace wrote."""
    with tempfile.TemporaryDirectory() as folder:
        trained().model.save(folder)
        return tt.text.BPETokenizer.from_gpt2(Path(folder, "vocab.json"), Path(folder, "merges.txt"))


def ranks() -> dict[bytes, int]:
    """Give every token's bytes and its id: merges come in the order of their ids, as tiktoken wants."""
    return {token: number for number, token in from_files().vocabulary.items()}


def ranked(pattern: str) -> tt.text.BPETokenizer:
    """Read those in tiktoken's layout."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ranks.tiktoken")
        path.write_text("".join(f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks().items()))
        return tt.text.BPETokenizer.from_tiktoken(path, pattern=pattern)


def joined(each: list[list[int]]) -> tt.Array:
    """Write the ids of all lines in a row, each line's behind how many they are."""
    return np.array([number for ids in each for number in (len(ids), *ids)])


def tiktoken_ids(pattern: str) -> tt.Array:
    """Give tiktoken's."""
    encoding = tiktoken.Encoding("ours", pat_str=PATTERNS[pattern], mergeable_ranks=ranks(), special_tokens={})
    return joined([encoding.encode_ordinary(line) for line in lines()])


def our_ids(tokenizer: tt.text.BPETokenizer) -> tt.Array:
    """Give ours, once the way back is known to be right."""
    found = [tokenizer.encode(line) for line in lines()]
    if [tokenizer.decode(ids) for ids in found] != lines():
        raise ValueError("decode(encode(text)) is another text")
    return joined(found)


CASES = [
    row("BPETokenizer: GPT-2's files, as HuggingFace", lambda: our_ids(from_files()),
        lambda: joined([each.ids for each in trained().encode_batch(lines())])),
    row("BPETokenizer: GPT-2's files, as tiktoken", lambda: our_ids(from_files()), lambda: tiktoken_ids("gpt2")),
    row("BPETokenizer: tiktoken's ranks", lambda: our_ids(ranked("gpt2")), lambda: tiktoken_ids("gpt2")),
    row("BPETokenizer: tiktoken's ranks, cl100k", lambda: our_ids(ranked("cl100k")), lambda: tiktoken_ids("cl100k")),
    row("BPETokenizer: trained here, as HuggingFace", lambda: our_ids(tt.text.BPETokenizer.train(lines(), SIZE)),
        lambda: joined([each.ids for each in trained().encode_batch(lines())])),
]  # fmt: skip
