"""Early stopping: judged alone, and inside a trainer elsewhere."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tt_train import EarlyStopping


def test_the_first_figure_is_always_better() -> None:
    early = EarlyStopping()
    assert early.improved(1e9)
    assert early.best == 1e9


def test_equal_is_no_improvement_and_waiting_starts_anew_after_one() -> None:
    early = EarlyStopping(patience=5)
    assert [early.improved(figure) for figure in (2.0, 2.0, 3.0, 1.0, 1.5)] == [True, False, False, True, False]
    assert early.waited == 1


def test_an_improvement_must_exceed_min_delta() -> None:
    early = EarlyStopping(min_delta=0.5)
    assert [early.improved(figure) for figure in (2.0, 1.75, 1.5, 1.25)] == [True, False, False, True]


def test_mode_max_wants_more() -> None:
    early = EarlyStopping("validation_accuracy", mode="max")
    assert [early.improved(figure) for figure in (0.5, 0.4, 0.6)] == [True, False, True]
    assert early.best == 0.6


def test_nan_is_never_an_improvement() -> None:
    early = EarlyStopping()
    assert not early.improved(math.nan)
    assert early.improved(1.0)
    assert not early.improved(math.nan)
    assert early.best == 1.0


def test_its_state_comes_back() -> None:
    early, other = EarlyStopping(), EarlyStopping()
    early.improved(1.0)
    early.improved(2.0)
    other.load_state_dict(early.state_dict())
    assert (other.best, other.waited) == (1.0, 1)
    with pytest.raises(ValueError, match="'best' and 'waited'"):
        other.load_state_dict({"best": "x"})


@pytest.mark.parametrize("settings", [{"patience": 0}, {"min_delta": -1.0}, {"mode": "least"}])
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="EarlyStopping needs"):
        EarlyStopping(**settings)
