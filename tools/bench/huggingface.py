"""What the worker of HuggingFace tokenizers does."""

from __future__ import annotations

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tools.bench import inputs
from tools.bench.job import Job


def set_threads(count: int) -> None:
    """Leave it to the environment: RAYON_NUM_THREADS."""


def trained(texts: list[str], size: int) -> Tokenizer:
    """Train a byte-level BPE of so many tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def prepare(name: str, size: int, variant: str, way: str) -> Job:
    """Prepare training or encoding; tokens for each byte are what both sides must agree on."""
    text = inputs.shakespeare()[0]
    length = len(text.encode())
    saved = trained([text], size).to_str()
    per_byte = [len(Tokenizer.from_str(saved).encode(text).ids) / length]

    def train() -> float:
        trained([text], size)
        return 1

    def encode() -> float:
        Tokenizer.from_str(saved).encode(text)  # a new one has seen no word yet
        return length / 1e6

    return Job({"bpe_train": train, "bpe_encode": encode}[name], per_byte)
