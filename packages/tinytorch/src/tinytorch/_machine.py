"""What a measured number depends on: the machine, the versions and the source that ran."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from numbers import Integral, Real
from pathlib import Path

from tinytorch._table import PACKAGES, Package

Plain = float | int | str | bool | None | Sequence["Plain"] | Mapping[str, "Plain"]

_DIGITS = 16  # of a fingerprint: enough that two sources never share one by accident


def plain(value: object) -> Plain:
    """Return a value as JSON can hold it: NumPy's numbers become Python's, NaN and the infinities become text.

    Raises:
        TypeError: If the value is no number, text, list or mapping.

    Example:
        >>> plain({"loss": [1.5, float("inf")], 3: None})
        {'loss': [1.5, 'inf'], '3': None}
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if abs(number) < float("inf") else str(number)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    kind = type(value).__name__
    raise TypeError(f"a result holds numbers, text, lists and dicts; got {kind}: convert it with .item() or .tolist()")


def _processor() -> str:
    """Return the processor's name; Linux tells only its own file."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory() -> int | None:
    """Return the bytes of physical memory where the system says."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf; others may not know these names
        return None


def _cores() -> int:
    """Return the cores that this process may use, which may be fewer than the machine's."""
    if os.name == "posix" and platform.system() == "Linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine() -> dict[str, Plain]:
    """Describe the machine that runs this: system, processor, cores, memory, Python.

    Example:
        >>> sorted(machine())
        ['cores', 'memory_bytes', 'processor', 'python', 'system', 'thread_settings']
    """
    settings = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": _cores(),
        "memory_bytes": _memory(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "thread_settings": {name: os.environ[name] for name in settings if name in os.environ},
    }


def folder_of(package: Package) -> Path | None:
    """Return where a package lies, without importing it, or None if it is absent."""
    try:
        spec = importlib.util.find_spec(package.import_name)
    except ModuleNotFoundError:  # an import hook may refuse instead of not finding
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def version_of(package: Package) -> str | None:
    """Return a package's version, `unversioned` if it is on the path without being installed, None if it is absent."""
    if folder_of(package) is None:
        return None
    try:
        return metadata.version(package.distribution)
    except metadata.PackageNotFoundError:
        return "unversioned"


def versions() -> dict[str, str]:
    """Return the version of NumPy, of the facade and of each package of the framework that Python can import."""
    found: dict[str, str] = {}
    for distribution in ("numpy", "tinytorch"):
        try:
            found[distribution] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    present = {package.distribution: version_of(package) for package in PACKAGES}
    return found | {name: version for name, version in present.items() if version is not None}


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:_DIGITS]


def sources(script: str | Path | None = None, *, loaded: bool = False) -> dict[str, str]:
    """Return a fingerprint of the source of each package, so that a result can tell when it has become stale.

    Args:
        script: A milestone's script, whose folder is then counted in under the name `milestone`.
        loaded: Whether to count only the packages that this process has imported.
    """
    found = {}
    for package in PACKAGES:
        folder = folder_of(package)
        if folder is not None and (package.import_name in sys.modules or not loaded):
            found[package.distribution] = _fingerprint(folder)
    if script is not None and Path(script).is_file():
        found["milestone"] = _fingerprint(Path(script).resolve().parent)
    return found
