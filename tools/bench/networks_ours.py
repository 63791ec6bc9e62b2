"""Our networks and training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tinytorch as tt

from tools.bench.inputs import Floats
from tools.bench.problems import (
    GPT,
    LEARNING_RATE,
    MOMENTUM,
    VOCABULARY,
    WEIGHT_DECAY,
    Layer,
    Network,
    Optimizer,
    Problem,
)

Module = tt.nn.Module

# Where the weights of a GPT's block have their place, and which stand there side by side.
_PLACES = {
    "attention.qkv": ("query", "key", "value"),
    "attention.output": ("project",),
    "attention_norm": ("norm1",),
    "mlp_norm": ("norm2",),
    "mlp.up": ("up",),
    "mlp.down": ("down",),
}


def _made(layer: Layer, before_relu: bool) -> Module | None:
    nn = tt.nn
    if layer.kind == "conv":
        inputs, outputs, kernel, padding = layer.sizes
        return nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=layer.bias)
    if layer.kind == "linear":
        inputs, outputs = layer.sizes
        return nn.Linear(inputs, outputs)
    if layer.kind == "norm":
        return nn.BatchNorm2d(layer.sizes[0], activation="relu" if before_relu else None)
    return None


def _chain(network: Network, weights: list[dict[str, Floats]]) -> Module:
    """Build a chain of layers with these weights."""
    model = tt.nn.Sequential()
    kinds = [layer.kind for layer in network.layers]
    for layer, arrays, before, after in zip(network.layers, weights, ["", *kinds], [*kinds[1:], ""], strict=False):
        if (before, layer.kind) == ("norm", "relu"):
            continue  # the norm takes it over
        if (module := _made(layer, before_relu=after == "relu")) is not None:
            module.load_state_dict(arrays)
            model.append(module)
        elif layer.kind == "pool":
            model.append(tt.nn.MaxPool2d(layer.sizes[0]))
        else:
            model.append(tt.nn.Flatten() if layer.kind == "flatten" else tt.nn.ReLU())
    return model


def _gpt(shape: GPT, weights: list[dict[str, Floats]]) -> Module:
    """Build a GPT with these weights."""
    embeddings, *blocks, norm = weights
    model = tt.nn.GPT(VOCABULARY, shape.dim, shape.depth, shape.heads, shape.length)
    state = {"tokens.weight": embeddings["token"], "positions.weight": embeddings["position"]}
    for index, arrays in enumerate(blocks):
        for ours, names in _PLACES.items():
            for leaf in ("weight", "bias"):
                state[f"blocks.{index}.{ours}.{leaf}"] = np.concatenate(
                    [arrays[f"{name}.{leaf}"] for name in names], -1
                )
    model.load_state_dict(state | {f"norm.{leaf}": array for leaf, array in norm.items()})
    return model


def _optimizer(kind: Optimizer, model: Module) -> tt.optim.Optimizer:
    parameters = model.parameters()
    if kind == "sgd":
        return tt.optim.SGD(parameters, lr=LEARNING_RATE, momentum=MOMENTUM, nesterov=True)
    if kind == "adamw":
        return tt.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    return tt.optim.Adam(parameters, lr=LEARNING_RATE)


class Training:
    """A network, its optimizer, batches, and the losses of the latest run."""

    def __init__(self, problem: Problem) -> None:
        network = problem.network
        weights = problem.weights
        self.model = _chain(network, weights) if isinstance(network, Network) else _gpt(network, weights)
        self.optimizer = _optimizer(network.optimizer, self.model)
        self.batches = [(tt.from_numpy(x), tt.from_numpy(y)) for x, y in problem.batches]
        self.criterion = tt.nn.CrossEntropyLoss(axis=-1)
        self.losses: list[float] = []

    def loop(self) -> float:
        """Train one epoch by hand; give the number of steps."""
        self.losses.clear()
        for x, y in self.batches:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.item())
        return len(self.batches)

    def fit(self) -> float:
        """Train one epoch by the Trainer; give the number of steps."""
        history = tt.train.Trainer(self.model, self.criterion, self.optimizer).fit(self.batches, progress=False)
        self.losses[:] = history.steps["loss"].tolist()
        return len(self.batches)

    def predict(self) -> float:
        """Ask for all batches' outputs, and how good they are; give the number of batches."""
        self.losses.clear()
        self.model.eval()
        with tt.no_grad():
            self.losses += [self.criterion(self.model(x), y).item() for x, y in self.batches]
        return len(self.batches)

    def way(self, variant: str) -> Callable[[], float]:
        """Give what a variant runs; who only predicts folds the batch norms first."""
        if variant == "predict" and isinstance(self.model, tt.nn.Sequential):
            self.model = tt.nn.fold_batch_norm(self.model)
        return {"loop": self.loop, "fit": self.fit, "predict": self.predict}[variant]
