"""The trainer: it does what a loop written by hand does, and says what it saw."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tt_data import DataLoader, TensorDataset
from tt_layers import Dropout, Linear, Module, Sequential
from tt_losses import CrossEntropyLoss, mse_loss
from tt_optim import SGD, Adam
from tt_tensor import Tensor, manual_seed
from tt_train import (
    EarlyStopping,
    Trainer,
    accumulate_gradients,
    accuracy,
    micro_weights,
)

MakeTrainer = Callable[..., Trainer]
MakeLoader = Callable[..., DataLoader]


def weights(model: Module) -> bytes:
    return b"".join(parameter.data.tobytes() for parameter in model.parameters())


def test_it_takes_the_steps_of_a_loop_written_by_hand(make_loader: MakeLoader) -> None:
    def make() -> tuple[Sequential, Adam]:
        manual_seed(3)
        model = Sequential(Linear(6, 5), Dropout(0.3), Linear(5, 3))
        return model, Adam(model.parameters(), lr=0.01)

    model, optimizer = make()
    trainer = Trainer(model, CrossEntropyLoss(), optimizer)
    history = trainer.fit(make_loader(), epochs=3)

    by_hand, optimizer = make()
    loss_of, losses, loader = CrossEntropyLoss(), [], make_loader()
    for _ in range(3):
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_of(by_hand(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert weights(model) == weights(by_hand)
    np.testing.assert_array_equal(history.steps["loss"], losses)
    assert (trainer.step, trainer.epoch, trainer.finished) == (18, 3, True)


def test_it_learns_and_records(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    trainer = make_trainer(metrics={"accuracy": accuracy})
    start = time.perf_counter()
    history = trainer.fit(make_loader(), epochs=6, validation=make_loader(shuffle=False))
    took = time.perf_counter() - start
    assert 0 < sum(record["seconds"] for record in history.epochs) < took
    assert [record["epoch"] for record in history.epochs] == [1, 2, 3, 4, 5, 6]
    first, last = history.epochs[0], history.epochs[-1]
    assert last["loss"] < 0.5 * first["loss"]
    assert last["validation_accuracy"] > 0.9
    examples = sum(x.shape[0] for x, _ in make_loader())
    assert last["examples_per_second"] == pytest.approx(examples / last["seconds"])
    assert trainer.history is history
    rates = history.steps["learning_rate"]
    assert rates[0] == pytest.approx(0.02)
    assert np.all(np.diff(rates) < 0)


def test_the_epochs_loss_weighs_a_short_last_batch_for_what_it_is(make_loader: MakeLoader) -> None:
    model = Linear(6, 3)
    history = Trainer(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1)).fit(make_loader())
    sizes = [8, 8, 8, 8, 8, 4]
    expected = np.average(history.steps["loss"], weights=sizes)
    assert history.epochs[0]["loss"] == pytest.approx(expected)


def test_evaluate_is_the_mean_over_examples_and_changes_nothing(
    make_trainer: MakeTrainer, make_loader: MakeLoader
) -> None:
    trainer = make_trainer(metrics={"accuracy": accuracy})
    trainer.model.train()
    before = weights(trainer.model)
    result = trainer.evaluate(make_loader(shuffle=False))
    whole = trainer.evaluate(make_loader(shuffle=False, batch_size=44))
    assert result == {key: pytest.approx(value, rel=1e-5) for key, value in whole.items()}
    assert result.keys() == {"loss", "accuracy"}
    assert weights(trainer.model) == before
    assert all(module.training for module in trainer.model.modules())
    assert all(parameter.grad is None for parameter in trainer.model.parameters())


def test_evaluate_gives_each_part_its_mode_back(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    trainer = make_trainer()
    modules = list(trainer.model.modules())
    trainer.model.train()
    modules[1].eval()
    modes = [module.training for module in modules]
    trainer.evaluate(make_loader())
    assert [module.training for module in modules] == modes

    class BadError(Exception):
        pass

    def bad(outputs: Tensor, targets: Tensor) -> float:
        raise BadError

    trainer.metrics["bad"] = bad
    with pytest.raises(BadError):
        trainer.evaluate(make_loader())
    assert [module.training for module in modules] == modes


def test_predict_takes_tensors_arrays_and_loaders(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    trainer = make_trainer()
    x = np.concatenate([x.data for x, _ in make_loader(shuffle=False)])
    outputs = trainer.predict(x, batch_size=10)
    assert outputs.shape == (44, 3)
    assert not outputs.requires_grad
    for same in (
        trainer.predict(Tensor(x)),
        trainer.predict(make_loader(shuffle=False)),
        trainer.predict([Tensor(x[:20]), Tensor(x[20:])]),
    ):
        np.testing.assert_allclose(same.data, outputs.data, rtol=1e-5, atol=1e-6)


def test_nothing_to_do_explains_itself(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer()
    with pytest.raises(ValueError, match="nothing to evaluate"):
        trainer.evaluate([])
    with pytest.raises(ValueError, match="nothing to predict"):
        trainer.predict([])
    with pytest.raises(ValueError, match="epoch 1 has no batches"):
        trainer.fit([])


def test_an_iterator_that_is_used_up_explains_itself(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    with pytest.raises(ValueError, match="epoch 2 has no batches"):
        make_trainer().fit(iter(make_loader()), epochs=2)


@pytest.mark.parametrize(
    "settings", [{"accumulate": 0}, {"clip": 0.0}, {"clip": -1.0}, {"precision": "bfloat16"}, {"clip": math.nan}]
)
def test_settings_out_of_range_are_refused(make_trainer: MakeTrainer, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="got"):
        make_trainer(**settings)


def test_fits_settings_must_go_together(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    with pytest.raises(ValueError, match="needs checkpoint="):
        make_trainer().fit(make_loader(), checkpoint_every=3)
    with pytest.raises(ValueError, match="resume=True means the file"):
        make_trainer().fit(make_loader(), resume=True)


def test_a_loss_that_is_no_number_stops_before_the_weights_are_spoiled() -> None:
    model = Linear(1, 1)
    trainer = Trainer(model, mse_loss, SGD(model.parameters(), lr=0.1))
    good, bad = Tensor([[1.0]]), Tensor([[math.nan]])
    before = weights(model)
    with pytest.raises(FloatingPointError, match="no step was taken"):
        trainer.fit([(bad, good)])
    assert weights(model) == before
    trainer.fit([(good, good)])
    assert weights(model) != before


def test_clip_bounds_the_gradient_and_records_its_norm(make_loader: MakeLoader) -> None:
    manual_seed(0)
    model = Linear(6, 3)
    start = [parameter.data.copy() for parameter in model.parameters()]
    trainer = Trainer(model, CrossEntropyLoss(), SGD(model.parameters(), lr=1.0), clip=1e-3)
    history = trainer.fit([next(iter(make_loader()))])
    moved = math.sqrt(
        sum(
            float(np.sum((now.data - then).astype(np.float64) ** 2))
            for now, then in zip(model.parameters(), start, strict=True)
        )
    )
    assert moved == pytest.approx(1e-3, rel=1e-2)
    assert history.steps["gradient_norm"][0] > 1e-3


def test_batches_need_not_come_from_tt_data() -> None:
    model = Linear(1, 1)
    x = Tensor([[1.0], [2.0]])
    trainer = Trainer(model, mse_loss, SGD(model.parameters(), lr=0.1))
    history = trainer.fit([(x, x), (x, x)], epochs=2)
    assert len(history) == 4
    dataset = TensorDataset(x, x)
    assert trainer.evaluate(DataLoader(dataset, batch_size=2)).keys() == {"loss"}


# -- accumulation


def test_micro_weights_are_the_shares_of_the_examples() -> None:
    assert micro_weights([8, 8]) == [0.5, 0.5]
    assert micro_weights([6, 2]) == [0.75, 0.25]
    assert sum(micro_weights([7, 7, 3])) == pytest.approx(1.0)


@pytest.mark.parametrize("sizes", [(8, 8, 8), (10, 10, 4), (24,)])
def test_accumulated_gradients_are_those_of_one_large_batch(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 6)), rng.integers(0, 3, size=24)
    manual_seed(0)
    model = Linear(6, 3, dtype=np.float64)
    loss_of = CrossEntropyLoss()
    loss = loss_of(model(Tensor(x, dtype=np.float64)), Tensor(y))
    loss.backward()
    expected = [np.array(parameter.grad.data) for parameter in model.parameters() if parameter.grad is not None]
    model.zero_grad()
    ends = np.cumsum((0, *sizes))
    group = [(Tensor(x[a:b], dtype=np.float64), Tensor(y[a:b])) for a, b in pairwise(ends.tolist())]
    mean = accumulate_gradients(model, loss_of, group)
    assert mean == pytest.approx(loss.item(), rel=1e-12)
    got = [parameter.grad.data for parameter in model.parameters() if parameter.grad is not None]
    assert len(got) == 2
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14)


def test_accumulate_takes_one_step_for_a_group(make_loader: MakeLoader) -> None:
    def run(batch_size: int, accumulate: int) -> tuple[Trainer, Linear]:
        manual_seed(0)
        model = Linear(6, 3)
        trainer = Trainer(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.5), accumulate=accumulate)
        trainer.fit(make_loader(shuffle=False, batch_size=batch_size), epochs=2)
        return trainer, model

    small, one = run(8, 4)  # groups of 8+8+8+8 and 8+4
    large, other = run(32, 1)  # batches of 32 and 12
    assert small.step == large.step == 4
    np.testing.assert_allclose(one.weight.data, other.weight.data, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(small.history.steps["loss"], large.history.steps["loss"], rtol=1e-5)


def test_predict_refuses_batches_of_nothing(make_trainer: MakeTrainer) -> None:
    for size in (0, -1):
        with pytest.raises(ValueError, match=f"batch_size must be 1 or more, got {size}"):
            make_trainer().predict(np.zeros((4, 6), np.float32), batch_size=size)


def test_a_metric_called_loss_is_refused(make_trainer: MakeTrainer) -> None:
    with pytest.raises(ValueError, match="'loss'"):
        make_trainer(metrics={"loss": accuracy})


def test_metrics_need_not_return_pythons_floats(
    make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    def build_one() -> Trainer:
        metrics = {"mae": lambda x, y: np.abs(x.data).mean(), "size": lambda x, y: (x * x).mean()}
        return make_trainer(callbacks=[EarlyStopping("validation_mae")], metrics=metrics)

    path, trainer = tmp_path / "run", build_one()
    trainer.fit(make_loader(), epochs=2, validation=make_loader(), checkpoint=path)
    assert {type(figure) for name, figure in trainer.history.epochs[-1].items() if name != "epoch"} == {float}
    trainer.history.to_jsonl(tmp_path / "history.jsonl")
    again = build_one()
    again.fit(make_loader(), epochs=3, validation=make_loader(), checkpoint=path, resume=True)
    assert again.epoch == 3


def test_a_folder_that_is_missing_is_found_out_before_training(
    make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    trainer = make_trainer()
    with pytest.raises(FileNotFoundError, match="missing"):
        trainer.fit(make_loader(), checkpoint=tmp_path / "missing" / "run")
    assert trainer.step == 0
