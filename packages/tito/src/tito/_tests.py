"""Running the tests of one module and keeping the outcome, so that `tito status` can say what is tested."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tinytorch.milestone import write_atomically
from tinytorch.packages import PACKAGES, Package, sources, version_of

from tito._errors import CRASHED, TitoError
from tito._output import Json
from tito._places import checkout

_FAILED = 1  # pytest's exit code for tests that ran and failed; anything above means that it could not run them


def find(wanted: str) -> Package:
    """Return the package of a module's number (`6`, `06`) or name (`tt-autograd`, `autograd`).

    Raises:
        TitoError: If there is none.
    """
    text = wanted.strip().lower().replace("_", "-")
    for package in PACKAGES:
        if text.isdecimal() and int(text) == package.module:
            return package
        if text in (package.distribution, package.core):
            return package
    raise TitoError("there is no such module", repr(wanted), "use a number from 1 to 20, or a name such as tt-tensor")


def folder_of_tests(package: Package) -> Path:
    """Return the contract tests of a package.

    Raises:
        TitoError: Outside a checkout: wheels carry no tests; or if the package is not written or installed yet.
    """
    root = checkout()
    if root is None:
        do = "run tito inside a checkout of the repository, which carries the tests"
        raise TitoError("the tests are not here", f"the folder {Path.cwd()}", do)
    tests = root / "packages" / package.tier / package.distribution / "tests"
    if not tests.is_dir():
        raise TitoError(
            "this module has no tests yet", f"module {package.module}", "see `tito status` for those that do"
        )
    if version_of(package) is None:
        do = f'install it: pip install "tinytorch[{package.tier}]"'
        raise TitoError(f"{package.distribution} is not installed", f"module {package.module}", do)
    return tests


def run(package: Package, results: Path, *, as_json: bool) -> dict[str, Json]:
    """Run a package's contract tests with this Python and keep the outcome in `results/tests/`.

    Args:
        package: Which.
        results: The folder of the results.
        as_json: Whether stdout is reserved for JSON; pytest's text then goes to stderr.

    Raises:
        TitoError: If pytest could not run them.
    """
    tests = folder_of_tests(package)
    command = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", str(tests)]
    began = time.perf_counter()
    code = subprocess.run(command, stdout=2 if as_json else None, cwd=tests.parent, check=False).returncode
    if code > _FAILED or code < 0:
        do = 'read the lines above; is pytest there? pip install "pytest>=8" "hypothesis>=6.100"'
        raise TitoError(f"the tests of {package.distribution} could not run", f"pytest's exit code {code}", do, CRASHED)
    here = sources()
    document: dict[str, Json] = {
        "package": package.distribution,
        "passed": code == 0,
        "seconds": round(time.perf_counter() - began, 3),
        "sources": {package.distribution: here[package.distribution]},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path = results / "tests" / f"{package.distribution}.json"
    write_atomically(path, (json.dumps(document, indent=2) + "\n").encode())
    return document
