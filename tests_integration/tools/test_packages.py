from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.packages import PackageError, Requirement, closure, dependents, discover, environment, find, third_party

if TYPE_CHECKING:
    from tests_integration.tools.conftest import Tree


@pytest.fixture
def chain(tree: Tree) -> Tree:
    tree.add("tt-conv", 9, "", ("tt-two~=0.1",))
    tree.add("tt-two", 2, "", ("tt-one~=0.1",))
    tree.add("tt-one", 1)
    tree.write(
        tree.root / "packages" / "tinytorch" / "pyproject.toml",
        '[project]\nname = "tinytorch"\nversion = "0.1.0"\n[project.optional-dependencies]\n'
        'foundation = ["tt-one~=0.1", "tt-two~=0.1"]\nall = ["tinytorch[foundation]"]\n',
    )
    return tree


def test_packages_come_in_order(chain: Tree) -> None:
    packages = discover(chain.root)
    assert list(packages) == ["tt-one", "tt-two", "tt-conv", "tinytorch"]
    assert [package.tier for package in packages.values()] == ["foundation", "foundation", "architecture", None]
    assert packages["tt-conv"].import_name == "tt_conv"


def test_a_closure_holds_what_the_declared_declare(chain: Tree) -> None:
    packages = discover(chain.root)
    assert [each.name for each in closure(packages["tt-conv"], packages)] == ["tt-one", "tt-two", "tt-conv"]
    assert [each.name for each in closure(packages["tt-one"], packages)] == ["tt-one"]


def test_the_facade_needs_nothing_without_its_extras(chain: Tree) -> None:
    packages = discover(chain.root)
    facade = packages["tinytorch"]
    assert closure(facade, packages) == [facade]
    assert [each.name for each in closure(facade, packages, ("all",))] == ["tt-one", "tt-two", "tinytorch"]


def test_dependents_are_all_that_a_change_can_break(chain: Tree) -> None:
    packages = discover(chain.root)
    assert [each.name for each in dependents(packages["tt-one"], packages)] == ["tt-two", "tt-conv", "tinytorch"]


def test_the_facade_is_tested_with_what_it_can_show(chain: Tree) -> None:
    packages = discover(chain.root)
    assert [each.name for each in environment(packages["tinytorch"], packages)] == ["tt-one", "tt-two", "tinytorch"]
    assert [each.name for each in environment(packages["tt-two"], packages)] == ["tt-one", "tt-two"]


def test_what_comes_from_outside_never_names_a_sibling(chain: Tree) -> None:
    packages = discover(chain.root)
    lines = third_party(list(packages.values()), packages, ("test", "all"))
    assert lines == ["hypothesis>=6.100", "numpy>=2.0", "pytest>=8"]


def test_a_package_is_found_by_any_of_its_names(chain: Tree) -> None:
    packages = discover(chain.root)
    assert find("tt_conv", packages) is find("tt-conv", packages)
    with pytest.raises(PackageError, match="there is no package 'tt-none'"):
        find("tt-none", packages)


@pytest.mark.parametrize(
    ("text", "name", "extras", "specifier"),
    [
        ("tt-tensor~=0.1", "tt-tensor", (), "~=0.1"),
        ("TinyTorch[all, plot] >= 1.0", "tinytorch", ("all", "plot"), ">= 1.0"),
        ('rich>=13,<15 ; python_version > "3.11"', "rich", (), ">=13,<15"),
    ],
)
def test_requirements(text: str, name: str, extras: tuple[str, ...], specifier: str) -> None:
    requirement = Requirement.parse(text)
    assert (requirement.name, requirement.extras, requirement.specifier) == (name, extras, specifier)
