"""Every milestone passes on embedded data, and its gate fails as soon as one layer is broken."""

from __future__ import annotations

import json
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
