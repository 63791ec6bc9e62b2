"""Measure, print the table, keep the samples."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tools.bench import inputs, parts, process, results
from tools.bench.works import MNIST, PEAK, WORKS, Work
from tools.packages import ROOT

AGREEMENT = 1e-3
STEPS = 1000  # over which memory must stay flat


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="works whose name begins so; may be repeated")
    parser.add_argument(
        "--rounds", type=int, default=15, metavar="N", help="at most so many interleaved rounds (default 15)"
    )
    parser.add_argument("--quick", action="store_true", help="short rounds, to see that everything runs")
    parser.add_argument("--mnist", action="store_true", help="train on all of MNIST too: minutes")
    parser.add_argument("--markdown", action="store_true", help="print the table for the documentation")
    parser.add_argument("--avx2", action="store_true", help="both sides without AVX-512, as where the bars come from")
    parser.add_argument("--parts", action="store_true", help="instead, take apart our works that miss their bar")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where samples go (default .cache/bench/TIME.json)")
    options = parser.parse_args(argv)
    if options.quick:
        options.rounds = min(options.rounds, 3)
    if options.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {options.rounds}")
    return options


def chosen(only: Sequence[str] | None, mnist: bool) -> list[Work]:
    """Choose works by the beginning of their names; the machine's peak goes with those that are compared with it."""
    works = [*WORKS, *(MNIST if mnist else ())]
    if only is None:
        return works
    for name in only:
        if not any(work.name.startswith(name) for work in works):
            more = "" if mnist else f"; with --mnist also {', '.join(work.name for work in MNIST)}"
            raise SystemExit(f"no work begins with {name!r}; there are {', '.join(work.name for work in works)}{more}")
    found = [work for work in works if any(work.name.startswith(name) for name in only)]
    return [work for work in works if work in found or (work.job == PEAK and any(each.flops for each in found))]


def feasible(works: Sequence[Work], avx2: bool) -> list[Work]:
    """Leave out the ways that this machine cannot go."""
    if process.can_compile() and not avx2:
        return list(works)
    why = "it asks the processor itself" if avx2 else "it needs a C++ compiler and Python's headers"
    print(f"torch.compile is left out: {why}", file=sys.stderr)
    return [replace(work, best=tuple(way for way in work.best if "compile" not in way)) for work in works]


def samples_of(work: Work, options: argparse.Namespace) -> tuple[process.Samples, float | None]:
    """Measure one work; give its samples, and how far the sides' losses lie apart if it has any."""
    rounds = min(options.rounds, work.rounds)
    if work.kind == "time":
        seconds = 0.05 if options.quick else 0.3
        samples, figures = process.in_turn(work, rounds, seconds)
        return samples, results.disagreement(figures) if figures["ours"] else None
    if work.kind == "import":
        return process.imports(rounds), None
    if work.kind == "memory":
        return process.fresh(work, "peak", rounds), None
    if work.kind == "flat":
        return process.fresh(work, "growth", 1 if options.quick else rounds, steps=STEPS), None
    raise ValueError(f"{work.name} is not measured by itself")


def measured(works: Sequence[Work], options: argparse.Namespace) -> tuple[dict[str, process.Samples], dict[str, float]]:
    """Measure works; give the samples of each, and how far losses lie apart where there are any."""
    samples, apart = {}, {}
    for work in (each for each in works if each.kind != "mnist"):
        print(f"{work.name} ...", file=sys.stderr, flush=True)
        samples[work.name], difference = samples_of(work, options)
        if difference is not None:
            apart[work.name] = difference
            print(f"{work.name}: losses of all sides within {difference:.1e}", file=sys.stderr, flush=True)
    if any(work.kind == "mnist" for work in works):
        found = process.mnist()
        samples |= {work.name: {name: [found[name][work.job]] for name in found} for work in MNIST}
    return samples, apart


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; return 1 if a bar is missed or losses differ."""
    options = arguments(argv)
    if options.parts:
        parts.report(options.rounds, options.only)
        return 0
    images, text = inputs.images("train")[2], inputs.shakespeare()[1]
    if options.mnist and not images:
        raise SystemExit(f"--mnist needs MNIST's files, and {inputs.folder() / 'mnist'} has none; set TINYTORCH_DATA")
    described = {**results.system(), "images": "MNIST" if images else "random, of MNIST's shape"}
    described["text"] = "Tiny Shakespeare" if text else "Python's topics, as long as Tiny Shakespeare"
    works = feasible(chosen(options.only, options.mnist), options.avx2)
    if options.avx2:
        os.environ.update(process.limited_to_avx2(process.simd_extensions()))
        described["instructions"] = "AVX2 at most"
    samples, apart = measured(works, options)
    peak = results.peak_of(samples, works)
    if not math.isnan(peak):
        described["peak product"] = f"{peak / 1e9:.0f} GFLOP/s"
    rows = [results.row(work, samples[work.name], peak) for work in works]
    path = options.json or ROOT / ".cache" / "bench" / time.strftime("%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = {work.name: {"samples": samples[work.name], "flops": work.flops} for work in works}
    document = {"system": described, "quick": options.quick, "losses apart": apart, "works": raw}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(", ".join(f"{key} {value}" for key, value in described.items()) + "\n")
    print((results.markdown_table if options.markdown else results.text_table)(rows))
    print(f"\nratio: median, and quartiles of the rounds' ratios. Samples (s, kB): {path}", file=sys.stderr)
    differ = [name for name, difference in apart.items() if difference > AGREEMENT]
    if differ:
        print(f"losses differ by more than {AGREEMENT:g} in {', '.join(differ)}", file=sys.stderr)
    return 1 if differ or any(each.passed is False for each in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
