"""What the worker of TinyTorch does."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import tinytorch as tt
from tt_tensor import set_num_threads

from tools.bench import inputs, problems
from tools.bench.job import Job
from tools.bench.networks_ours import Training
from tools.bench.problems import LEARNING_RATE, is_network, problem
from tools.bench.tokens_ours import tokens


def set_threads(count: int) -> None:
    """Use so many threads within an operation, matrix products included."""
    set_num_threads(count)


def ops(size: int) -> Job:
    """Prepare four operations, forward and backward."""
    x, w, b = (tt.Tensor(array, requires_grad=True) for array in inputs.operands(size))
    relu = tt.nn.functional.relu

    def run() -> float:
        x.grad = w.grad = b.grad = None
        relu(x * w + b).sum().backward()
        return 1

    return Job(run)


def product(size: int) -> Job:
    """Prepare a matrix product: NumPy's, into memory that is there already."""
    a, b = inputs.matrices(size)
    out = np.empty_like(a)

    def run() -> float:
        np.matmul(a, b, out=out)
        return 1

    return Job(run)


def epoch(size: int) -> Job:
    """Prepare a shuffled pass over MNIST."""
    x, y, _ = inputs.images("train")
    loader = tt.data.DataLoader(tt.data.TensorDataset(x, y), size, shuffle=True)

    def run() -> float:
        seen = sum(batch.x.shape[0] for batch in loader)
        if seen != len(x):
            raise RuntimeError(f"the loader gave {seen} images of {len(x)}")
        return 1

    return Job(run)


def clip_adam(size: int) -> Job:
    """Prepare clipping and a step of Adam."""
    parameters = []
    for gradient in inputs.gradients(size):
        parameter = tt.Tensor(gradient * 0.1, requires_grad=True)
        parameter.grad = tt.Tensor(gradient)
        parameters.append(parameter)
    optimizer = tt.optim.Adam(parameters, lr=LEARNING_RATE)
    limit = [1000.0]

    def run() -> float:
        limit[0] *= inputs.CLIP_FACTOR
        tt.optim.clip_grad_norm_(parameters, limit[0])
        optimizer.step()
        return 1

    return Job(run)


def prepare(name: str, size: int, variant: str, way: str) -> Job:
    """Prepare a job; there is but one way of ours."""
    if is_network(name):
        training = Training(problem(name, size))
        return Job(training.way(variant), training.losses)
    if name.startswith("bpe"):
        return tokens(name, size)
    return {"ops": ops, "product": product, "epoch": epoch, "clip_adam": clip_adam}[name](size)


def mnist() -> dict[str, float]:
    """Train by milestone 03's recipe; give seconds and accuracy."""
    tt.manual_seed(0)
    train, test = (tt.data.TensorDataset(*inputs.images(split)[:2]) for split in ("train", "test"))
    nn, recipe = tt.nn, problems.MNIST
    model = nn.Sequential(nn.Flatten())
    for narrow, wide in pairwise(recipe.widths[:-1]):
        model.append(nn.Linear(narrow, wide)).append(nn.ReLU()).append(nn.Dropout(recipe.dropout))
    *_, last, classes = recipe.widths
    model.append(nn.Linear(last, classes))
    loader = tt.data.DataLoader(train, recipe.batch_size, shuffle=True, drop_last=True)
    optimizer = tt.optim.AdamW(model.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
    schedule = tt.optim.OneCycle(optimizer, recipe.lr, total_steps=recipe.epochs * len(loader))
    metrics = {"accuracy": tt.train.accuracy}
    trainer = tt.train.Trainer(model, nn.CrossEntropyLoss(), optimizer, schedule, metrics=metrics)
    start = time.perf_counter()
    trainer.fit(loader, epochs=recipe.epochs, progress=False)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "accuracy": trainer.evaluate(tt.data.DataLoader(test, 1000))["accuracy"]}
