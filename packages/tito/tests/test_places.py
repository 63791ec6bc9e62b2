from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tinytorch.packages import PACKAGES

HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None
sys.meta_path.insert(0, Hidden())
from tito import main
sys.argv = ["tito", *{arguments!r}]
main()
"""


def without_packages(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = HIDE.format(names={package.import_name for package in PACKAGES}, arguments=arguments)
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)


def test_with_no_package_at_all_it_says_what_to_install(checkout: Path) -> None:
    done = without_packages("--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["modules_installed"] == 0
    assert document["next"]["command"] == 'pip install "tinytorch[foundation]"'


@pytest.mark.parametrize("command", [("status",), ("milestone", "list"), ("doctor",)])
def test_the_rest_works_too(checkout: Path, command: tuple[str, ...]) -> None:
    done = without_packages(*command)
    assert done.returncode == 0, done.stderr


def test_data_needs_its_package(checkout: Path) -> None:
    done = without_packages("data", "list")
    assert done.returncode == 2
    assert "the data sets come with tt-data" in done.stderr
    assert 'pip install "tinytorch[foundation]"' in done.stderr


def test_a_milestone_without_packages_names_the_first_one(checkout: Path) -> None:
    done = without_packages("milestone", "info", "1", "--json")
    assert json.loads(done.stdout)["number"] == 1


def test_anywhere_below_the_checkout_is_the_checkout(checkout: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tito", "milestone", "list", "--json"],
        cwd=checkout / "packages" / "tinytorch",
        capture_output=True,
        text=True,
        check=False,
    )
    assert [row["number"] for row in json.loads(done.stdout)] == [1, 2, 3]
