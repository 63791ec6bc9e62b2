"""Every check of the repository, one command each; ``nox --list`` names them.

What there is to check is read from the packages' own pyproject files.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent

if "tools" not in sys.modules:
    # nox's own script does not put this folder on the path; `python -m nox` does.
    _spec = importlib.util.spec_from_file_location("tools", ROOT / "tools" / "__init__.py")
    if _spec is None or _spec.loader is None:
        raise ImportError(f"{ROOT / 'tools'} cannot be loaded")
    sys.modules["tools"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["tools"])

from tools import environments as env  # noqa: E402 - "tools" must be findable first
from tools import packages as repository  # noqa: E402

PACKAGES = repository.discover()
EVERYTHING = list(PACKAGES.values())
TIERS = [tier for tier in repository.TIERS if any(package.tier == tier for package in EVERYTHING)]

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "virtualenv"
nox.options.sessions = ["lint", "packages", "types", "tests", "integration", "milestones"]


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style and the format of everything."""
    env.install(session, *env.group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(venv_backend="none")
def packages(session: nox.Session) -> None:
    """Hold every package to the rules of the house."""
    session.run(sys.executable, "tools/check_packages.py", external=True)


@nox.session
def types(session: nox.Session) -> None:
    """Run mypy --strict over each package's source and tests, then over the repository's own code."""
    outside = env.outside(EVERYTHING, PACKAGES, repository.all_extras(EVERYTHING))
    env.install(session, *outside, *env.group("types"), *env.group("tests"), *env.group("build"), "nox")
    sources = [str(package.folder / "src") for package in EVERYTHING]
    mypy = ("mypy", "--strict", "--explicit-package-bases")
    passed = {}
    for package in EVERYTHING:
        # One package at a time: equal names of test files, and of conftest.py, would meet otherwise.
        paths = [str(package.folder / name) for name in ("src", "tests") if (package.folder / name).is_dir()]
        search = os.pathsep.join([*sources, str(package.folder)])
        passed[package.name] = env.attempt(session, *mypy, *paths, MYPYPATH=search)
    search = os.pathsep.join([*sources, str(ROOT)])
    own = ["noxfile.py", *sorted(str(path) for name in ("tools", "tests_integration") for path in _python(ROOT / name))]
    passed["tools"] = env.attempt(session, *mypy, *own, MYPYPATH=search)
    for folder in sorted(path for path in ROOT.glob("milestones/*") if path.is_dir()):
        # A milestone's folder begins with a digit, which no package may: its files are checked as scripts.
        if files := _python(folder):
            passed[folder.name] = env.attempt(session, "mypy", "--strict", *files, MYPYPATH=search)
    for package in EVERYTHING:
        if (hook := package.folder / "hatch_build.py").is_file():
            passed[hook.name] = env.attempt(session, "mypy", "--strict", str(hook))
    env.conclude(session, "types do not hold in", passed)


def _python(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*.py"))


@nox.session
@nox.parametrize("package", [nox.param(package.name, id=package.name) for package in EVERYTHING])
def tests(session: nox.Session, package: str) -> None:
    """Test one package from its wheel, beside nothing but its declared closure.

    ``nox -s "tests(tt-conv)" -- ../my-conv`` puts another package of the same name in its place, and runs its contract
    and that of every package which depends on it.
    """
    env.prepare(session)
    chosen = PACKAGES[package]
    if not session.posargs:
        env.install_packages(session, repository.environment(chosen, PACKAGES), PACKAGES)
        env.conclude(session, "tests fail", {package: env.run_tests(session, chosen)})
        return
    folder = Path(session.invoked_from, session.posargs[0]).resolve()
    if (found := env.package_in(session, folder).name) != package:
        session.error(f"{folder} is {found}, which cannot stand in for {package}; give it the same name")
    judges = [chosen, *repository.dependents(chosen, PACKAGES)]
    needed = {member.name for judge in judges for member in repository.environment(judge, PACKAGES)}
    members = [member for member in EVERYTHING if member.name in needed]
    env.install_packages(session, members, PACKAGES, instead={package: folder})
    passed = {judge.name: env.run_tests(session, judge, internal=False, doctests=False) for judge in judges}
    env.conclude(session, f"{folder} breaks the contract of", passed)
    session.log(f"{folder} keeps the contract of {', '.join(judge.name for judge in judges)}")


@nox.session
@nox.parametrize("name", [nox.param(tier, id=tier) for tier in TIERS])
def tier(session: nox.Session, name: str) -> None:
    """Test all packages of a tier in one environment."""
    env.prepare(session)
    chosen = [package for package in EVERYTHING if package.tier == name]
    needed = {member.name for package in chosen for member in repository.closure(package, PACKAGES)}
    env.install_packages(session, [each for each in EVERYTHING if each.name in needed], PACKAGES)
    env.conclude(session, "tests fail", {package.name: env.run_tests(session, package) for package in chosen})


def _test_everything(session: nox.Session) -> None:
    """Test all packages with another Python, in one environment."""
    env.prepare(session)
    env.install_packages(session, EVERYTHING, PACKAGES)
    env.conclude(session, "tests fail", {package.name: env.run_tests(session, package) for package in EVERYTHING})


for _version in ("3.12", "3.13"):
    nox.session(name=f"tests-{_version}", python=env.interpreter(_version))(_test_everything)


@nox.session
def integration(session: nox.Session) -> None:
    """Test what no single package can, with everything installed, the optional parts too."""
    env.prepare(session)
    extras = repository.all_extras(EVERYTHING)
    env.install_packages(session, EVERYTHING, PACKAGES, extras=extras, also=["nox", "mypy", *env.group("build")])
    passed = {"tests_integration": env.pytest(session, "integration", "tests_integration", *session.posargs)}
    if not session.posargs:
        # Where a package is tested alone there is no matplotlib: its pictures are drawn here.
        tests = sorted(ROOT.glob("packages/**/tests/test_*.py"))
        pictures = [str(path) for path in tests if "matplotlib" in path.read_text()]
        passed["pictures"] = env.pytest(session, "pictures", *pictures, "-k", "plot or picture or matplotlib")
    env.conclude(session, "tests fail", passed)


@nox.session
def milestones(session: nox.Session) -> None:
    """Run the milestones on embedded data; ``-- --full`` runs them on the real data sets."""
    env.prepare(session)
    env.install_packages(session, EVERYTHING, PACKAGES, extras=("plot", "progress"))
    passed = {}
    for folder in sorted(path for path in ROOT.glob("milestones/[0-9]*") if path.is_dir()):
        passed[folder.name] = env.attempt(session, "tito", "milestone", "run", folder.name[:2], *session.posargs)
    env.conclude(session, "milestones fail", passed)


@nox.session
def stubs(session: nox.Session) -> None:
    """Prove the exercises: stubs fail, references pass, mutants die; ``-- tt-conv [exercise]`` proves some."""
    env.prepare(session)
    env.install_packages(session, EVERYTHING, PACKAGES)
    session.run("python", "-m", "tools.stubs", "check", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure each package's branch coverage by its own contract; less than 95% fails. ``-- tt-conv`` measures one."""
    env.prepare(session)
    chosen = [env.package_called(session, name, PACKAGES) for name in session.posargs] or EVERYTHING
    extras = repository.all_extras(EVERYTHING)
    env.install_packages(session, EVERYTHING, PACKAGES, extras=extras, also=env.group("coverage"))
    folder = Path(session.create_tmp())
    passed = {}
    for package in chosen:
        data = f"--data-file={folder / package.name}"
        tests = str(package.folder / "tests")
        ignore = f"--ignore={package.folder / 'tests' / 'internal'}"
        pytest = ("-m", "pytest", "-q", "-c", "pyproject.toml", "--rootdir", ".", "-p", "no:cacheprovider", ignore)
        measured = env.attempt(session, "coverage", "run", data, f"--source={package.import_name}", *pytest, tests)
        enough = env.attempt(session, "coverage", "report", data, "--fail-under=95", "--skip-covered")
        passed[package.name] = measured and enough
    env.conclude(session, "tests fail, or cover less than 95% of the branches", passed)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed and memory beside PyTorch, on this machine."""
    env.prepare(session)
    env.install_packages(session, EVERYTHING, PACKAGES, also=env.group("oracle"))
    # Imports are timed as a user has them: with the bytecode that the first one leaves behind.
    session.run("python", "-m", "tools.bench", *session.posargs, env={"PYTHONDONTWRITEBYTECODE": ""})


@nox.session
def parity(session: nox.Session) -> None:
    """Compare values and gradients with PyTorch, for every function that both have."""
    env.prepare(session)
    env.install_packages(session, EVERYTHING, PACKAGES, also=env.group("oracle"))
    session.run("python", "-m", "tools.parity", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Follow every link inside the documentation, and run its code."""
    env.prepare(session)
    env.install_packages(session, EVERYTHING, PACKAGES, extras=repository.all_extras(EVERYTHING))
    session.run("python", "-m", "tools.documentation", *session.posargs)


@nox.session(venv_backend="none")
def dev(session: nox.Session) -> None:
    """Install everything into .venv, editable, with the tools of the other sessions."""
    folder = ROOT / ".venv"
    if not (folder / "pyvenv.cfg").exists():
        session.run(sys.executable, "-m", "virtualenv", "--quiet", str(folder), external=True)
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    install = [python, "-m", "pip", "install", "--quiet"]
    outside = env.outside(EVERYTHING, PACKAGES, repository.all_extras(EVERYTHING))
    names = ("build", "lint", "types", "tests", "coverage", "release", "dev")
    session.run(*install, *outside, *(line for name in names for line in env.group(name)), external=True)
    editable = [word for package in EVERYTHING for word in ("--editable", str(package.folder))]
    session.run(*install, "--no-deps", "--no-build-isolation", *editable, external=True)
    session.log(f"everything is installed in {folder}")


@nox.session
def release(session: nox.Session) -> None:
    """Release one package: ``-- tt-conv minor`` moves its version and changelog, commits and tags."""
    env.install(session, *env.group("release"))
    session.run("python", "-m", "tools.release", *session.posargs)
