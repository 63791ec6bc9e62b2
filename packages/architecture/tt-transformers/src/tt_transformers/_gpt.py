"""GPT: learned positions, layer norm, GELU."""

from __future__ import annotations

import math

import numpy as np
from tt_attention import MultiHeadAttention
from tt_embeddings import Embedding, PositionalEmbedding
from tt_layers import Dropout, Linear, Module, init, linear
from tt_tensor import Tensor

from tt_transformers._blocks import MLP, LayerNorm, TransformerBlock, check_size
from tt_transformers._generate import LanguageModel

STD = 0.02


class GPT(LanguageModel):
    """A language model of the GPT-2 kind.

    Shapes: ids (B, T) -> logits (B, T, vocab_size).

    Pre-LN blocks of causal attention and a tanh-GELU MLP of four times the width, learned positions, a last norm. With
    tied weights the logits are products with the rows of the token table; else with a `Linear` of its own.

    Args:
        vocab_size: How many ids there are (V).
        embed_dim: The width of the stream (C).
        num_layers: How many blocks.
        num_heads: How many heads each attention has; they divide `embed_dim`.
        max_seq_len: How many places there are (T).
        dropout: The probability of dropping, while training: in the sum of the embeddings, of what a part adds, and of
            an attention weight.
        tie_weights: Whether the token table also makes the logits.
        rng: Where the first weights come from; tt-tensor's `default_rng()` without it.

    Attributes:
        tokens: The token table.
        positions: The position table.
        blocks: The list of blocks.
        norm: The last norm.
        head: The layer that makes the logits, or None with tied weights.

    Raises:
        ValueError: If a size is not positive, or the heads do not divide the width.

    Source: Radford et al., "Language models are unsupervised multitask learners", 2019.

    Example:
        >>> model = GPT(65, 16, num_layers=2, num_heads=4, max_seq_len=8)
        >>> model(np.array([[3, 1, 4]])).shape
        (1, 3, 65)
        >>> model.generate([3, 1, 4], 5, temperature=0).shape
        (8,)
    """

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        num_layers: int,
        num_heads: int,
        max_seq_len: int,
        dropout: float = 0.0,
        tie_weights: bool = True,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.vocab_size = check_size("GPT", "vocab_size", vocab_size)
        self.max_seq_len = check_size("GPT", "max_seq_len", max_seq_len)
        check_size("GPT", "num_layers", num_layers)
        self.tokens = Embedding(vocab_size, embed_dim, rng=rng)
        self.positions = PositionalEmbedding(max_seq_len, embed_dim, rng=rng)
        self.dropout = Dropout(dropout)
        self.blocks = [gpt_block(embed_dim, num_heads, dropout, rng) for _ in range(num_layers)]
        self.norm = LayerNorm(embed_dim)
        self.head = None if tie_weights else Linear(embed_dim, vocab_size, bias=False, rng=rng)
        initialize(self, rng)

    def features(self, ids: Tensor, offset: int = 0) -> Tensor:
        """Return what the blocks make of ids (B, T) that stand from place `offset` on: (B, T, C), normed."""
        x = self.dropout(self.positions(self.tokens(ids), offset))  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def logits(self, x: Tensor) -> Tensor:
        """Return the logits of what follows each place: (B, T, C) -> (B, T, V)."""
        return tied_logits(x, self.tokens) if self.head is None else self.head(x)


def gpt_block(embed_dim: int, num_heads: int, dropout: float, rng: np.random.Generator | None) -> TransformerBlock:
    """Make one block of a GPT."""
    attention = MultiHeadAttention(embed_dim, num_heads, dropout=dropout, causal=True, rng=rng)
    return TransformerBlock(attention, MLP(embed_dim, rng=rng), LayerNorm(embed_dim), LayerNorm(embed_dim), dropout)


def tied_logits(x: Tensor, tokens: Embedding) -> Tensor:
    """Compare every place with every row of the token table: (B, T, C) with (V, C) -> (B, T, V)."""
    return linear(x, tokens.weight.T)


def initialize(model: Module, rng: np.random.Generator | None) -> None:
    """Draw the weights as GPT-2 does: small, and smaller still where they add to the stream.

    Every block adds to the stream twice; dividing those layers' standard deviation by the square root of how many
    additions there are keeps the stream's variance from growing with depth.
    """
    blocks = [module for module in model.modules() if isinstance(module, TransformerBlock)]
    adding = [layer for block in blocks for layer in (block.attention.output, block.mlp.down)]
    for module in model.modules():
        if isinstance(module, Linear):
            added = any(module is layer for layer in adding)
            init.normal_(module.weight, 0.0, STD / math.sqrt(len(adding)) if added else STD, rng=rng)
            if module.bias is not None:
                init.zeros_(module.bias)
