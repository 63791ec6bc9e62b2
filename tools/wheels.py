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
_INGREDIENTS = ("pyproject.toml", "README.md", "LICENSE", "hatch_build.py", "src")


def content_key(folder: Path) -> str:
    """Digest everything of a package that goes into its wheel."""
    digest = hashlib.sha256()
    for path in _ingredients(folder):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    if (folder / "hatch_build.py").is_file():
        # A package with a build hook takes the milestones along; their results stay.
        for path in sorted((ROOT / "milestones").glob("[0-9][0-9]_*/**/*.*")):
            if path.suffix not in {".py", ".md"}:
                continue
            digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode() + path.read_bytes())
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
        place, out = folder, Path(work) / "out"
        if not folder.is_relative_to(ROOT / "packages"):
            # hatchling leaves out what a .gitignore above the folder names, so build somebody else's folder elsewhere.
            place = Path(work) / folder.name
            for path in _ingredients(folder):
                target = place / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
        subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)
        for old in cache.glob(f"{name}-{'?' * 16}"):
            shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(out, shelf, dirs_exist_ok=True)
    return next(iter(shelf.glob("*.whl")))


def _ingredients(folder: Path) -> list[Path]:
    tops = [folder / name for name in _INGREDIENTS]
    return [path for top in tops for path in ([top] if top.is_file() else _files(top))]


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in found if path.suffix != ".pyc" and "__pycache__" not in path.parts]


def main(folders: list[str]) -> int:
    """Build the wheels of the folders named, and print where they lie."""
    for folder in folders:
        print(build_wheel(Path(folder).resolve()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
