"""Compare every row in float64 and float32, and fail where one lies too far apart or a function has no row."""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from collections.abc import Sequence

import numpy as np
import torch
from tt_tensor import set_num_threads

from tools.parity import (
    cases_images,
    cases_models,
    cases_networks,
    cases_tensor,
    cases_text,
    cases_tokens,
    cases_training,
    oracle,
)
from tools.parity.compare import TOLERANCE, Case, Errors, apart, evaluate
from tools.parity.differences import DIFFERENCES, WHOLE, WITHOUT_ROW

_MODULES = (cases_tensor, cases_networks, cases_training, cases_images, cases_text, cases_models, cases_tokens)
CASES: list[Case] = [case for module in _MODULES for case in module.CASES]


def missing(cases: Sequence[Case]) -> list[str]:
    """List the public functions and optimizers that have no row, and no place in `WITHOUT_ROW`."""
    compared = {case.function for case in cases}
    found = []
    for package, exempt in WITHOUT_ROW.items():
        for name in importlib.import_module(package).__all__:
            counts = name[0].islower() or package in WHOLE
            if counts and name not in compared and name not in exempt.split():
                found.append(f"{package}.{name}")
    return found


def compare(case: Case, dtype: str) -> Errors:
    """Compare one row in one dtype; an error that only one side raises is as far apart as can be."""
    theirs = oracle.evaluate(case.theirs, case, dtype)
    try:
        ours = evaluate(case.ours, case, dtype)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        return Errors(float("inf"), float("inf"), f"{type(error).__name__}: {error}".splitlines()[0])
    return apart(ours, theirs)


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was compared and how far apart it lies; return 1 if anything is too far."""
    parser = argparse.ArgumentParser(prog="python -m tools.parity", description=__doc__)
    parser.add_argument("names", nargs="*", help="compare these functions only")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every row")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    set_num_threads(2)  # so that kernels which split their work do
    cases = [case for case in CASES if not options.names or case.function in options.names]
    print(f"torch {torch.__version__}, numpy {np.__version__}, Python {platform.python_version()}")
    failures = [] if options.names else [f"{name} has no row" for name in missing(CASES)]
    for dtype, usual in TOLERANCE.items():
        results = {case.name: compare(case, dtype) for case in cases}
        for case in cases:
            errors, tolerance = results[case.name], case.tolerance or usual
            line = f"{dtype} {case.name}: forward {errors.forward:.1e}, gradient {errors.gradient:.1e} {errors.why}"
            if options.verbose:
                print(line)
            if not errors.within(tolerance):
                failures.append(f"{line} (at most {tolerance:.0e})")
        summarise(dtype, usual, [(case, results[case.name]) for case in cases if case.tolerance is None])
    print(f"{len({case.function for case in cases})} functions compared, in {len(cases)} rows")
    print("Different on purpose:")
    for each in DIFFERENCES:
        print(f"  {each.function}: {each.ours}; PyTorch: {each.theirs}")
        if not each.holds():
            failures.append(f"{each.function} is said to differ, but does not: {each.ours}; PyTorch: {each.theirs}")
    for failure in failures:
        print(f"FAIL {failure}")
    return 1 if failures else 0


def summarise(dtype: str, tolerance: float, results: Sequence[tuple[Case, Errors]]) -> None:
    """Print the worst forward and the worst gradient error of one dtype."""
    if results:
        forward = max(results, key=lambda each: each[1].forward)
        gradient = max(results, key=lambda each: each[1].gradient)
        print(f"{dtype} (tolerance {tolerance:.0e}): worst forward error {forward[1].forward:.1e} ({forward[0].name}), "
              f"worst gradient error {gradient[1].gradient:.1e} ({gradient[0].name})")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
