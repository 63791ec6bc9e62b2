"""Every milestone passes on embedded data, and its gate fails as soon as one layer is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tt_tensor import use_kernel

from tools import scripts
from tools.packages import ROOT

Array = npt.NDArray[Any]
FOLDER = ROOT / "milestones"
BROKEN: dict[str, tuple[str, Callable[..., Array]]] = {
    "01_1958_perceptron": ("linear", lambda x, weight, bias=None: x @ weight * 0),
    "02_1969_xor": ("linear", lambda x, weight, bias=None: x @ weight),
    "03_1986_mlp": ("linear", lambda x, weight, bias=None: np.sign(x) @ (weight * 0) + (0 if bias is None else bias)),
}


def run(name: str, out: Path) -> tuple[int, dict[str, Any]]:
    code: int = scripts.load(FOLDER / name / "run.py", f"milestone_{name}").main(["--out", str(out)])
    return code, json.loads((out / f"{name}.json").read_text())


@pytest.mark.parametrize("name", BROKEN)
def test_the_gate_holds(name: str, tmp_path: Path) -> None:
    code, result = run(name, tmp_path)
    assert code == 0
    assert result["passed"] is True
    assert result["seed"] == 0
    assert result["data_set"]
    assert result["versions"]["numpy"] == np.__version__
    assert result["machine"]
    assert (tmp_path / result["picture"]).stat().st_size > 100


@pytest.mark.parametrize("name", BROKEN)
def test_the_gate_fails_with_a_broken_layer(name: str, tmp_path: Path) -> None:
    with use_kernel(*BROKEN[name]):
        code, result = run(name, tmp_path)
    assert code == 1
    assert result["passed"] is False


ONLY_THREE_MODULES = """
import runpy, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("tt_") and name.partition(".")[0] not in ("tt_tensor", "tt_layers", "tt_activations"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
script = sys.argv[1]
sys.argv = sys.argv[1:]
runpy.run_path(script, run_name="__main__")
"""


@pytest.mark.parametrize("name", ["01_1958_perceptron", "02_1969_xor"])
def test_before_autograd_modules_01_to_03_suffice(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", ONLY_THREE_MODULES, str(FOLDER / name / "run.py")]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / f"{name}.json").read_text())
    assert set(result["sources"]) <= {"tt-tensor", "tt-layers", "tt-activations", "milestone"}


@pytest.mark.parametrize("name", ["01_1958_perceptron", "03_1986_mlp", "04_1998_cnn", "05_2017_transformer"])
def test_without_a_network_the_real_data_is_missed_in_one_line(name: str, tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9"
    environment = {**os.environ, "TINYTORCH_DATA": str(tmp_path), "https_proxy": nobody, "HTTPS_PROXY": nobody}
    command = [sys.executable, "-W", "error", str(FOLDER / name / "run.py"), "--full", "--out", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("this milestone could not run: https://")
    assert "check the network, or put the file into the folder that TINYTORCH_DATA names" in done.stderr
    assert done.stderr.count("\n") == 1
