"""What a table of vectors weighs, and why nobody multiplies by one-hot rows to read it.

Example:
    >>> table_bytes(50257, 768).table
    154389504
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from tt_tensor import Tensor, default_rng, matmul, one_hot

from tt_embeddings._lookup import embedding
from tt_embeddings._modules import Embedding

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LookupCost", "TableBytes", "lookup_costs", "plot_lookup", "table_bytes"]


@dataclass(frozen=True)
class TableBytes:
    """The bytes of a table, and those of training it with Adam: the table, its gradient and two averages."""

    table: int
    training: int


@dataclass(frozen=True)
class LookupCost:
    """Reading the same rows by lookup and by a product with one-hot rows: best times, and bytes made on the way."""

    vocabulary: int
    lookup_seconds: float
    product_seconds: float
    lookup_bytes: int
    product_bytes: int

    @property
    def time_ratio(self) -> float:
        """How many times longer the product takes."""
        return self.product_seconds / self.lookup_seconds


def table_bytes(num_embeddings: int, embedding_dim: int) -> TableBytes:
    """Return what a table weighs, from a real one.

    Example:
        >>> table_bytes(10, 4)
        TableBytes(table=160, training=640)
    """
    size = Embedding(num_embeddings, embedding_dim).weight.data.nbytes
    return TableBytes(size, 4 * size)


def lookup_costs(
    vocabularies: Sequence[int] = (64, 512, 4096, 32768),
    *,
    tokens: int = 1024,
    embedding_dim: int = 64,
    repeats: int = 5,
    rng: np.random.Generator | None = None,
) -> list[LookupCost]:
    """Read random rows in both ways, for tables of several sizes.

    Args:
        vocabularies: How many rows the tables have.
        tokens: How many rows are read.
        embedding_dim: The length of a row.
        repeats: The times are the best of so many.
        rng: Where tables and ids come from.
    """
    generator = default_rng() if rng is None else rng
    costs = []
    for rows in vocabularies:
        table = Embedding(rows, embedding_dim, rng=generator).requires_grad_(False).weight
        ids = Tensor(generator.integers(0, rows, tokens))
        hot = one_hot(ids, rows)
        found = embedding(ids, table)
        lookup = best_time(partial(embedding, ids, table), repeats)
        product = best_time(partial(by_product, ids, table), repeats)
        costs.append(LookupCost(rows, lookup, product, found.data.nbytes, found.data.nbytes + hot.data.nbytes))
    return costs


def by_product(ids: Tensor, table: Tensor) -> Tensor:
    """Read rows as a product with one-hot rows."""
    return matmul(one_hot(ids, table.shape[0]), table)


def best_time(work: Callable[[], object], repeats: int) -> float:
    """Return the shortest of several times."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def plot_lookup(costs: Sequence[LookupCost]) -> Figure:
    """Draw both times against the size of the vocabulary.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plot_lookup draws with matplotlib: pip install 'tt-embeddings[plot]'.") from error
    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.subplots()
    sizes = [cost.vocabulary for cost in costs]
    axes.plot(sizes, [cost.lookup_seconds for cost in costs], "o-", label="lookup")
    axes.plot(sizes, [cost.product_seconds for cost in costs], "o-", label="one-hot product")
    axes.set(xscale="log", yscale="log", xlabel="rows of the table", ylabel="seconds")
    axes.legend()
    axes.grid(alpha=0.3)
    return figure
