from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from tinytorch.milestone import bar, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_that_is_wiped() -> None:
    stream = Terminal()
    assert list(progress(range(3), "learning", stream=stream, patience=0.0)) == [0, 1, 2]
    drawn = stream.getvalue()
    assert "learning [" in drawn
    assert "0/3" in drawn
    assert drawn.endswith("\r")


def test_a_shorter_line_leaves_nothing_of_a_longer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, seconds = Terminal(), iter([0.0, 1.0, 1000.0, 1000.2, 1000.4])
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    assert len(list(progress(range(4), stream=stream, patience=0.0))) == 4
    longer, shorter = stream.getvalue().split("\r")[3:5]
    assert longer.endswith("2/4, 1000 s left")
    assert shorter.endswith("3/4, 333 s left ")


def test_a_short_loop_leaves_no_trace() -> None:
    stream = Terminal()
    assert list(progress(range(3), stream=stream)) == [0, 1, 2]
    assert stream.getvalue() == ""


def test_a_file_gets_nothing() -> None:
    stream = io.StringIO()
    assert list(progress(range(3), stream=stream, patience=0.0)) == [0, 1, 2]
    assert stream.getvalue() == ""


def test_the_bar_is_wiped_when_the_loop_fails() -> None:
    stream = Terminal()

    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(progress(items(), stream=stream, patience=0.0))
    assert stream.getvalue().endswith("\r")


@pytest.mark.parametrize(
    ("done", "total", "shown"),
    [
        (0, 2, "[------------------------------] 0/2"),
        (1, 2, "[###############---------------] 1/2, 4 s left"),
        (3, 2, "3 done, 4 s"),
        (3, None, "3 done, 4 s"),
    ],
)
def test_bar(done: int, total: int | None, shown: str) -> None:
    assert bar(done, total, 4.0) == shown
