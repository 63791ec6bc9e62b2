"""What tito says of packages that cannot be imported or are half there, and of files that cannot be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tinytorch as tt
from tito import app
from typer.testing import CliRunner, Result

Tito = Callable[..., Result]
Done = subprocess.CompletedProcess[str]

TWO_RESULTS = """
import sys
from tinytorch import milestone

report = milestone.start(__file__, "Two", None)
report.gate("the first", {first}, 1.0)
missed = report.finish()
report = report.next("more")
{then}
report.gate("the second", 1.0, 1.0)
sys.exit(report.finish() or missed)
"""


@pytest.fixture
def own_package(tmp_path: Path) -> Callable[..., Done]:
    """Runs a command in a process of its own, where a learner's package stands before the installed one."""

    def run(import_name: str, source: str, *arguments: str) -> Done:
        folder = tmp_path / "own" / import_name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(source)
        search = os.pathsep.join(filter(None, [str(folder.parent), os.environ.get("PYTHONPATH", "")]))
        command = [sys.executable, "-m", "tito", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": search}
        )

    return run


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def half(:\n", "SyntaxError: invalid syntax"),
        ("from tt_tensor import nothing_of_the_kind\n", "ImportError: cannot import name 'nothing_of_the_kind'"),
        ("raise NotImplementedError('exercise: step is yours to write')\n", "step is yours to write"),
        ("raise SystemExit(7)\n", "exit code 7"),
    ],
)
def test_doctor_names_the_package_that_cannot_be_imported(
    source: str, said: str, checkout: Path, own_package: Callable[..., Done]
) -> None:
    done = own_package("tt_autograd", source, "doctor", "--json")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    found = {check["name"]: check for check in json.loads(done.stdout)}
    assert found["tt-tensor"]["state"] == "ok"
    assert found["tt-autograd"]["state"] == "fail"
    assert said in found["tt-autograd"]["found"]
    assert found["tt-autograd"]["do"].endswith('-c "import tt_autograd" shows where')
    assert found["data folder"]["found"] == os.environ["TINYTORCH_DATA"]
    assert found["data sets"]["do"] == "mend those first"


def test_doctor_lets_packages_be_that_can_be_imported(checkout: Path, own_package: Callable[..., Done]) -> None:
    done = own_package("tt_capstone", "", "doctor", "--json")
    assert done.returncode == 0, done.stdout
    assert all("cannot be imported" not in check["found"] for check in json.loads(done.stdout))


@pytest.mark.parametrize("command", [("data", "list"), ("lesson", "optim")])
def test_a_package_that_fails_is_no_failed_gate(
    command: tuple[str, ...], checkout: Path, own_package: Callable[..., Done]
) -> None:
    done = own_package("tt_autograd", "1 / 0\n", *command, "--json")
    assert done.returncode == 3
    error = json.loads(done.stdout)["error"]
    assert error["what"] == "something that tito called has failed"
    assert error["got"] == "ZeroDivisionError: division by zero"
    assert str(Path("own", "tt_autograd", "__init__.py")) in done.stderr


def test_doctor_tries_what_is_installed_not_what_lies_around(checkout: Path, tito: Tito) -> None:
    (checkout / "tt_tensor.py").write_text("1 / 0\n")
    done = tito("doctor", "--json")
    assert done.exit_code == 0, done.stdout


