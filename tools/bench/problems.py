"""The networks to train as data, for both frameworks to build: layers, first weights, batches, and the work in them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tools.bench.inputs import Floats, Ints

Kind = Literal["linear", "conv", "norm", "relu", "pool", "flatten"]
Optimizer = Literal["adam", "adamw", "sgd"]

LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.01  # of AdamW
MOMENTUM = 0.9  # of SGD, which is Nesterov's
VOCABULARY = 65  # characters in Tiny Shakespeare


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its kind, and its sizes.

    Sizes are `(in, out)` of linear, `(in, out, kernel, padding)` of conv, `(channels,)` of norm, `(width,)` of pool.
    A conv has a bias unless a norm follows, which would take it away again.
    """

    kind: Kind
    sizes: tuple[int, ...] = ()
    bias: bool = True

    def weights(self, rng: np.random.Generator) -> dict[str, Floats]:
        """Draw the first weights and the buffers; of linear `(in, out)`, of conv `(out, in, kernel, kernel)`."""
        if self.kind == "norm":
            (channels,) = self.sizes
            drawn = {"weight": np.ones(channels, np.float32), "bias": np.zeros(channels, np.float32)}
            mean, spread = rng.standard_normal(channels, dtype=np.float32), rng.random(channels, dtype=np.float32)
            return drawn | {"running_mean": mean * np.float32(0.1), "running_var": spread + np.float32(0.5)}
        if self.kind not in ("linear", "conv"):
            return {}
        inputs, outputs, *kernel = self.sizes
        shape = (outputs, inputs, kernel[0], kernel[0]) if kernel else (inputs, outputs)
        fan_in = math.prod(shape) // outputs
        weight = rng.standard_normal(shape, dtype=np.float32) / np.float32(fan_in**0.5)
        return {"weight": weight} | ({"bias": np.zeros(outputs, np.float32)} if self.bias else {})

    def after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Give the shape of one example after this layer."""
        if self.kind == "conv":
            _, outputs, kernel, padding = self.sizes
            return outputs, *(size + 2 * padding - kernel + 1 for size in shape[1:])
        if self.kind == "pool":
            return shape[0], *(size // self.sizes[0] for size in shape[1:])
        if self.kind == "flatten":
            return (math.prod(shape),)
        return (self.sizes[1],) if self.kind == "linear" else shape

    def flops(self, shape: tuple[int, ...]) -> int:
        """Count the multiplications and additions of the forward pass of one example of this shape; products only."""
        if self.kind not in ("linear", "conv"):
            return 0
        inputs, outputs, *kernel = self.sizes
        places = math.prod(self.after(shape)[1:])
        return 2 * places * outputs * inputs * (kernel[0] ** 2 if kernel else 1)


@dataclass(frozen=True, slots=True)
class Network:
    """A chain of layers that sorts examples into classes."""

    layers: tuple[Layer, ...]
    shape: tuple[int, ...]
    optimizer: Optimizer
    batch_size: int
    batches: int

    def weights(self, rng: np.random.Generator) -> list[dict[str, Floats]]:
        """Draw each layer's first weights."""
        return [layer.weights(rng) for layer in self.layers]

    def batch(self, rng: np.random.Generator) -> tuple[Floats, Ints]:
        """Draw examples and classes."""
        examples = rng.random((self.batch_size, *self.shape), dtype=np.float32)
        return examples, rng.integers(0, self.layers[-1].sizes[1], self.batch_size)

    def flops(self, training: bool = True) -> int:
        """Count one step's: the gradients of input and weight cost as much each as forward."""
        shape, each = self.shape, []
        for layer in self.layers:
            each.append(layer.flops(shape))
            shape = layer.after(shape)
        first = next(count for count in each if count)
        return self.batch_size * (3 * sum(each) - first if training else sum(each))


