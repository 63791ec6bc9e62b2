from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tools.packages import discover
from tools.release import ReleaseError, check_committed, check_release, next_version, plan, raise_bounds

if TYPE_CHECKING:
    from tests_integration.tools.conftest import Tree


@pytest.mark.parametrize(("part", "version"), [("major", "1.0.0"), ("minor", "0.3.0"), ("patch", "0.2.6")])
def test_versions_move_by_one_part(part: str, version: str) -> None:
    assert next_version("0.2.5", part) == version


def test_the_facade_follows(tree: Tree) -> None:
    tree.add("tt-one", 1)
    text = 'foundation = ["tt-one~=0.1", "tt-one-more~=0.1", "tt-one[plot]~=0.1"]\n'
    one = discover(tree.root)["tt-one"]
    assert raise_bounds(text, one, "0.2.0") == text.replace('tt-one~=0.1"', 'tt-one~=0.2"').replace(
        "[plot]~=0.1", "[plot]~=0.2"
    )


def test_a_release_has_something_to_say(tree: Tree) -> None:
    folder = tree.add("tt-one", 1)
    packages = discover(tree.root)
    with pytest.raises(ReleaseError, match="has no fragment"):
        check_release(packages["tt-one"], "0.2.0", packages)
    tree.write(folder / "changes" / "12.fixed.md", "The sum of nothing is zero.\n")
    check_release(packages["tt-one"], "0.2.0", packages)


def test_a_major_version_leaves_no_dependent_behind(tree: Tree) -> None:
    folder = tree.add("tt-one", 1)
    tree.add("tt-two", 2, "import tt_one\n", ("tt-one~=0.1",))
    tree.write(folder / "changes" / "+new.changed.md", "New.\n")
    packages = discover(tree.root)
    with pytest.raises(ReleaseError, match="tt-two declare tt-one"):
        check_release(packages["tt-one"], "1.0.0", packages)


def git(tree: Tree, *commands: str) -> None:
    """Run git commands in the tree, as somebody."""
    for command in commands:
        identity = ["-c", "user.name=A", "-c", "user.email=a@b"]
        subprocess.run(["git", *identity, *command.split()], cwd=tree.root, check=True)


@pytest.fixture
def of_no_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)  # a hook's would lead git to another repository


@pytest.mark.usefixtures("of_no_hook")
def test_what_would_stop_a_release_stops_its_rehearsal(tree: Tree) -> None:
    folder = tree.add("tt-one", 1)
    tree.write(folder / "changes" / "+new.added.md", "New.\n")
    one, packages = discover(tree.root)["tt-one"], discover(tree.root)
    git(tree, "init -q")
    with pytest.raises(ReleaseError, match="not committed yet"):
        plan(one, "minor", packages, tree.root)
    git(tree, "add .", "commit -q -m first --no-verify")
    assert plan(one, "minor", packages, tree.root) == ("0.2.0", "tt-one-v0.2.0", [folder])
    git(tree, "tag tt-one-v0.2.0")
    with pytest.raises(ReleaseError, match=r"there is a tag tt-one-v0\.2\.0 already"):
        plan(one, "minor", packages, tree.root)
    assert plan(one, "patch", packages, tree.root)[1] == "tt-one-v0.1.1"


@pytest.mark.usefixtures("of_no_hook")
def test_a_release_takes_no_unfinished_work_along(tree: Tree) -> None:
    folder = tree.add("tt-one", 1)
    git(tree, "init -q", "add .", "commit -q -m first --no-verify")
    check_committed([folder], tree.root)
    tree.write(folder / "src" / "tt_one" / "_new.py", "")
    with pytest.raises(ReleaseError, match=r"not committed yet: .*_new\.py; commit it first"):
        check_committed([folder], tree.root)
    check_committed([folder / "README.md"], tree.root)
    tree.write(folder / "README.md", "# Changed\n")
    with pytest.raises(ReleaseError, match=r"README\.md"):
        check_committed([folder / "README.md"], tree.root)
