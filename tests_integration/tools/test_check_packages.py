from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tools.packages import ROOT

if TYPE_CHECKING:
    from tests_integration.tools.conftest import Tree


def test_two_packages_that_keep_the_rules(tree: Tree) -> None:
    tree.add("tt-one", 1, "import numpy as np\n")
    tree.add("tt-two", 2, "from tt_one import thing\n", ("tt-one~=0.1",))
    assert tree.violations() == []


def test_importing_more_than_declared(tree: Tree) -> None:
    tree.add("tt-one", 1)
    tree.add("tt-two", 2, "import tt_one\n")
    (violation,) = tree.violations()
    assert violation.startswith("packages/foundation/tt-two/src/tt_two/__init__.py:1: imports tt_one")
    assert 'add "tt-one~=0.1"' in violation


def test_importing_a_later_package(tree: Tree) -> None:
    tree.add("tt-one", 1, "import tt_two\n")
    tree.add("tt-two", 2)
    (violation,) = tree.violations()
    assert "imports tt_two (module 2), which comes after tt-one (1)" in violation


def test_declaring_a_later_package(tree: Tree) -> None:
    tree.add("tt-one", 1, "import tt_two\n", ("tt-two~=0.1",))
    tree.add("tt-two", 2)
    (violation,) = tree.violations()
    assert "tt-one (module 1) declares tt-two (module 2)" in violation


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from tt_one._inner import thing\n", "tt_one._inner.thing"),
        ("from tt_one import _thing\n", "tt_one._thing"),
        ("import tt_one._inner\n", "tt_one._inner"),
        ("import tt_one as one\none._thing()\n", "one._thing"),
        ("from tt_one import Thing\nThing._make()\n", "Thing._make"),
    ],
)
def test_using_a_private_name_of_another_package(tree: Tree, source: str, name: str) -> None:
    tree.add("tt-one", 1)
    tree.add("tt-two", 2, source, ("tt-one~=0.1",))
    (violation,) = tree.violations()
    assert f"uses the private name {name}" in violation


def test_own_private_names_are_free(tree: Tree) -> None:
    folder = tree.add("tt-one", 1, "from tt_one._inner import thing\nfrom ._inner import other\n")
    tree.write(folder / "tests" / "internal" / "test_inner.py", "from tt_one._inner import thing\n")
    assert tree.violations() == []


def test_the_contract_uses_public_names_only(tree: Tree) -> None:
    folder = tree.add("tt-one", 1)
    tree.write(folder / "tests" / "test_inner.py", "from tt_one._inner import thing\n")
    (violation,) = tree.violations()
    assert "tests/test_inner.py:1: uses the private name tt_one._inner.thing" in violation


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    import scipy\n",
        "from scipy import stats\n",
        "import importlib\nm = importlib.import_module('scipy.stats')\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import scipy\n",
    ],
)
def test_an_undeclared_import_is_found_anywhere(tree: Tree, source: str) -> None:
    tree.add("tt-one", 1, source)
    (violation,) = tree.violations()
    assert "imports scipy, which tt-one does not declare" in violation


def test_an_optional_extra_may_be_imported(tree: Tree) -> None:
    folder = tree.add("tt-one", 1, "def plot():\n    import matplotlib.pyplot\n")
    assert len(tree.violations()) == 1
    tree.replace(folder / "pyproject.toml", "test = [", 'plot = ["matplotlib>=3.8"]\ntest = [')
    assert tree.violations() == []


def test_tests_may_not_import_what_only_their_siblings_declare(tree: Tree) -> None:
    tree.add("tt-one", 1)
    tree.add("tt-two", 2, "import tt_one\n", ("tt-one~=0.1",))
    folder = tree.add("tt-three", 3, "import tt_two\n", ("tt-two~=0.1",))
    tree.write(folder / "tests" / "test_three.py", "import hypothesis, numpy, pytest, tt_two\nimport tt_one\n")
    (violation,) = tree.violations()
    assert "test_three.py:2: imports tt_one" in violation


def test_source_may_not_import_what_only_tests_need(tree: Tree) -> None:
    tree.add("tt-one", 1, "import pytest\n")
    assert len(tree.violations()) == 1


def test_a_declared_sibling_that_nobody_imports(tree: Tree) -> None:
    tree.add("tt-one", 1)
    tree.add("tt-two", 2, "", ("tt-one~=0.1",))
    (violation,) = tree.violations()
    assert "declares tt-one and imports it nowhere" in violation


@pytest.mark.parametrize("line", ["tt-one>=0.1", "tt-one", "tt-one~=0.1.0", "tt-one~=0.2", "tt-one~=1.0"])
def test_a_sibling_is_declared_compatibly(tree: Tree, line: str) -> None:
    tree.add("tt-one", 1)
    tree.add("tt-two", 2, "import tt_one\n", (line,))
    (violation,) = tree.violations()
    assert 'write "tt-one~=0.1"' in violation


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('requires-python = ">=3.11"', 'requires-python = ">=3.12"', "requires-python"),
        ('license = "MIT"', 'license = "BSD-3-Clause"', "license"),
        ("hatchling>=1.27", "hatchling", "build-system"),
        ('"exercises.toml", ', "", "sdist"),
        ('test = ["hypothesis>=6.100", ', "test = [", "test"),
        ('version = "0.1.0"', 'version = "1"', "version"),
        ("module = 1", "module = 9", "module"),
    ],
)
def test_shared_fields_follow_the_template(tree: Tree, old: str, new: str, field: str) -> None:
    folder = tree.add("tt-one", 1)
    tree.replace(folder / "pyproject.toml", old, new)
    (violation,) = tree.violations()
    assert violation.startswith("packages/foundation/tt-one/pyproject.toml: ")
    assert field in violation


