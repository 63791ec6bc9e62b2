"""Resume: a run that was cut goes on as if it had not been, to the bit, wherever it was cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tt_data import DataLoader
from tt_layers import Module, Sequential
from tt_tensor import Tensor, rng_state
from tt_train import (
    Callback,
    CheckpointError,
    EarlyStopping,
    LossScaler,
    Trainer,
    accuracy,
    load_checkpoint,
    read_checkpoint,
)

MakeTrainer = Callable[..., Trainer]
MakeLoader = Callable[..., DataLoader]

EPOCHS = 3


class CutError(Exception):
    """The power fails."""


class CutAfter(Callback):
    """Fail after a step; it has no state, so that it does not show in the checkpoint."""

    def __init__(self, step: int | None) -> None:
        self.step = step

    def on_step_end(self, trainer: Trainer) -> None:
        if trainer.step == self.step:
            raise CutError


def state(trainer: Trainer) -> dict[str, object]:
    """Everything that two equal runs must have in common."""
    steps = {name: column.tobytes() for name, column in trainer.history.steps.items()}
    epochs = [
        {name: figure for name, figure in record.items() if name not in ("seconds", "examples_per_second")}
        for record in trainer.history.epochs
    ]
    weights = {name: value.data.tobytes() for name, value in trainer.model.named_parameters()}
    return {"weights": weights, "steps": steps, "epochs": epochs, "rng": rng_state(), "step": trainer.step}


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "accumulate": {"accumulate": 2},
    "accumulate unevenly, clip": {"accumulate": 4, "clip": 0.5},
    "float16": {"precision": "float16", "growth": 2},
    "float16, accumulate": {"precision": "float16", "accumulate": 2, "growth": 3},
}


def build(make_trainer: MakeTrainer, seed: int, case: dict[str, Any], cut: int | None) -> Trainer:
    settings = dict(case)
    growth = settings.pop("growth", None)
    if growth is not None:
        settings["scaler"] = LossScaler(1024.0, growth_interval=growth)
    early = EarlyStopping("validation_loss", patience=10, restore_best=True)
    return make_trainer(seed, callbacks=[CutAfter(cut), early], metrics={"accuracy": accuracy}, **settings)


@pytest.mark.parametrize("case", CASES)
def test_a_run_cut_after_any_step_goes_on_to_the_bit(
    case: str, make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    whole = build(make_trainer, 0, CASES[case], None)
    whole.fit(make_loader(), epochs=EPOCHS, validation=make_loader())
    expected = state(whole)
    for cut in range(2, whole.step + 1):
        path.unlink(missing_ok=True)
        with pytest.raises(CutError):
            build(make_trainer, 0, CASES[case], cut).fit(
                make_loader(),
                epochs=EPOCHS,
                validation=make_loader(),
                checkpoint=path,
                checkpoint_every=1,
            )
        # Another seed: whatever is not restored would differ.
        again = build(make_trainer, 99, CASES[case], None)
        again.fit(make_loader(), epochs=EPOCHS, validation=make_loader(), checkpoint=path, resume=True)
        assert state(again) == expected, f"cut after step {cut}"


def test_a_checkpoint_every_few_steps_loses_only_those(
    make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    whole = build(make_trainer, 0, {}, None)
    whole.fit(make_loader(), epochs=EPOCHS, validation=make_loader())
    with pytest.raises(CutError):
        build(make_trainer, 0, {}, 9).fit(
            make_loader(), epochs=EPOCHS, validation=make_loader(), checkpoint=path, checkpoint_every=4
        )
    position = read_checkpoint(path)["position"]
    assert isinstance(position, dict)
    assert (position["step"], position["epoch"], position["batch"]) == (8, 1, 2)
    again = build(make_trainer, 99, {}, None)
    again.fit(make_loader(), epochs=EPOCHS, validation=make_loader(), resume=path)
    assert state(again) == state(whole)


def test_prefetching_loaders_resume_too(make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    whole = build(make_trainer, 0, {}, None)
    whole.fit(make_loader(), epochs=2, validation=make_loader())
    with pytest.raises(CutError):
        build(make_trainer, 0, {}, 5).fit(
            make_loader(prefetch=3), epochs=2, validation=make_loader(), checkpoint=path, checkpoint_every=1
        )
    again = build(make_trainer, 99, {}, None)
    again.fit(make_loader(prefetch=2), epochs=2, validation=make_loader(), resume=path)
    assert state(again) == state(whole)


class Listed:
    """A loader without a state: the same batches at every epoch."""

    def __init__(self, loader: DataLoader) -> None:
        self.batches = [(x, y) for x, y in loader]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return iter(self.batches)


def test_a_loader_without_a_state_is_asked_for_the_same_batches_again(
    make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    batches = Listed(make_loader(shuffle=False))
    whole = build(make_trainer, 0, {}, None)
    whole.fit(batches, epochs=2, validation=batches)
    for cut in range(2, 13):
        path.unlink(missing_ok=True)
        with pytest.raises(CutError):
            build(make_trainer, 0, {}, cut).fit(
                batches, epochs=2, validation=batches, checkpoint=path, checkpoint_every=1
            )
        again = build(make_trainer, 99, {}, None)
        again.fit(batches, epochs=2, validation=batches, resume=path)
        assert state(again) == state(whole), f"cut after step {cut}"


def test_a_run_can_be_prolonged(make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    make_trainer(0).fit(make_loader(), epochs=1, checkpoint=path)
    longer = make_trainer(1)
    longer.fit(make_loader(), epochs=3, checkpoint=path, resume=True)
    whole = make_trainer(0)
    whole.fit(make_loader(), epochs=3)
    assert state(longer) == state(whole)


def test_a_finished_or_stopped_run_does_nothing_more(
    make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    class Stop(Callback):
        def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
            trainer.stop()

    path = tmp_path / "run.safetensors"
    first = make_trainer(0, callbacks=[Stop()])
    first.fit(make_loader(), epochs=5, checkpoint=path)
    again = make_trainer(1, callbacks=[Stop()])
    again.fit(make_loader(), epochs=5, checkpoint=path, resume=True)
    assert again.step == 6
    assert state(again) == state(first)


def test_resume_true_begins_anew_where_there_is_no_file(
    make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    trainer = make_trainer()
    trainer.fit(make_loader(), checkpoint=tmp_path / "run.safetensors", resume=True)
    assert trainer.step == 6
    with pytest.raises(FileNotFoundError):
        make_trainer().fit(make_loader(), resume=tmp_path / "gone.safetensors")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"schedule": False}, "schedule"),
        ({"precision": "float16"}, "scaler"),
        ({"callbacks": [Callback()]}, "callback"),
    ],
)
def test_other_settings_are_refused(
    settings: dict[str, Any], message: str, make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    make_trainer().fit(make_loader(), checkpoint=path)
    trainer = make_trainer(**settings)
    before = {name: value.data.copy() for name, value in trainer.model.named_parameters()}
    with pytest.raises(CheckpointError, match=message):
        trainer.fit(make_loader(), resume=path)
    for name, value in trainer.model.named_parameters():
        np.testing.assert_array_equal(value.data, before[name])


def test_other_data_is_refused(make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    make_trainer().fit(make_loader(), checkpoint=path)
    with pytest.raises(CheckpointError, match=r"batch_size|loader"):
        make_trainer().fit(make_loader(batch_size=4), resume=path)
    with pytest.raises(CheckpointError, match="loader"):
        make_trainer().fit(Listed(make_loader()), resume=path)


def test_a_model_with_other_generators_is_refused(
    make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    make_trainer().fit(make_loader(), checkpoint=path)
    other = make_trainer()
    for module in other.model.modules():
        for name, value in list(vars(module).items()):
            if isinstance(value, np.random.Generator):
                setattr(module, name, None)
    with pytest.raises(CheckpointError, match="generators"):
        other.fit(make_loader(), resume=path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'\\"step\\":6', b'\\"step\\":-'),
        (b'\\"trained\\":false', b'\\"trained\\":12345'),
        (b'\\"stopped\\"', b'\\"stooped\\"'),
        (b'\\"epochs\\":[', b'\\"epoxhs\\":['),
    ],
)
def test_a_position_that_makes_no_sense_is_refused(
    old: bytes, new: bytes, make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    make_trainer().fit(make_loader(), checkpoint=path)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    with pytest.raises(CheckpointError):
        make_trainer().fit(make_loader(), resume=path)


def test_the_weights_alone_can_be_taken(make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    trainer = make_trainer(precision="float16")
    trainer.fit(make_loader(), checkpoint=path)
    other: Module = make_trainer(5).model
    load_checkpoint(path, restore_rng=False, model=other)
    for one, value in zip(other.parameters(), trainer.model.parameters(), strict=True):
        np.testing.assert_array_equal(one.data, value.data)
        assert one.dtype == np.float32


class Noise(Module):
    """Two generators that are no attributes, but in attributes."""

    def __init__(self) -> None:
        self.sources = [np.random.default_rng(1), {"other": np.random.default_rng(2)}]

    def forward(self, x: Tensor) -> Tensor:
        first, table = self.sources
        assert isinstance(first, np.random.Generator)
        assert isinstance(table, dict)
        return x + Tensor(first.normal(size=x.shape) + table["other"].normal(size=x.shape))


def test_generators_in_lists_and_dicts_go_on_too(
    make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    def run(epochs: int, resume: bool) -> Trainer:
        trainer = make_trainer()
        trainer.model = Sequential(Noise(), trainer.model)
        trainer.fit(make_loader(), epochs=epochs, checkpoint=tmp_path / "run", resume=resume)
        return trainer

    whole = state(run(3, resume=False))
    run(2, resume=False)
    assert state(run(3, resume=True)) == whole
