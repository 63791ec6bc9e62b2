"""Our tokenizer."""

from __future__ import annotations

import tempfile
from pathlib import Path

import tinytorch as tt

from tools.bench import inputs
from tools.bench.job import Job


def tokens(name: str, size: int) -> Job:
    """Prepare training or encoding; tokens for each byte are what both sides must agree on."""
    BPETokenizer = tt.text.BPETokenizer
    text = inputs.shakespeare()[0]
    length = len(text.encode())
    folder = tempfile.TemporaryDirectory(prefix="tinytorch-bench-")  # removed with `encode`, which holds it
    BPETokenizer.train(text, size).save(Path(folder.name, "tokens.json"))

    def loaded() -> tt.text.BPETokenizer:
        return BPETokenizer.load(Path(folder.name, "tokens.json"))

    per_byte = [len(loaded().encode(text)) / length]

    def train() -> float:
        BPETokenizer.train(text, size)
        return 1

    def encode() -> float:
        loaded().encode(text)  # a new one has seen no word yet
        return length / 1e6

    return Job({"bpe_train": train, "bpe_encode": encode}[name], per_byte)
