"""The rules of the house: what must hold of every package, checked without importing any."""

from __future__ import annotations

from pathlib import Path

from tools.packages import ROOT, PackageError, discover
from tools.rules._exercises import check_exercises
from tools.rules._files import check_files, check_registries
from tools.rules._imports import check_imports
from tools.rules._pyproject import check_order, check_pyproject
from tools.rules._violation import Violation

__all__ = ["Violation", "check"]


def check(root: Path = ROOT) -> list[Violation]:
    """Check every package below ``root/packages`` and return what is wrong, in the order of the files."""
    try:
        packages = discover(root)
    except PackageError as problem:
        return [Violation(root / "packages", 0, str(problem), "make it valid; tools/template shows how")]
    found = check_order(packages) + check_registries(root)
    for package in packages.values():
        found += check_pyproject(package, packages)
        found += check_files(package, root)
        found += check_imports(package, packages)
        found += check_exercises(package)
    return sorted(found, key=lambda violation: (str(violation.path), violation.line))
