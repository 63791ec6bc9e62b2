"""What attention costs as the text grows, for both kernels, and what it looks at.

Example:
    >>> costs = attention_costs([32, 64], heads=1, head_dim=4, repeats=1)
    >>> [(cost.kernel, cost.length) for cost in costs]
    [('plain', 32), ('blockwise', 32), ('plain', 64), ('blockwise', 64)]
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tt_tensor import Array, Tensor, use_kernel

from tt_attention._attention import scaled_dot_product_attention

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "AttentionCost",
    "Exponents",
    "attention_costs",
    "exponents",
    "fitted_exponent",
    "plot_attention",
    "plot_costs",
]

KERNELS = ("plain", "blockwise")


@dataclass(frozen=True)
class AttentionCost:
    """What one forward and backward pass cost: the best time, and the most memory that was in use at once."""

    kernel: str
    length: int
    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Exponents:
    """How a kernel's costs grow with the length T: like `T ** seconds`, and like `T ** peak_bytes`."""

    kernel: str
    seconds: float
    peak_bytes: float


def attention_costs(
    lengths: Sequence[int] = (256, 512, 1024, 2048, 4096, 8192),
    *,
    heads: int = 2,
    head_dim: int = 32,
    causal: bool = True,
    repeats: int = 3,
    kernels: Sequence[str] = KERNELS,
    plain_up_to: int = 4096,
) -> list[AttentionCost]:
    """Measure forward and backward passes of one sequence, for each length and kernel.

    Args:
        lengths: The lengths (T).
        heads: How many heads.
        head_dim: The length of a query.
        causal: Hide the future.
        repeats: The time is the best of so many; the memory is that of one more pass.
        kernels: Names of registered kernels.
        plain_up_to: The plain kernel is left out beyond this length: at 8192 it would take gigabytes.
    """
    rng = np.random.default_rng(0)
    costs = []
    for length in lengths:
        arrays = [rng.standard_normal((1, heads, length, head_dim), dtype=np.float32) for _ in range(3)]
        for kernel in kernels:
            if kernel == "plain" and length > plain_up_to:
                continue
            with use_kernel(scaled_dot_product_attention, kernel):
                times = [_timed(arrays, causal) for _ in range(repeats)]
                costs.append(AttentionCost(kernel, length, min(times), _peak(arrays, causal)))
    return costs


def _pass(arrays: Sequence[Array], causal: bool) -> None:
    q, k, v = (Tensor(array, requires_grad=True) for array in arrays)
    scaled_dot_product_attention(q, k, v, causal=causal).sum().backward()


def _timed(arrays: Sequence[Array], causal: bool) -> float:
    start = time.perf_counter()
    _pass(arrays, causal)
    return time.perf_counter() - start


def _peak(arrays: Sequence[Array], causal: bool) -> int:
    """Return the most bytes that NumPy held at once, above what it held before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        _pass(arrays, causal)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def fitted_exponent(lengths: Sequence[float], values: Sequence[float]) -> float:
    """Return the e for which `values` grow most nearly like `lengths ** e`: a line through the logarithms.

    Raises:
        ValueError: There are fewer than two lengths, or not as many values.

    Example:
        >>> round(fitted_exponent([1, 2, 4], [3, 12, 48]), 6)
        2.0
    """
    if len(lengths) < 2 or len(lengths) != len(values):
        raise ValueError(f"a line needs two points at least, but received {len(lengths)} and {len(values)} numbers.")
    return float(np.polyfit(np.log(lengths), np.log(values), 1)[0])


def exponents(costs: Sequence[AttentionCost]) -> list[Exponents]:
    """Fit, for each kernel, the exponent of T in what was measured.

    Args:
        costs: What `attention_costs` returned, with two lengths at least for each kernel.

    Example:
        >>> exponents([AttentionCost("plain", 1, 1.0, 8), AttentionCost("plain", 2, 4.0, 16)])
        [Exponents(kernel='plain', seconds=2.0, peak_bytes=1.0)]
    """
    fitted = []
    for kernel in dict.fromkeys(cost.kernel for cost in costs):
        mine = [cost for cost in costs if cost.kernel == kernel]
        lengths = [cost.length for cost in mine]
        seconds, peaks = ([getattr(cost, name) for cost in mine] for name in ("seconds", "peak_bytes"))
        fitted.append(Exponents(kernel, *(round(fitted_exponent(lengths, each), 3) for each in (seconds, peaks))))
    return fitted


def plot_costs(costs: Sequence[AttentionCost]) -> Figure:
    """Draw time and memory against the length, with the exponents of the lines.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = _figure("plot_costs", (9.0, 4.0))
    left, right = figure.subplots(1, 2)
    for axes, name in ((left, "seconds"), (right, "peak_bytes")):
        for kernel in dict.fromkeys(cost.kernel for cost in costs):
            mine = [cost for cost in costs if cost.kernel == kernel]
            lengths, values = [cost.length for cost in mine], [float(getattr(cost, name)) for cost in mine]
            grows = f", T^{fitted_exponent(lengths, values):.2f}" if len(mine) > 1 else ""
            axes.plot(lengths, values, "o-", label=kernel + grows)
        axes.set(xscale="log", yscale="log", xlabel="length T", ylabel=name.replace("_", " "))
        axes.legend()
        axes.grid(alpha=0.3)
    return figure


def plot_attention(weights: Array, tokens: Sequence[str] | None = None, *, title: str = "") -> Figure:
    """Draw attention maps as pictures, one for each head: rows look, columns are looked at.

    Args:
        weights: (H, T, S), as `record_attention` keeps them for each sequence.
        tokens: What stands at the places, written beside them.
        title: Above all.

    Raises:
        ValueError: The weights have not three axes.
        ImportError: If matplotlib is not installed.
    """
    if weights.ndim != 3:
        raise ValueError(f"plot_attention draws the heads (H, T, S) of one sequence, but received {weights.shape}.")
    heads = len(weights)
    figure = _figure("plot_attention", (2.6 * heads + 0.6, 3.0))
    figure.suptitle(title)
    for head, axes in enumerate(figure.subplots(1, heads, squeeze=False)[0]):
        axes.imshow(weights[head], vmin=0.0, vmax=1.0, cmap="viridis", aspect="auto")
        axes.set_title(f"head {head}")
        if tokens is not None:
            axes.set_xticks(range(len(tokens)), tokens)
            axes.set_yticks(range(len(tokens)), tokens)
    return figure


def _figure(asked: str, size: tuple[float, float]) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"{asked} draws with matplotlib: pip install 'tt-attention[plot]'.") from error
    return Figure(figsize=size, layout="constrained")
