"""The parts of a transformer: norms, the layers between them, and the block."""

from __future__ import annotations

import numpy as np
from tt_activations import gelu
from tt_attention import MultiHeadAttention
from tt_layers import Dropout, Linear, Module, Parameter
from tt_tensor import Tensor, TensorLike

from tt_transformers.functional import layer_norm, linear_gelu, rms_norm, swiglu


class LayerNorm(Module):
    """Bring each vector to mean 0 and variance 1, then scale and shift its features.

    Shapes: x (..., embed_dim) -> the same.

    Args:
        embed_dim: The length of a vector (C).
        eps: What is added to the variance.

    Attributes:
        weight: The parameter that scales each feature, from 1.
        bias: The parameter that shifts each feature, from 0.

    Raises:
        ValueError: If `embed_dim` is not positive, or an input has another width.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016.

    Example:
        >>> LayerNorm(2, eps=0.0)(Tensor([[1.0, 3.0]])).tolist()
        [[-1.0, 1.0]]
    """

    def __init__(self, embed_dim: int, eps: float = 1e-5) -> None:
        self.embed_dim = check_size("LayerNorm", "embed_dim", embed_dim)
        self.eps = eps
        self.weight = Parameter(np.ones(embed_dim, np.float32))
        self.bias = Parameter(np.zeros(embed_dim, np.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normed vectors."""
        return layer_norm(x, self.weight, self.bias, self.eps)

    def describe(self) -> str:
        """Return the sizes."""
        return f"{self.embed_dim}, eps={self.eps}"


class RMSNorm(Module):
    """Divide each vector by its root mean square, then scale its features.

    Shapes: x (..., embed_dim) -> the same.

    Args:
        embed_dim: The length of a vector (C).
        eps: What is added to the mean square.

    Attributes:
        weight: The parameter that scales each feature, from 1.

    Raises:
        ValueError: If `embed_dim` is not positive, or an input has another width.

    Source: Zhang and Sennrich, "Root mean square layer normalization", 2019.

    Example:
        >>> RMSNorm(2, eps=0.0)(Tensor([[2.0, -2.0]])).tolist()
        [[1.0, -1.0]]
    """

    def __init__(self, embed_dim: int, eps: float = 1e-5) -> None:
        self.embed_dim = check_size("RMSNorm", "embed_dim", embed_dim)
        self.eps = eps
        self.weight = Parameter(np.ones(embed_dim, np.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normed vectors."""
        return rms_norm(x, self.weight, self.eps)

    def describe(self) -> str:
        """Return the sizes."""
        return f"{self.embed_dim}, eps={self.eps}"


class MLP(Module):
    """Two linear layers with a GELU between: what each place makes of what it has gathered.

    Shapes: x (..., embed_dim) -> the same.

    The first layer and its GELU run as one operation while `up` is a plain `Linear` with a bias; whatever else is put
    there is simply called.

    Args:
        embed_dim: The width of input and output (C).
        hidden_dim: The width between; four times `embed_dim` without it.
        rng: Where the random numbers come from; tt-tensor's `default_rng()` without it.

    Attributes:
        up: The linear layer into the hidden features.
        down: The linear layer back.

    Example:
        >>> MLP(4)(Tensor([[1.0, 2.0, 3.0, 4.0]])).shape
        (1, 4)
    """

    def __init__(
        self, embed_dim: int, hidden_dim: int | None = None, *, rng: np.random.Generator | None = None
    ) -> None:
        hidden = 4 * embed_dim if hidden_dim is None else hidden_dim
        self.up = Linear(embed_dim, hidden, rng=rng)
        self.down = Linear(hidden, embed_dim, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the layers make of `x`, place by place."""
        return self.down(self.hidden(x))  # (..., C)

    def hidden(self, x: Tensor) -> Tensor:
        """Return the hidden features, (..., C) -> (..., 4 C)."""
        if type(self.up) is Linear and self.up.bias is not None:
            return linear_gelu(x, self.up.weight, self.up.bias)
        return gelu(self.up(x), approximate="tanh")


class SwiGLU(Module):
    """A gated MLP: `down(silu(gate(x)) * up(x))`.

    Shapes: x (..., embed_dim) -> the same.

    Args:
        embed_dim: The width of input and output (C).
        hidden_dim: The width between; without it 8/3 of `embed_dim`, up to a multiple of 8, so that its three
            matrices have as many parameters as the two of an `MLP`.
        bias: True gives the layers biases.
        rng: Where the random numbers come from; tt-tensor's `default_rng()` without it.

    Attributes:
        gate: The linear layer whose result goes through SiLU.
        up: The linear layer whose result is gated.
        down: The linear layer back.

    Source: Shazeer, "GLU variants improve transformer", 2020.

    Example:
        >>> SwiGLU(4)(Tensor([[1.0, 2.0, 3.0, 4.0]])).shape, SwiGLU(96).gate.out_features
        ((1, 4), 256)
    """

    def __init__(
        self,
        embed_dim: int,
        hidden_dim: int | None = None,
        bias: bool = False,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        hidden = -(-8 * embed_dim // 24) * 8 if hidden_dim is None else hidden_dim
        self.gate = Linear(embed_dim, hidden, bias, rng=rng)
        self.up = Linear(embed_dim, hidden, bias, rng=rng)
        self.down = Linear(hidden, embed_dim, bias, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the layers make of `x`, place by place."""
        return self.down(swiglu(self.gate(x), self.up(x)))  # (..., C)


class TransformerBlock(Module):
    """Gather from other places, then think about it, each added to what was there.

    Shapes: x (B, T, C) -> the same.

    Every part reads a normed copy of the stream and adds to the stream itself ("pre-LN"): from the last block to the
    first there is a way that no norm bends.

    Args:
        attention: What gathers; usually a `MultiHeadAttention`. Any callable that keeps the shape may stand there, and
            be put there later: the key-value cache of module 18 does so.
        mlp: What works on each place: an `MLP` or a `SwiGLU`.
        attention_norm: The norm before `attention`.
        mlp_norm: The norm before `mlp`.
        dropout: The probability of dropping what a part would add, while training.

    Source: Vaswani et al., "Attention is all you need", 2017; Radford et al., GPT-2, 2019 (the norms' place).

    Example:
        >>> attention = MultiHeadAttention(8, 2, causal=True)
        >>> block = TransformerBlock(attention, MLP(8), LayerNorm(8), LayerNorm(8))
        >>> block(Tensor(np.ones((1, 3, 8)))).shape
        (1, 3, 8)
    """

    def __init__(
        self,
        attention: MultiHeadAttention,
        mlp: MLP | SwiGLU,
        attention_norm: LayerNorm | RMSNorm,
        mlp_norm: LayerNorm | RMSNorm,
        dropout: float = 0.0,
    ) -> None:
        self.attention_norm = attention_norm
        self.attention = attention
        self.mlp_norm = mlp_norm
        self.mlp = mlp
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: TensorLike | None = None) -> Tensor:
        """Return the stream after this block.

        Args:
            x: The stream (B, T, C).
            mask: For `attention`, beside its own causality.
        """
        normed = self.attention_norm(x)  # (B, T, C)
        gathered = self.attention(normed) if mask is None else self.attention(normed, mask=mask)
        x = x + self.dropout(gathered)
        return x + self.dropout(self.mlp(self.mlp_norm(x)))


def check_size(owner: str, name: str, size: int) -> int:
    """Return a size, or refuse one that is not positive."""
    if size < 1:
        raise ValueError(f"{owner} needs {name} to be at least 1, but received {size}.")
    return size
