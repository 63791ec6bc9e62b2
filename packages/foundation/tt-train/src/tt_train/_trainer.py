"""`Trainer`: the loop that everybody writes, written once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence, Sized
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from tt_layers import Module
from tt_optim import Optimizer, Schedule, clip_grad_norm_
from tt_tensor import Array, Tensor, from_numpy

from ._callbacks import Callback, tell_end
from ._checkpoint import Stateful, save_parts
from ._evaluate import Forward, Loss, Metric, Pair, average_over, evaluation, in_chunks, predictions
from ._history import History
from ._interrupt import InterruptGuard, interruption
from ._position import Position
from ._precision import LossScaler, unscale_gradients
from ._progress import Progress, make_progress
from ._resume import parts_of, restore, source_of, undone_if_interrupted
from ._step import accumulate_gradients, half_forward, half_gradients, in_parallel, parallel_pays

__all__ = ["Trainer"]


class Trainer:
    """Train a model: forward, loss, backward (for `accumulate` batches), clip, optimizer, schedule, and nothing else.

    Args:
        model: The model; called with the batch's `x`.
        loss: From outputs and targets to a mean over examples, such as `CrossEntropyLoss()`.
        optimizer: Holds the model's parameters.
        schedule: Stepped after every optimizer step.
        clip: The largest norm of all gradients together, or None.
        accumulate: So many batches make one step, as one large batch would, in the memory of a small one.
        precision: "float16" computes forward and backward in float16, with float32 masters and a loss scale.
        callbacks: See `Callback`.
        metrics: What `evaluate` and validation report beside the loss, by name: `{"accuracy": accuracy}`.
        scaler: The loss scale of float16, where its default does not suit.
        parallel: Whether to run the model on parts of each batch, one a thread, as `tt_autograd.parallel` does.
            "auto" does where a part of the model says that it pays and none that it must not
            (`Module.parallel_batches`); float16 does not.

    Attributes:
        history: The records of the latest `fit`.
        position: Where the latest `fit` stands.
        finished: Whether the latest `fit` came to its end.

    Raises:
        ValueError: A setting is out of range.

    Example:
        >>> import numpy as np
        >>> from tt_data import DataLoader, TensorDataset
        >>> from tt_layers import Linear
        >>> from tt_losses import mse_loss
        >>> from tt_optim import SGD
        >>> from tt_tensor import manual_seed
        >>> _ = manual_seed(0)
        >>> x = np.linspace(-1, 1, 32, dtype=np.float32)[:, None]
        >>> model = Linear(1, 1)
        >>> trainer = Trainer(model, mse_loss, SGD(model.parameters(), lr=0.3))
        >>> history = trainer.fit(DataLoader(TensorDataset(x, 3 * x), batch_size=8, shuffle=True), epochs=30)
        >>> bool(abs(model.weight.item() - 3) < 0.01)
        True
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimizer: Optimizer,
        schedule: Schedule | None = None,
        clip: float | None = None,
        accumulate: int = 1,
        precision: Literal["float32", "float16"] = "float32",
        callbacks: Sequence[Callback] = (),
        *,
        metrics: Mapping[str, Metric] | None = None,
        scaler: LossScaler | None = None,
        parallel: bool | Literal["auto"] = "auto",
    ) -> None:
        if accumulate < 1 or (clip is not None and not clip > 0):
            raise ValueError(f"Trainer needs accumulate >= 1 and clip > 0 (or None), got {accumulate} and {clip}")
        if precision not in ("float32", "float16"):
            raise ValueError(f"precision must be 'float32' or 'float16', got {precision!r}")
        self.model, self.loss, self.optimizer, self.schedule = model, loss, optimizer, schedule
        self.clip, self.accumulate, self.callbacks = clip, accumulate, tuple(callbacks)
        self.metrics = dict(metrics or {})
        if "loss" in self.metrics:
            raise ValueError("a metric cannot be called 'loss': that is the loss's own name in every record")
        self.scaler = (scaler or LossScaler()) if precision == "float16" else None
        self._parallel = parallel
        self._chosen = model, self._choose_forward()
        self.history, self.position, self.finished = History(), Position(), False
        self._loader: Iterable[Pair] = ()

    @property
    def _parameters(self) -> list[Tensor]:  # asked for anew: a group may join the optimizer while training
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"]]

    @property
    def step(self) -> int:
        """Optimizer steps taken by the latest `fit`, those before a resume included."""
        return self.position.step

    @property
    def epoch(self) -> int:
        """Epochs finished by the latest `fit`, those before a resume included."""
        return self.position.epoch

    def stop(self) -> None:
        """End the running `fit` after this step (or epoch); for callbacks."""
        self.position.stopped = True

    @property
    def _forward(self) -> Forward:
        if self._chosen[0] is not self.model:  # somebody has put another one there
            self._chosen = self.model, self._choose_forward()
        return self._chosen[1]

    def _choose_forward(self) -> Forward:
        wish = self._parallel
        if wish not in (True, False, "auto"):
            raise ValueError(f"parallel must be True, False or 'auto', got {wish!r}")
        if self.scaler is not None:
            if wish is True:
                raise ValueError("parallel=True does not go with precision='float16'; leave one of them out")
            return half_forward(self.model)
        return in_parallel(self.model) if parallel_pays(self.model, wish) else self.model

    def evaluate(self, loader: Iterable[Pair]) -> dict[str, float]:
        """Average the loss and the metrics over a loader, without gradients, in evaluation mode.

        Args:
            loader: Yields batches `(x, y)`.

        Returns:
            `loss`, and each of the trainer's metrics by its name.

        Raises:
            ValueError: The loader yields nothing.
        """
        with evaluation(self.model):
            return average_over(self._forward, loader, self.loss, self.metrics)

    def predict(self, x: Tensor | Array | Iterable[Tensor | Pair], *, batch_size: int = 256) -> Tensor:
        """Return the model's outputs, without gradients, in evaluation mode.

        Args:
            x: Inputs `(N, ...)`, or a loader of batches (of which targets are ignored).
            batch_size: How inputs that are no loader are cut, so that memory stays small.

        Returns:
            The outputs `(N, ...)`.

        Raises:
            ValueError: The loader yields nothing.
        """
        if isinstance(x, np.ndarray):
            x = from_numpy(x)
        with evaluation(self.model):
            return predictions(self._forward, in_chunks(x, batch_size) if isinstance(x, Tensor) else x)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save a checkpoint from which `fit(resume=path)` goes on; `fit(checkpoint=...)` calls this by itself.

        Args:
            path: The file; replaced atomically.

        Raises:
            OSError: It cannot be written; the old one is untouched.
        """
        save_parts(Path(path), parts_of(self, self._loader), {})

    def fit(
        self,
        loader: Iterable[Pair],
        *,
        epochs: int = 1,
        validation: Iterable[Pair] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int | None = None,
        resume: bool | str | os.PathLike[str] = False,
        progress: bool = True,
    ) -> History:
        """Train until `epochs` epochs are done.

        Args:
            loader: Yields batches `(x, y)`, anew at each epoch.
            epochs: How many; of a resumed run, all together.
            validation: Evaluated after each epoch, and recorded as `validation_loss` and so on.
            checkpoint: The file that always holds the latest state: written after each epoch, and on Ctrl-C.
            checkpoint_every: Write it also after each so many steps.
            resume: A checkpoint to go on from, as if there had been no break, to the bit. True means the file
                of `checkpoint`, if it exists already: the same script then starts and resumes.
            progress: Whether to draw a bar (only ever on standard error, and only if that is a terminal).

        Returns:
            The history, also in `self.history`.

        Raises:
            TrainingInterrupted: Ctrl-C; the state was saved if there is a `checkpoint`. A `KeyboardInterrupt`.
            CheckpointError: The checkpoint cannot be read, or does not fit.
            FloatingPointError: The loss is not finite; the weights are those before that step.
            ValueError: The settings contradict each other, or the loader yields nothing.
            OSError: The checkpoint cannot be written; the last one is still there.
        """
        if checkpoint_every is not None and (checkpoint is None or checkpoint_every < 1):
            raise ValueError(f"checkpoint_every must be at least 1 and needs checkpoint=, got {checkpoint_every}")
        path = None if checkpoint is None else Path(checkpoint)
        source = source_of(path, resume)
        self._loader, self.history, self.position, self.finished = loader, History(), Position(), False
        self.optimizer.zero_grad()
        if source is not None:
            restore(source, parts_of(self, loader))
        length = -(-len(loader) // self.accumulate) * epochs if isinstance(loader, Sized) else None
        bar = make_progress(progress, length, first=self.step)
        with InterruptGuard() as guard:
            try:
                for callback in self.callbacks:
                    callback.on_fit_start(self)
                while self.epoch < epochs and not self.position.stopped:
                    self._train_epoch(guard, bar, path, checkpoint_every)
                    self._end_epoch(guard, validation)
                    if path is not None:
                        self.save(path)
                    guard.check()
                self.finished = True
            except KeyboardInterrupt as error:
                if path is not None and not guard.busy:
                    self.save(path)
                raise interruption(self.step, self.epoch, path, clean=not guard.busy) from error
            finally:
                guard.busy = False
                if bar is not None:
                    bar.close()
                tell_end(self)
        return self.history

    def _train_epoch(
        self, guard: InterruptGuard, bar: Progress | None, path: Path | None, checkpoint_every: int | None
    ) -> None:
        """Take this epoch's remaining steps."""
        position, loader = self.position, self._loader
        if position.trained:  # a resume: asking the loader for an iterator would begin its next epoch
            return
        self.model.train()
        # A loader with a state stands where it stood; any other is asked for the same batches again.
        batches = iter(loader) if isinstance(loader, Stateful) else islice(loader, position.batch, None)
        length = len(loader) if isinstance(loader, Sized) else None
        watching = [callback for callback in self.callbacks if type(callback).on_step_end is not Callback.on_step_end]
        clock = time.perf_counter() - position.seconds
        while not position.trained:
            guard.busy = True
            group = list(islice(batches, self.accumulate))
            if group:
                loss = self._take_step(group)
                position.seconds = time.perf_counter() - clock
                for callback in watching:
                    callback.on_step_end(self)
                if bar is not None:
                    bar.update(position.step, position.epoch + 1, loss)
            if not group or position.batch == length:
                next(batches, None)  # lets the loader see its own end, so that its state says so
                position.trained = True
            position.trained |= position.stopped
            guard.busy = False
            guard.check()
            if path is not None and checkpoint_every and group and position.step % checkpoint_every == 0:
                self.save(path)

    def _take_step(self, group: list[Pair]) -> float:
        """Move the weights once, and take note of it."""
        figures = {"loss": 0.0, "learning_rate": self.optimizer.param_groups[0]["lr"]}
        good = True
        if self.scaler is None:
            loss = accumulate_gradients(self._forward, self.loss, group)
        else:
            figures["loss_scale"] = scale = self.scaler.scale
            loss = half_gradients(self._forward, self.loss, group, scale)
            good = unscale_gradients(self._parameters, scale)
            figures["skipped"] = float(not good)
            self.scaler.update(good)
        if good:
            if self.clip is not None:
                figures["gradient_norm"] = clip_grad_norm_(self._parameters, self.clip)
            self.optimizer.step()
            if self.schedule is not None:
                self.schedule.step()
        self.optimizer.zero_grad()
        figures["loss"] = loss
        self.history.record_step(**figures)
        position, examples = self.position, sum([x.shape[0] for x, _ in group])
        position.step += 1
        position.batch += len(group)
        position.examples += examples
        position.loss_sum += loss * examples
        return loss

    def _end_epoch(self, guard: InterruptGuard, validation: Iterable[Pair] | None) -> None:
        """Validate, record the epoch, and tell the callbacks."""
        position = self.position
        record = position.record()
        if validation is not None:
            with undone_if_interrupted(self._loader):  # a resume validates again, from here
                results = self.evaluate(validation)
            record |= {f"validation_{name}": figure for name, figure in results.items()}
        guard.busy = True
        self.history.record_epoch(record)
        position.next_epoch()
        for callback in self.callbacks:
            callback.on_epoch_end(self, record)
        guard.busy = False
