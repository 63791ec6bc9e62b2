"""Lessons: what log-sum-exp saves, and what logits cost at a vocabulary of 50,000 words, measured.

Each lesson returns numbers; each `plot_...` draws them (with the extra `plot`).
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tt_activations import log_softmax, softmax
from tt_layers import Linear
from tt_tensor import Array, Tensor, from_numpy, log

from tt_losses._classification import cross_entropy, nll_loss

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAPS = (1.0, 5.0, 10.0, 20.0, 50.0, 80.0, 90.0, 100.0, 110.0, 1e3, 1e4)


@dataclass(frozen=True, slots=True)
class Precision:
    """The loss of an answer that is wrong by `gap`: the truth, and relative errors (inf or NaN where it broke)."""

    gap: float
    exact: float
    formula_error: float
    log_of_softmax_error: float
    cross_entropy_error: float


def precision(gaps: Sequence[float] = GAPS) -> list[Precision]:
    """Compute one cross-entropy in float32 in three ways: logits `[gap, 0]`, and the second class is the right one.

    The formula `-log(exp(x) / sum(exp(x)))` breaks where exp overflows; `log(softmax(x))`, with its largest score
    subtracted, where the probability rounds to 0; log-sum-exp, as in `cross_entropy`, never.

    Args:
        gaps: By how much the wrong class leads.

    Example:
        >>> small, large = precision([5.0, 1000.0])
        >>> small.formula_error < 1e-5, large.formula_error, large.log_of_softmax_error, large.cross_entropy_error
        (True, inf, inf, 0.0)
    """
    measured = []
    for gap in gaps:
        logits = np.array([[gap, 0.0]], dtype=np.float32)
        x = from_numpy(logits)
        exact = gap + float(np.log1p(np.exp(-gap)))
        found = (naive_cross_entropy(logits, 1), -log(softmax(x)).data[0, 1], cross_entropy(x, [1]).item())
        measured.append(Precision(gap, exact, *[abs(float(value) - exact) / exact for value in found]))
    return measured


def naive_cross_entropy(logits: Array, label: int) -> float:
    """`-log(exp(x) / sum(exp(x)))` of one row, as the formula says, without care.

    Example:
        >>> naive_cross_entropy(np.array([[1000.0, 0.0]], dtype=np.float32), 1)
        inf
    """
    with np.errstate(all="ignore"):
        e = np.exp(logits)
        return float(-np.log(e[0, label] / e.sum()))


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of the logits, and the most that either way to a loss held on top of them."""

    vocabulary: int
    logits: int
    two_steps: int
    fused: int


def logits_memory(
    vocabularies: Sequence[int] = (100, 1_000, 10_000, 50_000),
    *,
    tokens: int = 128,
    features: int = 16,
    rng: np.random.Generator | None = None,
) -> list[Memory]:
    """Let a `Linear` score every word for every token, and measure what its logits and their loss take.

    Two steps are `nll_loss(log_softmax(logits), targets)`. Both losses are traced while they run, without a gradient.

    Args:
        vocabularies: Numbers of words.
        tokens: Rows of logits: batch size times context length.
        features: Inputs of the layer.
        rng: Where weights and inputs come from; a generator of fixed seed by default.

    Example:
        >>> (row,) = logits_memory([1_000], tokens=10)
        >>> row.logits, row.two_steps >= row.logits
        (40000, True)
    """
    rng = rng if rng is not None else np.random.default_rng(0)
    x = from_numpy(rng.standard_normal((tokens, features)).astype(np.float32))
    measured = []
    for vocabulary in vocabularies:
        logits = Linear(features, vocabulary, rng=rng)(x).detach()
        targets = from_numpy(rng.integers(0, vocabulary, tokens))
        two_steps = peak_bytes(lambda: nll_loss(log_softmax(logits), targets))  # noqa: B023  # runs before the next turn
        fused = peak_bytes(lambda: cross_entropy(logits, targets))  # noqa: B023
        measured.append(Memory(vocabulary, logits.nbytes, two_steps, fused))
    return measured


def peak_bytes(work: Callable[[], Tensor]) -> int:
    """Return the most memory that `work` held at once, over what was held before; NumPy reports its arrays.

    Example:
        >>> peak_bytes(lambda: from_numpy(np.zeros(1_000_000, dtype=np.float32))) >= 4_000_000
        True
    """
    outside = tracemalloc.is_tracing()
    if not outside:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        if not outside:
            tracemalloc.stop()
    return peak - before


def plot_precision(measured: Sequence[Precision] | None = None) -> Figure:
    """Draw the three errors against the gap; a line that ends has become infinite or NaN.

    Raises:
        ImportError: matplotlib is missing.
    """
    rows = precision() if measured is None else measured
    figure, axes = _figure("cross-entropy in float32", "lead of the wrong class", "relative error")
    for label, values in (
        ("-log(exp(x) / sum)", [row.formula_error for row in rows]),
        ("-log(softmax(x))", [row.log_of_softmax_error for row in rows]),
        ("cross_entropy", [row.cross_entropy_error for row in rows]),
    ):
        shown = [max(value, 1e-10) if np.isfinite(value) else np.nan for value in values]
        axes.plot([row.gap for row in rows], shown, marker="o", label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend()
    return figure


def plot_logits_memory(measured: Sequence[Memory] | None = None) -> Figure:
    """Draw the measured bytes against the vocabulary.

    Raises:
        ImportError: matplotlib is missing.
    """
    rows = logits_memory() if measured is None else measured
    figure, axes = _figure("memory of logits and loss", "words in the vocabulary", "MB")
    for label, values in (
        ("logits", [row.logits for row in rows]),
        ("log_softmax, then nll_loss: on top", [row.two_steps for row in rows]),
        ("cross_entropy: on top", [row.fused for row in rows]),
    ):
        axes.plot([row.vocabulary for row in rows], [value / 1e6 for value in values], marker="o", label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend()
    return figure


def _figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'tt-losses[plot]'") from error
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes
