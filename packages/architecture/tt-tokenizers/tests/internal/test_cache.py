from __future__ import annotations

import pytest
from tt_tokenizers import BPETokenizer, _encoder


def test_the_words_that_are_remembered_are_few_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_encoder, "_MOST_CACHED", 3)
    tokenizer = BPETokenizer.train("", 256)
    for number in range(10):
        text = f"{number} a {'b' * 100}"
        assert tokenizer.decode(tokenizer.encode(text)) == text
        assert 0 < len(tokenizer._encoder._cache) <= 3
        assert max(map(len, tokenizer._encoder._cache)) < 100