@dataclass(frozen=True, slots=True)
class GPT:
    """A decoder-only transformer: GPT-2's blocks, the head tied to the token embedding."""

    dim: int
    depth: int
    heads: int
    length: int
    batch_size: int
    batches: int = 2
    optimizer: Optimizer = "adamw"

    def weights(self, rng: np.random.Generator) -> list[dict[str, Floats]]:
        """Draw the first weights: of the embeddings, of each block (linear ones `(in, out)`), of the last norm."""

        def matrix(rows: int, columns: int) -> Floats:
            return rng.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.02)

        wide, four = self.dim, 4 * self.dim
        norm = {"weight": np.ones(wide, np.float32), "bias": np.zeros(wide, np.float32)}
        drawn = [{"token": matrix(VOCABULARY, wide), "position": matrix(self.length, wide)}]
        for _ in range(self.depth):
            block = {f"{name}.{key}": value for name in ("norm1", "norm2") for key, value in norm.items()}
            linear = {"query": (wide, wide), "key": (wide, wide), "value": (wide, wide), "project": (wide, wide)}
            for name, sizes in (linear | {"up": (wide, four), "down": (four, wide)}).items():
                block |= {f"{name}.weight": matrix(*sizes), f"{name}.bias": np.zeros(sizes[1], np.float32)}
            drawn.append(block)
        return [*drawn, norm]

    def batch(self, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Draw texts, and for each place the token that follows."""
        text = rng.integers(0, VOCABULARY, (self.batch_size, self.length + 1))
        return np.ascontiguousarray(text[:, :-1]), np.ascontiguousarray(text[:, 1:])

    def flops(self, training: bool = True) -> int:
        """Count one step's products, of attention the half that causality leaves; training is three times forward."""
        tokens = self.batch_size * self.length
        block = 2 * 12 * self.dim**2 + 2 * 2 * self.dim * (self.length + 1) // 2
        forward = tokens * (self.depth * block + 2 * VOCABULARY * self.dim)
        return forward * (3 if training else 1)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a plain net of ReLU layers with dropout is trained: AdamW, one cycle of the learning rate."""

    widths: tuple[int, ...]
    dropout: float
    epochs: int
    lr: float
    weight_decay: float
    batch_size: int


MNIST = Recipe((784, 256, 128, 10), dropout=0.1, epochs=10, lr=4e-3, weight_decay=0.01, batch_size=128)


@dataclass(frozen=True, slots=True)
class Problem:
    """A network with its first weights and its batches of inputs and targets."""

    network: Network | GPT
    weights: list[dict[str, Floats]]
    batches: list[tuple[Floats | Ints, Ints]]


def _chain(*widths: int) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for index in range(len(widths) - 1):
        layers += [Layer("linear", widths[index : index + 2]), Layer("relu")]
    return tuple(layers[:-1])


def _lenet(batch_size: int) -> Network:
    layers = (
        *(Layer("conv", (1, 6, 5, 2)), Layer("relu"), Layer("pool", (2,))),
        *(Layer("conv", (6, 16, 5, 0)), Layer("relu"), Layer("pool", (2,))),
        *(Layer("flatten"), *_chain(400, 120, 84, 10)),
    )
    return Network(layers, (1, 28, 28), "adam", batch_size, 10)


def _cnn(batch_size: int) -> Network:
    layers: list[Layer] = []
    channels = 3
    for wide in (32, 64, 128):
        for inputs in (channels, wide):
            layers += [Layer("conv", (inputs, wide, 3, 1), bias=False), Layer("norm", (wide,)), Layer("relu")]
        layers.append(Layer("pool", (2,)))
        channels = wide
    return Network((*layers, Layer("flatten"), Layer("linear", (2048, 10))), (3, 32, 32), "sgd", batch_size, 2)


def network(job: str, size: int) -> Network | GPT:
    """Describe a network by its job's name and one number: batch size, or width."""
    if job == "mlp":
        return Network(_chain(784, 128, 64, 10), (784,), "adam", size, 20)
    if job == "wide":  # large enough for its memory to be seen
        return Network(_chain(size, size, size, size, 10), (size,), "adam", 512, 1)
    if job == "lenet":
        return _lenet(size)
    if job == "cnn":
        return _cnn(size)
    if job == "gpt":
        return {16: GPT(16, 1, 2, 8, 1), 128: GPT(128, 4, 4, 128, 16), 384: GPT(384, 6, 6, 256, 8)}[size]
    raise ValueError(f"there is no network {job!r}")


def is_network(job: str) -> bool:
    """Whether a job runs a network."""
    return job in ("mlp", "wide", "lenet", "cnn", "gpt")


def problem(job: str, size: int) -> Problem:
    """Make a problem; the same for the same words."""
    described, rng = network(job, size), np.random.default_rng(0)
    weights = described.weights(rng)
    return Problem(described, weights, [described.batch(rng) for _ in range(described.batches)])
