"""The numbers that both frameworks get: NumPy only."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

CLIP_FACTOR = 0.9999  # every call clips a little below the last, so that both frameworks scale every time


def operands(size: int) -> list[Floats]:
    """Give x, w and b of the four operations."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(size, dtype=np.float32) for _ in range(3)]


def gradients(tensors: int) -> list[Floats]:
    """Give gradients of 20,000 elements each."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal((100, 200), dtype=np.float32) for _ in range(tensors)]


def matrices(size: int) -> list[Floats]:
    """Give two square matrices."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal((size, size), dtype=np.float32) for _ in range(2)]


def folder() -> Path:
    """Give the folder of the real data."""
    return Path(os.environ.get("TINYTORCH_DATA", ""))


def shakespeare() -> tuple[str, bool]:
    """Give Tiny Shakespeare, and whether it is: else a megabyte of the text that ships with Python."""
    path = folder() / "tinyshakespeare" / "input.txt"
    if path.is_file():
        return path.read_text(encoding="utf-8"), True
    from pydoc_data.topics import topics

    text = "\n".join(topics[name] for name in sorted(topics))
    return (text * (1_100_000 // len(text) + 1))[:1_100_000], False


def idx(parent: Path, stem: str) -> npt.NDArray[np.uint8] | None:
    """Read one of MNIST's files, packed or not; None if it is absent."""
    for path in (parent / stem, parent / f"{stem}.gz"):
        if path.is_file():
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
            return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape.astype(np.int64))
    return None


def images(split: str) -> tuple[Floats, Ints, bool]:
    """Give MNIST's images `(N, 1, 28, 28)` and labels, and whether they are real: else random ones of that shape."""
    mnist = folder() / "mnist"
    prefix, count = ("train", 60_000) if split == "train" else ("t10k", 10_000)
    x, y = idx(mnist, f"{prefix}-images-idx3-ubyte"), idx(mnist, f"{prefix}-labels-idx1-ubyte")
    if x is not None and y is not None:
        scaled = x[:, None].astype(np.float32)
        scaled /= 255
        return scaled, y.astype(np.int64), True
    rng = np.random.default_rng(0)
    return rng.random((count, 1, 28, 28), dtype=np.float32), rng.integers(0, 10, count), False
