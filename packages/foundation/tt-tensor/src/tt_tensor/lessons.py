"""What tensors cost, measured on your machine: memory layout, views, broadcasting, precision.

Every function here runs something and returns the numbers; each has a `plot_` beside it (install `tt-tensor[plot]`).
"""

from __future__ import annotations

import math
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tt_tensor import Tensor, broadcast_to, randn, tile
from tt_tensor import sum as tensor_sum

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class LayoutCost:
    """What walking a row-major matrix costs, along its rows and down its columns."""

    size: int
    row_seconds: float
    column_seconds: float

    @property
    def ratio(self) -> float:
        """How many times longer the column walk takes."""
        return self.column_seconds / self.row_seconds


@dataclass(frozen=True)
class ViewCost:
    """What one operation took and whether its result shares the input's memory."""

    operation: str
    shares_memory: bool
    allocated_bytes: int
    seconds: float


@dataclass(frozen=True)
class BroadcastCost:
    """What adding a row to every row of a matrix allocates, with and without copying the row first."""

    shape: tuple[int, int]
    row_bytes: int
    stretched_bytes: int
    tiled_bytes: int


@dataclass(frozen=True)
class PrecisionCost:
    """What single and double precision cost in time and memory, and what they lose."""

    size: int
    float32_seconds: float
    float64_seconds: float
    float32_bytes: int
    float64_bytes: int
    float32_error: float
    float64_error: float

    @property
    def speedup(self) -> float:
        """How many times faster float32 is."""
        return self.float64_seconds / self.float32_seconds


def memory_layout(size: int = 2048, repeats: int = 3) -> LayoutCost:
    """Sum the same matrix row by row and column by column.

    Memory comes in lines of 64 bytes, 16 float32 numbers: a row walk uses all 16, a column walk of a row-major matrix
    one of them.

    Args:
        size: The matrix is size x size, float32.
        repeats: Takes the fastest of so many.

    Raises:
        ValueError: size or repeats below 1.

    Example:
        >>> memory_layout(64, repeats=1).size
        64
    """
    _check(size=size, repeats=repeats)
    matrix = np.ones((size, size), np.float32)

    def rows() -> None:
        for i in range(size):
            matrix[i].sum()

    def columns() -> None:
        for j in range(size):
            matrix[:, j].sum()

    return LayoutCost(size, _fastest(rows, repeats), _fastest(columns, repeats))


def view_or_copy(size: int = 1024, repeats: int = 3) -> list[ViewCost]:
    """Run operations that only rename places, and some that must move elements.

    Args:
        size: The matrix is size x size, float32.
        repeats: Takes the fastest of so many.

    Raises:
        ValueError: size or repeats below 1.

    Example:
        >>> [(cost.operation, cost.shares_memory) for cost in view_or_copy(32, repeats=1)][:2]
        [('x.T', True), ('x.reshape(-1)', True)]
    """
    _check(size=size, repeats=repeats)
    x = randn(size, size)
    operations: dict[str, Callable[[], Tensor]] = {
        "x.T": lambda: x.T,
        "x.reshape(-1)": lambda: x.reshape(-1),
        "x[::2]": lambda: x[::2],
        "x.flip(0)": lambda: x.flip(0),
        "x.T.reshape(-1)": lambda: x.T.reshape(-1),
        "x[[0, 0]]": lambda: x[[0, 0]],
        "x.copy()": x.copy,
    }
    return [
        ViewCost(name, np.shares_memory(run().data, x.data), _allocated(run), _fastest(run, repeats))
        for name, run in operations.items()
    ]


def broadcasting(rows: int = 1000, columns: int = 1000) -> BroadcastCost:
    """Stretch one row over a matrix by broadcasting, which allocates nothing, and by tiling, which copies.

    Args:
        rows: How often the row is repeated.
        columns: The length of the row.

    Raises:
        ValueError: rows or columns below 1.

    Example:
        >>> cost = broadcasting(100, 1000)
        >>> cost.stretched_bytes < cost.row_bytes < cost.tiled_bytes
        True
    """
    _check(rows=rows, columns=columns)
    row = randn(columns)
    shape = (rows, columns)
    return BroadcastCost(
        shape,
        row.nbytes,
        _allocated(lambda: broadcast_to(row, shape)),
        _allocated(lambda: tile(row, (rows, 1))),
    )


