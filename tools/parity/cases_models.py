"""The rows of transformers: their operations, and whole models through PyTorch's layout."""

from __future__ import annotations

from functools import partial

import numpy as np
import tinytorch as tt
import torch
from tt_transformers import layer_norm, linear_gelu, rms_norm, swiglu, to_torch_layout

from tools.parity.cases_tensor import row
from tools.parity.compare import classes, given, real

T = torch.nn.functional
WIDTH = 6

OPERATIONS = [
    *(
        row(f"layer_norm: {shape}", layer_norm, lambda x, w, b: T.layer_norm(x, (WIDTH,), w, b), real(*shape),
            real(WIDTH), real(WIDTH))
        for shape in ((WIDTH,), (2, 5, WIDTH), (300, WIDTH), (0, WIDTH))
    ),
    *(
        row(f"rms_norm: {shape}", partial(rms_norm, eps=1e-5), lambda x, w: T.rms_norm(x, (WIDTH,), w, 1e-5),
            real(*shape), real(WIDTH))
        for shape in ((WIDTH,), (2, 5, WIDTH), (300, WIDTH), (0, WIDTH))
    ),
    row("layer_norm: constant rows", layer_norm, lambda x, w, b: T.layer_norm(x, (3,), w, b),
        given([[2.0, 2.0, 2.0], [0.0, 0.0, 0.0]]), real(3), real(3)),
    row("rms_norm: zeros", partial(rms_norm, eps=1e-5), lambda x, w: T.rms_norm(x, (3,), w, 1e-5),
        given([[0.0, 0.0, 0.0]]), real(3)),
    row("linear_gelu", linear_gelu, lambda x, w, b: T.gelu(T.linear(x, w.T, b), approximate="tanh"), real(2, 5, 4),
        real(4, 7), real(7)),
    row("swiglu", swiglu, lambda g, u: T.silu(g) * u, real(2, 5), real(2, 5)),
]  # fmt: skip

VOCABULARY, DIM, DEPTH, HEADS, LENGTH = 13, 16, 2, 4, 8


def our_gpt() -> tt.nn.GPT:
    """Make a small GPT, the same each time, whose every weight is far from its start."""
    rng = np.random.default_rng(0)
    model = tt.nn.GPT(VOCABULARY, DIM, DEPTH, HEADS, LENGTH)
    model.load_state_dict(
        {name: rng.standard_normal(array.shape, dtype=np.float32) / 4 for name, array in model.state_dict().items()}
    )
    return model.eval()


class TheirGPT(torch.nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """What `to_torch_layout` says is the equivalent of our GPT."""

    def __init__(self) -> None:
        super().__init__()
        nn = torch.nn
        gelu = partial(T.gelu, approximate="tanh")
        settings = {"dropout": 0.0, "activation": gelu, "batch_first": True, "norm_first": True}
        self.tokens, self.positions = nn.Embedding(VOCABULARY, DIM), nn.Embedding(LENGTH, DIM)
        self.blocks = nn.ModuleList(nn.TransformerEncoderLayer(DIM, HEADS, 4 * DIM, **settings) for _ in range(DEPTH))
        self.norm, self.head = nn.LayerNorm(DIM), nn.Linear(DIM, VOCABULARY, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Map ids (B, T) to logits (B, T, V)."""
        length = ids.shape[1]
        hidden = torch.ones(length, length, dtype=torch.bool).triu(1)
        x = self.tokens(ids) + self.positions.weight[:length]
        for block in self.blocks:
            x = block(x, src_mask=hidden)
        return self.head(self.norm(x))


GRADIENTS = ("tokens.weight", "positions.weight", "blocks.0.linear1.weight", "blocks.1.self_attn.in_proj_weight")


def our_logits(ids: tt.Tensor) -> list[tt.Array]:
    """Return our logits, and gradients of some weights of the sum of their squares, in PyTorch's layout."""
    model = our_gpt()
    logits = model(ids)
    (logits * logits).mean().backward()
    model.load_state_dict({name: each.grad for name, each in model.named_parameters() if each.grad is not None})
    moved = to_torch_layout(model)
    return [logits.detach().numpy(), *(moved[name] for name in GRADIENTS)]


def their_logits(ids: torch.Tensor) -> list[tt.Array]:
    """Return those of PyTorch's model, after our weights were loaded into it."""
    model = TheirGPT()
    model.load_state_dict({name: torch.from_numpy(array) for name, array in to_torch_layout(our_gpt()).items()})
    logits = model(ids)
    (logits * logits).mean().backward()
    gradients = dict(model.named_parameters())
    return [logits.detach().numpy(), *(gradients[name].grad.numpy() for name in GRADIENTS)]


MODELS = [
    # Models hold float32, so that both columns compare that.
    row("to_torch_layout: GPT", our_logits, their_logits, classes(VOCABULARY, 3, 7), tolerance=2e-5),
]

CASES = [*OPERATIONS, *MODELS]
