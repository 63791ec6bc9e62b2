"""Rules about files: what a package must hold, and what no file may say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tools.packages import Package
from tools.rules._violation import Violation

MARKER = "<!-- towncrier release notes start -->"

# In parts, so that this file does not name one itself.
_HOSTS = ("py" + "pi.org", "python" + "hosted.org", "ana" + "conda.org", "npm" + "js.org", "npm" + "js.com")
_REGISTRY = re.compile("|".join(re.escape(host) for host in _HOSTS), re.IGNORECASE)
_SKIPPED = {".git", ".venv", ".nox", ".cache", ".mypy_cache", ".ruff_cache", ".pytest_cache", "__pycache__"}
_LARGEST = 1_000_000


def check_files(package: Package, root: Path) -> list[Violation]:
    """Check that a package holds what each of them must hold."""
    folder = package.folder
    wanted = [package.source / "__init__.py", package.source / "py.typed", folder / "README.md"]
    wanted.append(folder / "CHANGELOG.md")
    if package.tier is not None:
        wanted += [folder / "exercises.toml", folder / "tests"]
    found = [Violation(path, 0, "is absent", "add it") for path in wanted if not path.exists()]
    changelog = folder / "CHANGELOG.md"
    if changelog.is_file() and MARKER not in changelog.read_text(encoding="utf-8"):
        found.append(Violation(changelog, 0, "has no place for towncrier", f"add the line {MARKER}"))
    return found + _license(folder / "LICENSE", root / "LICENSE")


def _license(copy: Path, original: Path) -> list[Violation]:
    remedy = "copy the LICENSE of the root here"
    if copy.is_symlink():
        return [Violation(copy, 0, "is a link, which dangles in a source distribution", remedy)]
    if not copy.is_file():
        return [Violation(copy, 0, "is absent", remedy)]
    if copy.read_bytes() != original.read_bytes():
        return [Violation(copy, 0, "differs from the root's", remedy)]
    return []


def check_registries(root: Path) -> list[Violation]:
    """No file names a host from which packages come: that is the user's own pip configuration."""
    found: list[Violation] = []
    for path in _texts(root):
        text = path.read_text(encoding="utf-8", errors="replace")
        if _REGISTRY.search(text) is None:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if match := _REGISTRY.search(line):
                remedy = "remove it; pip's own configuration says where packages come from"
                found.append(Violation(path, number, f"names the package registry {match[0]}", remedy))
    return found


def _texts(root: Path) -> list[Path]:
    """List the files that git knows or would add; outside a checkout, all but the tools' own folders."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (root / ".git").exists():
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout
        paths = [root / name for name in listed.split("\0") if name]
    else:
        paths = [path for path in root.rglob("*") if _SKIPPED.isdisjoint(path.relative_to(root).parts)]
    return [path for path in paths if path.is_file() and path.stat().st_size <= _LARGEST and not _binary(path)]


def _binary(path: Path) -> bool:
    with path.open("rb") as file:
        return b"\0" in file.read(1024)
