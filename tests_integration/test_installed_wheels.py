"""The facade and tito as users have them: from wheels, outside a checkout, with all packages, one, none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.packages import ROOT, discover
from tools.wheels import build_wheel

PACKAGES = discover()
MILESTONES = sorted(path.parent.name for path in (ROOT / "milestones").glob("[0-9]*/run.py"))
OURS = ("tt_", "tinytorch", "tito", "__editable__", "_virtualenv", "distutils-precedence")


class Installation:
    """A virtual environment that holds some of our packages, unpacked from their wheels, and what they need."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self.folder = folder
        venv.EnvBuilder(symlinks=True).create(folder / "env")
        self.python = folder / "env" / "bin" / "python"
        site = next((folder / "env" / "lib").glob("python*/site-packages"))
        for path in Path(sysconfig.get_path("purelib")).iterdir():
            # Linked one by one: a .pth file would bring our own packages of this environment along.
            if not path.name.startswith(OURS) and path.suffix != ".pth":
                (site / path.name).symlink_to(path)
        for name in names:
            with zipfile.ZipFile(build_wheel(PACKAGES[name].folder)) as wheel:
                wheel.extractall(site)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python from a folder outside of any checkout, with a home of its own."""
        places = {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder / "share"), "MPLBACKEND": "Agg"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TINYTORCH"))}
        command = [str(self.python), "-W", "error", *arguments]
        environment = kept | places
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def says(self, *arguments: str) -> str:
        """Run Python, which must succeed, and return what it printed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


Make = Callable[[list[str]], Installation]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("everything"), list(PACKAGES))


@pytest.fixture(scope="module")
def tensor_only(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("tensor"), ["tt-tensor", "tinytorch", "tt-tito"])


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("nothing"), ["tinytorch", "tt-tito"])


TRAIN = """
import tinytorch as tt
tt.manual_seed(0)
layer = tt.nn.Linear(2, 1)
optimizer = tt.optim.Adam(layer.parameters(), lr=0.1)
x = tt.randn(32, 2)
y = x.sum(axis=1, keepdims=True)
for _ in range(100):
    optimizer.zero_grad()
    loss = tt.nn.functional.mse_loss(layer(x), y)
    loss.backward()
    optimizer.step()
print(loss.item() < 1e-2, tt.__version__, tt.__file__)
"""


def test_the_facade_trains(everything: Installation) -> None:
    learnt, version, path = everything.says("-c", TRAIN).split()
    assert learnt == "True"
    assert version == PACKAGES["tinytorch"].version
    assert Path(path).is_relative_to(everything.folder)


def test_the_command_line_knows_every_package(everything: Installation) -> None:
    rows = json.loads(everything.says("-m", "tito", "status", "--json"))["modules"]
    versions = {row["name"]: row["version"] for row in rows if row["version"] is not None}
    assert versions == {name: each.version for name, each in PACKAGES.items() if each.tier is not None}


def test_the_milestones_come_along(everything: Installation) -> None:
    rows = json.loads(everything.says("-m", "tito", "milestone", "list", "--json"))
    assert [Path(row["folder"]).name for row in rows] == MILESTONES
    assert all(Path(row["folder"]).is_relative_to(everything.folder) for row in rows)


@pytest.mark.skipif(not MILESTONES, reason="no milestone has been written yet")
def test_a_milestone_runs_outside_the_checkout(everything: Installation) -> None:
    document = json.loads(everything.says("-m", "tito", "milestone", "run", "1", "--json"))
    assert document["passed"] is True
    assert Path(document["results_folder"]) == everything.folder / "share" / "tinytorch" / "results"
    (result,) = document["results"]
    assert result["versions"]["tt-tensor"] == PACKAGES["tt-tensor"].version
    assert result["state"] == "passed"


def test_results_go_to_the_folder_that_one_has_made_for_them(everything: Installation) -> None:
    folder = everything.folder / "tinytorch-results"
    folder.mkdir()
    try:
        document = json.loads(everything.says("-m", "tito", "milestone", "run", "1", "--json"))
        assert Path(document["results_folder"]) == folder
        assert (folder / "01_1958_perceptron.json").is_file()
    finally:
        shutil.rmtree(folder)


