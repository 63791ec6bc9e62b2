from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tinytorch.packages import BUILT, PACKAGES
from typer.testing import Result

Tito = Callable[..., Result]
Without = Callable[..., None]


def test_status_lists_twenty_modules_in_three_tiers(checkout: Path, tito: Tito) -> None:
    rows = json.loads(tito("status", "--json").stdout)["modules"]
    assert [row["name"] for row in rows] == [package.distribution for package in PACKAGES]
    assert [row["module"] for row in rows] == list(range(1, 21))
    first = rows[0]
    assert (first["state"], first["tested"], first["tier"]) == ("installed", "never", "foundation")
    assert {row["state"] for row in rows if row["module"] > len(BUILT)} <= {"planned", "installed"}


def test_status_for_people(checkout: Path, tito: Tito) -> None:
    done = tito("status")
    assert done.exit_code == 0
    for word in ("Foundation", "Architecture", "Optimization", "tt-autograd", "Milestones", "XOR, 1969", "not run"):
        assert word in done.stdout


def test_bare_tito_says_what_to_do_next(checkout: Path, tito: Tito) -> None:
    assert "tito milestone run 01" in tito().stdout
    step = json.loads(tito("--json").stdout)["next"]
    assert step == {"command": "tito milestone run 01", "why": "The perceptron, 1958: it has not been run yet"}
    tito("milestone", "run", "1")
    assert json.loads(tito("--json").stdout)["next"]["command"] == "tito milestone run 02"
    tito("milestone", "run", "1", "--seed", "13")
    assert json.loads(tito("--json").stdout)["next"]["why"] == "The perceptron, 1958: its gate was missed"


def test_the_embedded_result_comes_first_and_is_the_milestones_state(checkout: Path, tito: Tito) -> None:
    assert tito("milestone", "run", "1").exit_code == 0
    assert tito("milestone", "run", "1", "--full", "--seed", "13").exit_code == 1
    row = json.loads(tito("milestone", "list", "--json").stdout)[0]
    assert [(result["full"], result["state"]) for result in row["results"]] == [(False, "passed"), (True, "missed")]
    assert row["state"] == "passed"
    assert json.loads(tito("--json").stdout)["milestones_passed"] == 1


def test_code_that_changed_since_is_the_next_thing_to_run(checkout: Path, tito: Tito) -> None:
    tito("milestone", "run", "1")
    with (checkout / "milestones" / "01_1958_perceptron" / "run.py").open("a") as script:
        script.write("# changed\n")
    step = json.loads(tito("--json").stdout)["next"]
    assert step == {"command": "tito milestone run 01", "why": "The perceptron, 1958: code has changed since"}


def test_tests_that_failed_come_first(checkout: Path, tito: Tito) -> None:
    tests = checkout / "packages" / "foundation" / "tt-tensor" / "tests"
    tests.mkdir(parents=True)
    (tests / "test_it.py").write_text("def test_it():\n    assert False\n")
    assert tito("test", "1").exit_code == 1
    assert json.loads(tito("status", "--json").stdout)["modules"][0]["tested"] == "failed"
    assert json.loads(tito("--json").stdout)["next"]["command"] == "tito test 1"
    (tests / "test_it.py").write_text("def test_it():\n    pass\n")
    done = tito("test", "tensor", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["passed"] is True
    assert json.loads(tito("status", "--json").stdout)["modules"][0]["tested"] == "passed"


def test_tests_become_stale_with_the_package(checkout: Path, tito: Tito) -> None:
    folder = checkout / "milestones" / "results" / "tests"
    folder.mkdir(parents=True)
    (folder / "tt-tensor.json").write_text(json.dumps({"passed": True, "sources": {"tt-tensor": "another"}}))
    assert json.loads(tito("status", "--json").stdout)["modules"][0]["tested"] == "stale"


def test_stdout_is_json_alone_while_the_tests_speak(checkout: Path) -> None:
    tests = checkout / "packages" / "foundation" / "tt-tensor" / "tests"
    tests.mkdir(parents=True)
    (tests / "test_it.py").write_text("def test_it():\n    pass\n")
    command = [sys.executable, "-m", "tito", "test", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["passed"] is True
    assert "1 passed" in done.stderr


def test_what_changes_while_its_tests_run_is_not_tested(checkout: Path, tito: Tito, tmp_path: Path) -> None:
    package = tmp_path / "own" / "tt_capstone"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    tests = checkout / "packages" / "optimization" / "tt-capstone" / "tests"
    tests.mkdir(parents=True)
    line = f"Path({str(package / '__init__.py')!r}).write_text('changed = True')"
    (tests / "test_it.py").write_text(f"from pathlib import Path\n\n\ndef test_it():\n    {line}\n")
    sys.path.insert(0, str(package.parent))
    try:
        assert tito("test", "20").exit_code == 0
        assert json.loads(tito("status", "--json").stdout)["modules"][19]["tested"] == "stale"
        (tests / "test_it.py").write_text("def test_it():\n    pass\n")
        assert tito("test", "20").exit_code == 0
        assert json.loads(tito("status", "--json").stdout)["modules"][19]["tested"] == "passed"
    finally:
        sys.path.remove(str(package.parent))


@pytest.mark.parametrize("name", ["1", "01", "tt-tensor", "tensor", "tt_tensor"])
def test_a_module_without_tests_says_so(checkout: Path, tito: Tito, name: str) -> None:
    done = tito("test", name)
    assert done.exit_code == 2
    assert "this module has no tests yet" in done.stderr
    assert "got: module 1" in done.stderr


@pytest.mark.parametrize("name", ["0", "21", "tt-nothing"])
def test_an_unknown_module_is_refused(checkout: Path, tito: Tito, name: str) -> None:
    done = tito("test", name)
    assert done.exit_code == 2
    assert "there is no such module" in done.stderr


@pytest.mark.parametrize("source", ["def broken(:\n", "import os\n\n\ndef test_it():\n    os.abort()\n"])
def test_tests_that_cannot_run_are_no_failed_tests(source: str, checkout: Path, tito: Tito) -> None:
    tests = checkout / "packages" / "foundation" / "tt-tensor" / "tests"
    tests.mkdir(parents=True)
    (tests / "test_it.py").write_text(source)
    done = tito("test", "1")
    assert done.exit_code == 3
    assert "could not run" in done.stderr
    assert json.loads(tito("status", "--json").stdout)["modules"][0]["tested"] == "never"


def test_help_names_every_command(tito: Tito) -> None:
    shown = tito("--help").stdout
    for command in ("status", "test", "lesson", "milestone", "data", "doctor"):
        assert command in shown


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_json_before_the_command_is_led_behind_it(checkout: Path, tito: Tito, command: str) -> None:
    done = tito("--json", command)
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["do"] == f"write: tito {command} ... --json"


def test_without_pytest_no_test_has_failed(checkout: Path, tito: Tito, without: Without) -> None:
    (checkout / "packages" / "foundation" / "tt-tensor" / "tests").mkdir(parents=True)
    without("pytest")
    done = tito("test", "1")
    assert done.exit_code == 2
    assert "the tests need pytest" in done.stderr
    assert 'pip install "pytest>=8"' in done.stderr
    assert json.loads(tito("status", "--json").stdout)["modules"][0]["tested"] == "never"
