"""Prove the exercises: every stub fails its contract, the reference passes it, and every mutant is killed.

``python -m tools.stubs check [PACKAGE [EXERCISE ...]]`` proves them (``nox -s stubs``);
``python -m tools.stubs write PACKAGE FOLDER [EXERCISE ...]`` writes a copy of a package with its exercises cut out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tools.exercises import Exercise, ExerciseError, Mutant, cut, load, mutate
from tools.packages import ROOT, Package, PackageError, discover, find

# A failing property is shown by its first failing example: shrinking it would only take time here.
_PLUGIN = """
import hypothesis

_PHASES = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
hypothesis.settings.register_profile("stubs", phases=_PHASES, derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("stubs")
"""
_ALL_TIME = 180.0
_PASSED, _FAILED, _TIMED_OUT = 0, 1, -1


@dataclass(frozen=True)
class Job:
    """One version of a package to run a contract against; ``edit`` makes it from the reference."""

    package: Package
    exercise: Exercise | None
    label: str
    edit: Callable[[bytes], bytes] | None
    contract: tuple[str, ...]


@dataclass
class Report:
    """What the runs showed."""

    exercises: int = 0
    failing_stubs: int = 0
    references: int = 0
    passing_references: int = 0
    mutants: int = 0
    killed: int = 0
    problems: list[str] = field(default_factory=list)

    def describe(self) -> str:
        """Say it in a few lines: the survivors by name, then the counts."""
        lines = [
            *self.problems,
            f"exercises: {self.exercises}; fail as stubs: {self.failing_stubs} of {self.exercises}",
            f"references: {self.passing_references} of {self.references} packages pass their contract",
            f"mutants: {self.killed} of {self.mutants} killed",
        ]
        return "\n".join(lines)


def write_stubs(package: Package, folder: Path, names: Iterable[str] = ()) -> Path:
    """Copy a package to a folder with its exercises (or the named ones) cut out, and give the copy's path.

    Raises:
        ExerciseError: There is no exercise of that name, or the copy would fall upon something else.
    """
    exercises, _ = load(package)
    wanted = set(names) or {exercise.name for exercise in exercises}
    _refuse_unknown(wanted, exercises)
    target = folder / package.folder.name
    if target.exists():
        raise ExerciseError(f"{target} is there already; remove it, or name another folder")
    shutil.copytree(package.folder, target, ignore=shutil.ignore_patterns("__pycache__", ".*", "internal"))
    files: dict[Path, list[str]] = {}
    for exercise in exercises:
        if exercise.name in wanted:
            files.setdefault(target / "src" / exercise.path(package), []).append(exercise.function)
    for path, functions in files.items():
        path.write_bytes(cut(path.read_bytes(), functions))
    return target


def check(packages: Iterable[Package], names: Iterable[str] = (), workers: int = 2) -> Report:
    """Run every stub, mutant and reference of the packages, a few at a time, and report.

    Raises:
        ExerciseError: There is no exercise of a given name.
    """
    report = Report()
    chosen, wanted = list(packages), set(names)
    _refuse_unknown(wanted, [exercise for package in chosen for exercise in load(package)[0]])
    with ThreadPoolExecutor(workers) as pool:
        jobs = [job for package in chosen for job in _jobs(package, wanted)]
        for job, (code, output, seconds) in zip(jobs, pool.map(_run, jobs), strict=True):
            print(f"{job.package.name}: {job.label}: {_VERDICTS.get(code, f'exit code {code}')} ({seconds:.1f} s)")
            _judge(report, job, code, output)
    return report


_VERDICTS = {_PASSED: "passes", _FAILED: "fails", _TIMED_OUT: "timed out"}


def _refuse_unknown(names: set[str], exercises: list[Exercise]) -> None:
    """Refuse names of exercises that there are not: whoever mistypes one would prove nothing."""
    known = [exercise.name for exercise in exercises]
    if unknown := sorted(names - set(known)):
        raise ExerciseError(f"there is no exercise {', '.join(unknown)}; there are: {', '.join(known)}")


def _jobs(package: Package, names: set[str]) -> list[Job]:
    exercises, mutants = load(package)
    chosen = {exercise.name: exercise for exercise in exercises if not names or exercise.name in names}
    if not chosen:
        return []
    jobs = [Job(package, None, "reference", None, ("tests",))]
    for exercise in chosen.values():
        jobs.append(Job(package, exercise, f"stub {exercise.name}", _cutter(exercise), exercise.contract))
    for mutant in mutants:
        if mutant.exercise in chosen:
            exercise = chosen[mutant.exercise]
            label = f"mutant of {exercise.name}: {mutant.misconception}"
            jobs.append(Job(package, exercise, label, _mutator(exercise, mutant), exercise.contract))
    return jobs


def _cutter(exercise: Exercise) -> Callable[[bytes], bytes]:
    return lambda source: cut(source, [exercise.function])


def _mutator(exercise: Exercise, mutant: Mutant) -> Callable[[bytes], bytes]:
    return lambda source: mutate(source, exercise.function, mutant)


def _run(job: Job) -> tuple[int, str, float]:
    """Run a contract against one version of a package, which stands before the installed one on the path."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tt-stubs-") as name:
        folder = Path(name)
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(job.package.folder / "src", folder / "src", ignore=ignore)
        if job.exercise is not None and job.edit is not None:
            path = folder / "src" / job.exercise.path(job.package)
            path.write_bytes(job.edit(path.read_bytes()))
        (folder / "tinytorch_quick_properties.py").write_text(_PLUGIN, encoding="utf-8")
        inherited = os.environ.get("PYTHONPATH", "")
        path_list = os.pathsep.join(filter(None, [str(folder / "src"), str(folder), inherited]))
        environment = {**os.environ, "PYTHONPATH": path_list, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=line"]
        command += ["-p", "tinytorch_quick_properties", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)]
        command += [f"--ignore={job.package.folder / 'tests' / 'internal'}"]
        command += [str(job.package.folder / entry) for entry in job.contract]
        try:
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_ALL_TIME, check=False
            )
            return done.returncode, done.stdout + done.stderr, time.monotonic() - began
        except subprocess.TimeoutExpired:
            return _TIMED_OUT, "", time.monotonic() - began


