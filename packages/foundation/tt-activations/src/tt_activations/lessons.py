"""Lessons: what saturation, dead units and overflow cost, measured.

Each lesson returns numbers; each `plot_...` draws them (with the extra `plot`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tt_tensor import Array, tanh

from tt_activations._functional import relu, sigmoid, softmax

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCALES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
THRESHOLD = 1e-3


@dataclass(frozen=True, slots=True)
class Saturation:
    """Which share of the gradients through an activation is below 1e-3, for inputs of one scale."""

    scale: float
    sigmoid: float
    tanh: float
    relu: float


def saturation(
    scales: Sequence[float] = SCALES, *, samples: int = 100_000, rng: np.random.Generator | None = None
) -> list[Saturation]:
    """Send normal inputs of growing scale through three activations and count the gradients that all but vanish.

    Args:
        scales: Standard deviations of the inputs.
        samples: How many inputs for each scale.
        rng: Where they come from; a generator of fixed seed by default.

    Example:
        >>> small, large = saturation([0.1, 30.0])
        >>> small.sigmoid, large.sigmoid > 0.8, 0.45 < large.relu < 0.55
        (0.0, True, True)
    """
    rng = rng if rng is not None else np.random.default_rng(0)
    measured = []
    for scale in scales:
        x = (scale * rng.standard_normal(samples)).astype(np.float32)
        s, t, r = sigmoid(x).data, tanh(x).data, relu(x).data
        measured.append(
            Saturation(
                scale, _share_below(s * (1 - s)), _share_below(1 - t * t), _share_below((r > 0).astype(np.float32))
            )
        )
    return measured


def _share_below(gradients: Array) -> float:
    return float(np.mean(gradients < THRESHOLD))


@dataclass(frozen=True, slots=True)
class DeadUnits:
    """Which share of a layer's ReLU units is 0 for every example, and so cannot learn, for one bias."""

    bias: float
    dead: float
    active: float


def dead_units(
    biases: Sequence[float] = (0.0, -1.0, -2.0, -3.0, -4.0, -6.0),
    *,
    examples: int = 512,
    features: int = 64,
    units: int = 256,
    rng: np.random.Generator | None = None,
) -> list[DeadUnits]:
    """Push a layer's biases down (as one step too large does) and count units that no example wakes.

    Args:
        biases: The bias of all units, one layer for each.
        examples: Rows of normal input.
        features: Inputs a unit.
        units: Units of the layer, with weights such that without a bias the outputs have variance 1.
        rng: Where inputs and weights come from; a generator of fixed seed by default.

    Example:
        >>> start, *_, end = dead_units()
        >>> start.dead, end.dead > 0.9
        (0.0, True)
    """
    rng = rng if rng is not None else np.random.default_rng(0)
    x = rng.standard_normal((examples, features)).astype(np.float32)
    weights = (rng.standard_normal((features, units)) / np.sqrt(features)).astype(np.float32)
    measured = []
    for bias in biases:
        awake = relu(x @ weights + np.float32(bias)).data > 0
        measured.append(DeadUnits(bias, float(np.mean(~awake.any(axis=0))), float(np.mean(awake))))
    return measured


@dataclass(frozen=True, slots=True)
class Overflow:
    """Softmax of ten scores up to `largest`: the worst error of either formula in float32 (NaN where it broke)."""

    largest: float
    naive_error: float
    stable_error: float


def overflow(largest: Sequence[float] = (1.0, 10.0, 50.0, 88.0, 89.0, 100.0, 1e4, 1e38)) -> list[Overflow]:
    """Compare `exp(x) / sum(exp(x))` with the softmax that subtracts the largest score first.

    The truth is computed in float64, on shifted scores. In float32, exp(89) is infinite, and inf / inf is NaN.

    Args:
        largest: The greatest of the ten scores, which run up to it in steps of 1/2.

    Example:
        >>> before, after = overflow([10.0, 100.0])
        >>> before.naive_error < 1e-6, after.naive_error, after.stable_error < 1e-6
        (True, nan, True)
    """
    measured = []
    for top in largest:
        x = (top - np.arange(10) / 2).astype(np.float32)
        exact = np.exp(x.astype(np.float64) - float(x.max()))
        exact /= exact.sum()
        measured.append(
            Overflow(top, _worst(naive_softmax(x), exact), _worst(softmax(x).data, exact)),
        )
    return measured


def naive_softmax(x: Array) -> Array:
    """`exp(x) / sum(exp(x))` as the formula says, without care: NaN as soon as one exponential is infinite.

    Example:
        >>> naive_softmax(np.array([0.0, 1000.0], dtype=np.float32)).tolist()
        [0.0, nan]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(x)
        return np.asarray(e / e.sum())


def _worst(got: Array, exact: Array) -> float:
    return float(np.max(np.abs(got - exact)))


def plot_saturation(measured: Sequence[Saturation] | None = None) -> Figure:
    """Draw the share of vanishing gradients against the scale of the inputs.

    Raises:
        ImportError: matplotlib is missing.
    """
    rows = saturation() if measured is None else measured
    figure, axes = _figure("vanishing gradients", "standard deviation of the inputs", "share of gradients below 1e-3")
    for name in ("sigmoid", "tanh", "relu"):
        axes.plot([row.scale for row in rows], [getattr(row, name) for row in rows], marker="o", label=name)
    axes.set_xscale("log")
    axes.legend()
    return figure


def plot_dead_units(measured: Sequence[DeadUnits] | None = None) -> Figure:
    """Draw the share of dead units against the bias.

    Raises:
        ImportError: matplotlib is missing.
    """
    rows = dead_units() if measured is None else measured
    figure, axes = _figure("dead ReLU units", "bias", "share")
    axes.plot([row.bias for row in rows], [row.dead for row in rows], marker="o", label="units that never wake")
    axes.plot([row.bias for row in rows], [row.active for row in rows], marker="o", label="outputs above 0")
    axes.legend()
    return figure


def plot_overflow(measured: Sequence[Overflow] | None = None) -> Figure:
    """Draw the error of both softmaxes against the largest score; where the naive line ends, it is NaN.

    Raises:
        ImportError: matplotlib is missing.
    """
    rows = overflow() if measured is None else measured
    figure, axes = _figure("softmax in float32", "largest score", "worst error")
    axes.plot([row.largest for row in rows], [row.naive_error for row in rows], marker="o", label="exp(x) / sum")
    axes.plot([row.largest for row in rows], [row.stable_error for row in rows], marker="s", label="largest subtracted")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend()
    return figure


def _figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'tt-activations[plot]'") from error
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes
