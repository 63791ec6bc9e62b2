"""What the worker of TinyTorch does."""

from __future__ import annotations

import time
from collections.abc import Callable

import tinytorch as tt

from tools.bench import inputs

Run = Callable[[], int]


def set_threads(count: int) -> None:
    """Leave it to the environment: NumPy's BLAS read its variable when it was loaded."""


def ops(size: int, variant: str) -> Run:
    """Prepare four operations, forward and backward."""
    x, w, b = (tt.Tensor(array, requires_grad=True) for array in inputs.operands(size))
    relu = tt.nn.functional.relu

    def run() -> int:
        x.grad = w.grad = b.grad = None
        relu(x * w + b).sum().backward()
        return 1

    return run


class Training:
    """A network, its optimizer, batches, and the losses of the latest run."""

    def __init__(self, problem: inputs.Problem) -> None:
        self.model = tt.nn.Sequential()
        for weight, bias in zip(problem.weights, problem.biases, strict=True):
            layer = tt.nn.Linear(*weight.shape)
            layer.load_state_dict({"weight": weight, "bias": bias})
            self.model.append(layer)
            if weight.shape[1] != 10:
                self.model.append(tt.nn.ReLU())
        self.optimizer = tt.optim.Adam(self.model.parameters(), lr=inputs.LEARNING_RATE)
        self.batches = [(tt.from_numpy(x), tt.from_numpy(y)) for x, y in problem.batches]
        self.criterion = tt.nn.CrossEntropyLoss()
        self.losses: list[float] = []

    def loop(self) -> int:
        """Train one epoch by hand."""
        self.losses.clear()
        for x, y in self.batches:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.item())
        return len(self.batches)

    def _loss(self, output: tt.Tensor, target: tt.Tensor) -> tt.Tensor:
        loss = self.criterion(output, target)
        self.losses.append(loss.item())
        return loss

    def fit(self) -> int:
        """Train one epoch by the Trainer."""
        self.losses.clear()
        tt.train.Trainer(self.model, self._loss, self.optimizer).fit(self.batches, progress=False)
        return len(self.batches)


def training(job: str, size: int) -> Training:
    """Prepare a network."""
    return Training(inputs.mlp(size) if job == "mlp" else inputs.wide(size))


def epoch(size: int, variant: str) -> Run:
    """Prepare a shuffled pass over MNIST."""
    x, y, _ = inputs.images("train")
    loader = tt.data.DataLoader(tt.data.TensorDataset(x, y), size, shuffle=True)

    def run() -> int:
        seen = sum(batch.x.shape[0] for batch in loader)
        if seen != len(x):
            raise RuntimeError(f"the loader gave {seen} images of {len(x)}")
        return 1

    return run


def clip_adam(size: int, variant: str) -> Run:
    """Prepare clipping and a step of Adam."""
    parameters = []
    for gradient in inputs.gradients(size):
        parameter = tt.Tensor(gradient * 0.1, requires_grad=True)
        parameter.grad = tt.Tensor(gradient)
        parameters.append(parameter)
    optimizer = tt.optim.Adam(parameters, lr=inputs.LEARNING_RATE)
    limit = [1000.0]

    def run() -> int:
        limit[0] *= inputs.CLIP_FACTOR
        tt.optim.clip_grad_norm_(parameters, limit[0])
        optimizer.step()
        return 1

    return run


def mnist() -> dict[str, float]:
    """Train by the recipe of milestones/03_1986_mlp/run.py; give seconds and accuracy."""
    tt.manual_seed(0)
    train, test = (tt.data.TensorDataset(*inputs.images(split)[:2]) for split in ("train", "test"))
    nn = tt.nn
    model = nn.Sequential(
        *(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.1)),
        *(nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 10)),
    )
    loader = tt.data.DataLoader(train, 128, shuffle=True, drop_last=True)
    optimizer = tt.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    schedule = tt.optim.OneCycle(optimizer, 4e-3, total_steps=10 * len(loader))
    metrics = {"accuracy": tt.train.accuracy}
    trainer = tt.train.Trainer(model, nn.CrossEntropyLoss(), optimizer, schedule, metrics=metrics)
    start = time.perf_counter()
    trainer.fit(loader, epochs=10, progress=False)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "accuracy": trainer.evaluate(tt.data.DataLoader(test, 1000))["accuracy"]}
