"""TensorBoard: an extra, which says so where it is absent."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from tt_data import DataLoader
from tt_train import TensorBoard, Trainer


class Writer:
    """Stands for tensorboard's writer, and remembers."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.written: list[tuple[str, int]] = []
        self.flushed = 0
        WRITERS.append(self)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.written.append((name, step))

    def flush(self) -> None:
        self.flushed += 1


WRITERS: list[Writer] = []


def test_it_writes_steps_and_epochs(
    make_trainer: Callable[..., Trainer], make_loader: Callable[..., DataLoader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "tensorboard.summary", SimpleNamespace(Writer=Writer))
    make_trainer(callbacks=[TensorBoard("folder", every=2)]).fit(make_loader())
    writer = WRITERS[-1]
    assert writer.folder == "folder"
    assert [step for name, step in writer.written if name == "step/loss"] == [2, 4, 6]
    assert ("epoch/loss", 1) in writer.written
    assert writer.flushed == 1


def test_without_it_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match=r"pip install 'tt-train\[tensorboard\]'"):
        TensorBoard("folder")
