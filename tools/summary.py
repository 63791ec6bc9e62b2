"""Count the tests of the last run in one line: ``python -m tools.summary [--status CODE]``."""

from __future__ import annotations

import argparse
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tools.packages import ROOT

REPORTS = ROOT / ".cache" / "reports"


def count(folder: Path = REPORTS) -> tuple[int, int, int]:
    """Add up the tests passed, failed and skipped in a folder of JUnit reports."""
    passed = failed = skipped = 0
    for path in sorted(folder.glob("*.xml")):
        for suite in ElementTree.parse(path).getroot().iter("testsuite"):
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            absent = int(suite.get("skipped", 0))
            passed += int(suite.get("tests", 0)) - bad - absent
            failed += bad
            skipped += absent
    return passed, failed, skipped


def main() -> int:
    """Print the counts; a run that failed outside its tests counts as one failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--status", type=int, default=0, help="exit code of the run")
    status: int = parser.parse_args().status
    passed, failed, skipped = count()
    if status and not failed:
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
