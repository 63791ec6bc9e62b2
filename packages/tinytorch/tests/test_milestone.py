from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tinytorch as tt
from tinytorch import milestone

Hide = Callable[..., ModuleType]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "milestones" / "01_1958_perceptron" / "run.py"
    path.parent.mkdir(parents=True)
    path.write_text("# a milestone\n")
    return path


def begin(script: Path, *options: str) -> milestone.Report:
    return milestone.start(script, "Perceptron, 1958", [*options, "--out", str(script.parents[2] / "out")])


def written(report: milestone.Report) -> dict[str, object]:
    document: dict[str, object] = json.loads((report.out / f"{report.name}.json").read_text())
    return document


def test_a_result_says_what_was_measured_where_and_on_what(script: Path) -> None:
    report = begin(script, "--seed", "3")
    report.uses("blobs")
    report.metric("accuracy", np.float32(1.0))
    report.metric("losses", [np.float64(0.5), float("nan")])
    report.metric("counts", {"epochs": np.int64(3), "note": None})
    assert report.gate("learnt", 1.0, 1.0)
    assert report.finish() == 0
    result = written(report)
    assert (result["milestone"], result["title"]) == ("01_1958_perceptron", "Perceptron, 1958")
    assert (result["passed"], result["seed"], result["full"], result["data_set"]) == (True, 3, False, "blobs")
    assert result["gate"] == {"text": "learnt", "value": 1.0, "threshold": 1.0}
    assert result["metrics"] == {
        "accuracy": 1.0,
        "losses": [0.5, "nan"],
        "counts": {"epochs": 3, "note": None},
    }
    assert set(result["machine"]) >= {"cores", "processor", "python", "system"}  # type: ignore[call-overload]  # JSON
    assert set(result["versions"]) >= {"numpy", "tt-tensor"}  # type: ignore[call-overload]  # JSON
    assert {"milestone", "tt-tensor", "tt-autograd"} <= set(result["sources"])  # type: ignore[call-overload]  # JSON
    assert isinstance(result["seconds"], float)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", str(result["date"]))


def test_one_missed_gate_misses_the_milestone_and_is_the_one_shown(script: Path) -> None:
    report = begin(script)
    assert report.gate("first", 2, 1)
    assert not report.gate("second", 2, 1, at_most=True)
    assert report.finish() == 1
    result = written(report)
    assert result["passed"] is False
    assert result["gate"] == {"text": "second", "value": 2.0, "threshold": 1.0}
    assert len(result["gates"]) == 2  # type: ignore[arg-type]  # JSON


@pytest.mark.parametrize("at_most", [False, True])
def test_a_gate_holds_at_its_threshold_and_never_for_nan(script: Path, at_most: bool) -> None:
    report = begin(script)
    assert report.gate("at", 0.96, 0.96, at_most=at_most)
    assert not report.gate("nan", float("nan"), 0.96, at_most=at_most)
    assert report.gate("inside", 0.9 if at_most else 1.0, 0.96, at_most=at_most)
    assert report.finish() == 1
    # NaN and the infinities are no JSON: they are text, in the file and in the result of which it is made.
    assert report.result()["gate"] == written(report)["gate"] == {"text": "nan", "value": "nan", "threshold": 0.96}


def test_without_a_gate_there_is_no_result(script: Path) -> None:
    report = begin(script)
    with pytest.raises(ValueError, match="no gate"):
        report.finish()
    assert not report.out.exists()


def test_a_metric_is_named_once(script: Path) -> None:
    report = begin(script)
    report.metric("loss", 1.0)
    with pytest.raises(ValueError, match=r"'loss' is already 1\.0"):
        report.metric("loss", 2.0)


def test_a_metric_that_json_cannot_hold_is_refused(script: Path) -> None:
    report = begin(script)
    with pytest.raises(TypeError, match=r"got Tensor: convert it with \.item\(\) or \.tolist\(\)"):
        report.metric("weights", tt.ones(2))


def test_full_results_name_their_data_set(script: Path) -> None:
    report = begin(script, "--full")
    report.uses("mnist")
    assert report.name == "01_1958_perceptron-full-mnist"
    report.gate("held", 1, 1)
    report.finish()
    second = report.next("cifar10-jpeg")
    second.gate("held", 1, 1)
    second.finish()
    names = sorted(path.name for path in report.out.iterdir())
    assert names == ["01_1958_perceptron-full-cifar10-jpeg.json", "01_1958_perceptron-full-mnist.json"]


