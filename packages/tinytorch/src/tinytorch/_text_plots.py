"""Pictures made of characters, for where matplotlib is not installed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import SupportsFloat, TypeAlias

Rows: TypeAlias = Iterable[Iterable[SupportsFloat]]

_SHADES = " .:-=+*#%@"


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Return the least and greatest finite value, apart from each other so that one can divide by the distance."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _cell(value: float, low: float, high: float, cells: int) -> int:
    return min(cells - 1, max(0, round((value - low) / (high - low) * (cells - 1))))


def _framed(canvas: list[list[str]], bottom: str, top: str, left: str, right: str) -> str:
    """Return the canvas (its first row is the lowest) with its axes' ends written beside it."""
    margin = max(len(bottom), len(top))
    names = [bottom, *[""] * (len(canvas) - 2), top]
    rows = [f"{name:>{margin}} |{''.join(row)}".rstrip() for name, row in zip(names, canvas, strict=True)]
    width = len(canvas[0])
    axis = f"{'':{margin}} +{'-' * width}"
    ends = f"{'':{margin}}  {left} {right:>{max(1, width - len(left) - 1)}}"
    return "\n".join([*reversed(rows), axis, ends])


def text_scatter(points: Rows, marks: Iterable[str], *, width: int = 60, height: int = 20) -> str:
    """Return points in the plane, each drawn as its mark (the first character of it).

    Args:
        points: Pairs `(x, y)`, or an array of shape `(N, 2)`.
        marks: One a point.
        width: Columns.
        height: Rows, two at least.

    Raises:
        ValueError: If there are not as many marks as points.

    Example:
        >>> print(text_scatter([(0, 0), (1, 1), (2, 0)], "oxo", width=5, height=3))
        1 |  x
          |
        0 |o   o
          +-----
           0   2
    """
    places = [tuple(float(coordinate) for coordinate in point) for point in points]
    signs = list(marks)
    if len(places) != len(signs):
        raise ValueError(f"each point needs one mark: got {len(places)} points and {len(signs)} marks")
    xs, ys = [place[0] for place in places], [place[1] for place in places]
    (left, right), (bottom, top) = _span(xs), _span(ys)
    canvas = [[" "] * width for _ in range(height)]
    for x, y, mark in zip(xs, ys, signs, strict=True):
        if math.isfinite(x) and math.isfinite(y):
            canvas[_cell(y, bottom, top, height)][_cell(x, left, right, width)] = mark[:1]
    return _framed(canvas, f"{bottom:.3g}", f"{top:.3g}", f"{left:.3g}", f"{right:.3g}")


def text_curves(curves: Mapping[str, Iterable[SupportsFloat]], *, width: int = 60, height: int = 15) -> str:
    """Return curves over their index, each drawn with the first letter of its name, and a key below.

    Args:
        curves: Values by name.
        width: Columns.
        height: Rows, two at least.

    Example:
        >>> print(text_curves({"loss": [3, 2, 1]}, width=3, height=3))
        3 |l
          | l
        1 |  l
          +---
           0 2
        l: loss
    """
    drawn = [(float(i), float(y), name[:1]) for name, values in curves.items() for i, y in enumerate(values)]
    if not drawn:
        return "(nothing to draw)"
    chart = text_scatter([point[:2] for point in drawn], [point[2] for point in drawn], width=width, height=height)
    return "\n".join([chart, ", ".join(f"{name[:1]}: {name}" for name in curves)])


def text_grid(rows: Rows) -> str:
    """Return a picture or a field of values in shades, the first row on top, each value two characters wide.

    Args:
        rows: Equally long rows of numbers, or an array of shape `(H, W)`.

    Example:
        >>> print(text_grid([[0, 1], [1, 0.5]]))
          @@
        @@==
    """
    values = [[float(value) for value in row] for row in rows]
    low, high = _span([value for row in values for value in row])

    def shade(value: float) -> str:
        return _SHADES[_cell(value, low, high, len(_SHADES))] if math.isfinite(value) else "?"

    return "\n".join("".join(2 * shade(value) for value in row) for row in values)
