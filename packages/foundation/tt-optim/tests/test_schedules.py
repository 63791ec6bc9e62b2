"""Schedules: the rates they name, the rates they set, and going on from where they stood."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_optim import SGD, Constant, Cosine, LinearWarmup, OneCycle, Schedule, Step
from tt_tensor import Tensor

Make = Callable[[SGD], Schedule]
ALL: dict[str, Make] = {
    "Constant": Constant,
    "Step": lambda optimizer: Step(optimizer, every=3, factor=0.5),
    "Cosine": lambda optimizer: Cosine(optimizer, total_steps=10, min_lr=0.01),
    "LinearWarmup": lambda optimizer: LinearWarmup(optimizer, 4),
    "warm-up, then cosine": lambda optimizer: LinearWarmup(optimizer, 4, after=Cosine(optimizer, 8)),
    "OneCycle": lambda optimizer: OneCycle(optimizer, 0.9, total_steps=12),
}
each = pytest.mark.parametrize("make", ALL.values(), ids=ALL)


def optimizer(*rates: float) -> SGD:
    return SGD([{"params": [Tensor([0.0], requires_grad=True)], "lr": rate} for rate in rates or (1.0,)])


def rates(target: SGD) -> list[float]:
    return [group["lr"] for group in target.param_groups]


@each
def test_sets_at_every_step_what_lr_at_says(make: Make) -> None:
    target = optimizer(1.0, 0.1)
    schedule = make(target)
    for step in range(15):
        assert rates(target) == [schedule.lr_at(step), schedule.lr_at(step, group=1)]
        schedule.step()


@each
def test_lr_at_changes_nothing(make: Make) -> None:
    target = optimizer()
    schedule = make(target)
    schedule.step()
    before = rates(target)
    assert [schedule.lr_at(step) for step in range(20)] == [schedule.lr_at(step) for step in range(20)]
    assert rates(target) == before
    with pytest.raises(ValueError, match="counted from 0"):
        schedule.lr_at(-1)


@each
def test_goes_on_from_where_it_stood(make: Make) -> None:
    first, second = optimizer(0.7), optimizer(0.2)
    running = make(first)
    for _ in range(5):
        running.step()
    resumed = make(second)
    resumed.load_state_dict(running.state_dict())
    assert rates(second) == rates(first)
    for _ in range(5):
        running.step()
        resumed.step()
        assert rates(second) == rates(first)


@each
def test_a_state_for_other_groups_is_refused_and_changes_nothing(make: Make) -> None:
    target, other = optimizer(), make(optimizer(1.0, 2.0))
    schedule = make(target)
    other.step()
    before = rates(target)
    with pytest.raises(ValueError, match=r"."):
        schedule.load_state_dict(other.state_dict())
    with pytest.raises(ValueError, match="step"):
        schedule.load_state_dict({})
    assert rates(target) == before


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(ALL)), st.floats(1e-6, 10.0), st.integers(0, 10_000))
def test_rates_are_never_negative_and_never_above_the_peak(name: str, rate: float, step: int) -> None:
    schedule = ALL[name](optimizer(rate))
    peak = 0.9 if name == "OneCycle" else max(rate, 0.01)
    assert 0.0 <= schedule.lr_at(step) <= peak * (1 + 1e-12)


def test_constant() -> None:
    assert Constant(optimizer(0.3)).lr_at(10**6) == 0.3


def test_step_falls_in_stairs() -> None:
    schedule = Step(optimizer(), every=2)
    assert [schedule.lr_at(step) for step in range(5)] == pytest.approx([1.0, 1.0, 0.1, 0.1, 0.01])


def test_cosine_is_half_a_wave() -> None:
    schedule = Cosine(optimizer(), total_steps=8, min_lr=0.2)
    for step in range(9):
        assert schedule.lr_at(step) == pytest.approx(0.2 + 0.8 * (1 + math.cos(math.pi * step / 8)) / 2)
    assert schedule.lr_at(500) == pytest.approx(0.2)


def test_warmup_rises_in_a_line_and_hands_over() -> None:
    target = optimizer(2.0)
    schedule = LinearWarmup(target, 4, after=Cosine(target, 10))
    assert [schedule.lr_at(step) for step in range(5)] == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert schedule.lr_at(14) == pytest.approx(0.0)
    assert rates(target) == [0.5]
    alone = LinearWarmup(optimizer(2.0), 2)
    assert [alone.lr_at(step) for step in (0, 1, 2, 99)] == [1.0, 2.0, 2.0, 2.0]


def test_one_cycle_rises_to_the_peak_and_falls_to_almost_nothing() -> None:
    schedule = OneCycle(optimizer(5.0), 1.0, total_steps=10)
    values = [schedule.lr_at(step) for step in range(10)]
    assert values[0] == pytest.approx(1 / 25)
    assert max(values) == values[2] == pytest.approx(1.0)
    assert values[1] == pytest.approx((1 + 1 / 25) / 2)
    assert values[2:] == sorted(values[2:], reverse=True)
    assert values[-1] == pytest.approx(1 / 25 / 1e4)
    assert schedule.lr_at(99) == pytest.approx(values[-1])


def test_one_cycle_with_peaks_of_its_own_for_each_group() -> None:
    target = optimizer(1.0, 1.0)
    schedule = OneCycle(target, [0.5, 0.1], total_steps=10)
    assert [schedule.lr_at(2), schedule.lr_at(2, group=1)] == pytest.approx([0.5, 0.1])
    assert OneCycle(optimizer(0.3), total_steps=10).lr_at(2) == pytest.approx(0.3)
    assert OneCycle(optimizer(0.3), total_steps=2).lr_at(1) < 1e-4
    assert OneCycle(optimizer(0.3), total_steps=4, warmup=0.25).lr_at(0) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: Step(o, every=0), "every"),
        (lambda o: Step(o, every=1, factor=0.0), "factor"),
        (lambda o: Cosine(o, 0), "total_steps"),
        (lambda o: Cosine(o, 5, min_lr=-1.0), "min_lr"),
        (lambda o: LinearWarmup(o, 0), "warmup_steps"),
        (lambda o: LinearWarmup(o, 2, after=Constant(optimizer())), "optimizer"),
        (lambda o: OneCycle(o, 1.0, total_steps=1), "total_steps"),
        (lambda o: OneCycle(o, 1.0, total_steps=9, warmup=1.0), "warmup"),
        (lambda o: OneCycle(o, 1.0, total_steps=9, start_factor=0.5), "start_factor"),
        (lambda o: OneCycle(o, 1.0, total_steps=9, final_factor=0.5), "final_factor"),
        (lambda o: OneCycle(o, 0.0, total_steps=9), "max_lr"),
        (lambda o: OneCycle(o, [1.0, 2.0], total_steps=9), "1"),
    ],
)
def test_refuses_what_makes_no_sense(make: Make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(optimizer())


def test_a_group_that_is_added_later_starts_from_its_own_rate() -> None:
    target = optimizer(1.0)
    schedule = LinearWarmup(target, 2, after=Step(target, every=1, factor=0.5))
    target.add_param_group({"params": [Tensor([2.0], requires_grad=True)], "lr": 0.1})
    assert schedule.state_dict()["base_lrs"] == [1.0, 0.1]
    rates = []
    for _ in range(3):
        schedule.step()
        rates.append([group["lr"] for group in target.param_groups])
    assert rates == [[1.0, 0.1], [1.0, 0.1], [0.5, 0.05]]
    again = optimizer(1.0, 0.7)
    loaded = LinearWarmup(again, 2, after=Step(again, every=1, factor=0.5))
    loaded.load_state_dict(schedule.state_dict())
    assert [group["lr"] for group in again.param_groups] == [0.5, 0.05]


@pytest.mark.parametrize("rate", [-1.0, math.nan, math.inf, "1", None, True])
def test_refuses_a_state_whose_rates_make_no_sense(rate: object) -> None:
    target = optimizer(0.25)
    schedule = Step(target, every=1)
    with pytest.raises(ValueError, match=r"base_lrs.*Nothing was loaded"):
        schedule.load_state_dict({"step": 1, "base_lrs": [rate]})
    assert (schedule.last_step, schedule.base_lrs, target.param_groups[0]["lr"]) == (0, [0.25], 0.25)


def test_takes_numpy_numbers_as_pythons() -> None:
    target = optimizer(1.0)
    OneCycle(target, np.float32(0.5), total_steps=10)  # type: ignore[arg-type]  # no float, by its type
    assert type(target.param_groups[0]["lr"]) is float


def test_a_schedule_says_where_it_stands() -> None:
    first, second = (Tensor([1.0], requires_grad=True) for _ in range(2))
    groups: list[dict[str, object]] = [{"params": [first]}, {"params": [second], "lr": 0.5}]
    schedule = Step(SGD(groups, lr=8.0), every=1, factor=0.1)
    schedule.step()
    assert repr(schedule) == "Step(step 1, lr 0.8, 0.05)"
