"""What tito says when the ground does not hold."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
import threadpoolctl  # type: ignore[import-untyped]  # it ships no types
import tinytorch as tt
from typer.testing import Result

Tito = Callable[..., Result]
Without = Callable[..., None]
Usage = namedtuple("Usage", ["total", "used", "free"])
Version = namedtuple("Version", ["major", "minor", "micro", "releaselevel", "serial"])


def checks(tito: Tito, code: int = 0) -> dict[str, dict[str, str]]:
    done = tito("doctor", "--json")
    assert done.exit_code == code
    return {check["name"]: check for check in json.loads(done.stdout)}


def test_missing_packages_are_named(checkout: Path, tito: Tito, without: Without) -> None:
    without("tt_", "matplotlib")
    found = checks(tito)
    assert found["tt-tensor"] == {
        "name": "tt-tensor",
        "state": "warn",
        "found": "not installed",
        "do": 'pip install "tinytorch[foundation]"',
    }
    assert found["matplotlib"]["do"] == 'pip install "tinytorch[plot]"'
    assert json.loads(tito("--json").stdout)["next"]["command"] == 'pip install "tinytorch[foundation]"'
    assert json.loads(tito("status", "--json").stdout)["modules"][0]["state"] == "missing"


def test_the_tests_of_a_missing_package_do_not_run(checkout: Path, tito: Tito, without: Without) -> None:
    without("tt_")
    (checkout / "packages" / "foundation" / "tt-tensor" / "tests").mkdir(parents=True)
    done = tito("test", "1")
    assert done.exit_code == 2
    assert "tt-tensor is not installed" in done.stderr


def test_an_old_python(checkout: Path, tito: Tito, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", Version(3, 10, 1, "final", 0))
    assert checks(tito, 1)["python"]["do"] == "install Python 3.11 or later"


def test_numpy_that_cannot_be_imported(checkout: Path, tito: Tito, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    found = checks(tito, 1)["numpy"]
    assert (found["state"], found["do"]) == ("fail", 'pip install "numpy>=2.0"')


def test_an_old_numpy(checkout: Path, tito: Tito, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numpy.__version__", "1.26.4")
    assert checks(tito, 1)["numpy"]["found"] == "1.26.4"


@pytest.mark.parametrize(
    ("pools", "state", "found"),
    [
        ([], "warn", "no BLAS library was recognised"),
        ([{"user_api": "openmp"}], "warn", "no BLAS library was recognised"),
        ([{"user_api": "blas", "internal_api": "x", "version": None, "num_threads": 1}], "ok", "x ?, 1 threads"),
        (
            [{"user_api": "blas", "internal_api": "x", "version": "2", "num_threads": 9999}],
            "warn",
            "x 2, 9999 threads on",
        ),
    ],
)
def test_blas(
    checkout: Path,
    tito: Tito,
    monkeypatch: pytest.MonkeyPatch,
    pools: list[dict[str, object]],
    state: str,
    found: str,
) -> None:
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: pools)
    blas = checks(tito)["blas"]
    assert blas["state"] == state
    assert blas["found"].startswith(found)


def test_a_full_disk(checkout: Path, tito: Tito, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 9, 1))
    assert checks(tito)["disk"]["state"] == "warn"


def test_no_milestones(checkout: Path, tito: Tito) -> None:
    for script in checkout.glob("milestones/*/run.py"):
        script.unlink()
    assert checks(tito)["milestones"]["state"] == "warn"
    done = tito("milestone", "run", "1")
    assert done.exit_code == 2
    assert "there are no milestones here" in done.stderr
    assert json.loads(tito("--json").stdout)["next"] == {"command": "tito doctor", "why": "no milestone was found"}


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c(checkout: Path, tito: Tito) -> None:
    script = checkout / "milestones" / "01_1958_perceptron" / "run.py"
    script.write_text("import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(0.2)\n")
    done = tito("milestone", "run", "1")
    assert done.exit_code == 130
    assert "stopped; nothing is half written" in done.stderr


def test_a_failed_download_is_explained(checkout: Path, tito: Tito, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, *, force: bool) -> None:
        raise tt.data.DataError("the checksum is another", hint="try again")

    monkeypatch.setattr(tt.data, "download", refuse)
    done = tito("data", "get", "mnist")
    assert done.exit_code == 1
    assert "mnist could not be fetched" in done.stderr
    assert "the checksum is another" in done.stderr


def test_a_full_disk_under_a_download_is_explained(checkout: Path, tito: Tito, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, *, force: bool) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tt.data, "download", refuse)
    done = tito("data", "get", "mnist", "--json")
    assert done.exit_code == 1
    error = json.loads(done.stdout)["error"]
    assert error["what"] == "mnist could not be written"
    assert "No space left" in error["got"]


def test_force_fetches_again(checkout: Path, tito: Tito, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []
    monkeypatch.setattr(tt.data, "download", lambda name, *, force: asked.append((name, force)))
    assert tito("data", "get", "digits", "--force").exit_code == 0
    assert asked == [("digits", True)]


def test_without_tt_data(checkout: Path, tito: Tito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise tt.MissingPackageError(
            'tt.data.x needs tt-data, which is not installed: pip install "tinytorch[foundation]"'
        )

    monkeypatch.setattr(tt.data, "dataset_names", absent)
    monkeypatch.setattr(tt.data, "data_folder", absent)
    assert tito("data", "list").exit_code == 2
    found = checks(tito)
    assert found["data sets"]["do"] == 'pip install "tinytorch[foundation]"'
    assert found["data folder"]["found"] == os.environ["TINYTORCH_DATA"]


def test_info_shows_results(checkout: Path, tito: Tito) -> None:
    tito("milestone", "run", "1")
    assert "passed  learnt: 1" in tito("milestone", "info", "1").stdout


def test_a_result_without_a_gate_is_shown_without_one(checkout: Path, tito: Tito) -> None:
    folder = checkout / "milestones" / "results"
    folder.mkdir()
    (folder / "01_1958_perceptron.json").write_text('{"passed": true, "milestone": "01_1958_perceptron"}')
    (folder / "01_1958_perceptron-other.json").write_text('{"passed": true, "milestone": "another"}')
    (row, *_) = json.loads(tito("milestone", "list", "--json").stdout)
    assert len(row["results"]) == 1
    assert tito("milestone", "list").exit_code == 0


@pytest.mark.parametrize(
    ("error", "code", "what"),
    [
        (ZeroDivisionError("division by zero"), 3, "something that tito called has failed"),
        (ModuleNotFoundError("no tt_optim", name="tt_optim"), 2, "tt-optim is not installed, and is needed here"),
        (ModuleNotFoundError("no nonsense", name="nonsense"), 3, "something that tito called has failed"),
    ],
)
def test_whatever_a_package_raises_has_its_exit_code(
    error: Exception,
    code: int,
    what: str,
    checkout: Path,
    tito: Tito,
    without: Without,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise error

    without("tt_optim")
    monkeypatch.setattr(tt.data, "dataset_names", fail)
    done = tito("data", "list", "--json")
    assert done.exit_code == code
    said = json.loads(done.stdout)["error"]
    assert said["what"] == what
    assert str(error) in said["got"]
    assert ("Traceback" in done.stderr) == (code == 3)
