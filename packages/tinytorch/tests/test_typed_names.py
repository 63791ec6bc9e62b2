from __future__ import annotations

from pathlib import Path

import pytest
import tinytorch
from tinytorch.typed_names import main, stub, stubs

FOLDER = Path(tinytorch.__file__).parent


def test_the_typed_names_are_those_of_the_table() -> None:
    written = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in FOLDER.rglob("*.pyi")}
    assert written == stubs(), "run: python -m tinytorch.typed_names"


def test_every_stub_stands_beside_its_module() -> None:
    for path in stubs():
        assert (FOLDER / path).with_suffix(".py").is_file(), path


def test_a_planned_package_has_no_typed_names() -> None:
    assert "tt_layers import" in stub("nn")
    assert "Linear as Linear" in stub("nn")
    assert "Conv2d as Conv2d" in stub("nn")
    assert "cached" not in stub("nn")


def test_writing_leaves_what_is_right_alone() -> None:
    before = {path: path.stat().st_mtime_ns for path in FOLDER.rglob("*.pyi")}
    main()
    assert before == {path: path.stat().st_mtime_ns for path in FOLDER.rglob("*.pyi")}


def test_a_file_that_differs_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(Path, "is_file", lambda path: False)
    monkeypatch.setattr(Path, "write_text", lambda path, text, encoding: written.append(text))
    main()
    assert sorted(written) == sorted(stubs().values())
