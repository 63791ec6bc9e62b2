"""What the three kernels cost, in time and in memory: two lessons, measured.

Example:
    >>> measured = column_memory(kernel_sizes=(1, 3), size=8)
    >>> [round(m.ratio) for m in measured]
    [1, 9]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from tt_tensor import Tensor, default_rng, use_kernel

from tt_conv._convolution import conv2d, unfold

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["KernelTime", "Memory", "column_memory", "kernel_times", "plot_kernel_times", "plot_memory"]

# The names of the kernels, slowest first; "reference" is the one that runs unless another is chosen.
KERNELS = ("loops", "im2col", "reference")


@dataclass(frozen=True)
class KernelTime:
    """How long one kernel took for one convolution."""

    kernel: str
    seconds: float
    ratio: float
    """Over the default kernel's time."""


@dataclass(frozen=True)
class Memory:
    """What the columns of a convolution take."""

    kernel_size: int
    image_bytes: int
    column_bytes: int

    @property
    def ratio(self) -> float:
        """How many times the images the columns take: the square of the kernel's size."""
        return self.column_bytes / self.image_bytes


def kernel_times(
    batch: int = 2,
    channels: int = 8,
    size: int = 16,
    kernel_size: int = 3,
    *,
    rounds: int = 3,
    rng: np.random.Generator | None = None,
) -> list[KernelTime]:
    """Time one convolution with each kernel: loops, one large product, products of blocks.

    Args:
        batch: Images.
        channels: Channels of the images, and filters.
        size: Height and width of the images.
        kernel_size: Height and width of the filters.
        rounds: How often each kernel runs; the kernels take turns, and the median counts.
        rng: Where images and filters come from.

    Example:
        >>> times = {t.kernel: t.ratio for t in kernel_times(batch=1, channels=4, size=8)}
        >>> times["loops"] > times["reference"] == 1.0
        True
    """
    generator = default_rng() if rng is None else rng
    x = Tensor(generator.standard_normal((batch, channels, size, size)))
    weight = Tensor(generator.standard_normal((channels, channels, kernel_size, kernel_size)))
    taken: dict[str, list[float]] = {name: [] for name in KERNELS}
    for _ in range(rounds + 1):
        for name in KERNELS:
            with use_kernel(conv2d, name):
                start = perf_counter()
                conv2d(x, weight, padding="same")
                taken[name].append(perf_counter() - start)
    # The first round warms up.
    medians = {name: median(times[1:]) for name, times in taken.items()}
    return [KernelTime(name, medians[name], medians[name] / medians["reference"]) for name in KERNELS]


def column_memory(
    kernel_sizes: Sequence[int] = (1, 3, 5, 7, 9, 11), batch: int = 2, channels: int = 3, size: int = 32
) -> list[Memory]:
    """Measure the columns that im2col makes of images, from real arrays: every pixel is copied k * k times.

    Args:
        kernel_sizes: Sizes of a square filter, odd.
        batch: Images.
        channels: Their channels.
        size: Their height and width.
    """
    images = Tensor(np.zeros((batch, channels, size, size)))
    return [Memory(k, images.nbytes, unfold(images, k, padding=k // 2).nbytes) for k in kernel_sizes]


def plot_kernel_times(times: Sequence[KernelTime]) -> Figure:
    """Draw what `kernel_times` measured: one bar for each kernel, on a logarithmic axis.

    Args:
        times: One for each kernel.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = _figure("plot_kernel_times")
    axes = figure.subplots()
    axes.bar([t.kernel for t in times], [1e3 * t.seconds for t in times])
    axes.set(yscale="log", ylabel="milliseconds")
    axes.set_title("One convolution, three kernels")
    return figure


def plot_memory(measured: Sequence[Memory]) -> Figure:
    """Draw what `column_memory` measured: how many times the images the columns take.

    Args:
        measured: One for each size of a filter.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = _figure("plot_memory")
    axes = figure.subplots()
    axes.plot([m.kernel_size for m in measured], [m.ratio for m in measured], marker="o")
    axes.set(xlabel="kernel size", ylabel="columns / images, bytes")
    axes.set_title("What im2col pays: the square of the kernel's size")
    axes.grid(alpha=0.3)
    return figure


def _figure(caller: str) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"{caller} draws with matplotlib: pip install 'tt-conv[plot]'.") from error
    return Figure(figsize=(6.0, 4.0), layout="constrained")
