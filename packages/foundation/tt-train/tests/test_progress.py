"""What a terminal sees while a trainer trains."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable

import pytest
from tt_data import DataLoader
from tt_train import Trainer

MakeTrainer = Callable[..., Trainer]
MakeLoader = Callable[..., DataLoader]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_written_where_there_is_no_terminal(
    make_trainer: MakeTrainer, make_loader: MakeLoader, capfd: pytest.CaptureFixture[str]
) -> None:
    make_trainer().fit(make_loader())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("with_rich", [True, False])
def test_a_terminal_sees_progress_unless_it_is_switched_off(
    with_rich: bool, make_trainer: MakeTrainer, make_loader: MakeLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_rich:
        monkeypatch.setitem(sys.modules, "rich", None)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    trainer = make_trainer()
    trainer.fit(make_loader(), epochs=2)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "12/12" in plain
    assert re.findall(r"epoch (-?\d+)", plain)[-1] == "2"
    assert re.findall(r"loss (\S+)", plain)[-1] == f"{trainer.history.steps['loss'][-1]:.4g}"
    assert terminal.getvalue().endswith("\n") or "\x1b[?25h" in terminal.getvalue()
    monkeypatch.setattr(sys, "stderr", silent := Terminal())
    make_trainer().fit(make_loader(), progress=False)
    assert silent.getvalue() == ""


def test_a_loader_without_length_gets_a_bar_without_end(
    make_trainer: MakeTrainer, make_loader: MakeLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    make_trainer().fit(iter(make_loader()))
    assert "step 6 " in terminal.getvalue()
