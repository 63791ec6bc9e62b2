"""Where you are: the modules, the milestones, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from tinytorch.packages import BUILT, PACKAGES, Package, version_of

from tito import _milestones, _results
from tito._modules import install_command
from tito._output import Json
from tito._places import results_folder

TIERS = ("foundation", "architecture", "optimization")


@dataclass(frozen=True)
class ModuleState:
    """One module: its package, the version that is installed, and how its last tests went."""

    package: Package
    version: str | None
    tests: _results.Result | None

    @property
    def state(self) -> str:
        """One word: installed, missing, or planned for a package that nobody has written yet."""
        if self.version is not None:
            return "installed"
        return "missing" if self.package in BUILT else "planned"

    @property
    def tested(self) -> str:
        """One word: passed, failed, stale or never."""
        if self.tests is None:
            return "never"
        return "failed" if self.tests.state == "missed" else self.tests.state

    def as_json(self) -> dict[str, Json]:
        """The row for programs."""
        return {
            "module": self.package.module,
            "name": self.package.distribution,
            "tier": self.package.tier,
            "state": self.state,
            "version": self.version,
            "tested": self.tested,
        }


@dataclass(frozen=True)
class MilestoneState:
    """One milestone and its results."""

    milestone: _milestones.Milestone
    results: tuple[_results.Result, ...]

    @property
    def state(self) -> str:
        """One word: passed, missed or stale, as its first result says, or `not run`."""
        return self.results[0].state if self.results else "not run"

    def as_json(self) -> dict[str, Json]:
        """The row for programs."""
        return {
            "number": self.milestone.number,
            "year": self.milestone.year,
            "name": self.milestone.name,
            "title": self.milestone.title,
            "folder": str(self.milestone.folder),
            "state": self.state,
            "results": [result.as_json() for result in self.results],
        }


def modules() -> list[ModuleState]:
    """Return the state of all twenty modules."""
    tested = _results.of_tests(results_folder())
    return [ModuleState(package, version_of(package), tested.get(package.distribution)) for package in PACKAGES]


def milestones() -> list[MilestoneState]:
    """Return the state of every milestone that there is."""
    folder = results_folder()
    return [MilestoneState(each, tuple(_results.of_milestone(each.folder, folder))) for each in _milestones.find_all()]


def next_step(rows: list[ModuleState], runs: list[MilestoneState]) -> tuple[str, str]:
    """Return what to do next and why.

    Args:
        rows: The modules.
        runs: The milestones.
    """
    missing = [row.package for row in rows if row.state == "missing"]
    if missing:
        tier = missing[0].tier
        names = ", ".join(package.distribution for package in missing if package.tier == tier)
        return install_command(tier), f"{names} not installed"
    failed = [row for row in rows if row.tested == "failed"]
    if failed:
        return f"tito test {failed[0].package.module}", f"the tests of {failed[0].package.distribution} fail"
    reasons = {"not run": "it has not been run yet", "missed": "its gate was missed", "stale": "code has changed since"}
    for run in runs:
        if run.state in reasons:
            return f"tito milestone run {run.milestone.number:02d}", f"{run.milestone.title}: {reasons[run.state]}"
    if not runs:
        return "tito doctor", "no milestone was found"
    return "tito status", "every milestone that exists passes; the next tier is being written"
