"""Tables of vectors that are learned: for tokens, and for positions."""

from __future__ import annotations

import numpy as np
from tt_layers import Module, Parameter, init
from tt_tensor import Tensor, TensorLike

from tt_embeddings._lookup import embedding

STD = 0.02  # of the first rows, as in GPT-2: a tied output layer then starts with small logits


class Embedding(Module):
    """A table with one learned vector for each id.

    Shapes: ids (...) -> (..., embedding_dim).

    The rows start normally distributed with mean 0 and standard deviation 0.02 (GPT-2's; PyTorch's is 1), the padding
    row at zero, where it stays: it gets no gradient.

    Args:
        num_embeddings: How many ids there are (V).
        embedding_dim: The length of a vector (C).
        padding_idx: The id that stands for "nothing here".
        rng: Where the random numbers come from; tt-tensor's `default_rng()` without it.

    Attributes:
        weight: The parameter of shape (V, C).

    Raises:
        ValueError: A size is not positive, or the padding row does not exist.

    Example:
        >>> table = Embedding(10, 4, padding_idx=0)
        >>> table(Tensor([[1, 2, 0]])).shape, table.weight.data[0].tolist()
        ((1, 3, 4), [0.0, 0.0, 0.0, 0.0])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        if num_embeddings < 1 or embedding_dim < 1:
            raise ValueError(
                f"Embedding needs at least one row of at least one number, but received num_embeddings="
                f"{num_embeddings} and embedding_dim={embedding_dim}."
            )
        if padding_idx is not None and not 0 <= padding_idx < num_embeddings:
            raise ValueError(
                f"padding_idx={padding_idx} is no row of a table of {num_embeddings} rows; give it 0 to "
                f"{num_embeddings - 1}, or None."
            )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.weight = Parameter(np.zeros((num_embeddings, embedding_dim), np.float32))
        self.reset_parameters(rng=rng)

    def reset_parameters(self, *, rng: np.random.Generator | None = None) -> None:
        """Draw the table anew, and put zeros into the padding row."""
        init.normal_(self.weight, 0.0, STD, rng=rng)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, ids: TensorLike) -> Tensor:
        """Return the vector of every id."""
        return embedding(ids, self.weight, padding_idx=self.padding_idx)

    def describe(self) -> str:
        """Return the sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class PositionalEmbedding(Module):
    """A learned vector for each position, added to what stands there.

    Shapes: x (..., T, C) -> the same.

    The rows start like those of `Embedding`.

    Args:
        max_seq_len: How many positions there are.
        embed_dim: The length of a vector (C).
        rng: Where the random numbers come from; tt-tensor's `default_rng()` without it.

    Attributes:
        weight: The parameter of shape (max_seq_len, C).

    Raises:
        ValueError: A size is not positive.

    Example:
        >>> PositionalEmbedding(8, 4)(Tensor([[[0.0] * 4] * 3])).shape
        (1, 3, 4)
    """

    def __init__(self, max_seq_len: int, embed_dim: int, *, rng: np.random.Generator | None = None) -> None:
        if max_seq_len < 1 or embed_dim < 1:
            raise ValueError(
                f"PositionalEmbedding needs at least one position of at least one number, but received max_seq_len="
                f"{max_seq_len} and embed_dim={embed_dim}."
            )
        self.max_seq_len = max_seq_len
        self.embed_dim = embed_dim
        self.weight = Parameter(np.zeros((max_seq_len, embed_dim), np.float32))
        self.reset_parameters(rng=rng)

    def reset_parameters(self, *, rng: np.random.Generator | None = None) -> None:
        """Draw the table anew."""
        init.normal_(self.weight, 0.0, STD, rng=rng)

    def forward(self, x: Tensor, offset: int = 0) -> Tensor:
        """Return `x` plus the vectors of positions `offset` to `offset + T - 1`.

        Raises:
            ValueError: `x` has another width, or positions that the table has not.
        """
        if x.ndim < 2 or x.shape[-1] != self.embed_dim:
            raise ValueError(f"{self!r} adds to an input (..., T, {self.embed_dim}), but received {x.shape}.")
        length = x.shape[-2]
        if offset < 0 or offset + length > self.max_seq_len:
            raise ValueError(
                f"{self!r} knows positions 0 to {self.max_seq_len - 1}, but received {length} from position {offset}; "
                "shorten the input, or raise max_seq_len."
            )
        return x + self.weight[offset : offset + length]

    def describe(self) -> str:
        """Return the sizes."""
        return f"{self.max_seq_len}, {self.embed_dim}"
