"""The numbers that both frameworks get: NumPy only."""

from __future__ import annotations

import gzip
import itertools
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

BATCHES = 20
LEARNING_RATE = 1e-3
CLIP_FACTOR = 0.9999  # every call clips a little below the last, so that both frameworks scale every time


@dataclass(frozen=True, slots=True)
class Problem:
    """A network's first weights `(in, out)`, and batches of inputs and targets."""

    weights: list[Floats]
    biases: list[Floats]
    batches: list[tuple[Floats, Ints]]


def problem(widths: tuple[int, ...], batch_size: int, batches: int = BATCHES) -> Problem:
    """Make a classification problem; the same for the same sizes."""
    rng = np.random.default_rng(0)
    pairs = list(itertools.pairwise(widths))
    weights = [(rng.standard_normal(pair, dtype=np.float32) / np.float32(pair[0] ** 0.5)) for pair in pairs]
    biases = [np.zeros(wide, np.float32) for _, wide in pairs]
    data = [
        (rng.random((batch_size, widths[0]), dtype=np.float32), rng.integers(0, widths[-1], batch_size))
        for _ in range(batches)
    ]
    return Problem(weights, biases, data)


def mlp(batch_size: int) -> Problem:
    """Give the issue's network."""
    return problem((784, 128, 64, 10), batch_size)


def wide(width: int) -> Problem:
    """Give a network large enough for its memory to be seen."""
    return problem((width, width, width, width, 10), 512, batches=1)


def operands(size: int) -> list[Floats]:
    """Give x, w and b of the four operations."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(size, dtype=np.float32) for _ in range(3)]


def gradients(tensors: int) -> list[Floats]:
    """Give gradients of 20,000 elements each."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal((100, 200), dtype=np.float32) for _ in range(tensors)]


def idx(folder: Path, stem: str) -> npt.NDArray[np.uint8] | None:
    """Read one of MNIST's files, packed or not; None if it is absent."""
    for path in (folder / stem, folder / f"{stem}.gz"):
        if path.is_file():
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
            return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape.astype(np.int64))
    return None


def images(split: str) -> tuple[Floats, Ints, bool]:
    """Give MNIST's images `(N, 1, 28, 28)` and labels, and whether they are real: else random ones of that shape."""
    folder = Path(os.environ.get("TINYTORCH_DATA", "")) / "mnist"
    prefix, count = ("train", 60_000) if split == "train" else ("t10k", 10_000)
    x, y = idx(folder, f"{prefix}-images-idx3-ubyte"), idx(folder, f"{prefix}-labels-idx1-ubyte")
    if x is not None and y is not None:
        scaled = x[:, None].astype(np.float32)
        scaled /= 255
        return scaled, y.astype(np.int64), True
    rng = np.random.default_rng(0)
    return rng.random((count, 1, 28, 28), dtype=np.float32), rng.integers(0, 10, count), False
