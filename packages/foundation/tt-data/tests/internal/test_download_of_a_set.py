"""Which files of a data set are downloaded: their addresses are fixed, so that the download itself is stood in for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tt_data import RemoteFile, _registry, download


def test_only_what_is_absent_or_wrong_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("whole", "wrong", "absent")
    files = tuple(
        RemoteFile(name, f"https://example.org/{name}", hashlib.sha256(name.encode()).hexdigest(), len(name))
        for name in names
    )
    asked: list[tuple[str, Path, str, int]] = []

    def stand_in(url: str, path: Path, *, sha256: str, size: int, progress: bool) -> Path:
        asked.append((url, path, sha256, size))
        path.write_text(path.name)
        return path

    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path))
    monkeypatch.setitem(_registry._ENTRIES, "own", _registry._Entry("Own", "mine", "here", "folder", files))
    monkeypatch.setattr(_registry, "download_file", stand_in)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "whole").write_text("whole")
    (folder / "wrong").write_text("other")
    assert download("own").cached
    assert asked == [(file.url, folder / file.name, file.sha256, file.size) for file in files[1:]]
    asked.clear()
    download("own")
    assert asked == []
    download("own", force=True)
    assert [path.name for _, path, _, _ in asked] == list(names)
