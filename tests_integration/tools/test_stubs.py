from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools.exercises import ExerciseError, Mutant, cut, find_function, load, mutate
from tools.packages import ROOT, discover
from tools.stubs import check, write_stubs

if TYPE_CHECKING:
    from tests_integration.tools.conftest import Tree

SOURCE = '''\
"""A module; a comment with a sign: ümläut."""

import math  # stays


@decorated(with_words="über")
def documented(x: float, *, scale: float = 1.0) -> float:
    """Say what it does.

    Over several lines.
    """
    # The answer is here.
    y = x * scale  # and here

    return math.sqrt(y)
    # and even here


# Not part of it.
def bare(x: int) -> int:
    # A hint too many.
    return x + 1


def one_line(x: int) -> int: return x


class Thing:
    """A thing."""

    def method(self) -> str:
        """Give a text."""
        return "übung"

    def other(self) -> str:
        return "kept"
'''

EXERCISES = """\
[[exercise]]
name = "double"
module = "tt_one._math"
points = 2
hints = ["a", "b", "c"]
contract = ["tests/test_double.py"]

[[exercise]]
name = "half"
module = "tt_one._math"
function = "Math.half"
points = 2
hints = ["a", "b", "c"]

[[mutant]]
exercise = "double"
misconception = "squares"
replace = "2 * x"
with = "x * x"
"""


def stub(*functions: str) -> str:
    return cut(SOURCE.encode(), functions).decode()


def test_a_body_is_cut_and_all_else_stays_byte_for_byte() -> None:
    body = SOURCE[SOURCE.index("    # The answer") : SOURCE.index("\n\n\n# Not part")]
    message = '    raise NotImplementedError("exercise: documented is yours to write")'
    assert stub("documented") == SOURCE.replace(body, message)


def test_a_function_without_a_docstring_loses_its_comments_too() -> None:
    body = "    # A hint too many.\n    return x + 1"
    assert stub("bare") == SOURCE.replace(body, '    raise NotImplementedError("exercise: bare is yours to write")')


def test_a_function_of_one_line() -> None:
    assert 'def one_line(x: int) -> int: raise NotImplementedError("exercise: one_line is' in stub("one_line")


def test_a_method() -> None:
    text = stub("Thing.method")
    assert "übung" not in text
    assert '        """Give a text."""\n        raise NotImplementedError(' in text
    assert '        return "kept"' in text


def test_several_at_once_are_valid_python() -> None:
    text = stub("Thing.method", "documented", "one_line", "bare")
    ast.parse(text)
    assert text.count("raise NotImplementedError") == 4


def test_line_ends_of_another_system_stay() -> None:
    source = SOURCE.replace("\n", "\r\n").encode()
    text = cut(source, ["documented"])
    assert b"math.sqrt" not in text
    assert text.count(b"\n") == text.count(b"\r\n")


@pytest.mark.parametrize("name", ["absent", "Thing.absent", "Thing", "math"])
def test_a_function_that_does_not_exist(name: str) -> None:
    with pytest.raises(ExerciseError, match="there is no function"):
        find_function(SOURCE.encode(), name)


def test_a_mutant_changes_one_place_in_its_own_function() -> None:
    mutant = Mutant("method", "m", "übung", "falsch")
    text = mutate(SOURCE.encode(), "Thing.method", mutant).decode()
    assert text == SOURCE.replace("übung", "falsch")
    with pytest.raises(ExerciseError, match="occurs 0 times in bare"):
        mutate(SOURCE.encode(), "bare", mutant)
    with pytest.raises(ExerciseError, match="'x' occurs 2 times in f; a mutant changes one place"):
        mutate(b"def f(x):\n    return x\n", "f", Mutant("f", "m", "x", "y"))


@pytest.fixture
def package(tree: Tree) -> Path:
    folder = tree.add("tt-one", 1)
    tree.write(
        folder / "src" / "tt_one" / "_math.py",
        "def double(x):\n    return 2 * x\n\n\nclass Math:\n    def half(self, x):\n        return x / 2\n",
    )
    tree.write(folder / "src" / "tt_one" / "__init__.py", "from tt_one._math import Math, double\n")
    tree.write(folder / "exercises.toml", EXERCISES)
    tree.write(
        folder / "tests" / "test_double.py",
        "import tt_one\n\n\ndef test_double():\n    assert tt_one.double(3) == 6\n",
    )
    tree.write(
        folder / "tests" / "test_half.py",
        "import tt_one\n\n\ndef test_half():\n    assert tt_one.Math().half(3) == 1.5\n",
    )
    return folder


