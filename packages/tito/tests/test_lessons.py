"""`tito lesson`: every number is measured, every lesson with a picture draws it."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from typer.testing import Result

Tito = Callable[..., Result]

FOUNDATION = ["tensor", "activations", "layers", "losses", "data", "autograd", "optim", "train"]
MODULES = [*FOUNDATION, "conv", "tokenizers", "embeddings", "attention", "transformers"]


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
    document = json.loads(done.stdout)
    assert document
    for title, rows in document.items():
        measured = list(numbers(rows))
        assert measured, title
        assert any(math.isfinite(number) and number != 0 for number in measured), title
    pytest.importorskip("matplotlib")
    pictures = sorted((checkout / "milestones" / "results" / "lessons").glob(f"tt-{module}-*.png"))
    assert pictures
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)


def test_a_module_that_is_not_installed_says_how_to_install_it(checkout: Path, tito: Tito) -> None:
    done = tito("lesson", "14")
    assert done.exit_code == 2
    assert "tt-profiler is not installed" in done.output
    assert "tinytorch[optimization]" in done.output
