"""Rules about pyproject files: the shared fields, the order of modules, the siblings declared."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from tools.packages import COMMAND_LINE, FACADE, ROOT, TIERS, Package, Packages, Requirement, siblings
from tools.rules._violation import Violation

TEMPLATE = ROOT / "tools" / "template" / "pyproject.toml"
MODULES = {"foundation": range(1, 9), "architecture": range(9, 14), "optimization": range(14, 21)}

_SHARED = ("readme", "requires-python", "license", "license-files", "authors", "classifiers")
_COMMAND_LINE_NEEDS = {FACADE, "typer", "rich"}

Value: TypeAlias = "str | int | float | bool | list[Value] | Document"
Document: TypeAlias = dict[str, Value]


def render_template(name: str, import_name: str, module: int) -> str:
    """Fill the package template in."""
    text = TEMPLATE.read_text(encoding="utf-8")
    return text.replace("tt-name", name).replace("tt_name", import_name).replace("module = 0", f"module = {module}")


def check_order(packages: Packages) -> list[Violation]:
    """Every module number belongs to its tier and to one package."""
    found: list[Violation] = []
    owners: dict[int, Package] = {}
    for package in packages.values():
        path = package.folder / "pyproject.toml"
        if package.tier is None:
            continue
        numbers = MODULES[package.tier]
        if package.module is None or package.module not in numbers:
            what = f"[tool.tinytorch] module = {package.module} does not belong to the tier {package.tier}"
            found.append(Violation(path, 0, what, f"use one of {numbers.start}..{numbers.stop - 1}"))
        elif package.module in owners:
            what = f"module {package.module} is already {owners[package.module].name}"
            found.append(Violation(path, 0, what, "give it a number of its own"))
        else:
            owners[package.module] = package
    return found


def check_pyproject(package: Package, packages: Packages) -> list[Violation]:
    """Check one package's pyproject file against the template, and what it declares against the order."""
    path = package.folder / "pyproject.toml"
    actual = tomllib.loads(path.read_text(encoding="utf-8"))
    wanted = tomllib.loads(render_template(package.name, package.import_name, package.module or 0))
    found = [
        Violation(path, 0, f"{field} is {have!r}", f"the template (tools/template) says {want!r}")
        for field, have, want in _differences(package, actual, wanted)
    ]
    if not re.fullmatch(r"\d+\.\d+\.\d+(\+[a-z0-9.]+)?", package.version):
        found.append(Violation(path, 0, f"version {package.version!r} is not static", 'write version = "0.1.0"'))
    if package.name == FACADE:
        return found + _facade(package, packages)
    if package.name == COMMAND_LINE:
        return found + _command_line(package, packages)
    return found + _siblings(package, packages)


def _differences(package: Package, actual: Document, wanted: Document) -> Iterable[tuple[str, Value, Value]]:
    fields = ["build-system", *(f"project.{key}" for key in _SHARED), "tool.hatch.build.targets.wheel.packages"]
    if package.tier is not None:
        fields += ["project.name", "tool.hatch.build.targets.sdist.include"]
    for field in fields:
        have, want = _at(actual, field), _at(wanted, field)
        if have != want:
            yield field, have, want
    have, want = (_at(each, "project.optional-dependencies.test") for each in (actual, wanted))
    if not (isinstance(have, list) and isinstance(want, list) and all(line in have for line in want)):
        yield "the extra test", have, want


def _at(document: Document, field: str) -> Value:
    value: Value = document
    for key in field.split("."):
        value = value.get(key, "absent") if isinstance(value, dict) else "absent"
    return value


def _siblings(package: Package, packages: Packages) -> list[Violation]:
    path = package.folder / "pyproject.toml"
    found: list[Violation] = []
    for extra, line in _lines(package):
        other = packages.get(line.name)
        if other is None:
            if line.name.startswith("tt-") or line.name == FACADE:
                found.append(Violation(path, 0, f"{line.text!r} names no package here", "correct the name"))
            continue
        if other.module is None or package.module is None or other.module >= package.module:
            what = f"{package.name} (module {package.module}) declares {other.name} (module {other.module})"
            found.append(Violation(path, 0, what, "depend on earlier modules only; move what is shared down"))
        if extra != "test":
            found += _compatible(path, line, other)
    return found


def _compatible(path: Path, line: Requirement, other: Package) -> list[Violation]:
    """A sibling is declared as ``~=X.Y`` such that its present version fits."""
    match = re.fullmatch(r"~=\s*(\d+)\.(\d+)", line.specifier)
    release = [int(part) for part in re.findall(r"\d+", other.version)[:2]]
    if match is None:
        remedy = f'write "{other.name}~={release[0]}.{release[1]}"'
        return [Violation(path, 0, f"{line.text!r} is not declared with ~=X.Y", remedy)]
    major, minor = int(match[1]), int(match[2])
    if release[0] != major or release[1] < minor:
        what = f"{line.text!r} does not accept {other.name} {other.version} of this repository"
        return [Violation(path, 0, what, f'write "{other.name}~={release[0]}.{release[1]}"')]
    return []


def _facade(package: Package, packages: Packages) -> list[Violation]:
    """The facade needs nothing; its extras hold each tier's packages, at the minor version they have now."""
    path = package.folder / "pyproject.toml"
    found = [
        Violation(path, 0, f"the facade depends on {line.text!r}", "move it into the extra of its tier")
        for line in package.requirements
    ]
    tiers = {tier: {each.name for each in packages.values() if each.tier == tier} for tier in TIERS}
    tiers["all"] = set().union(*tiers.values())
    for extra, names in tiers.items():
        members = {other.name for other in siblings(package, packages, (extra,))}
        if missing := sorted(names - members):
            remedy = f"add {', '.join(missing)}"
            found.append(Violation(path, 0, f"the extra {extra!r} lacks {', '.join(missing)}", remedy))
        if surplus := sorted(members - names):
            found.append(Violation(path, 0, f"the extra {extra!r} holds {', '.join(surplus)}", "remove it"))
    for _, line in _lines(package):
        if (other := packages.get(line.name)) and other.name != FACADE:
            bound = ".".join(other.version.split(".")[:2])
            if line.specifier.replace(" ", "") != f"~={bound}":
                found.append(Violation(path, 0, f"{line.text!r} is behind", f'write "{other.name}~={bound}"'))
    return found


def _command_line(package: Package, packages: Packages) -> list[Violation]:
    path = package.folder / "pyproject.toml"
    names = {line.name for line in package.requirements}
    found = [
        Violation(path, 0, f"the command line does not declare {name}", "add it to its dependencies")
        for name in sorted(_COMMAND_LINE_NEEDS - names)
    ]
    for line in package.requirements:
        other = packages.get(line.name)
        if other is not None and other.name != FACADE:
            what = f"the command line declares {line.text!r}"
            found.append(Violation(path, 0, what, "go through tinytorch, so that one package may be absent"))
        elif other is not None:
            found += _compatible(path, line, other)
    return found


def _lines(package: Package) -> Iterable[tuple[str, Requirement]]:
    yield from (("", line) for line in package.requirements)
    for extra, lines in package.extras.items():
        yield from ((extra, line) for line in lines)