def test_doctor_looks_where_this_process_looks(
    checkout: Path, tito: Tito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "tt_train.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path / "own"))
    checks = {check["name"]: check["state"] for check in json.loads(tito("doctor", "--json").stdout)}
    assert (checks["tt-optim"], checks["tt-train"]) == ("ok", "fail")


def test_a_missing_part_of_an_installed_package_is_no_missing_package(
    checkout: Path, own_package: Callable[..., Done]
) -> None:
    done = own_package("tt_autograd", "import tt_tensor.nothing\n", "data", "list", "--json")
    assert done.returncode == 3
    assert "No module named 'tt_tensor.nothing'" in json.loads(done.stdout)["error"]["got"]


@pytest.mark.parametrize("module", ["tensor", "tokenizers"])
def test_a_lesson_asks_nothing_of_a_later_package(
    module: str, checkout: Path, own_package: Callable[..., Done]
) -> None:
    done = own_package("tt_autograd", "1 / 0\n", "lesson", module, "--json")
    assert done.returncode == 0, done.stderr


def test_a_lesson_whose_neighbour_is_absent_says_what_to_install(checkout: Path) -> None:
    hide = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name == "tt_activations":
            raise ModuleNotFoundError("No module named 'tt_activations'", name=name)
sys.meta_path.insert(0, Hidden())
from tito import main
sys.argv = ["tito", "lesson", "layers"]
main()
"""
    done = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "tt-activations is not installed, and is needed here" in done.stderr
    assert 'do:  install it: pip install "tinytorch[foundation]"' in done.stderr


def test_a_crash_after_a_first_result_is_no_missed_gate(checkout: Path, tito: Tito) -> None:
    script = checkout / "milestones" / "01_1958_perceptron" / "run.py"
    script.write_text(TWO_RESULTS.format(first=1.0, then="1 / 0"))
    done = tito("milestone", "run", "1", "--full")
    assert done.exit_code == 3
    assert "milestone 01 stopped before it had every result" in done.stderr
    assert "got: exit code 1 and only 01_1958_perceptron-full-embedded.json" in done.stderr


def test_a_missed_gate_before_a_result_that_holds_is_missed(checkout: Path, tito: Tito) -> None:
    script = checkout / "milestones" / "01_1958_perceptron" / "run.py"
    script.write_text(TWO_RESULTS.format(first=0.5, then=""))
    assert tito("milestone", "run", "1", "--full").exit_code == 1


def test_where_results_cannot_be_kept_nothing_is_trained(
    checkout: Path, tito: Tito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TINYTORCH_RESULTS", str(tmp_path / "file" / "below"))
    script = checkout / "milestones" / "01_1958_perceptron" / "run.py"
    script.write_text("from pathlib import Path\nPath('it-ran').touch()\n")
    done = tito("milestone", "run", "1", "--json")
    assert done.exit_code == 3
    error = json.loads(done.stdout)["error"]
    assert error["what"] == "the results cannot be kept"
    assert error["got"].endswith(f"{tmp_path / 'file'} is no folder")
    assert not Path("it-ran").exists()


def test_a_terminal_that_knows_ascii_only_gets_an_answer(checkout: Path) -> None:
    for arguments in (["milestone", "info", "1"], ["--help"], ["nonsense"]):
        done = subprocess.run(
            [sys.executable, "-m", "tito", *arguments],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
        )
        assert b"Traceback" not in done.stderr, done.stderr
        assert (done.stdout + done.stderr).isascii()
        assert done.returncode == (2 if arguments == ["nonsense"] else 0)


def test_a_letter_that_the_terminal_does_not_know_ends_no_milestone(checkout: Path) -> None:
    script = checkout / "milestones" / "01_1958_perceptron" / "run.py"
    script.write_text(TWO_RESULTS.format(first=1.0, then="report.say('“weiß” → ')"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tito", "milestone", "run", "1"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert b"?wei??" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no file that is always full")
def test_a_full_disk_below_stdout_is_explained(checkout: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "tito", "status", "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert "a file or folder cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("named", [None, "elsewhere"])
def test_the_data_folder_is_known_without_tt_data(
    named: str | None, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TINYTORCH_DATA")
    if named is not None:
        monkeypatch.setenv("TINYTORCH_DATA", named)
    real = tt.data.data_folder()

    def absent() -> None:
        raise tt.MissingPackageError("tt.data.data_folder needs tt-data")

    monkeypatch.setattr(tt.data, "data_folder", absent)
    found = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    assert [check["found"] for check in found if check["name"] == "data folder"] == [str(real)]
