from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tools.packages import ROOT, TIERS, discover

if TYPE_CHECKING:
    import nox

DEFAULT = ["lint", "packages", "types", "tests", "integration", "milestones"]
ON_REQUEST = ["tier", "stubs", "coverage", "bench", "parity", "docs", "dev", "release", "tests-3.12", "tests-3.13"]


def sessions(*arguments: str) -> list[dict[str, str]]:
    pytest.importorskip("nox")
    command = [sys.executable, "-m", "nox", "--list", "--json", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def test_without_arguments_everything_that_must_be_green_runs() -> None:
    assert list(dict.fromkeys(session["name"] for session in sessions())) == DEFAULT


def test_every_package_and_tier_has_its_session() -> None:
    packages = discover()
    names = {session["session"] for session in sessions("-s", "tests", "tier")}
    wanted = {f"tests({name})" for name in packages}
    wanted |= {f"tier({tier})" for tier in TIERS if any(package.tier == tier for package in packages.values())}
    assert names == wanted


def test_the_other_sessions_are_there() -> None:
    found = sessions("-s", *ON_REQUEST)
    assert {session["name"] for session in found} == set(ON_REQUEST)
    assert all(session["description"] for session in found)


@pytest.mark.parametrize(
    ("session", "named", "said"),
    [
        ("tests(tt-optim)", "nowhere", "name the folder of a package"),
        ("tests(tt-optim)", "packages/foundation/tt-losses", "is tt-losses, which cannot stand in for tt-optim"),
        ("coverage", "tt-nothing", "there is no package 'tt-nothing'; there are: tt-tensor"),
    ],
)
def test_a_package_that_is_not_there_is_told_in_one_line(session: str, named: str, said: str) -> None:
    pytest.importorskip("nox")
    command = [sys.executable, "-m", "nox", "--no-venv", "-s", session, "--", named]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_replacement_needs_from_outside_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nox")
    from tools import environments

    class Recorder:
        def __init__(self) -> None:
            self.installed: list[str] = []

        def install(self, *arguments: str) -> None:
            self.installed += arguments

        def run(self, *arguments: str, **settings: object) -> None: ...

    packages = discover()
    text = (packages["tt-optim"].folder / "pyproject.toml").read_text(encoding="utf-8")
    mine = text.replace('"numpy>=2.0"', '"numpy>=2.0", "scipy>=1.14"')
    assert mine != text
    (tmp_path / "pyproject.toml").write_text(mine, encoding="utf-8")
    monkeypatch.setattr(environments, "wheels", lambda session, folders: list(map(str, folders)))
    session = Recorder()
    members = [packages["tt-tensor"], packages["tt-optim"]]
    environments.install_packages(cast("nox.Session", session), members, packages, instead={"tt-optim": tmp_path})
    assert "scipy>=1.14" in session.installed
    assert session.installed[-2:] == [str(packages["tt-tensor"].folder), str(tmp_path)]
