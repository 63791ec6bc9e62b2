"""What a larger vocabulary buys, and what it costs to learn one: two lessons, measured.

Example:
    >>> rows = vocabulary_sizes("the cat and the dog and the cow " * 50, sizes=(256, 260, 264))
    >>> [row.vocab_size for row in rows], rows[0].tokens > rows[1].tokens > rows[2].tokens
    ([256, 260, 264], True)
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tt_tokenizers._bpe import BPETokenizer
from tt_tokenizers._byte_alphabet import BYTE_ORDER
from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._merge import merge_pair
from tt_tokenizers._patterns import split_words
from tt_tokenizers._train import count_pairs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "TrainingTimes",
    "VocabularySize",
    "plot_vocabulary_sizes",
    "python_help",
    "recount_against_update",
    "vocabulary_sizes",
]

SIZES = (256, 512, 1024, 2048, 4096)


@dataclass(frozen=True)
class VocabularySize:
    """What was measured with a vocabulary of one size, on text that it was not trained on.

    Args:
        vocab_size: How many ids there are; fewer than asked for if the text had no more pairs.
        tokens: How many ids the held-out text has.
        bytes_per_token: Its bytes over its ids: how much longer a text fits into the same context.
        train_seconds: Seconds to learn the vocabulary.
        encode_rate: Bytes encoded in a second, by a tokenizer that has met no word before.
        attention_pairs: The square of the ids that 1,024 bytes become: what attention over them costs.
        embedding_bytes: The bytes of a float32 embedding of this vocabulary, 128 numbers a token.
    """

    vocab_size: int
    tokens: int
    bytes_per_token: float
    train_seconds: float
    encode_rate: float
    attention_pairs: float
    embedding_bytes: int


def python_help() -> str:
    """Return the text that Python's `help()` shows on its topics: some 460,000 characters that every CPython carries.

    Example:
        >>> len(python_help()) > 100_000
        True
    """
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


def vocabulary_sizes(text: str | None = None, sizes: Sequence[int] = SIZES) -> list[VocabularySize]:
    """Train on the first nine tenths of a text, for several sizes of vocabulary, and encode the last tenth.

    Args:
        text: What to learn from; `python_help()` without it.
        sizes: The sizes to try, each at least 256.

    Returns:
        One row for each size, in order.

    Raises:
        TokenizerError: The text is too short to hold anything out, or a size is below 256.
    """
    whole = python_help() if text is None else text
    cut = len(whole) * 9 // 10
    known, held_out = whole[:cut], whole[cut:]
    if not known or not held_out:
        raise TokenizerError(f"the text has {len(whole)} characters; the lesson needs two at least")
    return [_measure(known, held_out, size) for size in sizes]


def _measure(known: str, held_out: str, size: int) -> VocabularySize:
    """Train and encode with one size."""
    began = time.perf_counter()
    tokenizer = BPETokenizer.train(known, size)
    trained = time.perf_counter()
    ids = tokenizer.encode(held_out)
    encoded = time.perf_counter()
    length = len(held_out.encode())
    return VocabularySize(
        vocab_size=tokenizer.vocab_size,
        tokens=len(ids),
        bytes_per_token=length / len(ids),
        train_seconds=trained - began,
        encode_rate=length / (encoded - trained),
        attention_pairs=(1024 * len(ids) / length) ** 2,
        embedding_bytes=tokenizer.vocab_size * 128 * 4,
    )


@dataclass(frozen=True)
class TrainingTimes:
    """What two ways to learn the same vocabulary took.

    Args:
        merges: How many merges both learnt.
        recount_seconds: Seconds when every pair is counted again after each merge.
        update_seconds: Seconds when counts change only where a merge happened.
        same: Whether the vocabularies are equal.
    """

    merges: int
    recount_seconds: float
    update_seconds: float
    same: bool


def recount_against_update(text: str | None = None, vocab_size: int = 320) -> TrainingTimes:
    """Learn a vocabulary twice: by counting all pairs again after each merge, and as `BPETokenizer.train` does.

    Args:
        text: What to learn from; the first 100,000 characters of `python_help()` without it.
        vocab_size: How many ids to learn, 256 of which are the bytes.

    Raises:
        TokenizerError: The size is below 256.

    Example:
        >>> recount_against_update("the cat and the dog " * 20, 262).same
        True
    """
    text = python_help()[:100_000] if text is None else text
    began = time.perf_counter()
    counted = _learn_by_recounting(text, vocab_size)
    recounted = time.perf_counter()
    tokenizer = BPETokenizer.train(text, vocab_size)
    updated = time.perf_counter()
    same = counted == list(tokenizer.vocabulary.values())
    return TrainingTimes(len(counted) - 256, recounted - began, updated - recounted, same)


def _learn_by_recounting(text: str, vocab_size: int) -> list[bytes]:
    """Return the tokens of a vocabulary, learnt the slow way."""
    frequencies = Counter(split_words(text))
    tokens = [bytes([byte]) for byte in BYTE_ORDER]
    words = [[BYTE_ORDER.index(byte) for byte in word.encode()] for word in frequencies]
    while len(tokens) < vocab_size and (counts := count_pairs(words, frequencies.values())):
        pair = min(counts, key=lambda each: (-counts[each], each))
        words = [merge_pair(word, pair, len(tokens)) for word in words]
        tokens.append(tokens[pair[0]] + tokens[pair[1]])
    return tokens


def plot_vocabulary_sizes(rows: Sequence[VocabularySize]) -> Figure:
    """Draw what `vocabulary_sizes` measured: bytes per token, attention's cost and the rate over the size.

    Args:
        rows: The rows.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plot_vocabulary_sizes draws with matplotlib: pip install 'tt-tokenizers[plot]'.") from error
    sizes = [row.vocab_size for row in rows]
    curves = {
        "bytes per token": [row.bytes_per_token for row in rows],
        "pairs that attention\ncompares in 1,024 bytes": [row.attention_pairs for row in rows],
        "encoding, MB/s": [row.encode_rate / 1e6 for row in rows],
        "training, s": [row.train_seconds for row in rows],
    }
    figure = Figure(figsize=(8.0, 5.5), layout="constrained")
    for axes, (label, values) in zip(figure.subplots(2, 2).flat, curves.items(), strict=True):
        axes.plot(sizes, values, marker="o")
        axes.set(xscale="log", xlabel="vocabulary size", ylabel=label)
        axes.set_ylim(bottom=0.0)
        axes.grid(alpha=0.3)
    return figure
