"""Milestone 05 passes on embedded data, and its gates fail as soon as attention or the positions are broken."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tinytorch as tt
from tinytorch import milestone

from tools import scripts
from tools.packages import ROOT

FOLDER = ROOT / "milestones" / "05_2017_transformer"
SIBLINGS = ("attention_pictures", "sequences", "writing")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The script as Python runs it, with its folder in front of the path."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield scripts.load(FOLDER / "run.py", "milestone_05")
    for name in SIBLINGS:
        sys.modules.pop(name, None)


def report(out: Path, *options: str) -> milestone.Report:
    return milestone.start(FOLDER / "run.py", "Transformer, 2017", ["--out", str(out), *options])


def missed(made: milestone.Report) -> list[str]:
    gates: Any = made.result()["gates"]
    return [gate["text"] for gate in gates if not gate["passed"]]


def looks_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = tt.nn.MultiHeadAttention.forward

    def broken(self: Any, x: tt.Tensor, *rest: Any, causal: bool | None = None) -> tt.Tensor:
        return forward(self, x, *rest, causal=False)

    monkeypatch.setattr(tt.nn.MultiHeadAttention, "forward", broken)


def takes_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, x: tt.Tensor, *rest: Any, causal: bool | None = None) -> tt.Tensor:
        *_, values = self.project(x)
        places = tt.arange(1, x.shape[1] + 1).astype("float32").reshape(-1, 1)
        mixed: tt.Tensor = self.output(self.merge(tt.cumsum(values, axis=-2) / places))
        return mixed

    monkeypatch.setattr(tt.nn.MultiHeadAttention, "forward", broken)


def has_no_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, x: tt.Tensor, offset: int = 0) -> tt.Tensor:
        # Times zero, not left out: an optimizer refuses a parameter without a gradient.
        unmoved: tt.Tensor = x + 0 * self.weight[: x.shape[-2]]
        return unmoved

    monkeypatch.setattr(tt.nn.PositionalEmbedding, "forward", broken)


def test_the_gates_hold(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert script.SEEDS == 3
    monkeypatch.setattr(script, "SEEDS", 1)  # `nox -s milestones` runs them all
    assert script.main(["--out", str(tmp_path)]) == 0
    result = json.loads((tmp_path / "05_2017_transformer.json").read_text())
    assert result["passed"] is True
    assert result["data_set"] == "python_topics"
    assert result["versions"]["numpy"] == np.__version__
    assert all(len(result["metrics"][f"{task}_accuracy_by_seed"]) == 1 for task in ("reversal", "copy", "mixed"))
    assert len(result["metrics"]["sample"]) == 500
    assert "llama_story" in result["metrics"] or result["metrics"]["llama"].startswith("not tried")
    assert (tmp_path / result["picture"]).stat().st_size > 1000


@pytest.mark.parametrize("broken", [takes_the_mean, has_no_positions])
def test_a_broken_layer_does_not_reverse(
    broken: Callable[[pytest.MonkeyPatch], None], script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    monkeypatch.setattr(script, "SEEDS", 1)
    monkeypatch.setattr(script, "TASKS", {"reversal": script.TASKS["reversal"]})
    made = report(tmp_path)
    script.solve(made)
    assert missed(made) == ["reversal, the worst of 1 seeds: sequences without a mistake"]
    assert made.finish() == 1


def write_briefly(script: ModuleType, made: milestone.Report) -> None:
    recipe = replace(script.writing.SMALL, layers=1, length=32, steps=60, rounds=1)
    script.write(made, "python_topics", tt.data.python_topics()[:60_000], recipe)


def test_a_model_that_looks_ahead_is_found_out(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = "causality: change of a logit before a changed character"
    whole = report(tmp_path)
    write_briefly(script, whole)
    assert gate not in missed(whole)
    looks_ahead(monkeypatch)
    broken = report(tmp_path)
    write_briefly(script, broken)
    assert gate in missed(broken)


def test_a_model_without_positions_is_found_out(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_no_positions(monkeypatch)
    made = report(tmp_path)
    write_briefly(script, made)  # of one block: what it sees of the past is a set
    gates: Any = made.result()["gates"]
    (added,) = [gate["value"] for gate in gates if gate["text"].startswith("position")]
    assert added == pytest.approx(0, abs=1e-4)
    assert any(gate.startswith("position") for gate in missed(made))


def test_sequences_are_distinct_and_answered_rightly(script: ModuleType) -> None:
    made, tasks = script.sequences, set()
    whole = made.rows(made.TASKS, 300)
    assert len(np.unique(whole[:, 1 : made.PROMPT - 1], axis=0)) == 300
    for row in whole.tolist():
        name, asked = made.TASKS[row[0] - made.SYMBOLS - 1], row[1 : made.PROMPT - 1]
        answers = {"reversal": asked[::-1], "copy": asked, "sorting": sorted(asked)}
        assert row[made.PROMPT - 1 :] == [made.ANSWER, *answers[name]]
        tasks.add(name)
    assert tasks == set(made.TASKS)


@pytest.mark.parametrize("characters", [64 * 3 + 1, 64 * 3 + 2, 64 * 4, 65])
def test_the_held_out_text_is_tested_whole(characters: int, script: ModuleType) -> None:
    text = np.arange(characters)
    batches = script.writing.held_out_batches(text, 64)
    np.testing.assert_array_equal(np.concatenate([y.numpy().ravel() for _, y in batches]), text[1:])
    np.testing.assert_array_equal(np.concatenate([x.numpy().ravel() for x, _ in batches]), text[:-1])


def test_batches_go_through_the_text_and_repeat_with_the_seed(script: ModuleType) -> None:
    recipe = replace(script.writing.SMALL, length=8, batch_size=4, steps=12, rounds=2)
    seen = []
    for _ in range(2):
        tt.manual_seed(5)
        windows = script.writing.Windows(np.arange(8 * 4 * 6 + 9), recipe)
        seen.append([x.numpy() for _ in range(2) for x, _ in windows])
        assert all(np.array_equal(y.numpy(), x.numpy() + 1) for x, y in windows)
        assert len(windows) == 6
    np.testing.assert_array_equal(seen[0], seen[1])
    first = np.sort(np.concatenate(seen[0][:6]).ravel())
    np.testing.assert_array_equal(first, np.arange(first[0], first[0] + 8 * 4 * 6))  # each character once


def test_the_bigram_is_counted_with_one_added(script: ModuleType) -> None:
    training, held_out = np.array([0, 1, 0, 1, 0]), np.array([0, 1, 1])
    # After 0 came 1 twice; after 1 came 0 twice, and never 1; there are three characters.
    expected = (math.log((2 + 3) / (2 + 1)) + math.log((2 + 3) / (0 + 1))) / 2
    assert script.writing.bigram_loss(training, held_out, 3) == pytest.approx(expected)


def test_an_absent_llama_is_said_and_not_claimed(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path))
    made = report(tmp_path)
    script.speak(made)
    assert "was not tried, since its files are not here: `tito data get stories260k`" in capsys.readouterr().out
    with pytest.raises(ValueError, match="no gate"):
        made.result()


def test_the_rival_begins_with_the_same_weights() -> None:
    torch = pytest.importorskip("torch")
    from tools.bench import problems
    from tools.bench.gpt_pytorch import GPT
    from tools.rivals.gpt import loss_of, weights_of

    ours = tt.nn.GPT(65, 16, num_layers=2, num_heads=4, max_seq_len=8)
    ids = tt.default_rng().integers(65, size=(3, 9))
    x, y = tt.Tensor(ids[:, :-1]), tt.Tensor(ids[:, 1:])
    theirs = GPT(problems.GPT(16, 2, 4, 8, 3), weights_of(ours))
    with torch.no_grad(), tt.no_grad():
        expected = tt.nn.functional.cross_entropy(ours(x), y, axis=-1).item()
        assert loss_of(theirs, x, y, "mean").item() == pytest.approx(expected, abs=1e-5)
