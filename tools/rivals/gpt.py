"""Milestone 05's GPT on Tiny Shakespeare in PyTorch: `python -m tools.rivals.gpt [--steps N]`.

First weights, batches, learning rates and the test are the milestone's own; only model, loss, gradients and optimizer
are PyTorch's. Prints the seconds of training, milliseconds a step, and the validation loss.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import tinytorch as tt

from tools import scripts
from tools.bench import problems
from tools.bench.inputs import Floats
from tools.packages import ROOT

if TYPE_CHECKING:
    import torch

writing = scripts.load(ROOT / "milestones" / "05_2017_transformer" / "writing.py", "milestone_05_writing")
NAMES = {
    "attention_norm": "norm1",
    "mlp_norm": "norm2",
    "attention.output": "project",
    "mlp.up": "up",
    "mlp.down": "down",
}


def weights_of(model: tt.nn.GPT) -> list[dict[str, Floats]]:
    """Return a GPT's weights as `tools.bench.gpt_pytorch` takes them: embeddings, blocks, the last norm."""
    state = model.state_dict()
    found = [{"token": state["tokens.weight"], "position": state["positions.weight"]}]
    for number in range(len(model.blocks)):
        block = {}
        for kind in ("weight", "bias"):
            for name, new in NAMES.items():
                block[f"{new}.{kind}"] = state[f"blocks.{number}.{name}.{kind}"]
            joined = state[f"blocks.{number}.attention.qkv.{kind}"]
            width = joined.shape[-1] // 3
            for place, new in enumerate(("query", "key", "value")):
                block[f"{new}.{kind}"] = joined[..., place * width : (place + 1) * width]
        found.append(block)
    return [*found, {"weight": state["norm.weight"], "bias": state["norm.bias"]}]


def loss_of(model: torch.nn.Module, x: tt.Tensor, y: tt.Tensor, reduction: str) -> torch.Tensor:
    """Return the cross-entropy of a batch."""
    import torch

    logits = model(torch.from_numpy(x.numpy())).flatten(0, 1)
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(y.numpy()).flatten(), reduction=reduction)


def main(argv: Sequence[str] | None = None) -> int:
    """Train, test and print."""
    import torch

    from tools.bench.gpt_pytorch import GPT

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=None, help="train for fewer steps than the recipe says")
    parser.add_argument("--seed", type=int, default=0, help="the milestone's seed (default: 0)")
    parser.add_argument("--threads", type=int, default=None, help="threads of PyTorch (default: its own choice)")
    options = parser.parse_args(argv)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    recipe = writing.FULL
    if options.steps is not None:
        recipe = dataclasses.replace(recipe, steps=options.steps)
    tt.manual_seed(options.seed)
    tokenizer = tt.text.CharTokenizer.from_text(text := tt.data.tiny_shakespeare())
    ids = tokenizer.encode_array(text)
    training, held_out = writing.split(ids)
    ours, _, schedule = writing.make(recipe, tokenizer.vocab_size)
    shape = problems.GPT(recipe.dim, recipe.layers, recipe.heads, recipe.length, recipe.batch_size)
    model = GPT(shape, weights_of(ours))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.lr, betas=recipe.betas, weight_decay=recipe.weight_decay
    )
    windows, step, start = writing.Windows(training, recipe), 0, time.perf_counter()
    for _ in range(recipe.rounds):
        for x, y in windows:
            optimizer.param_groups[0]["lr"] = schedule.lr_at(step)
            optimizer.zero_grad()
            loss_of(model, x, y, "mean").backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimizer.step()
            step += 1
    seconds = time.perf_counter() - start
    with torch.no_grad():
        total = sum(loss_of(model, x, y, "sum").item() for x, y in writing.held_out_batches(held_out, recipe.length))
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, {step} steps: {seconds:.1f} s of training,")
    print(f"{1000 * seconds / step:.1f} ms a step, validation loss {total / (len(held_out) - 1):.4f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
