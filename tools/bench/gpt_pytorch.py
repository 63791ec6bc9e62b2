"""A GPT as a good engineer writes it in PyTorch today: fused attention, one product for queries, keys and values."""

from __future__ import annotations

import numpy as np
import torch

from tools.bench import problems
from tools.bench.inputs import Floats

nn, F = torch.nn, torch.nn.functional


def _fill(layer: torch.nn.Module, arrays: dict[str, Floats], *names: str) -> None:
    """Give a layer its first weights; those of several linear layers side by side; our linear ones are (in, out)."""
    weight = np.concatenate([arrays[f"{name}.weight"] for name in names], axis=-1).T
    bias = np.concatenate([arrays[f"{name}.bias"] for name in names])
    layer.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})


class Block(torch.nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """Attention and a network of two layers, each behind a norm and beside a way around it."""

    def __init__(self, dim: int, heads: int, arrays: dict[str, Floats]) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attend, self.project = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.up, self.down = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        _fill(self.attend, arrays, "query", "key", "value")
        for name in ("norm1", "norm2", "project", "up", "down"):
            _fill(getattr(self, name), arrays, name)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(B, T, C)` to the same."""
        B, T, C = x.shape
        split = self.attend(self.norm1(x)).view(B, T, 3, self.heads, C // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4)  # (B, H, T, D) each
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.project(attended.transpose(1, 2).reshape(B, T, C))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class GPT(torch.nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """A decoder whose head is its token embedding."""

    def __init__(self, shape: problems.GPT, weights: list[dict[str, Floats]]) -> None:
        super().__init__()
        embeddings, *blocks, norm = weights
        self.token = nn.Embedding.from_pretrained(torch.tensor(embeddings["token"]), freeze=False)
        self.position = nn.Embedding.from_pretrained(torch.tensor(embeddings["position"]), freeze=False)
        self.blocks = nn.Sequential(*(Block(shape.dim, shape.heads, arrays) for arrays in blocks))
        self.norm = nn.LayerNorm(shape.dim)
        self.norm.load_state_dict({name: torch.tensor(array) for name, array in norm.items()})

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens `(B, T)` to logits `(B, T, V)`."""
        x = self.token(tokens) + self.position(torch.arange(tokens.shape[1]))
        return F.linear(self.norm(self.blocks(x)), self.token.weight)
