"""Rules about imports: within the declared, and never a private name of another package."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.packages import FACADE, Package, Packages, Requirement, siblings
from tools.rules._violation import Violation

# Where the name that one imports is not the name that one installs.
_IMPORT_NAMES = {"pillow": "PIL", "pyyaml": "yaml", "scikit-learn": "sklearn"}


@dataclass(frozen=True)
class _Import:
    line: int
    module: str
    name: str | None = None
    alias: str | None = None

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]

    @property
    def private(self) -> str | None:
        """The first private part of what is imported."""
        parts = [*self.module.split("."), *([self.name] if self.name else [])]
        return next((part for part in parts if _is_private(part)), None)


def check_imports(package: Package, packages: Packages) -> list[Violation]:
    """Check what a package's source and tests import, also inside functions, against what it declares."""
    owners = {other.import_name: other for other in packages.values()}
    declared, tested = _declared(package, packages)
    found: list[Violation] = []
    used: set[str] = set()
    for path in sorted(package.folder.glob("src/**/*.py")):
        found += _check_file(path, package, owners, declared, used)
    for path in sorted(package.folder.glob("tests/**/*.py")):
        found += _check_file(path, package, owners, tested, used)
    if package.tier is not None:
        for other in siblings(package, packages):
            if other.import_name not in used:
                what, remedy = f"declares {other.name} and imports it nowhere", "remove it from the dependencies"
                found.append(Violation(package.folder / "pyproject.toml", 0, what, remedy))
    return found


def _declared(package: Package, packages: Packages) -> tuple[set[str], set[str]]:
    """Name what the source may import, and what the tests may: the declared, nothing that comes along with it."""
    lines = list(package.requirements)
    for extra, more in package.extras.items():
        if extra != "test":
            lines += more
    source = {_import_name(line, packages) for line in lines} | {package.import_name}
    if package.name == FACADE:
        source |= {other.import_name for other in packages.values() if other.tier}
    tests = source | {_import_name(line, packages) for line in package.extras.get("test", ())} | {"numpy"}
    return source, tests


def _import_name(line: Requirement, packages: Packages) -> str:
    if line.name in packages:
        return packages[line.name].import_name
    return _IMPORT_NAMES.get(line.name, line.name.replace("-", "_"))


def _check_file(
    path: Path, package: Package, owners: dict[str, Package], allowed: set[str], used: set[str]
) -> Iterator[Violation]:
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as problem:
        yield Violation(path, problem.lineno or 0, "is not Python", problem.msg)
        return
    contract = "tests" in path.relative_to(package.folder).parts[:1] and "internal" not in path.parts
    nodes = list(ast.walk(tree))
    imports = list(_imports(nodes))
    for each in imports:
        used.add(each.top)
        if each.top not in allowed and each.top not in sys.stdlib_module_names:
            yield _undeclared(path, each, package, owners)
        elif each.private and each.top in owners and (each.top != package.import_name or contract):
            yield _private(path, each.line, f"{each.module}{f'.{each.name}' if each.name else ''}")
    foreign = {each.alias for each in imports if each.alias and each.top in owners}
    if not contract:
        foreign -= {each.alias for each in imports if each.top == package.import_name}
    for line, owner, attribute in _attributes(nodes):
        if owner in foreign and _is_private(attribute):
            yield _private(path, line, f"{owner}.{attribute}")


def _undeclared(path: Path, each: _Import, package: Package, owners: dict[str, Package]) -> Violation:
    other = owners.get(each.top)
    if other is None:
        what = f"imports {each.top}, which {package.name} does not declare"
        return Violation(path, each.line, what, "declare it, or do without")
    if other.module is None or (package.module is not None and other.module >= package.module):
        what = f"imports {each.top} (module {other.module}), which comes after {package.name} ({package.module})"
        return Violation(path, each.line, what, "move what is shared into the earlier package")
    remedy = f'add "{other.name}~={".".join(other.version.split(".")[:2])}" to its dependencies'
    return Violation(path, each.line, f"imports {each.top}, which {package.name} does not declare", remedy)


def _private(path: Path, line: int, what: str) -> Violation:
    remedy = "use a public name, or make one public where it lives (its reference-only tests go to tests/internal)"
    return Violation(path, line, f"uses the private name {what}", remedy)


def _imports(nodes: list[ast.AST]) -> Iterator[_Import]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for each in node.names:
                yield _Import(node.lineno, each.name, alias=each.asname or each.name.partition(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for each in node.names:
                yield _Import(node.lineno, node.module, each.name, each.asname or each.name)
        elif isinstance(node, ast.Call) and _called(node.func) in {"import_module", "__import__"} and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and not first.value.startswith("."):
                yield _Import(node.lineno, first.value)


def _attributes(nodes: list[ast.AST]) -> Iterator[tuple[int, str, str]]:
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.lineno, node.value.id, node.attr


def _called(function: ast.expr) -> str | None:
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else None


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")
