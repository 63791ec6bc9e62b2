"""Callbacks: what else should happen at the ends of steps, epochs and fits."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

import numpy as np
from tt_tensor import Array

if TYPE_CHECKING:
    from ._trainer import Trainer

__all__ = ["Callback", "EarlyStopping", "TensorBoard", "tell_end"]


class Callback:
    """The base of callbacks: every method does nothing; override what you need.

    `on_step_end` costs a call at every step, but only where it is overridden. A callback may call
    `trainer.stop()`, read `trainer.history`, and keep state of its own; what must survive a resume goes into
    `state_dict`. Between two calls the model holds float32 weights, whatever the precision.

    Example:
        >>> class Log(Callback):
        ...     def on_epoch_end(self, trainer, record):
        ...         self.loss = record["loss"]
    """

    def on_fit_start(self, trainer: Trainer) -> None:
        """Before the first step (or after a resume)."""

    def on_step_end(self, trainer: Trainer) -> None:
        """After each optimizer step."""

    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        """After each epoch and its validation.

        Args:
            trainer: The trainer.
            record: The epoch's figures, the last of `trainer.history.epochs`.
        """

    def on_fit_end(self, trainer: Trainer) -> None:
        """After the last step, also after an interruption or an error."""

    def state_dict(self) -> dict[str, object]:
        """Return what a resume must bring back."""
        return {}

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Take back what `state_dict` returned.

        Args:
            state: The state.
        """


def tell_end(trainer: Trainer) -> None:
    """Call every callback's `on_fit_end`, in order, though one fails.

    Args:
        trainer: The trainer.
    """
    with ExitStack() as stack:
        for callback in reversed(trainer.callbacks):
            stack.callback(callback.on_fit_end, trainer)


class EarlyStopping(Callback):
    """Stop when a figure has not improved for `patience` epochs.

    Args:
        monitor: The figure in an epoch's record.
        patience: How many epochs without improvement are borne.
        min_delta: By how much a figure must be better to count as an improvement.
        mode: Whether "min" or "max" is better.
        restore_best: Whether to end with the weights of the best epoch (costs a copy of the weights).

    Raises:
        ValueError: `patience` is below 1, `min_delta` negative, or `mode` unknown.

    Example:
        >>> early = EarlyStopping("validation_loss", patience=2)
        >>> [early.improved(loss) for loss in (1.0, 0.5, 0.6)]
        [True, True, False]
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        *,
        patience: int = 3,
        min_delta: float = 0.0,
        mode: Literal["min", "max"] = "min",
        restore_best: bool = False,
    ) -> None:
        if patience < 1 or min_delta < 0 or mode not in ("min", "max"):
            raise ValueError(
                "EarlyStopping needs patience >= 1, min_delta >= 0 and mode 'min' or 'max', "
                f"got {patience}, {min_delta} and {mode!r}"
            )
        self.monitor, self.patience, self.min_delta, self.mode = monitor, patience, min_delta, mode
        self.restore_best = restore_best
        self.best = math.inf if mode == "min" else -math.inf
        self.waited = 0
        self._weights: dict[str, Array] | None = None

    def __repr__(self) -> str:
        return f"EarlyStopping({self.monitor!r}, patience={self.patience}, waited {self.waited}, best {self.best:.4g})"

    def improved(self, figure: float) -> bool:
        """Take one epoch's figure: remember it if it is a new best, else count the epoch as waited.

        Args:
            figure: The monitored figure; nan is never an improvement.

        Returns:
            Whether it improved on the best so far by more than `min_delta`.
        """
        gain = self.best - figure if self.mode == "min" else figure - self.best
        if gain > self.min_delta:
            self.best, self.waited = figure, 0
            return True
        self.waited += 1
        return False

    def on_fit_start(self, trainer: Trainer) -> None:
        """Forget an earlier fit, unless this one goes on from a checkpoint.

        Args:
            trainer: The trainer.
        """
        if trainer.step == 0:
            self.best = math.inf if self.mode == "min" else -math.inf
            self.waited, self._weights = 0, None

    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        """Stop the trainer when patience has run out.

        Args:
            trainer: The trainer.
            record: The epoch's figures.

        Raises:
            KeyError: The monitored figure was not recorded.
        """
        if self.monitor not in record:
            raise KeyError(
                f"EarlyStopping watches {self.monitor!r}, but this epoch recorded {', '.join(record)}; "
                "give fit(validation=...) or another monitor"
            )
        if self.improved(record[self.monitor]):
            if self.restore_best:
                self._weights = trainer.model.state_dict()  # copies
        elif self.waited >= self.patience:
            trainer.stop()

    def on_fit_end(self, trainer: Trainer) -> None:
        """Bring the best weights back, if that was asked for and the run is over.

        Args:
            trainer: The trainer.
        """
        if self._weights is not None and trainer.finished:
            trainer.model.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, object]:
        """Return the best figure, the epochs waited, and the best weights if they are kept."""
        return {"best": self.best, "waited": self.waited, "weights": self._weights}

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Take back what `state_dict` returned.

        Args:
            state: The state.

        Raises:
            ValueError: It is not such a state.
        """
        best, waited, weights = state.get("best"), state.get("waited"), state.get("weights")
        if not isinstance(best, float) or not isinstance(waited, int):
            raise ValueError(f"EarlyStopping's state has 'best' and 'waited', got {sorted(state)}")
        self.best, self.waited = best, waited
        self._weights = dict(weights) if isinstance(weights, Mapping) else None


class TensorBoard(Callback):
    """Write every step's and every epoch's figures for TensorBoard (the extra `tensorboard`).

    Args:
        folder: Where the event files go.
        every: Write each so-manieth step.

    Raises:
        ImportError: tensorboard is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str], *, every: int = 1) -> None:
        try:
            summary = importlib.import_module("tensorboard.summary")
        except ImportError as error:
            raise ImportError("TensorBoard needs tensorboard: pip install 'tt-train[tensorboard]'") from error
        self._writer = summary.Writer(os.fspath(folder))
        self.every = every

    def on_step_end(self, trainer: Trainer) -> None:
        """Write the step's figures.

        Args:
            trainer: The trainer.
        """
        if trainer.step % self.every == 0:
            for name, figure in trainer.history.last_step().items():
                self._writer.add_scalar(f"step/{name}", np.float32(figure), trainer.step)

    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        """Write the epoch's figures.

        Args:
            trainer: The trainer.
            record: The figures.
        """
        for name, figure in record.items():
            self._writer.add_scalar(f"epoch/{name}", np.float32(figure), int(record.get("epoch", 0)))

    def on_fit_end(self, trainer: Trainer) -> None:
        """Bring everything to the disk.

        Args:
            trainer: The trainer.
        """
        self._writer.flush()
