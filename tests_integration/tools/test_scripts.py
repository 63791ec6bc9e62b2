from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import scripts

SCRIPT = """
from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Pair:
    first: int


if __name__ == "__main__":
    raise RuntimeError("run, not loaded")
"""


def test_a_script_is_loaded_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "01_1958" / "run.py"
    path.parent.mkdir()
    path.write_text(SCRIPT, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "a_script", raising=False)
    module = scripts.load(path, "a_script")
    assert module.Pair(3).first == 3
    assert sys.modules["a_script"] is module


@pytest.mark.parametrize("name", ["absent.py", "README"])
def test_what_is_no_script_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "README").touch()
    with pytest.raises(ImportError, match=f"{name} cannot be loaded; name a Python file that is there"):
        scripts.load(tmp_path / name, "a_script")
