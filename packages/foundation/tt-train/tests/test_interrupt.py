"""Ctrl-C: the step is finished, the state saved, and the way back said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tt_data import DataLoader
from tt_tensor import Tensor
from tt_train import Callback, Trainer, TrainingInterrupted

MakeTrainer = Callable[..., Trainer]
MakeLoader = Callable[..., DataLoader]


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Lets Ctrl-C reach this process and its children; a shell's background job, as a check may be, ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Press(Callback):
    """Press Ctrl-C after a step, or in the middle of one."""

    def __init__(self, step: int, *, times: int = 1) -> None:
        self.step, self.times = step, times

    def on_step_end(self, trainer: Trainer) -> None:
        if trainer.step == self.step:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)


def losses(trainer: Trainer) -> bytes:
    return trainer.history.steps["loss"].tobytes()


@pytest.mark.parametrize("step", [1, 4, 6, 7, 12])
def test_it_saves_says_how_to_resume_and_resumes(
    step: int, make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    whole = make_trainer(callbacks=[Press(-1)])
    whole.fit(make_loader(), epochs=2, validation=make_loader())
    trainer = make_trainer(callbacks=[Press(step)])
    with pytest.raises(KeyboardInterrupt, match=f"after step {step},.*resume=True") as caught:
        trainer.fit(make_loader(), epochs=2, validation=make_loader(), checkpoint=path)
    assert isinstance(caught.value, TrainingInterrupted)
    assert caught.value.checkpoint == path
    assert str(path) in str(caught.value)
    assert (trainer.step, trainer.finished, len(trainer.history)) == (step, False, step)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    again = make_trainer(1, callbacks=[Press(-1)])
    again.fit(make_loader(), epochs=2, validation=make_loader(), checkpoint=path, resume=True)
    assert losses(again) == losses(whole)
    for one, other in zip(again.model.parameters(), whole.model.parameters(), strict=True):
        assert one.data.tobytes() == other.data.tobytes()


def test_without_a_checkpoint_it_says_how_to_save(
    make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    trainer = make_trainer(callbacks=[Press(4)])
    with pytest.raises(TrainingInterrupted, match=r"nothing was saved.*trainer\.save\(PATH\)") as caught:
        trainer.fit(make_loader(), epochs=2)
    assert caught.value.checkpoint is None
    trainer.save(tmp_path / "late.safetensors")
    again = make_trainer(1, callbacks=[Press(-1)])
    again.fit(make_loader(), epochs=2, resume=tmp_path / "late.safetensors")
    whole = make_trainer(callbacks=[Press(-1)])
    whole.fit(make_loader(), epochs=2)
    assert losses(again) == losses(whole)


def test_pressed_twice_it_does_not_wait_and_does_not_save_half_a_step(
    make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    with pytest.raises(TrainingInterrupted, match=r"in the middle of a step, which cannot be saved$"):
        make_trainer(callbacks=[Press(3, times=2)]).fit(make_loader(), checkpoint=path)
    assert not path.exists()
    with pytest.raises(TrainingInterrupted, match=r"latest whole state is .*run\.safetensors"):
        make_trainer(callbacks=[Press(9, times=2)]).fit(make_loader(), epochs=2, checkpoint=path)
    again = make_trainer(1, callbacks=[Press(-1)])
    again.fit(make_loader(), epochs=2, checkpoint=path, resume=True)
    assert again.step == 12


@pytest.mark.parametrize("shared", [False, True], ids=["its own loader", "on the training data's loader"])
def test_during_validation_the_resume_validates_again(
    shared: bool, make_trainer: MakeTrainer, make_loader: MakeLoader, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    presses = [False, True]

    def loaders() -> dict[str, Any]:
        loader = make_loader()
        return {"loader": loader, "validation": loader if shared else make_loader()}

    def metric(outputs: Tensor, targets: Tensor) -> float:
        if presses and presses.pop(0):
            signal.raise_signal(signal.SIGINT)
        return 1.0

    trainer = make_trainer(metrics={"metric": metric})
    with pytest.raises(TrainingInterrupted, match="after step 6"):
        trainer.fit(**loaders(), epochs=2, checkpoint=path)
    assert trainer.history.epochs == []
    again = make_trainer(1, metrics={"metric": metric})
    again.fit(**loaders(), epochs=2, checkpoint=path, resume=True)
    whole = make_trainer(metrics={"metric": metric})
    whole.fit(**loaders(), epochs=2)
    assert [record["validation_loss"] for record in again.history.epochs] == [
        record["validation_loss"] for record in whole.history.epochs
    ]
    assert losses(again) == losses(whole)


def test_in_another_thread_signals_are_left_alone(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    trainer = make_trainer()
    thread = threading.Thread(target=lambda: trainer.fit(make_loader()))
    thread.start()
    thread.join()
    assert trainer.finished


def test_a_handler_that_somebody_else_installed_is_left_alone(
    make_trainer: MakeTrainer, make_loader: MakeLoader
) -> None:
    calls: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: calls.append(number))
    try:
        trainer = make_trainer(callbacks=[Press(2)])
        trainer.fit(make_loader())
    finally:
        signal.signal(signal.SIGINT, previous)
    assert calls == [signal.SIGINT]
    assert trainer.step == 6


SCRIPT = """
import sys
import numpy as np
from tt_layers import Linear
from tt_losses import mse_loss
from tt_optim import SGD
from tt_tensor import Tensor
from tt_train import Callback, Trainer

class Tell(Callback):
    def on_step_end(self, trainer):
        if trainer.step == 3:
            sys.stdout.write("running\\n")
            sys.stdout.flush()

model = Linear(2, 1)
x = Tensor(np.zeros((4, 2), dtype=np.float32)), Tensor(np.zeros((4, 1), dtype=np.float32))
trainer = Trainer(model, mse_loss, SGD(model.parameters(), lr=0.1), callbacks=[Tell()])
trainer.fit([x] * 10, epochs=10**9, checkpoint=sys.argv[1], resume=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals between processes are POSIX")
def test_a_script_ends_as_after_any_ctrl_c(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"running\n"
            process.send_signal(signal.SIGINT)
            message = process.communicate(timeout=60)[1].decode()
        finally:
            process.kill()
    assert process.returncode in (1, 130, -signal.SIGINT)
    assert "TrainingInterrupted: stopped by Ctrl-C after step" in message
    assert "resume=True" in message
    assert path.exists()
    assert np.isfinite(path.stat().st_size)