def test_json_owns_stdout(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = begin(script, "--json")
    report.say("for people")
    report.gate("held", 1, 1)
    report.finish()
    out, err = capsys.readouterr()
    assert json.loads(out)["passed"] is True
    assert "for people" in err
    assert "PASS  held: 1 (needed >= 1)" in err


def test_the_seed_is_in_use(script: Path) -> None:
    begin(script, "--seed", "11")
    first = tt.rand(4).tolist()
    begin(script, "--seed", "11")
    assert tt.rand(4).tolist() == first
    begin(script, "--seed", "12")
    assert tt.rand(4).tolist() != first


@pytest.mark.parametrize("seed", ["-1", "two", "1.5"])
def test_a_seed_is_a_natural_number(script: Path, seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        begin(script, f"--seed={seed}")
    assert caught.value.code == 2
    assert f"argument --seed: a seed is an integer of at least 0; got '{seed}'" in capsys.readouterr().err


def test_a_picture_is_drawn_with_matplotlib(script: Path) -> None:
    pytest.importorskip("matplotlib")
    report = begin(script)
    path = report.picture(lambda figure: figure.subplots().plot([1, 2]), text=lambda: "unused")
    assert path == report.out / "01_1958_perceptron.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    report.gate("held", 1, 1)
    assert report.result()["picture"] == "01_1958_perceptron.png"


def test_and_as_text_without_it(script: Path, hide: Hide, capsys: pytest.CaptureFixture[str]) -> None:
    hide("matplotlib")
    report = begin(script)
    assert list(report.progress([1, 2])) == [1, 2]
    path = report.picture(lambda figure: pytest.fail("there is nothing to draw with"), text=lambda: "o x")
    assert path == report.out / "01_1958_perceptron.txt"
    assert path.read_text() == "o x\n"
    assert capsys.readouterr().out == "o x\n"


def test_a_machine_that_tells_little(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **settings: object) -> int:
        raise OSError("not told")

    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(os, "sysconf", refuse)
    monkeypatch.setattr("platform.system", lambda: "Elsewhere")
    described = milestone.machine()
    assert described["memory_bytes"] is None
    assert described["cores"] == os.cpu_count()
    assert described["processor"]


def test_a_failing_picture_leaves_no_file(script: Path) -> None:
    report = begin(script)

    def fail(stream: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        milestone.write_atomically(report.out / "a.png", fail)
    assert list(report.out.iterdir()) == []


def test_an_old_file_survives_a_failed_write(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    milestone.write_atomically(path, b"old")

    def fail(stream: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        milestone.write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["result.json"]


def test_results_of_a_checkout_stay_in_it(script: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert milestone.results_folder(script) == tmp_path / "tinytorch-results"
    (tmp_path / "packages" / "tinytorch").mkdir(parents=True)
    (tmp_path / "packages" / "tinytorch" / "pyproject.toml").touch()
    assert milestone.results_folder(script) == tmp_path / "milestones" / "results"


def test_what_is_edited_while_it_runs_has_not_been_measured(script: Path) -> None:
    before = milestone.sources(script)["milestone"]
    report = begin(script)
    report.gate("accuracy", 1.0, 0.9)
    script.write_text("# another milestone\n")
    report.finish()
    assert written(report)["sources"]["milestone"] == before  # type: ignore[index]  # JSON
    assert milestone.sources(script)["milestone"] != before


def test_sources_tell_when_a_script_changed(script: Path) -> None:
    before = milestone.sources(script)
    assert milestone.sources(script) == before
    script.write_text("# another\n")
    after = milestone.sources(script)
    assert after["milestone"] != before["milestone"]
    assert after["tt-tensor"] == before["tt-tensor"]
    script.rename(script.with_name("walk.py"))
    script = script.with_name("walk.py")
    assert milestone.sources(script)["milestone"] != after["milestone"]


def scatter(points: Sequence[tuple[float, float]], marks: str) -> str:
    return milestone.text_scatter(points, marks, width=3, height=3)


@pytest.mark.parametrize(
    ("draw", "shown"),
    [
        (lambda: scatter([(0, 0), (1, 1)], "ox"), "1 |  x\n  |\n0 |o\n  +---\n   0 1"),
        (lambda: scatter([(5, 5)], "o"), "5.5 |\n    | o\n4.5 |\n    +---\n     4.5 5.5"),
        (lambda: milestone.text_grid(np.eye(2)), "@@\n  @@"),
        (lambda: milestone.text_grid([[0, float("nan")], [1, 0]]), "  ??\n@@"),
        (lambda: milestone.text_curves({}), "(nothing to draw)"),
    ],
)
def test_text_pictures(draw: Callable[[], str], shown: str) -> None:
    assert [line.rstrip() for line in draw().splitlines()] == shown.splitlines()


def test_text_pictures_leave_out_what_is_not_finite() -> None:
    points: Sequence[tuple[float, float]] = [(0, 0), (1, float("nan")), (1, 1)]
    assert "n" not in milestone.text_scatter(points, "ono", width=5, height=3)


def test_each_point_needs_a_mark() -> None:
    with pytest.raises(ValueError, match="2 points and 1 marks"):
        milestone.text_scatter([(0, 0), (1, 1)], "o")


def test_curves_carry_their_key() -> None:
    assert milestone.text_curves({"loss": [2.0, 1.0], "accuracy": [0.5]}).splitlines()[-1] == "l: loss, a: accuracy"
