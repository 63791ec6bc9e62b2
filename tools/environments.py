"""What the sessions of noxfile.py have in common: wheels, environments, and how a contract is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nox

from tools import packages as repository
from tools.packages import ROOT, Package, PackageError, Packages
from tools.summary import REPORTS
from tools.wheels import cached_wheel

BUILDER = ROOT / ".cache" / "builder"

# Bytecode is written for what is imported, instead of for everything at installation: an environment in a third of
# the time. Nothing but the environment itself may be on the path.
ENVIRONMENT: dict[str, str | None] = {"PYTHONDONTWRITEBYTECODE": None, "PYTHONPATH": None, "MPLBACKEND": "Agg"}
_HEAVY = ("tensorboard",)  # a hundred megabytes, imported by one optional line


def group(name: str) -> list[str]:
    """Give a dependency group of the root's pyproject file."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(document["dependency-groups"][name])


def prepare(session: nox.Session) -> None:
    """Set what every session wants set."""
    session.env.update(ENVIRONMENT)


def package_in(session: nox.Session, folder: Path) -> Package:
    """Read the package in a folder that somebody named; where there is none, end the session in one line."""
    try:
        return repository.read(folder)
    except PackageError as problem:
        session.error(f"{problem}; name the folder of a package")


def package_called(session: nox.Session, name: str, packages: Packages) -> Package:
    """Look up a package that somebody named; where there is none, end the session in one line."""
    try:
        return repository.find(name, packages)
    except PackageError as problem:
        session.error(str(problem))


def install(session: nox.Session, *requirements: str) -> None:
    """Install from wherever pip is configured to look."""
    session.install("--no-compile", "-qq", *requirements)


def wheels(session: nox.Session, members: list[Path]) -> list[str]:
    """Give the wheels of package folders, building those whose content has none yet."""
    found = {folder: cached_wheel(folder) for folder in members}
    missing = [str(folder) for folder, wheel in found.items() if wheel is None]
    if missing:
        session.run(str(_builder()), "-m", "tools.wheels", *missing, external=True, silent=True)
        found = {folder: cached_wheel(folder) for folder in members}
    if absent := [folder.name for folder, wheel in found.items() if wheel is None]:
        session.error(f"{', '.join(absent)} changed while its wheel was built: run this again")
    return [str(wheel) for wheel in found.values() if wheel is not None]


def _builder() -> Path:
    """Make the small environment that holds hatchling, once."""
    python = BUILDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (BUILDER / "ready").exists():
        shutil.rmtree(BUILDER, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "virtualenv", "--quiet", str(BUILDER)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", *group("build")], check=True)
        (BUILDER / "ready").touch()
    return python


def outside(members: list[Package], packages: Packages, extras: tuple[str, ...]) -> list[str]:
    """List what packages need from outside the repository, without the few that no check uses."""
    return [line for line in repository.third_party(members, packages, extras) if not line.startswith(_HEAVY)]


def install_packages(
    session: nox.Session,
    members: list[Package],
    packages: Packages,
    *,
    extras: tuple[str, ...] = ("test",),
    also: tuple[str, ...] | list[str] = (),
    instead: dict[str, Path] | None = None,
) -> None:
    """Install packages from their wheels, by path and without their dependencies, then check that they fit.

    A sibling's bare name never reaches an index: what comes from outside is listed here, package by package.
    ``instead`` puts another folder in the place of a package, with what that one needs from outside.
    """
    others = [package_in(session, folder) for folder in (instead or {}).values()]
    if requirements := [*outside([*members, *others], packages, extras), *also]:
        install(session, *requirements)
    folders = [(instead or {}).get(member.name, member.folder) for member in members]
    session.install("--no-compile", "-qq", "--no-deps", "--force-reinstall", *wheels(session, folders))
    session.run("python", "-m", "pip", "check", silent=True)
    session.run("python", "-m", "pip", "list", "--format=freeze")


def attempt(session: nox.Session, *command: str, **variables: str) -> bool:
    """Run a command and say whether it succeeded, so that what comes after it is still reported."""
    try:
        session.run(*command, env=variables)
    except nox.command.CommandFailed:
        return False
    return True


def run_tests(session: nox.Session, package: Package, *, internal: bool = True, doctests: bool = True) -> bool:
    """Run a package's contract, with the reference-only tests and the examples of its documentation if wanted.

    Returns:
        Whether all of them pass.
    """
    arguments = [str(package.folder / "tests")]
    if not internal:
        arguments.append(f"--ignore={package.folder / 'tests' / 'internal'}")
    if doctests:
        arguments += [str(package.folder / "README.md"), "--doctest-modules", "--pyargs", package.import_name]
    return pytest(session, f"{session.name}-{package.name}", *arguments)


def pytest(session: nox.Session, report: str, *arguments: str) -> bool:
    """Run pytest with the root's settings, keep its counts for the summary, and say whether all passed."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    name = "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in report)
    command = ["python", "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)]
    return attempt(session, *command, "-p", "no:cacheprovider", f"--junit-xml={REPORTS / name}.xml", *arguments)


def conclude(session: nox.Session, what: str, passed: dict[str, bool]) -> None:
    """Fail the session if any of its parts failed, naming them."""
    if failed := [name for name, good in passed.items() if not good]:
        session.error(f"{what}: {', '.join(failed)}")


def interpreter(version: str) -> str:
    """Find another Python: pyenv's own folders first, since its shims answer for versions that are not active."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for path in sorted(versions.glob(f"{version}.*/bin/python{version}"), reverse=True):
        return str(path)
    return version
