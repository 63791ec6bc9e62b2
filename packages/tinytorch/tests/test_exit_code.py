from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

import pytest
import tinytorch as tt
from tinytorch import milestone


def raising(error: BaseException) -> Callable[[], NoReturn]:
    def main() -> NoReturn:
        raise error

    return main


@pytest.mark.parametrize("code", [0, 1])
def test_the_code_is_that_of_the_gates(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert milestone.exit_code(lambda: code) == code
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (tt.data.DownloadError("no network", where="https://here"), 3, "could not run: https://here: no network"),
        (tt.MissingPackageError("tt.nn.Conv2d needs tt-conv"), 3, "could not run: tt.nn.Conv2d needs tt-conv"),
    ],
)
def test_what_is_no_mistake_is_one_line(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert milestone.exit_code(raising(error)) == code
    out, said = capsys.readouterr()
    assert out == ""
    assert said.endswith(line + "\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("error", [tt.data.DataError("no batch"), ValueError("x"), ImportError("x"), OSError("full")])
def test_a_mistake_keeps_its_traceback(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(type(error)) as caught:
        milestone.exit_code(raising(error))
    assert caught.value is error
    assert capsys.readouterr() == ("", "")


def test_without_tt_data_nothing_was_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tt_data")
    with pytest.raises(ValueError, match="x"):
        milestone.exit_code(raising(ValueError("x")))
