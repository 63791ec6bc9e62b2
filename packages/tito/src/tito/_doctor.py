"""Whether the ground holds: Python, NumPy and its BLAS, the packages, the folders, the disk."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import threadpoolctl  # type: ignore[import-untyped]  # it ships no types
from tinytorch.milestone import machine
from tinytorch.packages import BUILT, PACKAGES, version_of

from tito import _datasets, _milestones, _modules
from tito._errors import TitoError
from tito._places import results_folder, why_not_writable

GET_MATPLOTLIB = 'pip install "tinytorch[plot]"'
_LEAST_PYTHON = (3, 11)
_LEAST_NUMPY = 2
_LEAST_DISK = 2 * 10**9  # bytes: the data sets, unpacked, and the results


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: its state, what was found, and what to do if it is not well."""

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    do: str = ""

    def as_json(self) -> dict[str, str]:
        """The row for programs."""
        return asdict(self)


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info >= _LEAST_PYTHON:
        return Check("python", "ok", f"{version} at {sys.executable}")
    return Check("python", "fail", version, "install Python 3.11 or later")


def _numpy() -> Check:
    try:
        version = str(importlib.import_module("numpy").__version__)
    except ImportError as error:
        return Check("numpy", "fail", str(error).splitlines()[0], 'pip install "numpy>=2.0"')
    if int(version.partition(".")[0]) < _LEAST_NUMPY:
        return Check("numpy", "fail", version, 'pip install "numpy>=2.0"')
    return Check("numpy", "ok", version)


def _blas() -> Check:
    """Ask the BLAS that NumPy has loaded, so after `_numpy`."""
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool.get("user_api") == "blas"]
    if not pools:
        return Check("blas", "warn", "no BLAS library was recognised", "install NumPy's own wheel: it brings OpenBLAS")
    found = ", ".join(
        f"{pool['internal_api']} {pool['version'] or '?'}, {pool['num_threads']} threads" for pool in pools
    )
    cores = machine()["cores"]
    most = max(int(pool["num_threads"]) for pool in pools)
    if isinstance(cores, int) and most > cores:
        return Check("blas", "warn", f"{found} on {cores} cores", f"set OPENBLAS_NUM_THREADS={cores}")
    return Check("blas", "ok", found)


def _packages(broken: dict[str, str]) -> list[Check]:
    checks = []
    for package in PACKAGES:
        version = version_of(package)
        if package.distribution in broken:
            found = f"{version}, cannot be imported: {broken[package.distribution]}"
            do = f'mend it; {sys.executable} -c "import {package.import_name}" shows where'
            checks.append(Check(package.distribution, "fail", found, do))
        elif version is not None:
            checks.append(Check(package.distribution, "ok", version))
        elif package in BUILT:
            do = _modules.install_command(package.tier)
            checks.append(Check(package.distribution, "warn", "not installed", do))
    return checks


def _writable(name: str, folder: Path, variable: str) -> Check:
    if (wrong := why_not_writable(folder)) is None:
        return Check(name, "ok", str(folder))
    return Check(name, "fail", wrong, f"mend that, or set {variable} to another folder")


def _disk(folder: Path) -> Check:
    existing = next((path for path in [folder, *folder.parents] if path.exists()), Path("/"))
    free = shutil.disk_usage(existing).free
    found = f"{free / 1e9:.1f} GB free at {existing}"
    if free < _LEAST_DISK:
        return Check("disk", "warn", found, "make room: the data sets take up to 1 GB")
    return Check("disk", "ok", found)


def _matplotlib() -> Check:
    if importlib.util.find_spec("matplotlib") is None:
        return Check("matplotlib", "warn", "not installed: pictures are text", GET_MATPLOTLIB)
    return Check("matplotlib", "ok", "installed")


def _milestone_scripts() -> Check:
    count = len(_milestones.find_all())
    if count == 0:
        return Check("milestones", "warn", "none found", "install tt-tito again, or run tito inside a checkout")
    return Check("milestones", "ok", f"{count} found")


def _data(broken: dict[str, str]) -> Check:
    if broken:
        return Check("data sets", "warn", "not looked at, since not every package can be imported", "mend those first")
    try:
        rows = _datasets.available()
    except TitoError as error:
        return Check("data sets", "warn", error.got, error.do)
    here = [row.name for row in rows if row.here]
    rest = [row.name for row in rows if not row.here]
    do = f"tito data get {rest[0]}" if rest else ""
    return Check("data sets", "ok", f"here: {', '.join(here)}; not here: {', '.join(rest) or 'none'}", do)


def examine() -> list[Check]:
    """Look at everything; slow things are not among it."""
    broken = _modules.broken()
    cache = _datasets.default_folder() if broken else _datasets.cache_folder()
    return [
        _python(),
        _numpy(),
        _blas(),
        *_packages(broken),
        _writable("data folder", cache, "TINYTORCH_DATA"),
        _writable("results folder", results_folder(), "TINYTORCH_RESULTS"),
        _disk(cache),
        _matplotlib(),
        _milestone_scripts(),
        _data(broken),
    ]
