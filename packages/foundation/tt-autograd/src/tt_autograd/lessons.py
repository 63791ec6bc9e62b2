"""What automatic differentiation costs and why it runs as it does: four lessons, measured.

Example:
    >>> kept = kept_bytes(1000)
    >>> kept["add"], kept["multiply"]
    (0, 8000)
"""

from __future__ import annotations

import itertools
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tt_tensor import Tensor

from tt_autograd._backward import grad
from tt_autograd._checkpoint import checkpoint
from tt_autograd._node import Node

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "CheckpointCost",
    "checkpoint_costs",
    "gradient_by_walking",
    "kept_bytes",
    "plot_checkpoint_costs",
    "shared_weight_gradients",
]

OPERATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": lambda x, y: x + y,
    "multiply": lambda x, y: x * y,
    "sin": lambda x, y: x.sin(),
    "tanh": lambda x, y: x.tanh(),
    "sum": lambda x, y: x.sum(),
}


def kept_bytes(size: int = 100_000) -> dict[str, int]:
    """Measure the bytes of arrays that one recorded operation keeps alive for its gradient, by operation.

    An addition's gradient needs neither input: nothing is kept. A product's needs both. ``tanh`` keeps its result,
    since its slope is ``1 - tanh^2``.

    Args:
        size: Elements of each float32 input.
    """
    found = {}
    for name, operation in OPERATIONS.items():
        x, y = (Tensor(np.full(size, 0.5, np.float32), requires_grad=True) for _ in range(2))
        node = operation(x, y).grad_fn
        if not isinstance(node, Node) or node.saved is None:
            raise TypeError(f"{name} recorded nothing; lessons need tt_autograd's own engine")
        kept = [*node.saved, node.out]
        found[name] = sum(tensor.nbytes for tensor in kept if isinstance(tensor, Tensor))
    return found


@dataclass(frozen=True)
class CheckpointCost:
    """What one training step took."""

    segments: int
    peak_bytes: int
    seconds: float


def checkpoint_costs(
    segments: Sequence[int] = (0, 1, 2, 4, 8, 16), depth: int = 32, width: int = 128, batch: int = 512
) -> list[CheckpointCost]:
    """Measure peak memory and time of a step through a chain of layers, cut into checkpointed segments.

    With ``n`` layers in ``k`` segments, ``k`` inputs of segments stay alive, and the ``n / k`` layers of one: the least
    near ``k = sqrt(n)``. The time grows by about one forward pass, whatever ``k``.

    Args:
        segments: How many segments; 0 is the plain step.
        depth: Layers, each a product with a square matrix and a tanh.
        width: Units of a layer.
        batch: Rows of the input.

    Example:
        >>> plain, cut = checkpoint_costs((0, 4), depth=16, width=32, batch=256)
        >>> cut.peak_bytes < 0.7 * plain.peak_bytes
        True
    """
    rng = np.random.default_rng(0)
    weights = [Tensor(rng.standard_normal((width, width)) / width**0.5, requires_grad=True) for _ in range(depth)]
    x = Tensor(rng.standard_normal((batch, width)))
    return [_measure(count, weights, x) for count in segments]


def _measure(count: int, weights: list[Tensor], x: Tensor) -> CheckpointCost:
    def run(part: Sequence[Tensor], t: Tensor) -> Tensor:
        for w in part:
            t = (t @ w).tanh()
        return t

    def step() -> None:
        t = x
        edges = np.linspace(0, len(weights), max(count, 1) + 1).astype(int)
        for start, stop in itertools.pairwise(edges):
            part = weights[start:stop]
            t = checkpoint(lambda h, part=part: run(part, h), t) if count else run(part, t)
        t.sum().backward()

    step()
    begin = time.perf_counter()
    step()
    seconds = time.perf_counter() - begin
    tracemalloc.start()
    try:
        step()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return CheckpointCost(count, peak, seconds)


def plot_checkpoint_costs(costs: Sequence[CheckpointCost]) -> Figure:
    """Draw memory and time against the number of segments.

    Args:
        costs: What `checkpoint_costs` measured.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plot_checkpoint_costs draws with matplotlib: pip install 'tt-autograd[plot]'.") from error
    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    memory, seconds = figure.subplots(1, 2)
    names = ["none" if cost.segments == 0 else str(cost.segments) for cost in costs]
    memory.bar(names, [cost.peak_bytes / 2**20 for cost in costs], color="#4c78a8")
    memory.set(title="peak memory", xlabel="checkpointed segments", ylabel="MiB")
    seconds.bar(names, [cost.seconds * 1e3 for cost in costs], color="#f58518")
    seconds.set(title="time of a step", xlabel="checkpointed segments", ylabel="ms")
    return figure


def shared_weight_gradients(x: float = 3.0) -> dict[str, float]:
    """Show why gradients accumulate: ``x * x`` uses ``x`` twice, and each use has its own part in the gradient.

    Returns:
        The true slope ``2 x``, the sum of the parts that the engine gives, and what remains if the last part
        overwrites the others.

    Example:
        >>> shared_weight_gradients(3.0)
        {'true': 6.0, 'accumulated': 6.0, 'overwritten': 3.0}
    """
    shared = Tensor(x, dtype=np.float64, requires_grad=True)
    left, right = (Tensor(x, dtype=np.float64, requires_grad=True) for _ in range(2))
    parts = [part.item() for part in grad(left * right, [left, right])]
    return {
        "true": 2 * x,
        "accumulated": float(grad(shared * shared, shared)[0].item()),
        "overwritten": float(parts[-1]),
    }


def gradient_by_walking(order: Sequence[str] = ("d", "c", "b")) -> float:
    """Go backward through ``b = 2a, c = b^2, d = b c`` at ``a = 1`` in any order, passing on what has arrived so far.

    Backward from the last step to the first, every gradient is whole before it is passed on. In another order a step
    passes on a part, and what arrives later is lost.

    Args:
        order: The steps in the order of the walk.

    Returns:
        The gradient that ``a`` receives. The right one is 24, since ``d = 8 a^3``.

    Example:
        >>> gradient_by_walking(("d", "c", "b")), gradient_by_walking(("d", "b", "c"))
        (24.0, 8.0)
    """
    b, c = 2.0, 4.0
    slopes = {"b": {"a": 2.0}, "c": {"b": 2 * b}, "d": {"b": c, "c": b}}
    arrived = {"a": 0.0, "b": 0.0, "c": 0.0, "d": 1.0}
    for step in order:
        for source, slope in slopes[step].items():
            arrived[source] += arrived[step] * slope
    return arrived["a"]
