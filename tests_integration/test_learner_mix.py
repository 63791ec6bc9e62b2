"""A learner's own package, of the same name and earlier on the path, takes the reference's place."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tt_optim

VERSION = "0.1.0+mine"
SOURCE = """

_theirs = SGD.step


def _step(self):
    steps.append(1)
    _theirs(self)


steps = []
SGD.step = _step
"""
PROGRAM = """
import json
import tinytorch as tt
import tt_optim
from tinytorch import milestone

tt.manual_seed(0)
layer = tt.nn.Linear(2, 1)
optimizer = tt.optim.SGD(layer.parameters(), lr=0.1)
x, y = tt.randn(8, 2), tt.ones(8, 1)
losses = []
for _ in range(5):
    loss = tt.nn.functional.mse_loss(layer(x), y)
    losses.append(loss.item())
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
found = {"file": tt_optim.__file__, "steps": len(getattr(tt_optim, "steps", [])), "losses": losses}
print(json.dumps(found | {"version": milestone.versions()["tt-optim"], "sources": milestone.sources()}))
"""


def run(*first: Path) -> dict[str, object]:
    """Run the program with these folders at the front of the path."""
    path = os.pathsep.join([*map(str, first), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Make a folder with a tt_optim that counts its steps, and the metadata that an installation would have."""
    shutil.copytree(Path(tt_optim.__file__).parent, tmp_path / "tt_optim", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "tt_optim" / "__init__.py").open("a", encoding="utf-8") as stream:
        stream.write(SOURCE)
    metadata = tmp_path / "tt_optim-0.1.0+mine.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: tt-optim\nVersion: {VERSION}\n", encoding="utf-8")
    return tmp_path


def test_the_facade_trains_with_the_learners_package_and_says_so(mine: Path) -> None:
    reference, mixed = run(), run(mine)
    assert Path(str(mixed["file"])).is_relative_to(mine)
    assert (reference["steps"], mixed["steps"]) == (0, 5)
    assert mixed["version"] == VERSION != reference["version"]
    assert mixed["losses"] == reference["losses"]


def test_only_the_learners_package_has_another_fingerprint(mine: Path) -> None:
    reference, mixed = run()["sources"], run(mine)["sources"]
    assert isinstance(reference, dict)
    assert isinstance(mixed, dict)
    assert {name for name in mixed if mixed[name] != reference[name]} == {"tt-optim"}
