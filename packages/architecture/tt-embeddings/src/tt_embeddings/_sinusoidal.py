"""Positions as sines and cosines of many wavelengths: nothing to learn, and no end."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array, Tensor, from_numpy


def wavelengths(pairs: int, dim: int, base: float) -> Array:
    """Return the angle by which each pair of `dim` numbers turns from one position to the next: base^(-2i / dim)."""
    return np.float64(base) ** (-2.0 * np.arange(pairs) / dim)


def sinusoidal_positions(length: int, embed_dim: int) -> Tensor:
    """Return the position vectors of the first transformer: sines at even places, cosines at odd ones.

    Shapes: (length, embed_dim), float32. Pair i of position t holds sin and cos of t / 10000^(2i / embed_dim).

    Args:
        length: How many positions.
        embed_dim: The length of a vector; if it is odd, the last sine has no cosine.

    Raises:
        ValueError: `length` is negative, or `embed_dim` not positive.

    Source: Vaswani et al., "Attention is all you need", 2017, section 3.5.

    Example:
        >>> sinusoidal_positions(2, 2).data.round(4).tolist()
        [[0.0, 1.0], [0.8414999842643738, 0.5403000116348267]]
    """
    if length < 0 or embed_dim < 1:
        raise ValueError(
            f"sinusoidal_positions needs a length of at least 0 and an embed_dim of at least 1, but received "
            f"{length} and {embed_dim}."
        )
    pairs = (embed_dim + 1) // 2
    angles = np.arange(length)[:, np.newaxis] * wavelengths(pairs, embed_dim, 10000.0)  # (T, pairs)
    table = np.empty((length, embed_dim), np.float32)
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles[:, : embed_dim // 2])
    return from_numpy(table)