def precision(size: int = 512, repeats: int = 3) -> PrecisionCost:
    """Multiply matrices in float32 and in float64, and compare with a product of exact sums.

    Args:
        size: The matrices are size x size.
        repeats: Takes the fastest of so many.

    Raises:
        ValueError: size or repeats below 1.

    Example:
        >>> cost = precision(32, repeats=1)
        >>> cost.float64_error < cost.float32_error
        True
    """
    _check(size=size, repeats=repeats)
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((2, size, size)).astype(np.float32).astype(np.float64)
    a, b = Tensor(wide[0], dtype=np.float64), Tensor(wide[1], dtype=np.float64)
    a32, b32 = a.astype(np.float32), b.astype(np.float32)
    exact = Tensor([math.fsum(wide[0, 0] * wide[1, :, j]) for j in range(size)], dtype=np.float64)

    def error(product: Tensor) -> float:
        return float(((product[0] - exact).abs().max() / exact.abs().max()).item())

    return PrecisionCost(
        size,
        _fastest(lambda: a32 @ b32, repeats),
        _fastest(lambda: a @ b, repeats),
        a32.nbytes,
        a.nbytes,
        error(a32 @ b32),
        error(a @ b),
    )


def running_sum_error(count: int = 100_000) -> tuple[float, float]:
    """Add 0.1 `count` times, in a float32 accumulator and with `tt_tensor.sum`; return both relative errors.

    Args:
        count: How many numbers.

    Raises:
        ValueError: count below 1.

    Example:
        >>> one_by_one, ours = running_sum_error(10_000)
        >>> ours < one_by_one
        True
    """
    _check(count=count)
    values = np.full(count, 0.1, np.float32)
    exact = float(values[0]) * count
    one_by_one = float(np.add.accumulate(values)[-1])
    ours = float(tensor_sum(Tensor(values)).item())
    return abs(one_by_one - exact) / exact, abs(ours - exact) / exact


def plot_memory_layout(costs: Sequence[LayoutCost]) -> Figure:
    """Draw the seconds of both walks against the size of the matrix."""
    figure = _figure()
    axes = figure.subplots()
    sizes = [cost.size for cost in costs]
    axes.plot(sizes, [cost.row_seconds for cost in costs], "o-", label="along rows")
    axes.plot(sizes, [cost.column_seconds for cost in costs], "o-", label="down columns")
    axes.set(xlabel="rows and columns", ylabel="seconds", title="Walking a row-major matrix", yscale="log")
    axes.legend()
    return figure


def plot_view_or_copy(costs: Sequence[ViewCost]) -> Figure:
    """Draw the bytes that each operation allocated."""
    figure = _figure()
    axes = figure.subplots()
    axes.barh([cost.operation for cost in costs], [cost.allocated_bytes for cost in costs])
    axes.set(xlabel="bytes allocated", title="View or copy")
    return figure


def plot_broadcasting(cost: BroadcastCost) -> Figure:
    """Draw the bytes of a row, stretched and tiled."""
    figure = _figure()
    axes = figure.subplots()
    axes.bar(["the row", "stretched", "tiled"], [cost.row_bytes, cost.stretched_bytes, cost.tiled_bytes])
    axes.set(ylabel="bytes", title=f"A row over {cost.shape[0]} rows", yscale="log")
    return figure


def plot_precision(cost: PrecisionCost) -> Figure:
    """Draw time and error of a matrix product in both precisions."""
    figure = _figure()
    times, errors = figure.subplots(1, 2)
    names = ["float32", "float64"]
    times.bar(names, [cost.float32_seconds, cost.float64_seconds])
    times.set(ylabel="seconds", title=f"{cost.size} x {cost.size} product")
    errors.bar(names, [cost.float32_error, cost.float64_error])
    errors.set(ylabel="relative error", title="against exact sums", yscale="log")
    return figure


def _check(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")


def _fastest(run: Callable[[], object], repeats: int) -> float:
    """Return the shortest of several times: what disturbs a run only ever adds."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return max(min(seconds), 1e-9)  # never 0, so that ratios exist on a coarse clock


def _allocated(run: Callable[[], Tensor]) -> int:
    """Return the bytes that are alive because of a result; NumPy reports its arrays to tracemalloc."""
    run()  # what the first call caches is not the result's cost
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = run()
        after = tracemalloc.get_traced_memory()[0]
        del result
        return max(after - before, 0)
    finally:
        if not tracing:
            tracemalloc.stop()


def _figure() -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'tt-tensor[plot]'") from error
    return Figure(layout="constrained")
