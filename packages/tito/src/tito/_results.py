"""The results of milestones and tests on disk, and whether what they were measured on has changed since."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tinytorch.packages import sources

from tito._output import Json


@dataclass(frozen=True)
class Result:
    """One JSON result.

    Args:
        path: Where it lies.
        document: What it says.
        stale: The packages (or `milestone`, its script) that have changed since.
    """

    path: Path
    document: dict[str, Json]
    stale: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every gate held."""
        return self.document.get("passed") is True

    @property
    def state(self) -> str:
        """One word: passed, missed or stale."""
        if self.stale:
            return "stale"
        return "passed" if self.passed else "missed"

    @property
    def summary(self) -> str:
        """The gate and its value, in a line."""
        gate = self.document.get("gate")
        if not isinstance(gate, dict):
            return ""
        value = gate.get("value")
        number = f"{value:.6g}" if isinstance(value, int | float) else str(value)
        return f"{gate.get('text')}: {number}"

    def as_json(self) -> dict[str, Json]:
        """The document, with where it lies and what has changed since."""
        return {**self.document, "path": str(self.path), "state": self.state, "stale": list(self.stale)}


def read(path: Path, present: dict[str, str]) -> Result | None:
    """Read one result; None if the file is not a result, so that a foreign file stops nothing.

    Args:
        path: The file.
        present: The fingerprints of the sources as they are now.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=str)  # NaN is shown, and is no JSON
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("passed"), bool):
        return None
    measured = document.get("sources")
    known = measured if isinstance(measured, dict) else {}
    stale = tuple(sorted(name for name, fingerprint in known.items() if present.get(name) != fingerprint))
    return Result(path, document, stale)


def missed(path: Path) -> bool:
    """Say whether a file is a result whose gates did not all hold."""
    result = read(path, {})
    return result is not None and not result.passed


def of_milestone(folder: Path, results: Path) -> list[Result]:
    """Return the results of a milestone, the embedded one first.

    Args:
        folder: The milestone's folder, with `run.py`.
        results: Where results lie.
    """
    present = sources(folder / "run.py")
    paths = sorted(results.glob(f"{folder.name}*.json"))
    found = [result for path in paths if (result := read(path, present)) is not None]
    mine = [result for result in found if result.document.get("milestone") == folder.name]
    return sorted(mine, key=lambda result: (result.document.get("full") is True, result.path.name))


def of_tests(results: Path) -> dict[str, Result]:
    """Return the last test run of each package, by distribution."""
    present = sources()
    found = {}
    for path in sorted(results.glob("tests/*.json")):
        result = read(path, present)
        if result is not None:
            found[path.stem] = result
    return found
