from __future__ import annotations

import importlib.util
import json
import signal
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from tito import app
from typer.testing import CliRunner, Result

PERCEPTRON = """
import sys
from tinytorch import milestone

def main(argv=None):
    report = milestone.start(__file__, "Perceptron", argv, data_set="blobs")
    report.say("learning with the seed %d" % report.seed)
    report.gate("learnt", 0.5 if report.seed == 13 else 1.0, 1.0)
    return report.finish()

if __name__ == "__main__":
    sys.exit(main())
"""

READMES = {
    "01_1958_perceptron": "# The perceptron, 1958\n\n- **Gate:** separable data 100%\n- Gate (`--full`): 99%\n",
    "02_1969_xor": "# XOR, 1969\n\nGate: one layer at most 75%\n",
    "03_1986_mlp": "no heading\n",
}

Tito = Callable[..., Result]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with three milestones: one that works, one that crashes, one that exits oddly."""
    root = tmp_path / "checkout"
    scripts = {"01_1958_perceptron": PERCEPTRON, "02_1969_xor": "1 / 0\n", "03_1986_mlp": "import os\nos.abort()\n"}
    for name, script in scripts.items():
        folder = root / "milestones" / name
        folder.mkdir(parents=True)
        (folder / "run.py").write_text(script)
        (folder / "README.md").write_text(READMES[name])
    (root / "packages" / "tinytorch").mkdir(parents=True)
    (root / "packages" / "tinytorch" / "pyproject.toml").touch()
    monkeypatch.chdir(root)
    monkeypatch.delenv("TINYTORCH_RESULTS", raising=False)
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "160")
    return root


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Lets Ctrl-C reach this process and its children; a shell's background job, as a check may be, ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def tito() -> Tito:
    """Runs a command in this process."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run


@pytest.fixture
def results(checkout: Path) -> Callable[[], list[dict[str, object]]]:
    """Reads every result of the checkout."""

    def read() -> list[dict[str, object]]:
        return [json.loads(path.read_text()) for path in sorted((checkout / "milestones" / "results").glob("*.json"))]

    return read


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes modules whose names begin so look as if they were not installed."""

    def hide(*names: str) -> None:
        original = importlib.util.find_spec

        def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
            return None if name.startswith(names) else original(name, package)

        monkeypatch.setattr(importlib.util, "find_spec", find_spec)

    return hide
