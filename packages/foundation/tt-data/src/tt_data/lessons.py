"""What loading data costs, measured: each function runs something and returns its numbers.

Example:
    >>> rows = throughput(batch_sizes=(1, 32), samples=256, features=8)
    >>> [row.batch_size for row in rows]
    [1, 32]
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ._batch import Batch, Sample
from ._dataset import Dataset, TensorDataset
from ._loader import DataLoader

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "LoadingCosts",
    "PrefetchGain",
    "Throughput",
    "loading_costs",
    "plot_throughput",
    "prefetch_gain",
    "throughput",
]


@dataclass(frozen=True)
class Throughput:
    """How fast batches of one size come.

    Attributes:
        batch_size: Samples of a batch.
        samples_per_second: Samples that a whole epoch delivers in a second.
        seconds_per_batch: What one batch takes.
    """

    batch_size: int
    samples_per_second: float
    seconds_per_batch: float


@dataclass(frozen=True)
class LoadingCosts:
    """One epoch over the same data, three ways, in seconds.

    Attributes:
        sequential: In order, each batch one indexing.
        shuffled: In random order, each batch one indexing: memory is visited out of order.
        collated: In random order, sample by sample, then stacked: what a data set without arrays costs.
    """

    sequential: float
    shuffled: float
    collated: float


@dataclass(frozen=True)
class PrefetchGain:
    """One epoch of loading and of work on each batch, in seconds.

    Attributes:
        load: Loading alone.
        work: The work alone, which is waiting here: something that leaves the processor free.
        plain: Both, one after the other.
        prefetched: Both, with a thread that loads ahead.
        hidden: How much of the loading the work has hidden, from 0 to about 1.
    """

    load: float
    work: float
    plain: float
    prefetched: float

    @property
    def hidden(self) -> float:
        """The share of the loading time that no longer shows."""
        return (self.plain - self.prefetched) / self.load


class _OneByOne(Dataset):
    """The same samples without their `batch`: as a data set of loose samples would be."""

    def __init__(self, data: TensorDataset) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Sample:
        return self.data[index]


def _random_data(samples: int, features: int) -> TensorDataset:
    rng = np.random.default_rng(0)
    return TensorDataset(rng.random((samples, features), np.float32), rng.integers(10, size=samples))


def _seconds(action: Callable[[], object], repeats: int) -> float:
    """Return the median time of an action."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def _run_epoch(batches: Iterable[Batch], work: float = 0.0) -> None:
    for _ in batches:
        if work:
            time.sleep(work)


def throughput(
    batch_sizes: Sequence[int] = (1, 4, 16, 64, 256, 1024),
    *,
    samples: int = 10_000,
    features: int = 784,
    repeats: int = 3,
) -> list[Throughput]:
    """Measure samples per second against batch size: what one batch costs is shared by its samples.

    Args:
        batch_sizes: The sizes to measure.
        samples: How many samples an epoch has.
        features: How many float32 numbers a sample has.
        repeats: Epochs for each size; the median counts.

    Example:
        >>> throughput((8,), samples=64, features=4)[0].samples_per_second > 0
        True
    """
    data, rows = _random_data(samples, features), []
    for size in batch_sizes:
        loader = DataLoader(data, size, shuffle=True, rng=np.random.default_rng(0))
        seconds = _seconds(partial(_run_epoch, loader), repeats)
        rows.append(Throughput(size, samples / seconds, seconds / len(loader)))
    return rows


def loading_costs(
    *, samples: int = 10_000, features: int = 784, batch_size: int = 64, repeats: int = 3
) -> LoadingCosts:
    """Measure what shuffling costs, and what it costs to put batches together sample by sample.

    Args:
        samples: How many samples an epoch has.
        features: How many float32 numbers a sample has.
        batch_size: Samples of a batch.
        repeats: Epochs for each way; the median counts.

    Example:
        >>> loading_costs(samples=64, features=4).collated > 0
        True
    """
    data = _random_data(samples, features)
    rng = np.random.default_rng(0)
    loaders = (
        DataLoader(data, batch_size),
        DataLoader(data, batch_size, shuffle=True, rng=rng),
        DataLoader(_OneByOne(data), batch_size, shuffle=True, rng=rng),
    )
    return LoadingCosts(*(_seconds(partial(_run_epoch, loader), repeats) for loader in loaders))


def prefetch_gain(
    *, samples: int = 2_000, features: int = 784, batch_size: int = 50, work: float = 0.004, repeats: int = 3
) -> PrefetchGain:
    """Measure how much of the loading a background thread hides behind the work on each batch.

    At best it hides all of the shorter of the two; what both want at once (the interpreter's lock, memory
    bandwidth) it cannot hide.

    Args:
        samples: How many samples an epoch has; they are collated one by one, so that there is something to hide.
        features: How many float32 numbers a sample has.
        batch_size: Samples of a batch.
        work: Seconds of work on each batch.
        repeats: Epochs for each figure; the median counts.

    Example:
        >>> gain = prefetch_gain(samples=20, features=4, batch_size=10, repeats=1)
        >>> gain.plain > gain.work > 0
        True
    """
    data = _OneByOne(_random_data(samples, features))
    plain, ahead = DataLoader(data, batch_size), DataLoader(data, batch_size, prefetch=2)
    return PrefetchGain(
        load=_seconds(lambda: _run_epoch(plain), repeats),
        work=work * len(plain),
        plain=_seconds(lambda: _run_epoch(plain, work), repeats),
        prefetched=_seconds(lambda: _run_epoch(ahead, work), repeats),
    )


def plot_throughput(rows: Sequence[Throughput]) -> Figure:
    """Draw samples per second against batch size.

    Args:
        rows: What `throughput` returned.

    Raises:
        ImportError: matplotlib is not installed.

    Example:
        >>> figure = plot_throughput(throughput((1, 8), samples=64, features=4))  # doctest: +SKIP
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("a plot needs matplotlib: pip install 'tt-data[plot]'") from error
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.loglog([row.batch_size for row in rows], [row.samples_per_second for row in rows], "o-")
    axes.set_xlabel("batch size")
    axes.set_ylabel("samples per second")
    axes.grid(True, which="both", alpha=0.3)
    return figure
