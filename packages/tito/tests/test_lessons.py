"""`tito lesson`: every number is measured, every lesson with a picture draws it."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import tinytorch as tt
from typer.testing import Result

Tito = Callable[..., Result]
Without = Callable[..., None]

FOUNDATION = ["tensor", "activations", "layers", "losses", "data", "autograd", "optim", "train"]
MODULES = [*FOUNDATION, "conv", "tokenizers", "embeddings", "attention", "transformers"]


def refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def numbers(value: object) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from numbers(each)
    elif isinstance(value, (int, float)):
        yield float(value)


def test_adam_keeps_three_times_the_parameters(checkout: Path, tito: Tito) -> None:
    done = tito("lesson", "7")
    assert done.exit_code == 0, done.output
    line = next(line for line in done.stdout.splitlines() if line.split()[:1] == ["Adam"])
    assert "3.00x" in line
    rows = {
        row["name"]: row for row in json.loads(tito("lesson", "tt-optim", "--json").stdout)["Bytes of each optimizer"]
    }
    assert rows["Adam"]["states"] == 2 * rows["Adam"]["parameters"] > 0
    assert rows["SGD"]["ratio"] == 1.0


@pytest.mark.parametrize("module", MODULES)
def test_every_lesson_measures_and_draws_its_pictures(
    module: str, checkout: Path, tito: Tito, monkeypatch: pytest.MonkeyPatch
) -> None:
    if module == "attention":  # up to 8,192 it takes a minute; what is tested here is that it is shown
        lessons = importlib.import_module(f"tt_{module}.lessons")
        monkeypatch.setattr(lessons, "attention_costs", partial(lessons.attention_costs, (64, 128), repeats=1))
    done = tito("lesson", module, "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout, parse_constant=refuse)
    assert document
    for title, rows in document.items():
        measured = list(numbers(rows))
        assert measured, title
        assert any(math.isfinite(number) and number != 0 for number in measured), title
    pytest.importorskip("matplotlib")
    pictures = sorted((checkout / "milestones" / "results" / "lessons").glob(f"tt-{module}-*.png"))
    assert pictures
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)


def test_what_is_no_time_is_the_same_in_every_run(checkout: Path, tito: Tito) -> None:
    first, second = (json.loads(tito("lesson", "layers", "--json").stdout) for _ in range(2))
    assert first == second
    courses = {row["what"]: row for row in first["Mean square of activations through depth"]}
    assert courses["Kaiming"]["first"] == pytest.approx(1, abs=0.1)
    assert courses["Xavier"]["last"] < 1e-6


def test_what_a_record_computes_is_shown_too(checkout: Path, tito: Tito) -> None:
    (row,) = json.loads(tito("lesson", "tensor", "--json").stdout)["Rows against columns"]
    assert row["ratio"] == pytest.approx(row["column_seconds"] / row["row_seconds"])


def test_a_module_that_nobody_has_written_yet_has_no_lesson(checkout: Path, tito: Tito) -> None:
    done = tito("lesson", "14")
    assert done.exit_code == 2
    assert "this module has no lesson yet" in done.output
    assert "got: module 14, tt-profiler" in done.output
    assert "choose one of tt-tensor" in done.output


def test_a_module_that_is_not_installed_says_how_to_install_it(checkout: Path, tito: Tito, without: Without) -> None:
    without("tt_optim")
    done = tito("lesson", "7")
    assert done.exit_code == 2
    assert "tt-optim is not installed" in done.output
    assert "tinytorch[foundation]" in done.output


def test_without_matplotlib_the_numbers_come_and_the_picture_is_missed(
    checkout: Path, tito: Tito, without: Without
) -> None:
    without("matplotlib")
    done = tito("lesson", "activations")
    assert done.exit_code == 0, done.output
    assert "naive error" in done.stdout
    assert 'not drawn, since matplotlib is not installed: pip install "tinytorch[plot]"' in done.stdout
    assert not (checkout / "milestones" / "results").exists()


def test_a_file_where_the_results_should_go_is_explained(
    checkout: Path, tito: Tito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "file").touch()
    monkeypatch.setenv("TINYTORCH_RESULTS", str(tmp_path / "file"))
    done = tito("lesson", "optim", "--json")
    assert done.exit_code == 3
    error = json.loads(done.stdout)["error"]
    assert error["what"] == "a file or folder cannot be used"
    assert str(tmp_path / "file") in error["got"]
    assert "TINYTORCH_RESULTS" in error["do"]


@pytest.mark.parametrize("json_too", [(), ("--json",)])
def test_an_exercise_that_is_not_written_is_named(
    json_too: tuple[str, ...], checkout: Path, tito: Tito, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stub(*arguments: object, **settings: object) -> None:
        raise NotImplementedError("exercise: step is yours to write")

    monkeypatch.setattr(tt.optim.SGD, "step", stub)
    done = tito("lesson", "optim", *json_too)
    assert done.exit_code == 3
    assert "an exercise is not written yet" in done.stderr
    assert "got: exercise: step is yours to write" in done.stderr
    if json_too:
        assert json.loads(done.stdout)["error"]["got"] == "exercise: step is yours to write"
