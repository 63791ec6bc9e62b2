"""History: what was recorded comes back, in memory, in files and as a picture."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from tt_train import History, sparkline


@pytest.fixture
def history() -> History:
    history = History()
    for step, loss in enumerate((4.0, 3.0, 2.0, 1.0)):
        history.record_step(loss=loss, learning_rate=0.1 / (step + 1))
    history.record_epoch({"epoch": 1, "loss": 3.5, "validation_loss": 3.0, "seconds": 0.5})
    history.record_epoch({"epoch": 2, "loss": 1.5, "validation_loss": 2.0, "seconds": 0.5})
    return history


def test_steps_are_columns(history: History) -> None:
    assert len(history) == 4
    np.testing.assert_array_equal(history.steps["loss"], [4.0, 3.0, 2.0, 1.0])
    assert history.last_step() == {"loss": 1.0, "learning_rate": 0.025}
    assert "4 steps, 2 epochs" in repr(history)


def test_a_figure_that_comes_late_or_is_left_out_is_nan() -> None:
    history = History()
    history.record_step(loss=1.0)
    history.record_step(loss=2.0, norm=5.0)
    history.record_step(norm=6.0)
    np.testing.assert_array_equal(history.steps["norm"], [math.nan, 5.0, 6.0])
    np.testing.assert_array_equal(history.steps["loss"], [1.0, 2.0, math.nan])


def test_curve_finds_steps_first_then_epochs(history: History) -> None:
    assert history.curve("loss").shape == (4,)
    np.testing.assert_array_equal(history.curve("validation_loss"), [3.0, 2.0])
    with pytest.raises(KeyError, match=r"no figure 'speed'.*learning_rate, loss, seconds, validation_loss"):
        history.curve("speed")


def test_csv_has_a_line_for_each_epoch_or_step(history: History, tmp_path: Path) -> None:
    history.to_csv(tmp_path / "epochs.csv")
    history.to_csv(tmp_path / "steps.csv", of="steps")
    with (tmp_path / "epochs.csv").open(newline="") as file:
        assert [row["validation_loss"] for row in csv.DictReader(file)] == ["3.0", "2.0"]
    with (tmp_path / "steps.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    assert [float(row["learning_rate"]) for row in rows] == [0.1, 0.05, 0.1 / 3, 0.025]
    with pytest.raises(ValueError, match="'epochs' or 'steps', got 'batches'"):
        history.to_csv(tmp_path / "x.csv", of="batches")


def test_jsonl_is_json_on_every_line_even_of_nan(history: History, tmp_path: Path) -> None:
    history.record_step(loss=math.nan, learning_rate=math.inf)
    history.to_jsonl(tmp_path / "run.jsonl")
    records = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert [record["kind"] for record in records] == ["step"] * 5 + ["epoch"] * 2
    assert records[0] == {"kind": "step", "step": 1, "loss": 4.0, "learning_rate": 0.1}
    assert records[4]["loss"] is None
    assert records[-1]["validation_loss"] == 2.0


def test_state_comes_back_and_is_a_copy(history: History) -> None:
    other = History()
    other.load_state_dict(history.state_dict())
    history.record_step(loss=0.0, learning_rate=0.0)
    history.epochs[0]["loss"] = -1.0
    np.testing.assert_array_equal(other.steps["loss"], [4.0, 3.0, 2.0, 1.0])
    assert other.epochs[0]["loss"] == 3.5
    other.record_step(loss=9.0, learning_rate=0.0)
    assert len(other) == 5


@pytest.mark.parametrize(
    "state", [{}, {"steps": 1, "epochs": []}, {"steps": {"a": [1.0], "b": [1.0, 2.0]}, "epochs": []}]
)
def test_a_malformed_state_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="history's"):
        History().load_state_dict(state)


def test_sparkline_rises_with_the_values() -> None:
    assert sparkline(np.arange(8.0)) == "▁▂▃▄▅▆▇█"
    assert sparkline(np.arange(8.0)[::-1]) == "█▇▆▅▄▃▂▁"


def test_sparkline_averages_what_is_too_long() -> None:
    assert sparkline(np.repeat([0.0, 7.0], 500), width=10) == "▁" * 5 + "█" * 5


def test_sparkline_of_hard_cases() -> None:
    assert sparkline([]) == ""
    assert sparkline([2.0, 2.0]) == "▁▁"
    assert sparkline([math.nan, math.inf]) == "  "
    assert sparkline([0.0, math.nan, 7.0]) == "▁ █"


def test_history_draws_itself_as_text(history: History) -> None:
    assert history.sparkline() == "█▆▃▁"
    assert history.sparkline("validation_loss") == "█▁"


def test_plot_needs_matplotlib_or_draws(history: History, tmp_path: Path) -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        with pytest.raises(ImportError, match=r"tt-train\[plot\]"):
            history.plot(tmp_path / "run.png")
        return
    figure = history.plot(tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    assert [axis.get_title() for axis in figure.axes] == ["loss, each step", "loss, each epoch"]


def test_plot_says_what_to_install(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'tt-train\[plot\]'"):
        history.plot()


def test_an_empty_history_can_be_looked_at(tmp_path: Path) -> None:
    history = History()
    assert repr(history) == "History(0 steps, 0 epochs)"
    history.to_csv(tmp_path / "empty.csv")
    with pytest.raises(KeyError, match="none yet"):
        history.curve()
