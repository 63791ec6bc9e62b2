"""TinyTorch module 11: from numbers to vectors, and where in the text they stand.

Example:
    >>> from tt_tensor import Tensor
    >>> tokens, positions = Embedding(65, 16), PositionalEmbedding(8, 16)
    >>> positions(tokens(Tensor([[3, 1, 4]]))).shape
    (1, 3, 16)
"""

from tt_embeddings._lookup import embedding
from tt_embeddings._modules import Embedding, PositionalEmbedding
from tt_embeddings._rotary import RotaryEmbedding, rotary, rotary_angles
from tt_embeddings._sinusoidal import sinusoidal_positions

__all__ = [
    "Embedding",
    "PositionalEmbedding",
    "RotaryEmbedding",
    "embedding",
    "rotary",
    "rotary_angles",
    "sinusoidal_positions",
]
