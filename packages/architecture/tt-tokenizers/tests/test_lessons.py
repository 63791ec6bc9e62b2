"""The lessons: what a larger vocabulary buys, and what counting again costs."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from tt_tokenizers import BPETokenizer, TokenizerError
from tt_tokenizers.lessons import (
    VocabularySize,
    plot_vocabulary_sizes,
    python_help,
    recount_against_update,
    vocabulary_sizes,
)

TEXT = "the cat and the dog sat on the mat, and the cow was glad; " * 40


def test_larger_vocabularies_make_shorter_sequences() -> None:
    rows = vocabulary_sizes(TEXT, sizes=(256, 264, 280))
    assert [row.vocab_size for row in rows] == [256, 264, 280]
    held_out = TEXT[len(TEXT) * 9 // 10 :]
    assert rows[0].tokens == len(held_out)
    assert rows[0].bytes_per_token == 1.0
    assert rows[0].tokens > rows[1].tokens > rows[2].tokens
    expected = len(BPETokenizer.train(TEXT[: len(TEXT) * 9 // 10], 280).encode(held_out))
    assert rows[2].tokens == expected
    assert rows[2].attention_pairs == pytest.approx((1024 * expected / len(held_out)) ** 2)
    assert [row.embedding_bytes for row in rows] == [256 * 512, 264 * 512, 280 * 512]
    assert all(row.train_seconds > 0 and row.encode_rate > 0 for row in rows)


def test_without_a_text_it_is_pythons() -> None:
    assert len(python_help()) > 100_000
    (row,) = vocabulary_sizes(sizes=(300,))
    assert row.vocab_size == 300
    assert row.bytes_per_token > 1.3


def test_too_little_text_and_too_few_ids() -> None:
    with pytest.raises(TokenizerError, match="the text has 0 characters"):
        vocabulary_sizes("")
    for lesson in (lambda: vocabulary_sizes(TEXT, sizes=(255,)), lambda: recount_against_update(TEXT, 255)):
        with pytest.raises(TokenizerError, match="vocab_size is 255"):
            lesson()


def test_counting_again_learns_the_same() -> None:
    times = recount_against_update(TEXT, 275)
    assert times.same
    assert times.merges == 19
    assert times.recount_seconds > 0
    assert times.update_seconds > 0
    assert recount_against_update("ab", 300).merges == 1


def test_the_plot_draws_every_measure() -> None:
    pytest.importorskip("matplotlib")
    rows = [VocabularySize(256, 100, 1.0, 0.1, 1e6, 9.0, 10), VocabularySize(512, 50, 2.0, 0.2, 2e6, 4.0, 20)]
    figure = plot_vocabulary_sizes(rows)
    drawn = [np.asarray(axes.lines[0].get_xydata()).tolist() for axes in figure.axes]
    measured = ([1.0, 2.0], [9.0, 4.0], [1.0, 2.0], [0.1, 0.2])
    assert drawn == [[[256.0, first], [512.0, second]] for first, second in measured]
    labels = ["bytes per token", "pairs that attention", "encoding, MB/s", "training, s"]
    assert [axes.get_ylabel().split("\n")[0] for axes in figure.axes] == labels
    assert {axes.get_xlabel() for axes in figure.axes} == {"vocabulary size"}
    assert [axes.get_xscale() for axes in figure.axes] == ["log"] * 4


def test_without_matplotlib_the_plot_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **words: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **words)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"tt-tokenizers\[plot\]"):
        plot_vocabulary_sizes([])
