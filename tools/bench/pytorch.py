"""What the worker of PyTorch does: plain eager code, as its tutorials write it."""

from __future__ import annotations

import time
from itertools import pairwise

import torch

from tools.bench import inputs, problems
from tools.bench.job import Job
from tools.bench.networks_pytorch import Options, Training
from tools.bench.problems import LEARNING_RATE, is_network, problem


def set_threads(count: int) -> None:
    """Use so many threads within an operation."""
    torch.set_num_threads(count)


def ops(size: int) -> Job:
    """Prepare four operations, forward and backward."""
    x, w, b = (torch.tensor(array, requires_grad=True) for array in inputs.operands(size))

    def run() -> float:
        x.grad = w.grad = b.grad = None
        (x * w + b).relu().sum().backward()
        return 1

    return Job(run)


def product(size: int) -> Job:
    """Prepare a matrix product into memory that is there already."""
    a, b = (torch.from_numpy(matrix) for matrix in inputs.matrices(size))
    out = torch.empty_like(a)

    def run() -> float:
        torch.mm(a, b, out=out)
        return 1

    return Job(run)


def epoch(size: int) -> Job:
    """Prepare a shuffled pass over MNIST."""
    x, y, _ = inputs.images("train")
    dataset = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    loader = torch.utils.data.DataLoader(dataset, size, shuffle=True)

    def run() -> float:
        seen = sum(images.shape[0] for images, _ in loader)
        if seen != len(x):
            raise RuntimeError(f"the loader gave {seen} images of {len(x)}")
        return 1

    return Job(run)


def clip_adam(size: int) -> Job:
    """Prepare clipping and a step of Adam."""
    parameters = []
    for gradient in inputs.gradients(size):
        parameter = torch.tensor(gradient * 0.1, requires_grad=True)
        parameter.grad = torch.tensor(gradient)
        parameters.append(parameter)
    optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE)
    limit = [1000.0]

    def run() -> float:
        limit[0] *= inputs.CLIP_FACTOR
        torch.nn.utils.clip_grad_norm_(parameters, limit[0])
        optimizer.step()
        return 1

    return Job(run)


def prepare(name: str, size: int, variant: str, way: str) -> Job:
    """Prepare a job; `way` is one of PyTorch's faster ones."""
    if is_network(name):
        training = Training(problem(name, size), Options.read(way))
        return Job(training.way(variant), training.losses)
    return {"ops": ops, "product": product, "epoch": epoch, "clip_adam": clip_adam}[name](size)


def mnist() -> dict[str, float]:
    """Train by milestone 03's recipe; give seconds and accuracy."""
    torch.manual_seed(0)
    arrays = {split: inputs.images(split)[:2] for split in ("train", "test")}
    train, test = (
        torch.utils.data.TensorDataset(*(torch.from_numpy(array) for array in arrays[name])) for name in arrays
    )
    nn, recipe = torch.nn, problems.MNIST
    model = nn.Sequential(nn.Flatten())
    for narrow, wide in pairwise(recipe.widths[:-1]):
        model.extend([nn.Linear(narrow, wide), nn.ReLU(), nn.Dropout(recipe.dropout)])
    *_, last, classes = recipe.widths
    model.append(nn.Linear(last, classes))
    loader = torch.utils.data.DataLoader(train, recipe.batch_size, shuffle=True, drop_last=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
    steps = recipe.epochs * len(loader)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.lr, total_steps=steps, cycle_momentum=False)
    criterion = nn.CrossEntropyLoss()
    start = time.perf_counter()
    for _ in range(recipe.epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            schedule.step()
            loss.item()
    seconds = time.perf_counter() - start
    model.eval()
    with torch.no_grad():
        right = sum(int((model(x).argmax(1) == y).sum()) for x, y in torch.utils.data.DataLoader(test, 1000))
    return {"seconds": seconds, "accuracy": right / len(test)}
