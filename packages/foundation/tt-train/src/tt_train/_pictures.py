"""Curves as text and as pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from tt_tensor import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_curves", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float] | Array, width: int = 60) -> str:
    """Draw a curve as one line of text.

    Args:
        values: The numbers, in order; what is not finite is drawn as a space.
        width: At most so many characters; longer curves are averaged piece by piece.

    Returns:
        One character for each piece, from the lowest bar to the highest.

    Example:
        >>> sparkline([3.0, 2.0, 1.0, 0.0])
        '█▆▃▁'
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.size == 0:
        return ""
    pieces = np.array([piece.mean() for piece in np.array_split(numbers, min(width, numbers.size))])
    finite = pieces[np.isfinite(pieces)]
    if finite.size == 0:
        return " " * pieces.size
    low, spread = finite.min(), np.ptp(finite)
    heights = np.where(np.isfinite(pieces), pieces - low, 0.0) / (spread if spread > 0 else 1.0)
    levels = np.rint(heights * (len(_BARS) - 1)).astype(np.int64)
    return "".join(
        _BARS[level] if seen else " " for level, seen in zip(levels.tolist(), np.isfinite(pieces).tolist(), strict=True)
    )


def draw_curves(
    panels: Mapping[str, Mapping[str, tuple[Array, Array]]],
    path: str | os.PathLike[str] | None = None,
    *,
    across: str = "step",
) -> Figure:
    """Draw panels of curves with matplotlib (the extra `plot`).

    Args:
        panels: For each panel's title its curves: label to (x, y), both of shape (N,).
        path: Where to save the picture; the ending chooses the format.
        across: The name of the horizontal axis.

    Returns:
        The figure, not shown and not held by pyplot.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure as NewFigure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'tt-train[plot]'") from error
    figure = NewFigure(figsize=(5.0 * max(len(panels), 1), 3.5), layout="constrained")
    axes = figure.subplots(1, max(len(panels), 1), squeeze=False)[0]
    for axis, (title, curves) in zip(axes, panels.items(), strict=False):
        for label, (x, y) in curves.items():
            axis.plot(x, y, label=label, marker="o" if len(x) < 20 else "")
        axis.set(title=title, xlabel=across)
        axis.grid(alpha=0.3)
        if len(curves) > 1:
            axis.legend()
    if path is not None:
        figure.savefig(path)
    return figure
