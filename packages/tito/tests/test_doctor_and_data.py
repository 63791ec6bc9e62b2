from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import tinytorch as tt
from typer.testing import Result

Tito = Callable[..., Result]


def by_name(done: Result) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(done.stdout)}


def test_doctor_looks_at_everything(checkout: Path, tito: Tito) -> None:
    done = tito("doctor", "--json")
    assert done.exit_code == 0
    checks = by_name(done)
    wanted = {
        "python",
        "numpy",
        "blas",
        "tt-tensor",
        "data folder",
        "results folder",
        "disk",
        "matplotlib",
        "milestones",
    }
    assert set(checks) >= {*wanted, "data sets"}
    assert checks["numpy"]["state"] == "ok"
    assert checks["milestones"]["found"] == "3 found"
    assert "here: digits, python_topics; not here: mnist" in checks["data sets"]["found"]
    assert checks["data sets"]["do"] == "tito data get mnist"
    assert all(check["do"] for check in checks.values() if check["state"] != "ok")


def test_doctor_for_people(checkout: Path, tito: Tito) -> None:
    shown = tito("doctor").stdout
    assert "numpy" in shown
    assert "results folder" in shown


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_fails(checkout: Path, tito: Tito, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    done = tito("doctor", "--json")
    assert done.exit_code == 1
    assert by_name(done)["data folder"]["state"] == "fail"


def test_a_file_where_a_folder_should_be_fails(checkout: Path, tito: Tito, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    done = tito("doctor", "--json")
    assert done.exit_code == 1
    check = by_name(done)["data folder"]
    assert check["state"] == "fail"
    assert "is no folder" in check["found"]
    assert "set TINYTORCH_DATA to another folder" in check["do"]


def test_data_list(checkout: Path, tito: Tito, tmp_path: Path) -> None:
    document = json.loads(tito("data", "list", "--json").stdout)
    assert document["folder"] == str(tmp_path / "data")
    rows = {row["name"]: row for row in document["data_sets"]}
    assert set(rows) == set(tt.data.dataset_names())
    assert rows["digits"]["embedded"]
    assert rows["digits"]["here"]
    assert not rows["mnist"]["here"]
    shown = tito("data", "list").stdout
    assert "comes along" in shown
    assert "MNIST" in shown


def test_an_embedded_data_set_is_here(checkout: Path, tito: Tito) -> None:
    done = tito("data", "get", "digits")
    assert done.exit_code == 0
    assert "digits is here" in done.stdout
    assert json.loads(tito("data", "get", "python-topics", "--json").stdout)["name"] == "python_topics"


def test_an_unknown_data_set_names_the_known(checkout: Path, tito: Tito) -> None:
    done = tito("data", "get", "imagenet")
    assert done.exit_code == 2
    assert "there is no such data set" in done.stderr
    assert "got: 'imagenet'" in done.stderr
    assert "digits, python_topics, mnist" in done.stderr


def test_what_can_be_loaded_is_not_fetched(checkout: Path, tito: Tito, tmp_path: Path) -> None:
    for file in tt.data.dataset_info("mnist").files:
        path = tmp_path / "data" / "mnist" / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert tito("data", "get", "mnist").exit_code == 0


def test_no_network_is_explained(checkout: Path, tito: Tito, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # An address that nobody listens at: the port is taken, and given back, by no one.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    done = tito("data", "get", "tiny_shakespeare")
    assert done.exit_code == 1
    assert "tiny_shakespeare could not be fetched" in done.stderr
    assert "do:" in done.stderr
    assert list((tmp_path / "data").rglob("*.txt")) == []