def test_doctor_finds_nothing_broken(everything: Installation) -> None:
    checks = json.loads(everything.says("-m", "tito", "doctor", "--json"))
    assert not [check for check in checks if check["state"] == "fail"]


def test_types_reach_the_user(everything: Installation) -> None:
    pytest.importorskip("mypy", reason="types are checked where mypy is installed")
    program = everything.folder / "program.py"
    program.write_text(
        "import tinytorch as tt\n"
        "from tinytorch.core.layers import Linear\n"
        "reveal_type(tt.nn.Linear(2, 3))\n"
        "reveal_type(tt.Tensor([1.0]))\n"
        "reveal_type(tt.optim.Adam)\n"
        "layer: Linear = tt.nn.Linear(2, 3)\n"
        "tt.nn.Linear('two', 3)\n"
        "tt.nn.cached\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(everything.python), str(program)]
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "MYPYPATH"}}
    done = subprocess.run(
        command, cwd=everything.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    lines = [line.partition(" ")[2] for line in done.stdout.splitlines()]
    assert any(line.startswith('note: Revealed type is "tt_layers') and "Linear" in line for line in lines), done.stdout
    assert any(line.startswith('note: Revealed type is "tt_tensor') and "Tensor" in line for line in lines)
    assert any("tt_optim" in line and "Adam" in line for line in lines)
    errors = [line for line in lines if line.startswith("error")]
    assert len(errors) == 2, done.stdout
    assert "incompatible type" in errors[0]
    assert "cached" in errors[1]


def test_with_one_package(tensor_only: Installation) -> None:
    assert tensor_only.says("-c", "import tinytorch as tt; print(tt.ones(2).shape)") == "(2,)"
    done = tensor_only.run("-c", "import tinytorch as tt; tt.nn.Linear")
    assert 'tt.nn.Linear needs tt-layers (module 3), which is not installed: pip install "tinytorch[foundation]"' in (
        done.stderr
    )
    step = json.loads(tensor_only.says("-m", "tito", "--json"))
    assert step["modules_installed"] == 1
    assert step["next"]["command"] == 'pip install "tinytorch[foundation]"'


def test_with_none(nothing: Installation) -> None:
    done = nothing.run("-c", "import tinytorch as tt; tt.Tensor")
    assert 'tt.Tensor needs tt-tensor (module 1), which is not installed: pip install "tinytorch[foundation]"' in (
        done.stderr
    )
    assert json.loads(nothing.says("-m", "tito", "--json"))["modules_installed"] == 0
    assert nothing.run("-m", "tito", "data", "list").returncode == 2


def test_the_wheel_of_the_command_line_carries_sources_only() -> None:
    with zipfile.ZipFile(build_wheel(PACKAGES["tt-tito"].folder)) as wheel:
        names = wheel.namelist()
    carried = [name for name in names if name.startswith("tito/_milestones/")]
    assert sorted({name.split("/")[2] for name in carried}) == MILESTONES
    assert all(name.endswith((".py", ".md")) for name in carried)


def test_a_wheel_built_from_the_sdist_carries_the_milestones_too(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="an sdist is built where hatchling is installed")
    build = [sys.executable, "-m", "hatchling", "build"]
    subprocess.run([*build, "-t", "sdist", "-d", str(tmp_path)], cwd=PACKAGES["tt-tito"].folder, check=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    subprocess.run(["tar", "-xzf", archive.name], cwd=tmp_path, check=True)
    subprocess.run(
        [*build, "-t", "wheel", "-d", str(tmp_path)], cwd=tmp_path / archive.name[: -len(".tar.gz")], check=True
    )
    (path,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        carried = {name.split("/")[2] for name in wheel.namelist() if name.startswith("tito/_milestones/")}
    assert sorted(carried) == MILESTONES
