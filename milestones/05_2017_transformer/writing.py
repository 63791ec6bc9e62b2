"""A GPT that learns to write, one character after another, from a text."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import tinytorch as tt


@dataclass(frozen=True)
class Recipe:
    """The size of a GPT and how it is trained."""

    dim: int
    layers: int
    heads: int
    length: int  # characters that it sees
    batch_size: int
    steps: int
    lr: float
    warmup: float  # the part of the steps in which the learning rate rises
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.1
    clip: float = 1.0
    rounds: int = 5  # after each of which it is tested and writes a sample


SMALL = Recipe(dim=64, layers=3, heads=4, length=64, batch_size=32, steps=350, lr=5e-3, warmup=0.1)
FULL = Recipe(dim=128, layers=4, heads=4, length=128, batch_size=16, steps=8000, lr=3e-3, warmup=0.05, rounds=8)


class Windows:
    """Batches of windows of a text, and the same windows one character later, as many a round as asked.

    Once the text is used up, it is cut anew from another place on: no character is seen more often than another. The
    random numbers are a copy's: what else is drawn meanwhile does not change the batches.
    """

    def __init__(self, ids: tt.Array, recipe: Recipe) -> None:
        self.ids, self.recipe = ids, recipe
        self.rng = copy.deepcopy(tt.default_rng())
        self._batches = self._endless()

    def __len__(self) -> int:
        return self.recipe.steps // self.recipe.rounds

    def __iter__(self) -> Iterator[tt.data.Batch]:
        for _ in range(len(self)):
            yield next(self._batches)

    def _endless(self) -> Iterator[tt.data.Batch]:
        length, size = self.recipe.length, self.recipe.batch_size
        while True:
            data = cut(self.ids[int(self.rng.integers(length)) :], length)
            yield from tt.data.DataLoader(data, size, shuffle=True, drop_last=True, rng=self.rng)


def cut(ids: tt.Array, length: int) -> tt.data.TensorDataset:
    """Cut a text into windows side by side (N, length), with what follows each character as its target."""
    count = (len(ids) - 1) // length
    ends = count * length
    return tt.data.TensorDataset(ids[:ends].reshape(count, length), ids[1 : ends + 1].reshape(count, length))


def split(ids: tt.Array) -> tuple[tt.Array, tt.Array]:
    """Return the first nine tenths of a text, to learn from, and the rest, to be tested on."""
    return ids[: len(ids) * 9 // 10], ids[len(ids) * 9 // 10 :]


def held_out_batches(ids: tt.Array, length: int) -> list[tt.data.Batch]:
    """Return all of a text in windows side by side, the last of which may be shorter."""
    done = (len(ids) - 1) // length * length
    rest = [cut(ids[done:], len(ids) - 1 - done)] if done < len(ids) - 1 else []
    return [batch for data in (cut(ids, length), *rest) for batch in tt.data.DataLoader(data, 64)]


def held_out_loss(model: tt.nn.GPT, ids: tt.Array, length: int) -> float:
    """Return the mean loss over every character of a text but the first."""
    loss = tt.nn.CrossEntropyLoss(axis=-1, reduction="sum")
    model.eval()  # the trainer switches it back
    with tt.no_grad():
        sums = [loss(tt.autograd.parallel(model, x), y).item() for x, y in held_out_batches(ids, length)]
    return sum(sums) / (len(ids) - 1)


def bigram_loss(training: tt.Array, held_out: tt.Array, vocabulary: int) -> float:
    """Return the loss of guessing each character from the one before, by counts to which one was added."""
    firsts, pairs = Counter(training[:-1].tolist()), Counter(pairwise(training.tolist()))
    logs = [math.log((firsts[pair[0]] + vocabulary) / (pairs[pair] + 1)) for pair in pairwise(held_out.tolist())]
    return sum(logs) / len(logs)


def sample(model: tt.nn.GPT, tokenizer: tt.text.CharTokenizer, count: int) -> str:
    """Let the model write so many characters after an empty line."""
    start = tokenizer.encode("\n")
    rng = copy.deepcopy(tt.default_rng())
    return tokenizer.decode(model.generate(start, count, temperature=0.8, rng=rng)[len(start) :])


def make(recipe: Recipe, vocabulary: int) -> tuple[tt.nn.GPT, tt.optim.AdamW, tt.optim.OneCycle]:
    """Return a fresh GPT with its optimizer and its learning rates."""
    model = tt.nn.GPT(vocabulary, recipe.dim, recipe.layers, recipe.heads, recipe.length)
    optimizer = tt.optim.AdamW(model.parameters(), lr=recipe.lr, betas=recipe.betas, weight_decay=recipe.weight_decay)
    return model, optimizer, tt.optim.OneCycle(optimizer, total_steps=recipe.steps, warmup=recipe.warmup)
