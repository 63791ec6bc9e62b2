"""PyTorch's networks and training: plain eager code, as its tutorials write it; and its own faster ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch

from tools.bench.gpt_pytorch import GPT
from tools.bench.inputs import Floats
from tools.bench.problems import LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, Layer, Network, Optimizer, Problem


@dataclass(frozen=True, slots=True)
class Options:
    """PyTorch's faster ways, each a word that may stand in a work's `best`."""

    channels_last: bool = False
    fused: bool = False
    compile: bool = False
    freezing: bool = False

    @classmethod
    def read(cls, words: str) -> Options:
        """Read words joined by `+`."""
        known = {each.name for each in fields(cls)}
        if unknown := set(words.split("+")) - known - {""}:
            raise ValueError(f"PyTorch's ways are {', '.join(sorted(known))}; got {', '.join(sorted(unknown))}")
        return cls(**{word: True for word in words.split("+") if word})


def _made(layer: Layer) -> torch.nn.Module:
    nn = torch.nn
    if layer.kind == "conv":
        inputs, outputs, kernel, padding = layer.sizes
        return nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=layer.bias)
    if layer.kind == "linear":
        return nn.Linear(*layer.sizes)
    if layer.kind == "norm":
        return nn.BatchNorm2d(*layer.sizes)
    if layer.kind == "pool":
        return nn.MaxPool2d(*layer.sizes)
    return nn.Flatten() if layer.kind == "flatten" else nn.ReLU()


def _chain(network: Network, weights: list[dict[str, Floats]]) -> torch.nn.Module:
    model = torch.nn.Sequential()
    for layer, arrays in zip(network.layers, weights, strict=True):
        module = _made(layer)
        state = {name: torch.tensor(array) for name, array in arrays.items()}
        if layer.kind == "linear":
            state["weight"] = state["weight"].T
        module.load_state_dict(state, strict=layer.kind != "norm")  # a norm counts its batches, which are none yet
        model.append(module)
    return model


def _optimizer(kind: Optimizer, model: torch.nn.Module, fused: bool | None) -> torch.optim.Optimizer:
    parameters = model.parameters()
    if kind == "sgd":
        return torch.optim.SGD(parameters, lr=LEARNING_RATE, momentum=MOMENTUM, nesterov=True, fused=fused)
    if kind == "adamw":
        return torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=fused)
    return torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=fused)


class Training:
    """A network, its optimizer, batches, and the losses of the latest run."""

    def __init__(self, problem: Problem, options: Options) -> None:
        network = problem.network
        kept = _chain(network, problem.weights) if isinstance(network, Network) else GPT(network, problem.weights)
        self.batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in problem.batches]
        if options.channels_last:
            kept = kept.to(memory_format=torch.channels_last)
            self.batches = [(x.contiguous(memory_format=torch.channels_last), y) for x, y in self.batches]
        self.optimizer = _optimizer(network.optimizer, kept, options.fused or None)
        self.kept, self.model = kept, torch.compile(kept) if options.compile else kept
        if options.freezing:
            torch._inductor.config.freezing = True
        self.losses: list[float] = []

    def _loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        logits = self.model(x)
        return torch.nn.functional.cross_entropy(logits.view(-1, logits.shape[-1]), y.view(-1))

    def loop(self) -> float:
        """Train one epoch; give the number of steps."""
        self.losses.clear()
        for x, y in self.batches:
            self.optimizer.zero_grad()
            loss = self._loss(x, y)
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.item())
        return len(self.batches)

    def predict(self) -> float:
        """Ask for all batches' outputs, and how good they are; give the number of batches."""
        self.losses.clear()
        self.kept.eval()
        with torch.no_grad():
            self.losses += [self._loss(x, y).item() for x, y in self.batches]
        return len(self.batches)

    def way(self, variant: str) -> Callable[[], float]:
        """Give what a variant runs; PyTorch has no trainer of its own."""
        return self.predict if variant == "predict" else self.loop
