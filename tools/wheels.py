"""Build each package's wheel once for each state of its files: ``python -m tools.wheels FOLDER ...`` prints the paths.

The cache is keyed by content, so a session never installs a wheel older than the source, and never builds one twice.
Building needs hatchling; asking for what is built already does not.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.packages import ROOT, read

CACHE = ROOT / ".cache" / "wheels"
_INGREDIENTS = ("pyproject.toml", "README.md", "LICENSE", "src")


def content_key(folder: Path) -> str:
    """Digest everything of a package that goes into its wheel."""
    digest = hashlib.sha256()
    for path in _ingredients(folder):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def cached_wheel(folder: Path, cache: Path = CACHE) -> Path | None:
    """Give the wheel built from exactly these files, if there is one."""
    shelf = cache / f"{read(folder).name}-{content_key(folder)}"
    return next(iter(sorted(shelf.glob("*.whl"))), None)


def build_wheel(folder: Path, cache: Path = CACHE) -> Path:
    """Build a package's wheel with hatchling, or give the one that the cache holds."""
    if (wheel := cached_wheel(folder, cache)) is not None:
        return wheel
    name = read(folder).name
    shelf = cache / f"{name}-{content_key(folder)}"
    with tempfile.TemporaryDirectory(prefix="tt-wheel-") as work:
        # A copy outside the checkout: hatchling leaves out what a .gitignore above the folder names.
        copy, out = Path(work) / folder.name, Path(work) / "out"
        for path in _ingredients(folder):
            target = copy / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
        subprocess.run(command, cwd=copy, check=True, stdout=subprocess.DEVNULL)
        for old in cache.glob(f"{name}-{'?' * 16}"):
            shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(out, shelf, dirs_exist_ok=True)
    return next(iter(shelf.glob("*.whl")))


def _ingredients(folder: Path) -> list[Path]:
    found: list[Path] = []
    for name in _INGREDIENTS:
        top = folder / name
        found += [top] if top.is_file() else sorted(path for path in top.rglob("*") if path.is_file())
    return [path for path in found if "__pycache__" not in path.parts and path.suffix != ".pyc"]


def main(folders: list[str]) -> int:
    """Build the wheels of the folders named, and print where they lie."""
    for folder in folders:
        print(build_wheel(Path(folder)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
