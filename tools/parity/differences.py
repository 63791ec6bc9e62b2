"""Where TinyTorch differs from PyTorch on purpose; each is shown to differ, so that the list cannot grow stale."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tinytorch as tt
import torch

F = tt.nn.functional


@dataclass(frozen=True)
class Difference:
    """One deliberate difference: what each side does, and a proof that it is still so."""

    function: str
    ours: str
    theirs: str
    holds: Callable[[], bool]


def refuses(kind: type[Exception] | tuple[type[Exception], ...], call: Callable[[], object]) -> bool:
    """Whether a call raises this kind of error."""
    try:
        call()
    except kind:
        return True
    return False


def _nothing_kept() -> bool:
    targets = [-100, -100]
    theirs = torch.nn.functional.cross_entropy(torch.zeros(2, 3), torch.tensor(targets))
    return refuses(ValueError, lambda: F.cross_entropy(tt.zeros(2, 3), targets)) and bool(theirs.isnan())


def _cosine_after_its_end() -> bool:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 4)
    ours = tt.optim.Cosine(tt.optim.SGD([tt.Tensor([0.0], requires_grad=True)], lr=1.0), 4)
    for _ in range(6):
        optimizer.step()
        schedule.step()
    return ours.lr_at(6) == 0.0 and optimizer.param_groups[0]["lr"] > 0.4


def _infinite_norm() -> bool:
    ours = tt.Tensor([0.0], requires_grad=True)
    ours.grad = tt.Tensor([math.inf])
    theirs = torch.zeros(1, requires_grad=True)
    theirs.grad = torch.tensor([math.inf])
    torch.nn.utils.clip_grad_norm_([theirs], 1.0)
    return refuses(ValueError, lambda: tt.optim.clip_grad_norm_([ours], 1.0)) and bool(theirs.grad.isnan())


def _floor_has_no_gradient() -> bool:
    theirs = torch.floor(torch.ones(1, requires_grad=True))
    return not tt.floor(tt.Tensor([1.0], requires_grad=True)).requires_grad and bool(theirs.requires_grad)


def _hides() -> bool:
    mask = [[True, False], [True, False]]
    ours, theirs = tt.nn.MultiHeadAttention(2, 1), torch.nn.MultiheadAttention(2, 1, batch_first=True)
    x = tt.Tensor([[[1.0, 2.0], [3.0, 4.0]]])
    alone = ours(x[:, :1], x[:, :1])  # to see the first place only
    y = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    second = theirs(y[:, 1:], y[:, 1:], y[:, 1:])[0]
    return bool(np.allclose(ours(x, mask=mask)[:, :1].tolist(), alone.tolist(), atol=1e-6)) and bool(
        torch.allclose(theirs(y, y, y, attn_mask=torch.tensor(mask))[0][:, 1:], second, atol=1e-6)
    )


def _four_sides() -> bool:
    ours = F.conv2d(tt.ones(1, 1, 2, 2), tt.ones(1, 1, 2, 2), padding=((0, 1), (2, 0)))
    x = torch.ones(1, 1, 2, 2)
    return ours.shape == (1, 1, 2, 3) and refuses(
        (RuntimeError, TypeError), lambda: torch.nn.functional.conv2d(x, x, padding=((0, 1), (2, 0)))
    )


def _more_keys_than_queries() -> bool:
    q, k = tt.ones(1, 2, 3), tt.Tensor(np.arange(12.0).reshape(1, 4, 3))
    theirs = torch.nn.functional.scaled_dot_product_attention(
        *(torch.from_numpy(each.numpy()) for each in (q, k, k)), is_causal=True
    )
    sees_one = bool((theirs[0, 0] == torch.tensor([0.0, 1.0, 2.0])).all())
    return F.scaled_dot_product_attention(q, k, k, causal=True)[0, 0, 0].item() > 5.0 and sees_one


FAR = [1e8, 1e8 + 8, 1e8 + 16]
DIFFERENCES = [
    Difference("mean", "of integers: a float", "RuntimeError",
               lambda: tt.Tensor([1, 2]).mean().item() == 1.5
               and refuses(RuntimeError, lambda: torch.tensor([1, 2]).mean())),
    Difference("var, std", "correction=0 unless given", "correction=1 unless given",
               lambda: tt.Tensor([0.0, 2.0]).var().item() == 1.0 and torch.tensor([0.0, 2.0]).var().item() == 2.0),
    Difference("var", "of [1e8, 1e8 + 8, 1e8 + 16] in float32, correction=1: exactly 64", "rounds on the way",
               lambda: tt.Tensor(FAR).var(correction=1).item() == 64.0
               and torch.tensor(FAR).var(correction=1).item() != 64.0),
    Difference("floor, sign", "no gradient: the graph ends", "a gradient of zeros", _floor_has_no_gradient),
    Difference("one_hot", "float32", "int64",
               lambda: str(tt.one_hot([0], 2).dtype) == "float32"
               and torch.nn.functional.one_hot(torch.tensor([0]), 2).dtype == torch.int64),
    Difference("mse_loss", "(N, 1) against (N,): ValueError", "broadcasts to (N, N), with a warning",
               lambda: refuses(ValueError, lambda: F.mse_loss(tt.zeros(3, 1), tt.zeros(3)))),
    Difference("every loss", "mean over an empty batch: ValueError", "NaN",
               lambda: refuses(ValueError, lambda: F.mse_loss(tt.zeros(0), tt.zeros(0)))
               and bool(torch.nn.functional.mse_loss(torch.zeros(0), torch.zeros(0)).isnan())),
    Difference("cross_entropy, nll_loss", "mean where every target is ignored: ValueError", "NaN", _nothing_kept),
    Difference("linear", "weight is (in, out)", "weight is (out, in)",
               lambda: tt.nn.Linear(2, 3).weight.shape == (2, 3)
               and tuple(torch.nn.Linear(2, 3).weight.shape) == (3, 2)),
    Difference("softplus", "exact everywhere", "x itself where beta * x > 20",
               lambda: F.softplus(tt.Tensor([21.0], dtype="float64")).item() > 21.0
               and torch.nn.functional.softplus(torch.tensor([21.0], dtype=torch.float64)).item() == 21.0),
    Difference("scaled_dot_product_attention", "causal: the last query sees every key (a cache's keys come first)",
               "the first query sees the first key", _more_keys_than_queries),
    Difference("MultiHeadAttention", "a boolean mask is true where one may look, as everywhere",
               "in nn.MultiheadAttention true hides", _hides),
    Difference("Embedding", "starts with deviation 0.02, as GPT-2", "starts with deviation 1",
               lambda: tt.nn.Embedding(1000, 10).weight.data.std() < 0.03 and
               float(torch.nn.Embedding(1000, 10).weight.detach().std()) > 0.9),
    Difference("conv2d, max_pool2d, avg_pool2d", "padding may differ on all four sides: ((0, 1), (2, 0))",
               "one number for two sides", _four_sides),
    Difference("Cosine", "stays at its minimum after total_steps", "rises again", _cosine_after_its_end),
    Difference("clip_grad_norm_", "an infinite norm: ValueError, nothing changed", "gradients become NaN",
               _infinite_norm),
]  # fmt: skip

# Public names that are no function of PyTorch's, or whose result is random or trivial; everything else needs a row.
# Classes of a foundation package hold functions that are compared; those of `WHOLE` are compared themselves.
WHOLE = ("tt_optim", "tt_tokenizers", "tt_embeddings", "tt_attention", "tt_transformers")
WITHOUT_ROW = {
    "tt_tensor": "applies arange as_matrix as_tensor broadcast_shape column_sums current default_rng eye fold_count "
    "from_numpy full full_like get_num_threads increment_version install keep_freed_memory kernels linspace "
    "manual_seed matrix_product ones ones_like ones_vector primitive_of primitives rand rand_like randn randn_like "
    "register_kernel rng_state run_together scratch set_bottom set_num_threads set_rng_state share_version "
    "split_work use_interpreter use_kernel wrap write_clock zeros zeros_like",
    "tt_activations": "",
    "tt_layers": "functional init observe_calls",
    "tt_losses": "",
    "tt_optim": "Optimizer ParamGroup Schedule",
    "tt_conv": "fold_batch_norm",
    "tt_tokenizers": "CharTokenizer StreamDecoder TokenizerError PATTERNS count_pairs merge_pair split_words",
    "tt_embeddings": "Embedding PositionalEmbedding RotaryEmbedding",
    "tt_attention": "record_attention",
    "tt_transformers": "GPT Llama LayerNorm RMSNorm MLP SwiGLU TransformerBlock LanguageModel Llama2cError functional "
    "from_torch_layout load_torch_layout save_torch_layout generate_tokens sample top_k_filter top_p_filter",
}
