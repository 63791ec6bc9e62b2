"""Llama: rotary positions, RMS norm, SwiGLU, keys and values shared by several queries."""

from __future__ import annotations

import os

import numpy as np
from tt_attention import MultiHeadAttention
from tt_embeddings import Embedding, RotaryEmbedding
from tt_layers import Linear
from tt_tensor import Tensor

from tt_transformers._blocks import RMSNorm, SwiGLU, TransformerBlock, check_size
from tt_transformers._generate import LanguageModel
from tt_transformers._gpt import initialize, tied_logits
from tt_transformers._llama2c import read_llama2c


class Llama(LanguageModel):
    """A language model of the Llama kind.

    Shapes: ids (B, T) -> logits (B, T, vocab_size).

    Pre-norm blocks of causal, rotary, grouped-query attention and SwiGLU, without biases; a last norm.

    Args:
        vocab_size: How many ids there are (V).
        embed_dim: The width of the stream (C).
        num_layers: How many blocks.
        num_heads: How many query heads; they divide `embed_dim` into an even width.
        max_seq_len: How many places there are (T).
        num_kv_heads: How many key and value heads, each shared by as many query heads; `num_heads` without it.
        hidden_dim: The width inside SwiGLU; without it, see `SwiGLU`.
        dropout: The probability of dropping, while training, of what a part adds and of an attention weight.
        tie_weights: Whether the token table also makes the logits.
        rope_base: The longest wavelength of the rotary positions, over 2 pi.
        eps: What RMS norm adds to the mean square.
        rng: Where the first weights come from; tt-tensor's `default_rng()` without it.

    Attributes:
        tokens: The token table.
        blocks: The list of blocks.
        norm: The last norm.
        head: The layer that makes the logits, or None with tied weights.

    Raises:
        ValueError: If a size is not positive, or the heads do not divide as they must.

    Source: Touvron et al., "Llama 2: open foundation and fine-tuned chat models", 2023.

    Example:
        >>> model = Llama(65, 16, num_layers=2, num_heads=4, max_seq_len=8, num_kv_heads=2)
        >>> model(np.array([[3, 1, 4]])).shape
        (1, 3, 65)
    """

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        num_layers: int,
        num_heads: int,
        max_seq_len: int,
        *,
        num_kv_heads: int | None = None,
        hidden_dim: int | None = None,
        dropout: float = 0.0,
        tie_weights: bool = True,
        rope_base: float = 10000.0,
        eps: float = 1e-5,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.vocab_size = check_size("Llama", "vocab_size", vocab_size)
        self.max_seq_len = check_size("Llama", "max_seq_len", max_seq_len)
        check_size("Llama", "num_layers", num_layers)
        check_size("Llama", "num_heads", num_heads)
        self.tokens = Embedding(vocab_size, embed_dim, rng=rng)
        rotary = RotaryEmbedding(embed_dim // num_heads, base=rope_base, max_seq_len=max_seq_len)
        self.blocks = []
        for _ in range(num_layers):
            attention = MultiHeadAttention(
                embed_dim,
                num_heads,
                num_kv_heads=num_kv_heads,
                bias=False,
                rotary=rotary,
                dropout=dropout,
                causal=True,
                rng=rng,
            )
            mlp = SwiGLU(embed_dim, hidden_dim, rng=rng)
            norms = RMSNorm(embed_dim, eps), RMSNorm(embed_dim, eps)
            self.blocks.append(TransformerBlock(attention, mlp, *norms, dropout))
        self.norm = RMSNorm(embed_dim, eps)
        self.head = None if tie_weights else Linear(embed_dim, vocab_size, bias=False, rng=rng)
        initialize(self, rng)

    def features(self, ids: Tensor, offset: int = 0) -> Tensor:
        """Return what the blocks make of ids (B, T): (B, T, C), normed.

        `offset` changes nothing here: positions are turned inside the attentions. The plain ones begin at 0; one with a
        cache, put in their place, knows how much it has seen.
        """
        x = self.tokens(ids)  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def logits(self, x: Tensor) -> Tensor:
        """Return the logits of what follows each place: (B, T, C) -> (B, T, V)."""
        return tied_logits(x, self.tokens) if self.head is None else self.head(x)

    @classmethod
    def from_llama2c(cls, path: str | os.PathLike[str]) -> Llama:
        """Read a model from a file in the layout of llama2.c, version 0.

        Args:
            path: The file, such as `stories260K.bin`.

        Raises:
            Llama2cError: If the file is not of that layout; found out before memory is taken for its weights.
            OSError: If the file cannot be opened or read.

        Source: Karpathy, llama2.c, 2023 (`export.py`, `legacy_export`).
        """
        header, state = read_llama2c(path)
        model = cls(
            header.vocab_size,
            header.dim,
            header.n_layers,
            header.n_heads,
            header.seq_len,
            num_kv_heads=header.n_kv_heads,
            hidden_dim=header.hidden_dim,
            tie_weights=header.tied,
        )
        model.load_state_dict(state)
        return model