def test_a_module_number_belongs_to_one_package(tree: Tree) -> None:
    tree.add("tt-one", 1)
    tree.add("tt-uno", 1)
    (violation,) = tree.violations()
    assert "module 1 is already tt-one" in violation


@pytest.mark.parametrize("name", ["LICENSE", "README.md", "CHANGELOG.md", "exercises.toml", "src/tt_one/py.typed"])
def test_files_that_every_package_has(tree: Tree, name: str) -> None:
    folder = tree.add("tt-one", 1)
    (folder / name).unlink()
    (violation,) = tree.violations()
    assert violation.startswith(f"packages/foundation/tt-one/{name}: is absent")


def test_the_license_is_a_real_copy(tree: Tree) -> None:
    folder = tree.add("tt-one", 1)
    (folder / "LICENSE").unlink()
    (folder / "LICENSE").symlink_to(tree.root / "LICENSE")
    assert "is a link" in tree.violations()[0]
    (folder / "LICENSE").unlink()
    tree.write(folder / "LICENSE", "Do what you like.\n")
    assert "differs from the root's" in tree.violations()[0]


def test_no_file_names_a_registry(tree: Tree) -> None:
    folder = tree.add("tt-one", 1)
    host = "py" + "pi.org"
    tree.write(folder / "README.md", f"# One\n\npip install -i https://{host}/simple tt-one\n")
    (violation,) = tree.violations()
    assert "README.md:3: names the package registry" in violation


def test_an_exercise_names_a_function_and_gives_three_hints(tree: Tree) -> None:
    folder = tree.add("tt-one", 1, "def f(x):\n    return x\n")
    entry = '[[exercise]]\nname = "{}"\nmodule = "tt_one"\npoints = 1\nhints = {}\n'
    tree.write(folder / "exercises.toml", entry.format("f", '["a", "b", "c"]'))
    assert tree.violations() == []
    tree.write(folder / "exercises.toml", entry.format("f", '["a"]'))
    assert "has 1 hints" in tree.violations()[0]
    tree.write(folder / "exercises.toml", entry.format("g", '["a", "b", "c"]'))
    assert "no function 'g'" in tree.violations()[0]


def test_a_mutant_occurs_once_in_its_function(tree: Tree) -> None:
    folder = tree.add("tt-one", 1, "def f(x):\n    return x + 1\n\n\ndef g(x):\n    return x - 1\n")
    entry = '[[exercise]]\nname = "f"\nmodule = "tt_one"\npoints = 1\nhints = ["a", "b", "c"]\n'
    mutant = '[[mutant]]\nexercise = "f"\nmisconception = "m"\nreplace = "{}"\nwith = "x"\n'
    tree.write(folder / "exercises.toml", entry + mutant.format("x + 1"))
    assert tree.violations() == []
    tree.write(folder / "exercises.toml", entry + mutant.format("x - 1"))
    assert "occurs 0 times in f" in tree.violations()[0]


FACADE = """
[project]
name = "tinytorch"
version = "0.1.0"
dependencies = [{needs}]
[project.optional-dependencies]
foundation = [{foundation}]
all = ["tinytorch[foundation]"]
"""


@pytest.mark.parametrize(
    ("needs", "foundation", "complaint"),
    [
        ('"tt-one~=0.1"', '"tt-one~=0.1", "tt-two~=0.1"', "the facade depends on 'tt-one~=0.1'"),
        ("", '"tt-one~=0.1"', "the extra 'foundation' lacks tt-two"),
        ("", '"tt-one~=0.1", "tt-two~=0.1", "tt-conv~=0.1"', "the extra 'foundation' holds tt-conv"),
        ("", '"tt-one~=0.1", "tt-two~=0.0"', "'tt-two~=0.0' is behind"),
    ],
)
def test_the_facade_needs_nothing_and_offers_each_tier(tree: Tree, needs: str, foundation: str, complaint: str) -> None:
    tree.add("tt-one", 1)
    tree.add("tt-two", 2)
    tree.add("tt-conv", 9)
    text = FACADE.format(needs=needs, foundation=foundation)
    tree.write(tree.root / "packages" / "tinytorch" / "pyproject.toml", text)
    assert any(complaint in violation for violation in tree.violations())


def test_the_command_line_goes_through_the_facade(tree: Tree) -> None:
    tree.add("tt-one", 1)
    text = '[project]\nname = "tt-tito"\nversion = "0.1.0"\ndependencies = ["tt-one~=0.1", "rich"]\n'
    tree.write(tree.root / "packages" / "tito" / "pyproject.toml", text)
    found = "\n".join(tree.violations())
    assert "declares 'tt-one~=0.1'; go through tinytorch" in found
    assert "does not declare tinytorch" in found
    assert "does not declare typer" in found


def test_the_command_gives_an_exit_code(tree: Tree) -> None:
    command = [sys.executable, str(ROOT / "tools" / "check_packages.py"), str(tree.root)]
    folder = tree.add("tt-one", 1)
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    tree.write(folder / "src" / "tt_one" / "_a.py", "import nowhere\n")
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert "src/tt_one/_a.py:1: imports nowhere" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 violations"


@pytest.mark.parametrize("folder", ["nowhere", "packages"])
def test_a_folder_without_packages_keeps_no_rules(tree: Tree, folder: str) -> None:
    tree.add("tt-one", 1)
    command = [sys.executable, str(ROOT / "tools" / "check_packages.py"), str(tree.root / folder)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 2
    assert f"{tree.root / folder} has no folder packages; name the root of a repository" in done.stderr


def test_this_repository_keeps_its_rules() -> None:
    done = subprocess.run(
        [sys.executable, "tools/check_packages.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