def test_the_proof(tree: Tree, package: Path) -> None:
    report = check(discover(tree.root).values())
    assert report.problems == []
    assert (report.exercises, report.failing_stubs) == (2, 2)
    assert (report.references, report.passing_references) == (1, 1)
    assert (report.mutants, report.killed) == (1, 1)


def test_survivors_are_named(tree: Tree, package: Path) -> None:
    test = package / "tests" / "test_double.py"
    tree.replace(test, "double(3) == 6", "double(2) == 4")
    report = check(discover(tree.root).values(), ["double"])
    (problem,) = report.problems
    assert problem.startswith("tt-one: mutant of double: squares survives tests/test_double.py; add a test")
    tree.replace(test, "tt_one.double(2) == 4", "True")
    report = check(discover(tree.root).values(), ["double"])
    assert any(problem.startswith("tt-one: stub double survives") for problem in report.problems)


def test_an_exercise_called_at_import_is_refused(tree: Tree, package: Path) -> None:
    tree.replace(package / "src" / "tt_one" / "__init__.py", "double\n", "double\n\nFOUR = double(2)\n")
    report = check(discover(tree.root).values(), ["double"])
    assert any("breaks the import" in problem for problem in report.problems)


def test_a_reference_that_fails_is_a_problem(tree: Tree, package: Path) -> None:
    tree.replace(package / "tests" / "test_half.py", "1.5", "2.5")
    report = check(discover(tree.root).values(), ["half"])
    assert report.passing_references == 0
    assert "does not pass its own contract" in report.problems[0]


def test_a_stubbed_copy(tree: Tree, package: Path, tmp_path: Path) -> None:
    one = discover(tree.root)["tt-one"]
    exercises, _ = load(one)
    copy = write_stubs(one, tmp_path / "copies", ["half"])
    source = (copy / "src" / "tt_one" / "_math.py").read_text(encoding="utf-8")
    assert "return 2 * x" in source
    assert "return x / 2" not in source
    assert [exercise.function for exercise in exercises] == ["double", "Math.half"]
    assert (copy / "pyproject.toml").read_bytes() == (package / "pyproject.toml").read_bytes()


def test_a_mistyped_exercise_proves_nothing(tree: Tree, package: Path, tmp_path: Path) -> None:
    packages = discover(tree.root)
    with pytest.raises(ExerciseError, match="there is no exercise duoble; there are: double, half"):
        check(packages.values(), ["duoble"])
    with pytest.raises(ExerciseError, match="there is no exercise duoble; there are: double, half"):
        write_stubs(packages["tt-one"], tmp_path / "copies", ["duoble"])
    assert not (tmp_path / "copies").exists()


def test_a_copy_falls_upon_nothing(tree: Tree, package: Path, tmp_path: Path) -> None:
    one = discover(tree.root)["tt-one"]
    copy = write_stubs(one, tmp_path / "copies")
    (copy / "mine.txt").touch()
    with pytest.raises(ExerciseError, match="is there already; remove it, or name another folder"):
        write_stubs(one, tmp_path / "copies")
    assert (copy / "mine.txt").is_file()


@pytest.mark.parametrize("module", ["tools.stubs check", "tools.stubs write", "tools.release"])
def test_an_unknown_package_is_named_without_a_traceback(module: str) -> None:
    last = {"tools.stubs check": [], "tools.stubs write": ["folder"], "tools.release": ["minor", "--dry-run"]}[module]
    name, *first = module.split()
    command = [sys.executable, "-m", name, *first, "tt-none", *last]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "there is no package 'tt-none'; there are: tt-tensor" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_copy_that_cannot_be_written_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "tools.stubs", "write", "tt-losses", str(tmp_path / "file")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Not a directory" in done.stderr
    assert "Traceback" not in done.stderr
