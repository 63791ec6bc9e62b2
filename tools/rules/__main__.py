"""``python -m tools.rules [ROOT]``: print one line per violation, and fail if there is any."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.packages import ROOT, discover
from tools.rules import check


def main(arguments: list[str]) -> int:
    """Check the repository, or the folder named."""
    root = Path(arguments[0]).resolve() if arguments else ROOT
    violations = check(root)
    for violation in violations:
        print(violation.describe(root))
    if violations:
        print(f"{len(violations)} violations")
        return 1
    print(f"{len(discover(root))} packages keep the rules")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
