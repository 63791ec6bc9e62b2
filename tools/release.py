"""Release one package: ``python -m tools.release PACKAGE major|minor|patch [--dry-run]``.

Its version moves, its fragments become its changelog, the facade's lower bounds follow, and a commit and a tag
such as ``tt-attention-v0.2.0`` are made. Nothing is uploaded.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tools.packages import FACADE, ROOT, Package, PackageError, Packages, discover, find, read


class ReleaseError(Exception):
    """The package cannot be released as it is."""


def next_version(version: str, part: str) -> str:
    """Move a version by one part; the parts below it become zero."""
    numbers = [int(number) for number in version.split("+")[0].split(".")]
    place = ("major", "minor", "patch").index(part)
    return ".".join(str(number) for number in [*numbers[:place], numbers[place] + 1, *[0] * (2 - place)])


def raise_bounds(text: str, package: Package, version: str) -> str:
    """Write a pyproject file's requirements of a package anew, as ``~=`` the minor version it now has."""
    bound = ".".join(version.split(".")[:2])
    return re.sub(rf'("{re.escape(package.name)}(?:\[[^\]]*\])?)~=[0-9.]+"', rf'\1~={bound}"', text)


def check_release(package: Package, version: str, packages: Packages) -> None:
    """Refuse a release that would leave dependents behind, or that says nothing in its changelog.

    Raises:
        ReleaseError: There is no fragment, or a new major version stands before dependents that do not accept it.
    """
    if not any(path.suffix == ".md" for path in (package.folder / "changes").glob("*")):
        raise ReleaseError(f"{package.name} has no fragment in changes/; say there what is new")
    if version.split(".")[0] != package.version.split(".")[0]:
        behind = [
            other.name
            for other in packages.values()
            if other.name != FACADE and any(line.name == package.name for line in other.requirements)
        ]
        if behind:
            raise ReleaseError(f"{', '.join(behind)} declare {package.name}~={package.version}; port them first")


def check_committed(paths: Iterable[Path], root: Path = ROOT) -> None:
    """Refuse to release on top of work that is not committed: the release's own commit would take it along.

    Raises:
        ReleaseError: A file is changed, or new and not ignored.
    """
    command = ["git", "status", "--porcelain", "--", *map(str, paths)]
    if listed := subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout:
        names = ", ".join(line[3:] for line in listed.splitlines())
        raise ReleaseError(f"not committed yet: {names}; commit it first, or take it away")


def check_tag(tag: str, root: Path = ROOT) -> None:
    """Refuse a release whose tag is taken, before anything is written.

    Raises:
        ReleaseError: There is a tag of that name.
    """
    command = ["git", "rev-parse", "--quiet", "--verify", f"refs/tags/{tag}"]
    if subprocess.run(command, cwd=root, capture_output=True, check=False).returncode == 0:
        raise ReleaseError(f"there is a tag {tag} already; delete it, or release another version")


def plan(package: Package, part: str, packages: Packages, root: Path = ROOT) -> tuple[str, str, list[Path]]:
    """Check everything that would stop a release; give its version, its tag and the paths that it will change.

    Raises:
        ReleaseError: The package cannot be released as it is.
    """
    version = next_version(package.version, part)
    check_release(package, version, packages)
    paths = [package.folder]
    if package.name != FACADE and (facade := packages.get(FACADE)) is not None:
        paths.append(facade.folder / "pyproject.toml")
    check_committed(paths, root)
    tag = f"{package.name}-v{version}"
    check_tag(tag, root)
    return version, tag, paths


def release(package: Package, part: str, packages: Packages, root: Path = ROOT) -> str:
    """Release a package and give its tag."""
    version, tag, paths = plan(package, part, packages, root)
    _run(["hatch", "version", part], package.folder, "hatch could not move the version")
    if (written := read(package.folder).version) != version:
        raise ReleaseError(f"hatch wrote version {written} where {version} was meant")
    settings = ["--config", str(root / "pyproject.toml"), "--dir", str(package.folder)]
    command = ["towncrier", "build", "--yes", *settings, "--name", package.name, "--version", version]
    _run(command, root, "towncrier could not build the changelog")
    for bounds in paths[1:]:
        bounds.write_text(raise_bounds(bounds.read_text(encoding="utf-8"), package, version), encoding="utf-8")
    names = [str(path) for path in paths]
    _run(["git", "add", *names], root, "git could not add the release")
    _run(["git", "commit", "-m", f"Release {package.name} {version}", "--", *names], root, "git could not commit")
    _run(["git", "tag", "-a", tag, "-m", f"{package.name} {version}"], root, "git could not tag")
    return tag


def _run(command: list[str], folder: Path, remedy: str) -> None:
    if subprocess.run(command, cwd=folder, check=False).returncode:
        raise ReleaseError(f"{' '.join(command[:2])} failed: {remedy}")


def main() -> int:
    """Read the command line and release."""
    parser = argparse.ArgumentParser(prog="nox -s release --", description=__doc__)
    parser.add_argument("package")
    parser.add_argument("part", choices=["major", "minor", "patch"])
    parser.add_argument("--dry-run", action="store_true", help="say what would happen")
    options = parser.parse_args()
    packages = discover()
    try:
        package = find(options.package, packages)
        if options.dry_run:
            print(f"would release {plan(package, options.part, packages)[1]}")
        else:
            print(f"tagged {release(package, options.part, packages)}; push it when the checks are green")
    except (PackageError, ReleaseError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