def _judge(report: Report, job: Job, code: int, output: str) -> None:
    where = f"{job.package.name}: {job.label}"
    tail = "\n".join(output.strip().splitlines()[-12:])
    if job.exercise is None:
        report.references += 1
        report.passing_references += code == _PASSED
        if code != _PASSED:
            report.problems.append(f"{where} does not pass its own contract; correct it first\n{tail}")
        return
    stub = job.label.startswith("stub ")
    shown = code in (_FAILED, _TIMED_OUT)
    if stub:
        report.exercises += 1
        report.failing_stubs += shown
    else:
        report.mutants += 1
        report.killed += shown
    if shown:
        return
    files = ", ".join(job.contract)
    if code == _PASSED:
        report.problems.append(f"{where} survives {files}; add a test there that only the right code passes")
    else:
        what = "breaks the import or the collection of its tests: nothing may call it at import time"
        report.problems.append(f"{where} {what} (exit code {code})\n{tail}")


def main() -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m tools.stubs", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="prove the exercises of every package, or of one")
    checking.add_argument("package", nargs="?")
    checking.add_argument("exercise", nargs="*")
    writing = commands.add_parser("write", help="write a copy of a package with its exercises cut out")
    writing.add_argument("package")
    writing.add_argument("folder", type=Path)
    writing.add_argument("exercise", nargs="*")
    options = parser.parse_args()
    packages = discover()
    try:
        chosen = [find(options.package, packages)] if options.package else list(packages.values())
        if options.command == "write":
            print(write_stubs(chosen[0], options.folder, options.exercise))
            return 0
        report = check(chosen, options.exercise)
    except (ExerciseError, PackageError, OSError) as problem:
        parser.error(str(problem))
    print(report.describe())
    return 1 if report.problems or not report.exercises else 0


if __name__ == "__main__":
    raise SystemExit(main())
