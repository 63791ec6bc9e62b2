"""The networks of this milestone, and how each is trained: one table, for the script and for whoever compares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import tinytorch as tt

# Which maps of S2 each of C3's 16 maps sees (LeCun et al. 1998, table I): 3 in a row, 4 in a row, 4 apart, all.
C3_SEES = [
    *[[(first + step) % 6 for step in range(3)] for first in range(6)],
    *[[(first + step) % 6 for step in range(4)] for first in range(6)],
    *[[0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5], [0, 1, 2, 3, 4, 5]],
]


class ScaledTanh(tt.nn.Module):
    """1.7159 tanh(2x / 3): it passes through (1, 1) and (-1, -1), and bends most there."""

    def forward(self, x: tt.Tensor) -> tt.Tensor:
        """Squash."""
        return 1.7159 * tt.tanh(x * (2 / 3))


class Subsample(tt.nn.Module):
    """The mean of every 2x2 square, times a learnt number, plus a learnt number: two for each map."""

    def __init__(self, maps: int) -> None:
        self.weight = tt.nn.Parameter(tt.ones((maps, 1, 1)).numpy())
        self.bias = tt.nn.Parameter(tt.zeros((maps, 1, 1)).numpy())

    def forward(self, x: tt.Tensor) -> tt.Tensor:
        """Return images of half the size."""
        return tt.nn.functional.avg_pool2d(x, 2) * self.weight + self.bias  # (N, C, H, W) -> (N, C, H / 2, W / 2)


class PartlyConnected(tt.nn.Conv2d):
    """A convolution whose filters each see some of the channels: the weights of the others are held at zero."""

    def __init__(self, sees: list[list[int]], kernel_size: int, padding: int = 0) -> None:
        channels = 1 + max(map(max, sees))
        super().__init__(channels, len(sees), kernel_size, padding=padding)
        mask = [[[[float(channel in seen)]] for channel in range(channels)] for seen in sees]
        self.mask = tt.nn.Buffer(mask, persistent=False)  # (O, C, 1, 1)

    def forward(self, x: tt.Tensor) -> tt.Tensor:
        """Convolve with the weights that are there."""
        return tt.nn.functional.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


def lenet1(channels: int = 1, side: int = 28) -> tt.nn.Sequential:
    """LeNet-1 (1989): 4 maps, 12 maps, one layer of ten units. All maps of C3 see all of S2's here.

    Images of 8x8 have 3x3 filters and are subsampled once, at the end: twice would leave 2x2.
    """
    nn, small = tt.nn, side == 8
    kernel, padding, left = (3, 1, 4) if small else (5, 0, ((side - 4) // 2 - 4) // 2)
    return nn.Sequential(
        *(nn.Conv2d(channels, 4, kernel, padding=padding), ScaledTanh()),
        *(() if small else (Subsample(4), ScaledTanh())),
        *(nn.Conv2d(4, 12, kernel, padding=padding), ScaledTanh(), Subsample(12), ScaledTanh()),
        *(nn.Flatten(), nn.Linear(12 * left * left, 10)),
    )


def lenet5(channels: int = 1, side: int = 28) -> tt.nn.Sequential:
    """LeNet-5 (1998) as published, but for ten linear outputs in place of radial ones; for 8x8 changed as LeNet-1."""
    nn, small = tt.nn, side == 8
    kernel, around, inner, left = (3, 1, 1, 4) if small else (5, (32 - side) // 2, 0, 5)
    return nn.Sequential(
        *(nn.Conv2d(channels, 6, kernel, padding=around), ScaledTanh()),  # C1
        *(() if small else (Subsample(6), ScaledTanh())),  # S2
        *(PartlyConnected(C3_SEES, kernel, inner), ScaledTanh(), Subsample(16), ScaledTanh()),  # C3, S4
        *(nn.Conv2d(16, 120, left), ScaledTanh(), nn.Flatten()),  # C5: (N, 16, 5, 5) -> (N, 120)
        *(nn.Linear(120, 84), ScaledTanh(), nn.Linear(84, 10)),  # F6, output
    )


def modern(*stages: tuple[int, ...], channels: int = 3, side: int = 32) -> tt.nn.Sequential:
    """3x3 convolutions with batch norm and ReLU, a max-pool after each stage, one linear layer: as since 2014."""
    model = tt.nn.Sequential()
    for widths in stages:
        for width in widths:
            model.append(tt.nn.Conv2d(channels, width, 3, padding=1, bias=False))
            model.append(tt.nn.BatchNorm2d(width, activation="relu"))
            channels = width
        model.append(tt.nn.MaxPool2d(2))
        side //= 2
    model.append(tt.nn.Flatten())
    model.append(tt.nn.Linear(channels * side * side, 10))
    return model


def mlp() -> tt.nn.Sequential:
    """The net of milestone 03 for 8x8 digits."""
    nn = tt.nn
    layers = nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)
    return nn.Sequential(nn.Flatten(), *layers)


@dataclass(frozen=True)
class Recipe:
    """A network and how it is trained, with one cycle of the learning rate up to `lr`."""

    network: Callable[[], tt.nn.Sequential]
    epochs: int
    lr: float
    batch_size: int = 64
    optimizer: Literal["adamw", "sgd"] = "adamw"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    warmup: float = 0.25
    transform: tt.data.Transform | None = None

    def loader(self, training: tt.data.TensorDataset) -> tt.data.DataLoader:
        """Return the batches to train on."""
        return tt.data.DataLoader(training, self.batch_size, shuffle=True, drop_last=True, transform=self.transform)

    def trainer(self, model: tt.nn.Sequential, steps: int) -> tt.train.Trainer:
        """Return a trainer for so many steps."""
        optimizer: tt.optim.Optimizer
        if self.optimizer == "sgd":
            decay = self.weight_decay
            optimizer = tt.optim.SGD(model.parameters(), self.lr, momentum=0.9, nesterov=True, weight_decay=decay)
        else:
            optimizer = tt.optim.AdamW(model.parameters(), self.lr, weight_decay=self.weight_decay)
        schedule = tt.optim.OneCycle(optimizer, self.lr, total_steps=steps, warmup=self.warmup)
        loss = tt.nn.CrossEntropyLoss(label_smoothing=self.label_smoothing)
        return tt.train.Trainer(model, loss, optimizer, schedule, metrics={"accuracy": tt.train.accuracy})


_ON_DIGITS = partial(Recipe, epochs=20, lr=0.01, batch_size=64, weight_decay=0.01)
DIGITS = {
    "MLP": _ON_DIGITS(mlp, epochs=40),
    "LeNet-1": _ON_DIGITS(partial(lenet1, side=8)),
    "LeNet-5": _ON_DIGITS(partial(lenet5, side=8)),
    "modern": _ON_DIGITS(partial(modern, (16,), (32,), channels=1, side=8), epochs=12),
}

_SHIFT = tt.data.RandomCrop(28, 2, padding_mode="reflect")  # by up to two pixels: the borders are empty
_FLIP = tt.data.RandomHorizontalFlip()
_ON_CIFAR = partial(Recipe, transform=tt.data.Compose([tt.data.RandomCrop(32, 4, padding_mode="reflect"), _FLIP]))
_MODERN = partial(_ON_CIFAR, lr=0.05, optimizer="sgd", weight_decay=5e-4, label_smoothing=0.1)
FULL = {
    "mnist-lenet1": Recipe(lenet1, epochs=8, lr=5e-3),
    "mnist-lenet5": Recipe(lenet5, epochs=12, lr=3e-3, weight_decay=0.01, transform=_SHIFT),
    "cifar-lenet1": _ON_CIFAR(partial(lenet1, 3, 32), epochs=6, lr=1e-2, transform=_FLIP),
    "cifar-lenet5": _ON_CIFAR(partial(lenet5, 3, 32), epochs=8, lr=3e-3, weight_decay=0.01, transform=_FLIP),
    "cifar-modern": _MODERN(partial(modern, (32,), (64,), (128,)), epochs=5),
    "cifar-long": _MODERN(partial(modern, (32, 32), (64, 64), (128, 128)), epochs=8),
}


def normalized(training: tt.data.TensorDataset, *others: tt.data.TensorDataset) -> list[tt.data.TensorDataset]:
    """Shift and scale every channel so that the training images have mean 0 and deviation 1."""
    mean, std = ([float(channel.item()) for channel in of(axis=(0, 2, 3))] for of in (training.x.mean, training.x.std))
    change = tt.data.Normalize(mean, std)
    return [tt.data.TensorDataset(change(data.x), data.y, source=data.source) for data in (training, *others)]


def shuffled(data: tt.data.TensorDataset, order: tt.Array) -> tt.data.TensorDataset:
    """Move the pixels of every image to the same new places."""
    x = tt.take(data.x.reshape((len(data), -1)), order, axis=1).reshape(data.x.shape)
    return tt.data.TensorDataset(x, data.y, source=data.source)


def moved(data: tt.data.TensorDataset) -> tt.data.TensorDataset:
    """Move every image by one pixel to the left, right, top and bottom: four times as many; black comes in."""
    high, wide = data.x.shape[2:]
    framed = tt.pad(data.x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    corners = (1, 2), (1, 0), (2, 1), (0, 1)
    x = tt.concat([framed[:, :, top : top + high, left : left + wide] for top, left in corners])
    return tt.data.TensorDataset(x, tt.tile(data.y, (len(corners),)), source=data.source)


def load(name: str) -> tuple[str, tt.data.TensorDataset, dict[str, tt.data.TensorDataset]]:
    """Return the data of a recipe of `FULL`: its name, the training set, and test sets by what to call them.

    A folder `cifar10-jpeg` beside the other data sets is taken in place of CIFAR-10, and named so; the first 1,000
    test images as they were before JPEG are then a second test set, if they are there.
    """
    if name.startswith("mnist"):
        training, test = normalized(tt.data.mnist("train"), tt.data.mnist("test"))
        return "mnist", training, {"test": test}
    copy, original = tt.data.data_folder() / "cifar10-jpeg", tt.data.data_folder() / "cifar10"
    folder: Path | None = copy if copy.is_dir() else None
    source = None if folder is None else "CIFAR-10, JPEG copy"
    sets = [
        tt.data.cifar10("train", folder=folder, source=source),
        tt.data.cifar10("test", folder=folder, source=source),
    ]
    if folder is not None and any(original.glob("*test_batch*")):
        sets.append(tt.data.cifar10("test", folder=original))
    training, *tests = normalized(*sets)
    names = ("test", "test, lossless")
    return "cifar10" if folder is None else "cifar10-jpeg", training, dict(zip(names, tests, strict=False))
