"""Rotary positions: queries and keys turn with their position, so that their product sees only the distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from tt_autograd import Spec, defvjp
from tt_layers import Module
from tt_tensor import Array, Primitive, Tensor, TensorLike, applies, as_tensor, from_numpy

from tt_embeddings._sinusoidal import wavelengths


def rotate(x: Array, cos: Array, sin: Array, *, interleaved: bool) -> Array:
    """Turn every pair (a, b) of the last axis into (a cos - b sin, a sin + b cos).

    Shapes: x (..., T, D), cos and sin (..., T, D / 2), broadcast. A pair is (2i, 2i + 1), or (i, i + D / 2).
    """
    half = x.shape[-1] // 2
    first, second = (slice(0, None, 2), slice(1, None, 2)) if interleaved else (slice(0, half), slice(half, None))
    wide = x.astype(np.result_type(x.dtype, np.float32), copy=False)
    a, b = wide[..., first], wide[..., second]
    out = np.empty_like(wide)
    out[..., first] = a * cos - b * sin
    out[..., second] = a * sin + b * cos
    return out.astype(x.dtype, copy=False)


def rotate_back(g: Array, _out: None, _x: Spec, cos: Array, sin: Array, *, interleaved: bool) -> Array:
    """Gradient of a rotation: the rotation by the negative angle, which is its transpose."""
    return rotate(g, cos, -sin, interleaved=interleaved)


def angle_gradient(g: Array, _out: None, _x: Spec, _cos: Spec, _sin: Spec, *, interleaved: bool) -> Array:
    """Refuse: the angles are those of positions, and not learned."""
    raise TypeError("rotary's cos and sin have no gradient: give it tensors that require none")


rotary_primitive = Primitive("rotary", rotate)
defvjp(rotary_primitive, rotate_back, angle_gradient, angle_gradient)


@applies(rotary_primitive)
def rotary(x: TensorLike, cos: TensorLike, sin: TensorLike, *, interleaved: bool = True) -> Tensor:
    """Turn every pair of the last axis of `x` by an angle of which the cosine and the sine are given.

    Shapes: x (..., T, D), cos and sin (..., T, D / 2), broadcast against x's -> (..., T, D).

    Args:
        x: Queries or keys.
        cos: The cosines, as `rotary_angles` returns them.
        sin: The sines.
        interleaved: True: numbers 2i and 2i + 1 are a pair. False: i and i + D / 2.

    Raises:
        ValueError: The last axis is odd, or the shapes do not fit.
        TypeError: `x` is not floating: turned integers would lose what stands after the point.

    Source: Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021.

    Example:
        >>> rotary(Tensor([[1.0, 0.0]]), Tensor([[0.0]]), Tensor([[1.0]])).tolist()
        [[0.0, 1.0]]
    """
    x, cos, sin = (as_tensor(each) for each in (x, cos, sin))
    if x.ndim < 1 or x.shape[-1] % 2 or cos.shape != sin.shape or not angles_fit(x.shape, cos.shape):
        raise ValueError(
            f"rotary turns pairs: x (..., T, D) with an even D, cos and sin (..., T, D / 2), but received x {x.shape}, "
            f"cos {cos.shape} and sin {sin.shape}."
        )
    if x.dtype.kind != "f":
        raise TypeError(f"rotary turns floating-point numbers, but received {x.dtype}; use x.astype('float32').")
    return rotary_primitive(x, cos, sin, interleaved=interleaved)


def angles_fit(x: tuple[int, ...], angles: tuple[int, ...]) -> bool:
    """Return whether angles (..., T, D / 2) broadcast to inputs (..., T, D), which do not stretch."""
    *places, width = x
    *of_angles, pairs = angles or (0,)
    aligned = zip(of_angles[::-1], places[::-1], strict=False)
    return pairs == width // 2 and len(angles) <= len(x) and all(size in (1, wanted) for size, wanted in aligned)


def rotary_angles(
    positions: npt.ArrayLike, head_dim: int, base: float = 10000.0, dtype: npt.DTypeLike = np.float32
) -> tuple[Tensor, Tensor]:
    """Return the cosines and sines for positions: (...) -> two of (..., head_dim / 2).

    Pair i of position t turns by t / base^(2i / head_dim). The angles are computed in float64.

    Args:
        positions: Which positions, of any shape.
        head_dim: The length of a query, even.
        base: The longest wavelength, over 2 pi.
        dtype: The type of the result.

    Raises:
        ValueError: `head_dim` is odd or not positive, or `base` is not positive.

    Example:
        >>> cos, sin = rotary_angles([0, 1], 2)
        >>> cos.tolist()[0], sin.tolist()[0]
        ([1.0], [0.0])
    """
    if head_dim < 2 or head_dim % 2 or not base > 0:
        raise ValueError(
            f"rotary_angles needs an even head_dim of at least 2 and a positive base, but received head_dim={head_dim} "
            f"and base={base}."
        )
    angles = np.asarray(positions)[..., np.newaxis] * wavelengths(head_dim // 2, head_dim, base)
    return from_numpy(np.cos(angles).astype(dtype)), from_numpy(np.sin(angles).astype(dtype))


class RotaryEmbedding(Module):
    """Turn queries and keys by angles that grow with their position.

    Shapes: x (B, H, T, D) -> the same; any leading axes.

    A query at position s and a key at position t then have a product that depends on s - t only. Nothing is learned,
    and nothing is saved in `state_dict`.

    Args:
        head_dim: The length of a query (D), even.
        base: The longest wavelength, over 2 pi.
        max_seq_len: How many positions there are.
        interleaved: True pairs neighbours (RoFormer, llama2.c); False pairs halves (GPT-NeoX, Hugging Face's Llama).

    Raises:
        ValueError: `head_dim` is odd or not positive, or a setting is not positive.

    Source: Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021.

    Example:
        >>> from tt_tensor import ones
        >>> RotaryEmbedding(4)(ones((1, 2, 3, 4)), offset=5).shape
        (1, 2, 3, 4)
    """

    def __init__(
        self, head_dim: int, *, base: float = 10000.0, max_seq_len: int = 4096, interleaved: bool = True
    ) -> None:
        if head_dim < 2 or head_dim % 2:
            raise ValueError(f"RotaryEmbedding turns pairs and needs an even head_dim, but received {head_dim}.")
        if max_seq_len < 1 or not base > 0:
            raise ValueError(
                f"RotaryEmbedding needs a positive base and max_seq_len, but received base={base} and "
                f"max_seq_len={max_seq_len}."
            )
        self.head_dim = head_dim
        self.base = base
        self.max_seq_len = max_seq_len
        self.interleaved = interleaved
        self._tables: dict[tuple[str, float, int], tuple[Array, Array]] = {}

    def forward(self, x: Tensor, offset: int = 0, positions: npt.ArrayLike | None = None) -> Tensor:
        """Return `x` turned: position `offset + t`, or `positions[..., t]`, for entry t.

        Args:
            x: Queries or keys (..., T, D).
            offset: The position of the first entry.
            positions: Instead, a position for each entry: (T,), or (B, T) for x (B, T, D) or (B, H, T, D).

        Raises:
            ValueError: `x` has another width, a position is outside `range(max_seq_len)`, or their shapes do not fit.
            TypeError: `x` is not floating.
        """
        if x.ndim < 2 or x.shape[-1] != self.head_dim:
            raise ValueError(f"{self!r} turns an input (..., T, {self.head_dim}), but received {x.shape}.")
        length = x.shape[-2]
        cos, sin = self._table(np.dtype(np.result_type(x.dtype, np.float32)))
        if positions is None:
            self._check(offset, offset + length - 1)
            chosen = slice(offset, offset + length)
            return rotary(x, from_numpy(cos[chosen]), from_numpy(sin[chosen]), interleaved=self.interleaved)
        places = np.asarray(positions)
        if places.dtype.kind not in "iu" or places.shape[-1:] != (length,):
            raise ValueError(
                f"positions must be {length} integers, one for each entry, but received {places.dtype} of shape "
                f"{places.shape}."
            )
        if places.size:
            self._check(int(places.min()), int(places.max()))
        if 1 < places.ndim < x.ndim - 1:  # (B, T) -> (B, 1, T): the same for every head
            places = np.expand_dims(places, -2)
        return rotary(x, from_numpy(cos[places]), from_numpy(sin[places]), interleaved=self.interleaved)

    def _check(self, first: int, last: int) -> None:
        if first < 0 or last >= self.max_seq_len:
            raise ValueError(
                f"{self!r} knows positions 0 to {self.max_seq_len - 1}, but received {first} to {last}; shorten the "
                "input, or raise max_seq_len."
            )

    def _table(self, dtype: np.dtype[np.generic]) -> tuple[Array, Array]:
        """Return cosines and sines of every position, made once for each element type and setting."""
        key = dtype.char, self.base, self.max_seq_len
        if key not in self._tables:
            cos, sin = rotary_angles(np.arange(self.max_seq_len), self.head_dim, self.base, dtype)
            self._tables[key] = cos.data, sin.data
        return self._tables[key]

    def describe(self) -> str:
        """Return the settings."""
        layout = "" if self.interleaved else ", interleaved=False"
        return f"{self.head_dim}, base={self.base:g}, max_seq_len={self.max_seq_len}{layout}"
