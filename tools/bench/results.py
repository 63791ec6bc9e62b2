"""From samples to rows, and from rows to a table."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tools.bench.works import Work

HEADINGS = ("work", "PyTorch", "ours", "ratio", "bar", "")


@dataclass(frozen=True, slots=True)
class Row:
    """A work's medians, in its unit; the spread is from quartile to quartile of the rounds' ratios."""

    work: Work
    ours: float
    torch: float
    spread: tuple[float, float]

    @property
    def ratio(self) -> float:
        """Ours over PyTorch's; NaN where PyTorch's figure is nothing to divide by."""
        return self.ours / self.torch if self.torch > 0 else math.nan

    @property
    def passed(self) -> bool | None:
        """Whether the bar is kept; None if there is none."""
        if self.work.bar is None:
            return None
        return (self.ours if self.work.absolute else self.ratio) <= self.work.bar


def row(work: Work, samples: Mapping[str, Sequence[float]]) -> Row:
    """Reduce a work's samples."""
    ours, torch = samples["ours"], samples["torch"]
    if not ours or len(ours) != len(torch):
        raise ValueError(f"{work.name}: expected as many samples of both, got {len(ours)} and {len(torch)}")
    ratios = [a / b for a, b in zip(ours, torch, strict=True) if b > 0] or [math.nan]
    quartiles = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else [ratios[0]] * 3
    medians = [statistics.median(each) * work.scale for each in (ours, torch)]
    return Row(work, medians[0], medians[1], (quartiles[0], quartiles[2]))


def disagreement(losses: Mapping[str, Sequence[float]]) -> float:
    """Give the largest difference between two runs' losses, step by step."""
    pairs = zip(losses["ours"], losses["torch"], strict=True)
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
    return work.label, _figure(each.torch, work.unit), _figure(each.ours, work.unit), ratio, bar, verdict


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
    lines = [HEADINGS, ("---", *["---:"] * 4, "---"), *(cells(each) for each in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def system() -> dict[str, str]:
    """Describe the machine and the software."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("numpy", "torch")},
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }
