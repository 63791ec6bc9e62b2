"""Running the tests of one module and keeping the outcome, so that `tito status` can say what is tested."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tinytorch.milestone import write_atomically
from tinytorch.packages import Package, sources

from tito._errors import CRASHED, TitoError
from tito._modules import require
from tito._output import Json
from tito._places import checkout

_GET_PYTEST = 'pip install "pytest>=8" "hypothesis>=6.100"'
_SOME_FAILED = 1  # pytest's exit code for tests that ran and failed; anything above means that it could not run them


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
            "this module has no tests yet", f"module {package.module}", "see `tito status` for those that are installed"
        )
    require(package)
    return tests


def run(package: Package, results: Path, *, as_json: bool) -> dict[str, Json]:
    """Run a package's contract tests with this Python and keep the outcome in `results/tests/`.

    Args:
        package: Which.
        results: The folder of the results.
        as_json: Whether stdout is reserved for JSON; pytest's text then goes to stderr.

    Raises:
        TitoError: If pytest is absent or could not run them.
    """
    tests = folder_of_tests(package)
    # Python ends with 1 where there is no pytest, as pytest does for failed tests: so it is looked for before.
    if importlib.util.find_spec("pytest") is None:
        raise TitoError("the tests need pytest", "a Python without it", _GET_PYTEST)
    command = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", str(tests)]
    tested = sources()[package.distribution]  # before: what is changed meanwhile has not been tested
    began = time.perf_counter()
    code = subprocess.run(command, stdout=2 if as_json else None, cwd=tests.parent, check=False).returncode
    if code > _SOME_FAILED or code < 0:
        do = f"read the lines above; if something could not be imported: {_GET_PYTEST}"
        raise TitoError(f"the tests of {package.distribution} could not run", f"pytest's exit code {code}", do, CRASHED)
    document: dict[str, Json] = {
        "package": package.distribution,
        "passed": code == 0,
        "seconds": round(time.perf_counter() - began, 3),
        "sources": {package.distribution: tested},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path = results / "tests" / f"{package.distribution}.json"
    write_atomically(path, (json.dumps(document, indent=2) + "\n").encode())
    return document
