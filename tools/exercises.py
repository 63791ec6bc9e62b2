"""What a learner writes: the exercises of a package, and the source with them cut out.

The reference source carries no marks. ``exercises.toml`` names whole functions; their bodies are found by the
positions that ``ast`` gives, and everything else stays as it is, byte for byte.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tools.packages import Package

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class ExerciseError(Exception):
    """An exercise does not fit the source, is asked for and absent, or has no place to be written to."""


@dataclass(frozen=True)
class Exercise:
    """One function for the learner to write."""

    name: str
    module: str
    function: str
    points: int
    hints: tuple[str, ...]
    contract: tuple[str, ...]

    def path(self, package: Package) -> Path:
        """The file that holds the function, relative to ``src``; a package's own code may stand in __init__.py."""
        parts = Path(*self.module.split("."))
        module = parts.with_suffix(".py")
        return module if (package.folder / "src" / module).is_file() else parts / "__init__.py"


@dataclass(frozen=True)
class Mutant:
    """A wrong version of an exercise, which shows a known misconception and which the contract must kill."""

    exercise: str
    misconception: str
    replace: str
    replacement: str


def load(package: Package) -> tuple[list[Exercise], list[Mutant]]:
    """Read a package's exercises and mutants; a package without any gives two empty lists.

    Raises:
        ExerciseError: The file is no TOML, or an entry lacks a field.
    """
    path = package.folder / "exercises.toml"
    if not path.is_file():
        return [], []
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        exercises = [
            Exercise(
                name=entry["name"],
                module=entry["module"],
                function=entry.get("function", entry["name"]),
                points=entry["points"],
                hints=tuple(entry["hints"]),
                contract=tuple(entry.get("contract", ["tests"])),
            )
            for entry in document.get("exercise", [])
        ]
        mutants = [
            Mutant(entry["exercise"], entry["misconception"], entry["replace"], entry["with"])
            for entry in document.get("mutant", [])
        ]
    except tomllib.TOMLDecodeError as problem:
        raise ExerciseError(f"{path}: is no TOML ({problem})") from problem
    except KeyError as problem:
        raise ExerciseError(f"{path}: an entry lacks {problem}; see docs/adding-a-package.md") from problem
    return exercises, mutants


def find_function(source: bytes, function: str) -> Function:
    """Find a function, or ``Class.method``, in a module's source: the last definition, as Python would.

    Raises:
        ExerciseError: There is no such function.
    """
    body: list[ast.stmt] = ast.parse(source).body
    node: ast.stmt | None = None
    for part in function.split("."):
        node = next((each for each in reversed(list(_statements(body))) if _name(each) == part), None)
        body = node.body if isinstance(node, ast.ClassDef) else []
    if not isinstance(node, Function):
        raise ExerciseError(f"there is no function {function!r}")
    return node


def cut(source: bytes, functions: Iterable[str], label: str = "exercise") -> bytes:
    """Replace the bodies of functions by ``raise NotImplementedError``; signatures and docstrings stay."""
    spans = [(*_body_span(source, find_function(source, name)), name) for name in functions]
    for start, end, indent, name in sorted(spans, reverse=True):
        text = f'raise NotImplementedError("{label}: {name} is yours to write")'.encode()
        source = source[:start] + b" " * indent + text + source[end:]
    return source


def mutate(source: bytes, function: str, mutant: Mutant) -> bytes:
    """Put a mutant's text in place of the reference's, inside one function.

    Raises:
        ExerciseError: The text does not occur in the function, or more than once.
    """
    node = find_function(source, function)
    starts = _line_starts(source)
    start = starts[node.lineno - 1]
    end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
    if (times := source[start:end].count(old := mutant.replace.encode())) != 1:
        raise ExerciseError(f"{mutant.replace!r} occurs {times} times in {function}; a mutant changes one place")
    return source[:start] + source[start:end].replace(old, mutant.replacement.encode()) + source[end:]


def _statements(body: list[ast.stmt]) -> Iterable[ast.stmt]:
    """Walk the statements of a block, also those under ``if`` and ``try``."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _statements([*node.body, *node.orelse])


def _name(node: ast.stmt) -> str | None:
    return node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else None


def _line_starts(source: bytes) -> list[int]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _body_span(source: bytes, node: Function) -> tuple[int, int, int]:
    """Give a body's first and last byte, without the docstring, and the spaces to put before its replacement."""
    starts = _line_starts(source)
    lines = source.splitlines(keepends=True)
    first, last = node.body[0], node.body[-1]
    documented = ast.get_docstring(node, clean=False) is not None
    final = last.end_lineno or last.lineno
    # Comments below the last statement, as far in as the body, belong to it.
    while final < len(lines) and lines[final].strip().startswith(b"#"):
        if len(lines[final]) - len(lines[final].lstrip()) < first.col_offset:
            break
        final += 1
    end = starts[final] - (len(lines[final - 1]) - len(lines[final - 1].rstrip(b"\r\n")))
    if documented and len(node.body) == 1:
        # Nothing but a docstring: the replacement comes below it.
        raise ExerciseError(f"{node.name} has no body to cut; name a function that does something")
    if not documented:
        before = source[starts[first.lineno - 1] :][: first.col_offset]
        if before.strip():
            return starts[first.lineno - 1] + first.col_offset, end, 0
    top = (first.end_lineno or first.lineno) + 1 if documented else first.lineno
    # Comments above the first statement would give the answer away.
    while not documented and lines[top - 2].strip().startswith(b"#"):
        top -= 1
    return starts[top - 1], end, first.col_offset
