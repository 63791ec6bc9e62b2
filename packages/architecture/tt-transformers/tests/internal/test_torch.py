"""The layout against PyTorch itself: one state in two frameworks gives the same logits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tt_autograd import no_grad
from tt_transformers import GPT, Llama, from_torch_layout, to_torch_layout

torch = pytest.importorskip("torch")
SEED = np.random.default_rng(0)


def torch_gpt(V: int, C: int, L: int, H: int, T: int) -> Any:
    nn = torch.nn

    class TorchGPT(nn.Module):  # type: ignore[name-defined, misc, unused-ignore]  # torch is not there for mypy
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.positions = nn.Embedding(V, C), nn.Embedding(T, C)
            self.blocks = nn.ModuleList(
                nn.TransformerEncoderLayer(
                    C,
                    H,
                    4 * C,
                    dropout=0.0,
                    activation=lambda x: nn.functional.gelu(x, approximate="tanh"),
                    batch_first=True,
                    norm_first=True,
                )
                for _ in range(L)
            )
            self.norm, self.head = nn.LayerNorm(C), nn.Linear(C, V, bias=False)

        def forward(self, ids: Any) -> Any:
            x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
            mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
            for block in self.blocks:
                x = block(x, src_mask=mask, is_causal=True)
            return self.head(self.norm(x))

    return TorchGPT()


def torch_llama(V: int, C: int, L: int, H: int, kv: int) -> Any:
    nn, D = torch.nn, C // H

    def turn(x: Any) -> Any:
        T = x.shape[-2]
        angles = torch.outer(torch.arange(T), 10000.0 ** (-torch.arange(0, D, 2) / D))
        turned = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2)) * torch.polar(torch.ones_like(angles), angles)
        return torch.view_as_real(turned).flatten(-2)

    class Attention(nn.Module):  # type: ignore[name-defined, misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.q_proj, self.out_proj = (nn.Linear(C, C, bias=False) for _ in range(2))
            self.k_proj, self.v_proj = (nn.Linear(C, kv * D, bias=False) for _ in range(2))

        def forward(self, x: Any) -> Any:
            q, k, v = (
                layer(x).unflatten(-1, (-1, D)).transpose(1, 2) for layer in (self.q_proj, self.k_proj, self.v_proj)
            )
            out = nn.functional.scaled_dot_product_attention(turn(q), turn(k), v, is_causal=True, enable_gqa=True)
            return self.out_proj(out.transpose(1, 2).flatten(-2))

    class Gate(nn.Module):  # type: ignore[name-defined, misc, unused-ignore]
        def __init__(self, hidden: int) -> None:
            super().__init__()
            self.gate, self.up = (nn.Linear(C, hidden, bias=False) for _ in range(2))
            self.down = nn.Linear(hidden, C, bias=False)

        def forward(self, x: Any) -> Any:
            return self.down(nn.functional.silu(self.gate(x)) * self.up(x))

    class Block(nn.Module):  # type: ignore[name-defined, misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.attention_norm, self.mlp_norm = (nn.RMSNorm(C, 1e-5) for _ in range(2))
            self.attention, self.mlp = Attention(), Gate(24)

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.attention_norm(x))
            return x + self.mlp(self.mlp_norm(x))

    class TorchLlama(nn.Module):  # type: ignore[name-defined, misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.norm = nn.Embedding(V, C), nn.RMSNorm(C, 1e-5)
            self.blocks, self.head = nn.ModuleList(Block() for _ in range(L)), nn.Linear(C, V, bias=False)

        def forward(self, ids: Any) -> Any:
            x = self.tokens(ids)
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x))

    return TorchLlama()


def compare(ours: Any, theirs: Any) -> None:
    """Ours into PyTorch's, strictly, and PyTorch's own into ours: the logits agree both times."""
    ids = SEED.integers(0, ours.vocab_size, (2, 10))
    theirs.eval()
    for _ in range(2):
        theirs.load_state_dict({k: torch.from_numpy(a) for k, a in to_torch_layout(ours).items()}, strict=True)
        with torch.no_grad(), no_grad():
            expected = theirs(torch.from_numpy(ids)).numpy()
            np.testing.assert_allclose(ours(ids).data, expected, atol=1e-5, rtol=1e-5)
            for parameter in theirs.parameters():
                parameter.normal_(0, 0.05)
            if ours.head is None:
                theirs.head.weight.copy_(theirs.tokens.weight)
        from_torch_layout(ours, {k: t.detach().numpy() for k, t in theirs.state_dict().items()})


@pytest.mark.parametrize("tied", [True, False])
def test_gpt(tied: bool) -> None:
    compare(GPT(17, 32, 3, 4, 12, tie_weights=tied, rng=SEED), torch_gpt(17, 32, 3, 4, 12))


@pytest.mark.parametrize("tied", [True, False])
def test_llama(tied: bool) -> None:
    ours = Llama(17, 32, 3, 4, 12, num_kv_heads=2, hidden_dim=24, tie_weights=tied, rng=SEED)
    compare(ours, torch_llama(17, 32, 3, 4, 2))


def test_norms_and_gradients() -> None:
    from tt_tensor import Tensor
    from tt_transformers import layer_norm, linear_gelu, rms_norm, swiglu

    F = torch.nn.functional
    x, g = (SEED.standard_normal((5, 8)).astype(np.float32) for _ in range(2))
    w, b = (SEED.standard_normal(8).astype(np.float32) for _ in range(2))
    m = SEED.standard_normal((8, 8)).astype(np.float32)
    pairs: list[tuple[Any, Any, list[Any]]] = [
        (layer_norm, lambda x, w, b: F.layer_norm(x, (8,), w, b), [x, w, b]),
        (rms_norm, lambda x, w: F.rms_norm(x, (8,), w, 1e-5), [x, w]),
        (swiglu, lambda a, b: F.silu(a) * b, [x, g]),
        (linear_gelu, lambda x, m, b: F.gelu(F.linear(x, m.T, b), approximate="tanh"), [x, m, b]),
    ]
    for ours, theirs, arrays in pairs:
        mine = [Tensor(a, requires_grad=True) for a in arrays]
        out = ours(*mine)
        out.backward(Tensor(g))
        leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
        expected = theirs(*leaves)
        expected.backward(torch.tensor(g))
        np.testing.assert_allclose(out.data, expected.detach().numpy(), atol=1e-5)
        for a, e in zip(mine, leaves, strict=True):
            assert a.grad is not None
            np.testing.assert_allclose(a.grad.data, e.grad.numpy(), atol=1e-5)
