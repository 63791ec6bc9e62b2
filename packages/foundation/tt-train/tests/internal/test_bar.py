"""The line of text that stands in for rich's bar: how much is done, and how long it will take."""

from __future__ import annotations

import pytest
from tt_train._progress import format_bar


@pytest.mark.parametrize(
    ("done", "total", "first", "line"),
    [
        (5, 10, 0, "█████·····  50% 5/10  0:08 < 0:08  note"),
        (6, 10, 5, "██████····  60% 6/10  0:08 < 0:32  note"),  # by the pace of this run: one step in eight seconds
        (10, 10, 0, "██████████ 100% 10/10  0:08 < 0:00  note"),
        (12, 10, 0, "██████████ 100% 12/10  0:08 < -:--  note"),
        (5, None, 0, "step 5  0:08  note"),
    ],
)
def test_it_says_how_much_is_done_and_left(done: int, total: int | None, first: int, line: str) -> None:
    assert format_bar(done, total, 8.0, "note", first=first, width=10) == line


def test_before_the_first_step_nobody_knows_how_long() -> None:
    assert "0/10  0:00 < -:--" in format_bar(0, 10, 0.0, "", width=10)
