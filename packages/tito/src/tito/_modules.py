"""The modules of the framework as people name them."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tinytorch.packages import BUILT, PACKAGES, Package, version_of

from tito._errors import TitoError


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


def install_command(tier: str) -> str:
    """Return what installs a tier's packages."""
    return f'pip install "tinytorch[{tier}]"'


def require(package: Package) -> None:
    """Make sure that a package is installed.

    Raises:
        TitoError: If it is not.
    """
    if version_of(package) is None:
        do = f"install it: {install_command(package.tier)}"
        raise TitoError(f"{package.distribution} is not installed", f"module {package.module}", do)


def absent(error: ImportError) -> TitoError | None:
    """Return what to say of an import that failed because a package of the framework is not installed, else None."""
    wanted = (error.name or "").partition(".")[0]
    for package in BUILT:
        if package.import_name == wanted and version_of(package) is None:
            do = f"install it: {install_command(package.tier)}"
            return TitoError(f"{package.distribution} is not installed, and is needed here", str(error), do)
    return None


def broken() -> dict[str, str]:
    """Return the installed packages that Python cannot import, as a half-written one, each with the error's last line.

    Other processes try it, so that whatever a learner's package does ends those.
    """
    installed = [package for package in BUILT if version_of(package) is not None]
    if _import_error(*(package.import_name for package in installed)) is None:
        return {}
    with ThreadPoolExecutor() as pool:  # each waits for a process of its own
        tried = pool.map(_import_error, [package.import_name for package in installed])
        found = {package.distribution: error for package, error in zip(installed, tried, strict=True)}
    return {name: error for name, error in found.items() if error is not None}


def _import_error(*names: str) -> str | None:
    if not names:
        return None
    command = [sys.executable, "-P", "-c", f"import {', '.join(names)}"]
    search = os.pathsep.join(filter(None, sys.path))  # as here, whatever became of PYTHONPATH
    environment = {**os.environ, "PYTHONPATH": search}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    return next(iter(done.stderr.strip().splitlines()[-1:]), f"exit code {done.returncode}")
