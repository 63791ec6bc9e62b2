"""``python -m tools.rules [ROOT]``: print one line per violation, and fail if there is any."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tools.packages import ROOT, discover
from tools.rules import check


def main(argv: Sequence[str] | None = None) -> int:
    """Check the repository, or the folder named."""
    parser = argparse.ArgumentParser(prog="check_packages.py", description="Hold every package to the rules.")
    parser.add_argument("root", nargs="?", type=Path, default=ROOT, help="a repository (default: this one)")
    root: Path = parser.parse_args(argv).root.resolve()
    if not (root / "packages").is_dir():
        parser.error(f"{root} has no folder packages; name the root of a repository")
    violations = check(root)
    for violation in violations:
        print(violation.describe(root))
    if violations:
        print(f"{len(violations)} violations")
        return 1
    print(f"{len(discover(root))} packages keep the rules")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
