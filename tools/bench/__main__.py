"""Measure, print the table, keep the samples."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tools.bench import inputs, process, results
from tools.bench.works import MNIST, WORKS, Work
from tools.packages import ROOT

AGREEMENT = 1e-3
STEPS = 1000  # over which memory must stay flat


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="works whose name begins so; may be repeated")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="interleaved rounds (default 15)")
    parser.add_argument("--quick", action="store_true", help="short rounds, to see that everything runs")
    parser.add_argument("--mnist", action="store_true", help="train on all of MNIST too: minutes")
    parser.add_argument("--markdown", action="store_true", help="print the table for the documentation")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where samples go (default .cache/bench/TIME.json)")
    options = parser.parse_args(argv)
    if options.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {options.rounds}")
    return options


def chosen(only: Sequence[str] | None, mnist: bool) -> list[Work]:
    """Choose works by the beginning of their names."""
    works = [*WORKS, *(MNIST if mnist else ())]
    if only is None:
        return works
    found = [work for work in works if any(work.name.startswith(name) for name in only)]
    if not found:
        raise SystemExit(f"no work begins with {', '.join(only)}; there are {', '.join(work.name for work in works)}")
    return found


def samples_of(work: Work, rounds: int, seconds: float, quick: bool) -> tuple[process.Samples, float | None]:
    """Measure one work; give its samples, and how far the losses of both frameworks lie apart if it has any."""
    few = min(rounds, 3)
    if work.kind == "time":
        samples, losses = process.in_turn(work, rounds, seconds)
        return samples, results.disagreement(losses) if losses["ours"] else None
    if work.kind == "import":
        return process.imports(rounds), None
    if work.kind == "memory":
        return process.fresh(work, "peak", few), None
    if work.kind == "flat":
        return process.fresh(work, "growth", 1 if quick else few, steps=STEPS), None
    raise ValueError(f"{work.name} is not measured by itself")


def mnist_samples(works: Sequence[Work]) -> dict[str, process.Samples]:
    """Train once for all figures of it."""
    if not any(work.kind == "mnist" for work in works):
        return {}
    found = process.mnist()
    return {work.name: {name: [found[name][work.job]] for name in found} for work in MNIST}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; return 1 if a bar is missed or losses differ."""
    options = arguments(argv)
    rounds, seconds = (min(options.rounds, 3), 0.05) if options.quick else (options.rounds, 0.3)
    real = inputs.images("train")[2]
    if options.mnist and not real:
        raise SystemExit("--mnist needs MNIST's files below TINYTORCH_DATA, in its folder mnist")
    described = {**results.system(), "images": "MNIST" if real else "random, of MNIST's shape"}
    works = chosen(options.only, options.mnist)
    rows, failures = [], 0
    raw: dict[str, dict[str, object]] = {}
    for work in (each for each in works if each.kind != "mnist"):
        print(f"{work.name} ...", file=sys.stderr, flush=True)
        samples, apart = samples_of(work, rounds, seconds, options.quick)
        raw[work.name] = {"unit before scaling": "kB" if work.kind in ("memory", "flat") else "s", "samples": samples}
        if apart is not None:
            raw[work.name]["losses apart"] = apart
            print(f"{work.name}: losses of both frameworks within {apart:.1e}", file=sys.stderr, flush=True)
            failures += apart > AGREEMENT
        rows.append(results.row(work, samples))
    for name, samples in mnist_samples(works).items():
        raw[name] = {"samples": samples}
        rows.append(results.row(next(work for work in MNIST if work.name == name), samples))
    path = options.json or ROOT / ".cache" / "bench" / time.strftime("%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"system": described, "quick": options.quick, "works": raw}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(", ".join(f"{key} {value}" for key, value in described.items()) + "\n")
    print((results.markdown_table if options.markdown else results.text_table)(rows))
    print(f"\nratio: median, and quartiles of the rounds' ratios. Samples: {path}", file=sys.stderr)
    return 1 if failures or any(each.passed is False for each in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
