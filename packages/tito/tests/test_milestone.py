from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Tito = Callable[..., Result]
Results = Callable[[], list[dict[str, object]]]


@pytest.mark.parametrize("name", ["1", "01", "1958", "perceptron", "Perceptron", "perc", "01_1958_perceptron"])
def test_a_milestone_is_found_by_number_year_or_name(checkout: Path, tito: Tito, name: str) -> None:
    done = tito("milestone", "info", name, "--json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert (document["number"], document["year"], document["name"]) == (1, 1958, "perceptron")
    assert document["title"] == "The perceptron, 1958"
    assert document["gates"] == ["separable data 100%", "(`--full`) 99%"]
    assert document["state"] == "not run"


@pytest.mark.parametrize("name", ["7", "transformer", "", "-1x"])
def test_an_unknown_milestone_names_the_known(checkout: Path, tito: Tito, name: str) -> None:
    done = tito("milestone", "info", "--", name)
    assert done.exit_code == 2
    assert "there is no such milestone" in done.stderr
    assert f"got: {name!r}" in done.stderr
    assert "do:  use one of: 01 perceptron, 02 xor, 03 mlp" in done.stderr


def test_errors_are_json_too(checkout: Path, tito: Tito) -> None:
    done = tito("milestone", "run", "7", "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout) == {
        "error": {"what": "there is no such milestone", "got": "'7'", "do": "use one of: 01 perceptron, 02 xor, 03 mlp"}
    }


def test_info_shows_the_front_page_and_how_to_run(checkout: Path, tito: Tito) -> None:
    done = tito("milestone", "info", "2")
    assert done.exit_code == 0
    assert "XOR, 1969" in done.stdout
    assert "one layer at most 75%" in done.stdout
    assert "tito milestone run 02" in done.stdout


def test_without_a_heading_the_folder_names_it(checkout: Path, tito: Tito) -> None:
    rows = json.loads(tito("milestone", "list", "--json").stdout)
    assert [row["title"] for row in rows] == ["The perceptron, 1958", "XOR, 1969", "03_1986_mlp"]


def test_running_keeps_a_result(checkout: Path, tito: Tito, results: Results) -> None:
    done = tito("milestone", "run", "1", "--seed", "5")
    assert done.exit_code == 0
    (result,) = results()
    assert (result["passed"], result["seed"], result["full"]) == (True, 5, False)


def test_full_is_passed_on_and_named(checkout: Path, tito: Tito, results: Results) -> None:
    assert tito("milestone", "run", "1", "--full").exit_code == 0
    assert (checkout / "milestones" / "results" / "01_1958_perceptron-full-blobs.json").is_file()
    assert results()[0]["full"] is True


def test_only_what_this_run_wrote_is_its_result(checkout: Path, tito: Tito, results: Results) -> None:
    tito("milestone", "run", "1", "--full")
    script = checkout / "milestones" / "01_1958_perceptron" / "run.py"
    script.write_text(script.read_text().replace("blobs", "clouds"))
    document = json.loads(tito("milestone", "run", "1", "--full", "--json").stdout)
    assert [each["data_set"] for each in document["results"]] == ["clouds"]
    assert len(results()) == 2


def test_a_second_run_replaces_the_first_ones_result(checkout: Path, tito: Tito) -> None:
    for seed in ("3", "4"):
        document = json.loads(tito("milestone", "run", "1", "--seed", seed, "--json").stdout)
        assert [result["seed"] for result in document["results"]] == [int(seed)]


def test_a_result_of_another_milestone_is_not_this_ones(checkout: Path, tito: Tito) -> None:
    tito("milestone", "run", "1")
    folder = checkout / "milestones" / "results"
    document = json.loads((folder / "01_1958_perceptron.json").read_text())
    document["milestone"] = "01_1958_perceptron_again"
    (folder / "01_1958_perceptron_again.json").write_text(json.dumps(document))
    assert len(json.loads(tito("milestone", "list", "--json").stdout)[0]["results"]) == 1


def test_a_missed_gate_exits_with_one(checkout: Path, tito: Tito, results: Results) -> None:
    done = tito("milestone", "run", "perceptron", "--seed", "13", "--json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert document["passed"] is False
    assert document["results"][0]["gate"] == {"text": "learnt", "value": 0.5, "threshold": 1.0}
    assert results()[0]["passed"] is False


def test_an_exception_is_no_missed_gate(checkout: Path, tito: Tito, results: Results) -> None:
    tito("milestone", "run", "1")
    done = tito("milestone", "run", "2", "--seed", "4")
    assert done.exit_code == 3
    assert "milestone 02 stopped before it had a result" in done.stderr
    assert "exit code 1 and no result" in done.stderr
    assert f"{checkout / 'milestones' / '02_1969_xor' / 'run.py'} --seed 4 --out" in done.stderr
    assert len(results()) == 1


def test_a_script_that_says_why_it_could_not_run_is_not_asked_for_its_traceback(checkout: Path, tito: Tito) -> None:
    (checkout / "milestones" / "01_1958_perceptron" / "run.py").write_text("raise SystemExit(3)\n")
    done = tito("milestone", "run", "1")
    assert done.exit_code == 3
    assert "do as the line above says, and run it again" in done.stderr
    assert "traceback" not in done.stderr


def test_an_old_missed_result_does_not_hide_a_crash(checkout: Path, tito: Tito) -> None:
    assert tito("milestone", "run", "1", "--seed", "13").exit_code == 1
    (checkout / "milestones" / "01_1958_perceptron" / "run.py").write_text("1 / 0\n")
    assert tito("milestone", "run", "1", "--seed", "13").exit_code == 3


def test_a_crash_of_the_interpreter_leaves_tito_standing(checkout: Path, tito: Tito) -> None:
    done = tito("milestone", "run", "mlp")
    assert done.exit_code == 3
    assert "the signal SIGABRT" in done.stderr


@pytest.mark.parametrize("seed", ["-1", "x"])
def test_a_seed_is_a_natural_number(checkout: Path, tito: Tito, seed: str) -> None:
    assert tito("milestone", "run", "1", f"--seed={seed}").exit_code == 2


def test_a_result_becomes_stale_with_its_script(checkout: Path, tito: Tito) -> None:
    tito("milestone", "run", "1")
    assert json.loads(tito("milestone", "list", "--json").stdout)[0]["state"] == "passed"
    script = checkout / "milestones" / "01_1958_perceptron" / "run.py"
    script.write_text(script.read_text() + "# changed\n")
    row = json.loads(tito("milestone", "list", "--json").stdout)[0]
    assert row["state"] == "stale"
    assert row["results"][0]["stale"] == ["milestone"]
    assert "milestone changed" in tito("milestone", "list").stdout


def test_a_result_becomes_stale_with_a_package(checkout: Path, tito: Tito) -> None:
    tito("milestone", "run", "1")
    path = checkout / "milestones" / "results" / "01_1958_perceptron.json"
    document = json.loads(path.read_text())
    document["sources"]["tt-tensor"] = "another"
    path.write_text(json.dumps(document))
    assert json.loads(tito("milestone", "list", "--json").stdout)[0]["results"][0]["stale"] == ["tt-tensor"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"passed": "yes"}', "\xff"])
def test_a_foreign_file_among_the_results_stops_nothing(checkout: Path, tito: Tito, content: str) -> None:
    folder = checkout / "milestones" / "results"
    folder.mkdir()
    (folder / "01_1958_perceptron.json").write_bytes(content.encode("latin-1"))
    assert json.loads(tito("milestone", "list", "--json").stdout)[0]["state"] == "not run"


def test_a_result_with_a_nan_is_shown_as_text(checkout: Path, tito: Tito) -> None:
    tito("milestone", "run", "1")
    path = checkout / "milestones" / "results" / "01_1958_perceptron.json"
    path.write_text(path.read_text().replace('"value": 1.0', '"value": NaN'))
    done = tito("milestone", "list", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)[0]["results"][0]["gate"]["value"] == "NaN"
    assert "learnt: NaN" in tito("milestone", "list").stdout


def test_results_go_where_the_environment_says(
    checkout: Path, tito: Tito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYTORCH_RESULTS", str(tmp_path / "mine"))
    assert tito("milestone", "run", "1").exit_code == 0
    assert (tmp_path / "mine" / "01_1958_perceptron.json").is_file()


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("first", ["", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"])
def test_ctrl_c_ends_the_script_and_leaves_nothing_half_written(first: str, checkout: Path) -> None:
    script = checkout / "milestones" / "01_1958_perceptron" / "run.py"
    script.write_text(f"{first}import time\nprint('started', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "tito", "milestone", "run", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"stopped; nothing is half written" in error
    assert time.monotonic() - began < 30
    assert not (checkout / "milestones" / "results").exists()


def test_the_command_in_a_process_of_its_own(checkout: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "tito", "milestone", "run", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["results"][0]["passed"] is True
    assert "learning with the seed 0" in done.stderr
