"""What checksums prove: no official file is here, so that small ones are made official."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pytest
from tt_data import RemoteFile, _registry, mnist
from tt_data._storage import sha256_of


class Make(Protocol):
    def all_idx(self, folder: Path) -> None: ...
    def idx(self, array: npt.NDArray[np.uint8]) -> bytes: ...


def test_mnist_is_mnist_if_both_files_are(tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path))
    make.all_idx(tmp_path / "mnist")
    official = _registry._ENTRIES["mnist"]
    files = tuple(
        RemoteFile(file.name, file.url, sha256_of(tmp_path / "mnist" / file.name), file.size) for file in official.files
    )
    entry = _registry._Entry(official.title, official.licence, official.source, official.folder, files)
    monkeypatch.setitem(_registry._ENTRIES, "mnist", entry)
    assert mnist().source == mnist("test").source == "MNIST"
    labels = tmp_path / "mnist" / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(make.idx(np.zeros(5, np.uint8))))
    assert mnist().source == "MNIST, unverified copy"
    assert mnist("test").source == "MNIST"
