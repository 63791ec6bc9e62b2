"""What packages there are: read from their own pyproject files, and used by every other tool."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIERS = ("foundation", "architecture", "optimization")
FACADE = "tinytorch"
COMMAND_LINE = "tt-tito"

_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*([^;]*?)\s*(?:;.*)?$")


class PackageError(Exception):
    """A package cannot be read, or does not exist."""


@dataclass(frozen=True)
class Requirement:
    """One line of a dependency list, in parts."""

    text: str
    name: str
    extras: tuple[str, ...]
    specifier: str

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """Split a requirement such as ``tt-tensor[plot]~=0.1``.

        Raises:
            PackageError: The text is not a requirement.
        """
        match = _REQUIREMENT.match(text)
        if match is None:
            raise PackageError(f"{text!r} is not a requirement; write it as name~=1.2")
        name, extras, specifier = match.groups()
        parts = tuple(part.strip() for part in (extras or "").split(",") if part.strip())
        return cls(text, normalise(name), parts, specifier.strip("() "))


@dataclass(frozen=True)
class Package:
    """One package of the repository, as its pyproject file describes it."""

    name: str
    import_name: str
    folder: Path
    tier: str | None
    module: int | None
    version: str
    requirements: tuple[Requirement, ...]
    extras: dict[str, tuple[Requirement, ...]]

    @property
    def source(self) -> Path:
        """The folder of the import package."""
        return self.folder / "src" / self.import_name

    @property
    def order(self) -> tuple[int, str]:
        """Numbered packages by number, then the facade, then the command line."""
        last = {FACADE: 1000, COMMAND_LINE: 1001}
        return (self.module if self.module is not None else last.get(self.name, 999), self.name)


Packages = dict[str, Package]


def normalise(name: str) -> str:
    """Give a distribution's name in its one normal spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(folder: Path) -> Package:
    """Read the package in a folder.

    Raises:
        PackageError: The pyproject file is absent or is no TOML, or has no name.
    """
    path = folder / "pyproject.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        project = document["project"]
        name = normalise(project["name"])
    except (OSError, tomllib.TOMLDecodeError, KeyError) as problem:
        raise PackageError(f"{path}: cannot be read as a package ({problem!r})") from problem
    wheel = document.get("tool", {}).get("hatch", {}).get("build", {}).get("targets", {}).get("wheel", {})
    sources = [Path(entry).name for entry in wheel.get("packages", [])]
    tier = folder.parent.name if folder.parent.name in TIERS else None
    return Package(
        name=name,
        import_name=sources[0] if sources else name.replace("-", "_"),
        folder=folder,
        tier=tier,
        module=document.get("tool", {}).get("tinytorch", {}).get("module"),
        version=project.get("version", "0"),
        requirements=_requirements(project.get("dependencies", [])),
        extras={key: _requirements(lines) for key, lines in project.get("optional-dependencies", {}).items()},
    )


def discover(root: Path = ROOT) -> Packages:
    """Find every package of the repository, in order: by module number, then the facade and the command line."""
    base = root / "packages"
    folders = [path.parent for tier in TIERS for path in sorted((base / tier).glob("*/pyproject.toml"))]
    folders += [base / name for name in ("tinytorch", "tito") if (base / name / "pyproject.toml").is_file()]
    found = sorted((read(folder) for folder in folders), key=lambda package: package.order)
    return {package.name: package for package in found}


def siblings(package: Package, packages: Packages, extras: tuple[str, ...] = ()) -> list[Package]:
    """List the packages of this repository that one declares directly, with those of the given extras."""
    lines = list(package.requirements)
    for extra in extras:
        lines += package.extras.get(extra, ())
    names = {line.name for line in _expand(package, lines)}
    return [other for other in packages.values() if other.name in names and other.name != package.name]


def closure(package: Package, packages: Packages, extras: tuple[str, ...] = ()) -> list[Package]:
    """List a package's siblings, theirs, and itself at the end, in order."""
    found: dict[str, Package] = {}
    waiting: list[tuple[Package, tuple[str, ...]]] = [(package, extras)]
    while waiting:
        current, wanted = waiting.pop()
        found[current.name] = current
        asked = {line.name: line.extras for line in current.requirements}
        for other in siblings(current, packages, wanted):
            if other.name not in found:
                waiting.append((other, asked.get(other.name, ())))
    return sorted(found.values(), key=lambda each: each.order)


def environment(package: Package, packages: Packages) -> list[Package]:
    """List what stands beside a package in its tests: its closure, and with the facade what that can show."""
    needed = {member.name for member in closure(package, packages)}
    if FACADE in needed:
        facade = packages[FACADE]
        needed |= {member.name for member in closure(facade, packages, tuple(facade.extras))}
    return [member for member in packages.values() if member.name in needed]


def dependents(package: Package, packages: Packages) -> list[Package]:
    """List the packages in whose environment this one stands."""
    others = (other for other in packages.values() if other.name != package.name)
    return [other for other in others if package in environment(other, packages)]


def third_party(members: list[Package], packages: Packages, extras: tuple[str, ...] = ()) -> list[str]:
    """List what packages need from outside the repository, with the given extras of each."""
    lines: dict[str, None] = {}
    for member in members:
        wanted = list(member.requirements)
        for extra in extras:
            wanted += member.extras.get(extra, ())
        for line in _expand(member, wanted):
            if line.name not in packages:
                lines[line.text] = None
    return sorted(lines)


def all_extras(members: list[Package]) -> tuple[str, ...]:
    """Name every extra that any of the packages offers."""
    return tuple(sorted({key for member in members for key in member.extras}))


def find(name: str, packages: Packages) -> Package:
    """Look a package up by distribution, import name or folder name.

    Raises:
        PackageError: There is no such package.
    """
    for package in packages.values():
        if name in (package.name, package.import_name, package.folder.name):
            return package
    raise PackageError(f"there is no package {name!r}; there are: {', '.join(packages)}")


def _expand(package: Package, lines: list[Requirement]) -> list[Requirement]:
    """Resolve an extra that refers to the package's own extras (``tinytorch[foundation]``)."""
    result: list[Requirement] = []
    seen: set[str] = set()
    waiting = list(reversed(lines))
    while waiting:
        line = waiting.pop()
        if line.name != package.name:
            result.append(line)
            continue
        for extra in line.extras:
            if extra not in seen:
                seen.add(extra)
                waiting.extend(reversed(package.extras.get(extra, ())))
    return result


def _requirements(lines: list[str]) -> tuple[Requirement, ...]:
    return tuple(Requirement.parse(line) for line in lines)
