from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tools.packages import ROOT, TIERS, discover

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
