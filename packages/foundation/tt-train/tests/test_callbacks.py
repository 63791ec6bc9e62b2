"""What trainers tell their callbacks, and early stopping: alone and inside a trainer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tt_data import DataLoader
from tt_tensor import Array, Tensor
from tt_train import Callback, EarlyStopping, Trainer

MakeTrainer = Callable[..., Trainer]
MakeLoader = Callable[..., DataLoader]


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


class Watch(Callback):
    def __init__(self, stop_at: int | None = None) -> None:
        self.events: list[str] = []
        self.stop_at = stop_at

    def on_fit_start(self, trainer: Trainer) -> None:
        self.events.append("start")

    def on_step_end(self, trainer: Trainer) -> None:
        self.events.append(f"step {trainer.step}")
        if trainer.step == self.stop_at:
            trainer.stop()

    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        self.events.append(f"epoch {record['epoch']}")

    def on_fit_end(self, trainer: Trainer) -> None:
        self.events.append("end")


def test_callbacks_are_called_in_order(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    watch = Watch()
    make_trainer(callbacks=[watch, Callback()]).fit(make_loader(batch_size=22), epochs=2)
    assert watch.events == ["start", "step 1", "step 2", "epoch 1", "step 3", "step 4", "epoch 2", "end"]


def test_stop_ends_after_the_step(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    watch = Watch(stop_at=2)
    trainer = make_trainer(callbacks=[watch])
    history = trainer.fit(make_loader(), epochs=5)
    assert trainer.step == 2
    assert trainer.finished
    assert len(history.epochs) == 1


def test_the_end_is_told_after_an_error_too(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    class BadError(Exception):
        pass

    class Fails(Callback):
        def on_step_end(self, trainer: Trainer) -> None:
            raise BadError

    watch = Watch()
    trainer = make_trainer(callbacks=[watch, Fails()])
    with pytest.raises(BadError):
        trainer.fit(make_loader())
    assert watch.events == ["start", "step 1", "end"]
    assert not trainer.finished


def test_the_end_is_told_to_all_though_one_fails(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    class Fails(Callback):
        def on_fit_end(self, trainer: Trainer) -> None:
            raise LookupError("mine")

    first, last = Watch(), Watch()
    with pytest.raises(LookupError, match="mine"):
        make_trainer(callbacks=[first, Fails(), last]).fit(make_loader(batch_size=44))
    assert first.events == last.events == ["start", "step 1", "epoch 1", "end"]


class Steps:
    """A loss for early stopping to watch: what the list says, whatever the model does."""

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def __call__(self, outputs: Tensor, targets: Tensor) -> float:
        return self.values.pop(0)


def test_early_stopping_stops_and_brings_the_best_weights_back(
    make_trainer: MakeTrainer, make_loader: MakeLoader
) -> None:
    seen: list[dict[str, Array]] = []

    class Keep(Callback):
        def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
            seen.append(trainer.model.state_dict())

    early = EarlyStopping("validation_figure", patience=2, restore_best=True)
    figures = Steps([3.0, 1.0, 2.0, 1.5, 0.0])
    trainer = make_trainer(callbacks=[Keep(), early], metrics={"figure": figures})
    history = trainer.fit(make_loader(), epochs=10, validation=make_loader(batch_size=44))
    assert len(history.epochs) == 4
    np.testing.assert_equal(trainer.model.state_dict(), seen[1])
    assert not np.array_equal(seen[3]["0.weight"], seen[1]["0.weight"])


def test_early_stopping_without_its_figure_explains_itself(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    with pytest.raises(KeyError, match=r"watches 'validation_loss'.*recorded epoch, loss.*fit\(validation="):
        make_trainer(callbacks=[EarlyStopping()]).fit(make_loader())


def test_early_stopping_begins_anew_with_each_fit(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    early = EarlyStopping("loss", patience=1, min_delta=1e6, restore_best=True)  # any epoch after the first is in vain
    trainer = make_trainer(callbacks=[early])
    assert len(trainer.fit(make_loader(), epochs=5).epochs) == 2
    before = trainer.model.state_dict()
    assert len(trainer.fit(make_loader(), epochs=5).epochs) == 2
    assert not np.array_equal(trainer.model.state_dict()["0.weight"], before["0.weight"])


def test_early_stopping_says_how_long_it_has_waited() -> None:
    early = EarlyStopping("loss", patience=2)
    for figure in (1.0, 0.25, 0.5):
        early.improved(figure)
    assert repr(early) == "EarlyStopping('loss', patience=2, waited 1, best 0.25)"
