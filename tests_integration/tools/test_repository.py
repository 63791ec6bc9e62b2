from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from tools.documentation import broken_links, pages
from tools.packages import ROOT, Package, discover
from tools.summary import count
from tools.wheels import build_wheel, content_key

PACKAGES = list(discover().values())


def readme_commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [block.strip() for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)][:2]


def test_ci_runs_the_second_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    _, second = readme_commands()
    assert "\n" not in second
    assert second in script.splitlines()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_first_command_runs_the_milestones() -> None:
    first, second = readme_commands()
    assert first == f"{second} -s milestones"


def test_hooks_are_local() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"repo: (\S+)", text) == ["local"]


def test_links_inside_the_documentation() -> None:
    assert [problem for page in pages() for problem in broken_links(page)] == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_workspace_of_hatch_holds_every_package(package: Package) -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    members = document["tool"]["hatch"]["envs"]["default"]["workspace"]["members"]
    assert any(package.folder in ROOT.glob(member["path"]) for member in members)


def test_a_wheel_is_known_by_its_content(tmp_path: Path) -> None:
    folder = tmp_path / "tt-one"
    (folder / "src" / "tt_one").mkdir(parents=True)
    (folder / "pyproject.toml").write_text('[project]\nname = "tt-one"\nversion = "0.1.0"\n', encoding="utf-8")
    source = folder / "src" / "tt_one" / "__init__.py"
    source.write_text("x = 1\n", encoding="utf-8")
    key = content_key(folder)
    (folder / "tests").mkdir()
    (folder / "tests" / "test_one.py").write_text("", encoding="utf-8")
    assert content_key(folder) == key
    shelf = tmp_path / "wheels" / f"tt-one-{key}"
    shelf.mkdir(parents=True)
    (shelf / "tt_one-0.1.0-py3-none-any.whl").touch()
    assert build_wheel(folder, tmp_path / "wheels") == shelf / "tt_one-0.1.0-py3-none-any.whl"
    source.write_text("x = 2\n", encoding="utf-8")
    assert content_key(folder) != key


def test_the_summary_counts_reports(tmp_path: Path) -> None:
    suite = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'
    (tmp_path / "a.xml").write_text(suite.format(10, 1, 1, 2), encoding="utf-8")
    (tmp_path / "b.xml").write_text(suite.format(5, 0, 0, 0), encoding="utf-8")
    assert count(tmp_path) == (11, 2, 2)
