"""Where the memory of a training step goes, what accumulation saves of it, and what half precision costs in NumPy.

Every figure is measured: arrays' own bytes, and the allocations that `tracemalloc` saw.

Example:
    >>> memory = step_memory()
    >>> memory["gradients"] == memory["parameters"], round(memory["optimizer"] / memory["parameters"], 2)
    (True, 2.0)
    >>> memory["activations"] > memory["parameters"]
    True
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from tt_activations import relu
from tt_layers import Linear, Module
from tt_losses import cross_entropy
from tt_optim import Adam
from tt_tensor import Array, Tensor

from ._evaluate import Forward, Pair
from ._pictures import draw_curves
from ._step import accumulate_gradients, half_forward, half_gradients

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "Accumulation",
    "Precision",
    "accumulation",
    "half_precision",
    "plot_accumulation",
    "plot_step_memory",
    "step_memory",
]


class _Network(Module):
    """Three linear layers with ReLU between them."""

    def __init__(self, features: int, width: int, classes: int, rng: np.random.Generator) -> None:
        self.first = Linear(features, width, rng=rng)
        self.second = Linear(width, width, rng=rng)
        self.third = Linear(width, classes, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        return self.third(relu(self.second(relu(self.first(x)))))


def _make(batch_size: int, width: int) -> tuple[_Network, Pair]:
    rng = np.random.default_rng(0)
    x = Tensor(rng.normal(size=(batch_size, 64)))  # (B, 64)
    return _Network(64, width, 10, rng), (x, Tensor(rng.integers(0, 10, size=batch_size)))


def _allocated(action: Callable[[], object]) -> tuple[int, int]:
    """Run an action; return the bytes that its result keeps alive, and the peak on the way."""
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = action()
        after, peak = tracemalloc.get_traced_memory()
        del result
    finally:
        tracemalloc.stop()
    return after - before, peak - before


def step_memory(batch_size: int = 512, width: int = 128) -> dict[str, int]:
    """Measure what a step of Adam on a small network keeps in memory, kind by kind.

    Args:
        batch_size: Examples of the batch; only the activations grow with it.
        width: The hidden layers' width; the other kinds grow with its square.

    Returns:
        Bytes of `parameters`, `gradients`, `optimizer` and `activations` (what the graph of the forward pass keeps
        alive for the backward pass).
    """
    model, (x, y) = _make(batch_size, width)
    optimizer = Adam(model.parameters(), lr=1e-3)
    cross_entropy(model(x), y).backward()  # what is made once and kept shall not count
    model.zero_grad()
    activations, _ = _allocated(lambda: cross_entropy(model(x), y))
    cross_entropy(model(x), y).backward()
    gradients = sum(p.grad.nbytes for p in model.parameters() if p.grad is not None)
    optimizer.step()
    return {
        "parameters": sum(p.nbytes for p in model.parameters()),
        "gradients": gradients,
        "optimizer": _array_bytes(optimizer.state_dict()),
        "activations": activations,
    }


def _array_bytes(tree: object) -> int:
    if isinstance(tree, (np.ndarray, Tensor)):
        return tree.nbytes
    if isinstance(tree, Mapping):
        return sum(_array_bytes(value) for value in tree.values())
    return sum(_array_bytes(value) for value in tree) if isinstance(tree, (list, tuple)) else 0


class Accumulation(NamedTuple):
    """What cutting one batch into pieces was measured to do.

    Attributes:
        pieces: Into how many.
        error: The largest difference of a gradient from that of the whole batch, over the largest gradient.
        peak: The most bytes allocated on the way.
        seconds: The time of one pass, forward and backward.
    """

    pieces: int
    error: float
    peak: int
    seconds: float


def accumulation(pieces: Sequence[int] = (1, 2, 4, 8, 16), batch_size: int = 1024) -> list[Accumulation]:
    """Compute one batch's gradient in pieces: the same gradient, in a fraction of the memory.

    Args:
        pieces: The numbers of pieces to try.
        batch_size: Examples of the whole batch.

    Returns:
        One measurement for each number of pieces.
    """
    model, whole = _make(batch_size, 128)
    expected = _gradients(model, [whole])
    rows: list[Accumulation] = []
    for count in pieces:
        cuts = np.linspace(0, batch_size, count + 1).astype(int).tolist()
        group = [(whole[0][a:b], whole[1][a:b]) for a, b in pairwise(cuts)]
        got = _gradients(model, group)
        largest = max(float(np.abs(gradient).max()) for gradient in expected)
        error = max(float(np.abs(g - e).max()) for g, e in zip(got, expected, strict=True)) / largest
        model.zero_grad()
        start = time.perf_counter()
        accumulate_gradients(model, cross_entropy, group)
        seconds = time.perf_counter() - start
        model.zero_grad()
        peak = _peak_of(model, group)
        rows.append(Accumulation(count, error, peak, seconds))
    return rows


def _peak_of(model: Module, group: Sequence[Pair]) -> int:
    _, peak = _allocated(lambda: accumulate_gradients(model, cross_entropy, group))
    return peak


def _gradients(model: Module, group: Sequence[Pair]) -> list[Array]:
    model.zero_grad()
    accumulate_gradients(model, cross_entropy, group)
    return [np.array(p.grad.data, dtype=np.float64) for p in model.parameters() if p.grad is not None]


class Precision(NamedTuple):
    """What a precision was measured to cost.

    Attributes:
        name: float32 or float16.
        seconds: The time of one pass, forward and backward (the fastest of a few).
        activations: Bytes that the forward pass keeps alive, the float16 copies of the weights among them.
    """

    name: str
    seconds: float
    activations: int


def half_precision(batch_size: int = 256, width: int = 128) -> list[Precision]:
    """Measure float16 against float32: NumPy has no float16 arithmetic, so it saves memory and costs time.

    Args:
        batch_size: Examples of the batch.
        width: The hidden layers' width.

    Returns:
        float32, then float16.
    """
    model, pair = _make(batch_size, width)
    half = half_forward(model)

    def single_pass() -> object:
        return accumulate_gradients(model, cross_entropy, [pair])

    def half_pass() -> object:
        return half_gradients(half, cross_entropy, [pair], 1024.0)

    def measure(name: str, forward: Forward, both: Callable[[], object]) -> Precision:
        both()
        kept, _ = _allocated(lambda: forward(pair[0]))
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            both()
            seconds.append(time.perf_counter() - start)
        model.zero_grad()
        return Precision(name, min(seconds), kept)

    return [measure("float32", model, single_pass), measure("float16", half, half_pass)]


def plot_step_memory(batch_sizes: Sequence[int] = (16, 64, 256, 1024)) -> Figure:
    """Draw each kind of memory against the batch size (the extra `plot`).

    Args:
        batch_sizes: The batch sizes to measure.

    Returns:
        The figure.
    """
    rows = [step_memory(size) for size in batch_sizes]
    x = np.array(batch_sizes)
    curves = {kind: (x, np.array([row[kind] for row in rows]) / 1e6) for kind in rows[0]}
    return draw_curves({"memory of a step, MB": curves}, across="batch size")


def plot_accumulation(rows: Sequence[Accumulation] | None = None) -> Figure:
    """Draw peak memory, time and error against the number of pieces (the extra `plot`).

    Args:
        rows: What `accumulation` returned; measured now if None.

    Returns:
        The figure.
    """
    rows = accumulation() if rows is None else rows
    x = np.array([row.pieces for row in rows])
    panels = {
        "peak memory, MB": {"peak": (x, np.array([row.peak for row in rows]) / 1e6)},
        "time, ms": {"time": (x, np.array([row.seconds for row in rows]) * 1e3)},
        "relative error of the gradient": {"error": (x, np.array([row.error for row in rows]))},
    }
    return draw_curves(panels, across="pieces")
