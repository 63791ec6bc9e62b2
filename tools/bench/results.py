"""From samples to rows, and from rows to a table."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

from tinytorch.milestone import machine

from tools.bench.works import PEAK, Work

HEADINGS = ("work", "PyTorch", "ours", "ratio", "bar", "", "its best", "ours to that", "floor", "ours to that")


@dataclass(frozen=True, slots=True)
class Row:
    """A work's medians, in its unit; the spread is from quartile to quartile of the rounds' ratios.

    Args:
        work: What was measured.
        ours: Our figure.
        theirs: That of whom the bar is against.
        spread: The quartiles of ours over theirs.
        best: The fastest way of theirs, the usual one included, and its figure; None if only one was tried.
        floor: What the work's products alone take at the machine's peak; NaN where they do not bound it.
    """

    work: Work
    ours: float
    theirs: float
    spread: tuple[float, float]
    best: tuple[str, float] | None = None
    floor: float = math.nan

    @property
    def ratio(self) -> float:
        """Ours over theirs; NaN where theirs is nothing to divide by."""
        return self.ours / self.theirs if self.theirs > 0 else math.nan

    @property
    def passed(self) -> bool | None:
        """Whether the bar is kept; None if there is none."""
        if self.work.bar is None:
            return None
        return (self.ours if self.work.absolute else self.ratio) <= self.work.bar


def row(work: Work, samples: Mapping[str, Sequence[float]], peak: float = math.nan) -> Row:
    """Reduce a work's samples; `peak` is the machine's in operations a second."""
    ours, theirs = samples["ours"], samples[work.rival]
    if not ours or len(ours) != len(theirs):
        raise ValueError(f"{work.name}: expected as many samples of both, got {len(ours)} and {len(theirs)}")
    ratios = [a / b for a, b in zip(ours, theirs, strict=True) if b > 0] or [math.nan]
    quartiles = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else [ratios[0]] * 3
    medians = {side: statistics.median(each) * work.scale for side, each in samples.items()}
    ways = {side: median for side, median in medians.items() if side != "ours"}
    fastest = min(ways, key=lambda side: ways[side])
    best = (fastest.partition(":")[2] or "as it is", ways[fastest]) if len(ways) > 1 else None
    floor = work.flops / peak * work.scale if work.flops and work.job != PEAK else math.nan
    return Row(work, medians["ours"], medians[work.rival], (quartiles[0], quartiles[2]), best, floor)


def peak_of(samples: Mapping[str, Mapping[str, Sequence[float]]], works: Iterable[Work]) -> float:
    """Give the machine's peak: operations a second in the fastest matrix product of anyone; NaN if none was run."""
    found = [work.flops / min(min(each) for each in samples[work.name].values()) for work in works if work.job == PEAK]
    return max(found, default=math.nan)


def disagreement(figures: Mapping[str, Sequence[float]]) -> float:
    """Give the largest difference between our figures, such as the losses of each step, and anybody else's."""
    pairs = [pair for side in figures for pair in zip(figures["ours"], figures[side], strict=True)]
    differences = [abs(a - b) for a, b in pairs]
    return max((math.inf if math.isnan(each) else each for each in differences), default=0.0)


def _figure(value: float, unit: str) -> str:
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 100 else 0
    return f"{value:,.{digits}f} {unit}"


def cells(each: Row) -> tuple[str, ...]:
    """Give a row's texts."""
    work = each.work
    bar = "" if work.bar is None else f"{work.bar:g} {work.unit}" if work.absolute else f"{work.bar:g}"
    verdict = {True: "pass", False: "MISS", None: ""}[each.passed]
    ratio = "-" if math.isnan(each.ratio) else f"{each.ratio:.3f} ({each.spread[0]:.3f}-{each.spread[1]:.3f})"
    shown = work.label, _figure(each.theirs, work.unit), _figure(each.ours, work.unit), ratio, bar, verdict
    way, figure = each.best or ("", math.nan)
    best = ("", "") if each.best is None else (f"{_figure(figure, work.unit)} ({way})", f"{each.ours / figure:.2f}")
    floor = ("", "") if math.isnan(each.floor) else (_figure(each.floor, work.unit), f"{each.ours / each.floor:.2f}")
    return *shown, *best, *floor


def text_table(rows: Iterable[Row]) -> str:
    """Draw the table for a terminal."""
    lines = [HEADINGS, *(cells(each) for each in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    aligned = (
        [
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    )
    return "\n".join("  ".join(line).rstrip() for line in aligned)


def markdown_table(rows: Iterable[Row]) -> str:
    """Draw the table for the documentation."""
    lines = [HEADINGS, ("---", *["---:"] * 4, "---", *["---:"] * 4), *(cells(each) for each in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def system() -> dict[str, str]:
    """Describe the machine and the software."""
    described = machine()
    return {
        **{name: str(described[name]) for name in ("processor", "cores", "system")},
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("numpy", "torch", "tokenizers")},
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }
