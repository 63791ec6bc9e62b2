"""Milestone 04's networks in PyTorch: the same recipe from the same weights on the same batches, channels last.

    python -m tools.rivals.cnn --recipe cifar-modern [--seed 0] [--epochs 1]

The recipes, the data, the order of the images and their random crops are the milestone's own, drawn from the same seed;
the seconds of both therefore hold the same preparation of batches. What it prints stands beside the milestone's result.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import tinytorch as tt

from tools import scripts
from tools.packages import ROOT

if TYPE_CHECKING:
    import torch

table = scripts.load(ROOT / "milestones" / "04_1998_cnn" / "cnn_recipes.py", "milestone_04_recipes")


def train(name: str, seed: int, epochs: int | None) -> dict[str, Any]:
    """Train one recipe, and return what was measured."""
    import torch

    from tools.rivals.cnn_layers import twin

    recipe = table.FULL[name] if epochs is None else replace(table.FULL[name], epochs=epochs)
    source, training, tests = table.load(name)
    tt.manual_seed(seed)
    ours = recipe.network()
    batches = recipe.loader(training)
    # The schedule is the milestone's: its learning rates are asked of it, step by step.
    rates = recipe.trainer(ours, recipe.epochs * len(batches)).schedule
    model = twin(ours).to(memory_format=torch.channels_last)
    optimizer: torch.optim.Optimizer
    if recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD(
            model.parameters(), recipe.lr, momentum=0.9, nesterov=True, weight_decay=recipe.weight_decay
        )
    else:
        optimizer = torch.optim.AdamW(model.parameters(), recipe.lr, weight_decay=recipe.weight_decay)
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    losses, step, start = [], 0, time.perf_counter()
    for _ in range(recipe.epochs):
        total = 0.0
        for batch in batches:
            optimizer.param_groups[0]["lr"] = rates.lr_at(step)
            x = torch.from_numpy(batch.x.numpy()).contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad()
            loss = criterion(model(x), torch.from_numpy(batch.y.numpy()))
            loss.backward()
            optimizer.step()
            total, step = total + loss.item(), step + 1
        losses.append(total / len(batches))
    seconds = time.perf_counter() - start
    return {
        "recipe": name,
        "data_set": source,
        "seed": seed,
        "training_seconds": round(seconds, 3),
        "milliseconds_a_step": round(1000 * seconds / step, 2),
        "loss_by_epoch": losses,
        "accuracy": {which: right(model, data) for which, data in tests.items()},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }


def right(model: torch.nn.Module, data: tt.data.TensorDataset) -> float:
    """Return the share of a test set that the model gets right."""
    import torch

    model.eval()
    hits = 0
    with torch.no_grad():
        for batch in tt.data.DataLoader(data, 500):
            x = torch.from_numpy(batch.x.numpy()).contiguous(memory_format=torch.channels_last)
            hits += int((model(x).argmax(1) == torch.from_numpy(batch.y.numpy())).sum().item())
    return hits / len(data)


def main(argv: Sequence[str] | None = None) -> int:
    """Train what is asked for and print a JSON line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", choices=table.FULL, action="append", help="all of them without it")
    parser.add_argument("--seed", type=int, default=0, help="the milestone's seed (default: 0)")
    parser.add_argument("--epochs", type=int, default=None, help="train for fewer epochs than the recipe says")
    options = parser.parse_args(argv)
    for name in options.recipe or table.FULL:
        print(json.dumps(train(name, options.seed, options.epochs)), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
