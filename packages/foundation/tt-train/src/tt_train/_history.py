"""What happened in training: one record for each step, one for each epoch."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from array import array
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from tt_tensor import Array

from ._atomic import atomic_write
from ._pictures import draw_curves, sparkline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["History"]


class History:
    """The records of a training run, kept small: eight bytes a figure for steps, a dict an epoch.

    Attributes:
        epochs: One dict for each finished epoch: `epoch`, `loss` (mean over the epoch's examples), `seconds`,
            `examples_per_second`, and `validation_...` where a validation loader was given.

    Example:
        >>> history = History()
        >>> for loss in (2.0, 1.0, 0.5):
        ...     history.record_step(loss=loss, learning_rate=0.1)
        >>> history.steps["loss"]
        array([2. , 1. , 0.5])
        >>> history.sparkline()
        '█▃▁'
    """

    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []
        self._columns: dict[str, array[float]] = {}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        latest = f", {self.epochs[-1]}" if self.epochs else ""
        return f"History({self._length} steps, {len(self.epochs)} epochs{latest})"

    @property
    def steps(self) -> dict[str, Array]:
        """The figures of all steps by name, each `(steps,)` float64; nan where a step did not have that figure."""
        return {name: np.array(column) for name, column in self._columns.items()}

    def record_step(self, **figures: float) -> None:
        """Append the figures of one step.

        Args:
            figures: Numbers by name. A name seen for the first time is nan for the steps before; a name left
                out is nan for this step.
        """
        columns = self._columns
        for name, figure in figures.items():
            if name not in columns:
                columns[name] = array("d", [math.nan]) * self._length
            columns[name].append(figure)
        self._length += 1
        if len(figures) < len(columns):
            for name in columns.keys() - figures.keys():
                columns[name].append(math.nan)

    def last_step(self) -> dict[str, float]:
        """Return the figures of the latest step; empty before the first."""
        return {name: column[-1] for name, column in self._columns.items()}

    def record_epoch(self, figures: Mapping[str, float]) -> None:
        """Append the figures of one epoch.

        Args:
            figures: Numbers by name.
        """
        self.epochs.append(dict(figures))

    def curve(self, name: str = "loss") -> Array:
        """Return one figure over time: over steps where steps have it, else over epochs.

        Args:
            name: For example `loss`, `learning_rate`, `validation_loss`.

        Returns:
            `(steps,)` or `(epochs,)`, float64.

        Raises:
            KeyError: Neither steps nor epochs have it.
        """
        if name in self._columns:
            return np.array(self._columns[name])
        if not any(name in record for record in self.epochs):
            known = sorted({*self._columns, *(key for record in self.epochs for key in record)})
            raise KeyError(f"no figure {name!r} was recorded; there are {', '.join(known) or 'none yet'}")
        return self._over_epochs(name)

    def _over_epochs(self, name: str) -> Array:
        return np.array([record.get(name, math.nan) for record in self.epochs])

    def sparkline(self, name: str = "loss", width: int = 60) -> str:
        """Draw one figure over time as a line of text.

        Args:
            name: The figure.
            width: At most so many characters.

        Raises:
            KeyError: There is no such figure.
        """
        return sparkline(self.curve(name), width)

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the loss over steps, and the epochs' figures beside it (the extra `plot`).

        Args:
            path: Where to save the picture, if anywhere.

        Returns:
            The matplotlib figure.

        Raises:
            ImportError: matplotlib is not installed.
        """
        panels: dict[str, dict[str, tuple[Array, Array]]] = {}
        if "loss" in self._columns:
            panels["loss, each step"] = {"loss": (np.arange(1, self._length + 1), self.curve("loss"))}
        numbers = self._over_epochs("epoch")
        names = [key for key in (self.epochs[-1] if self.epochs else {}) if key not in _NOT_DRAWN]
        for family in dict.fromkeys(name.removeprefix("validation_") for name in names):
            members = [name for name in names if name.removeprefix("validation_") == family]
            panels[f"{family}, each epoch"] = {name: (numbers, self._over_epochs(name)) for name in members}
        return draw_curves(panels, path, across="time")

    def to_csv(self, path: str | os.PathLike[str], *, of: str = "epochs") -> None:
        """Write the records as CSV, replacing `path` whole or not at all.

        Args:
            path: The file.
            of: "epochs" or "steps".

        Raises:
            ValueError: `of` is neither.
            OSError: The file cannot be written.
        """
        if of not in ("epochs", "steps"):
            raise ValueError(f"of must be 'epochs' or 'steps', got {of!r}")
        records = self.epochs if of == "epochs" else list(self._step_records())
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(dict.fromkeys(key for record in records for key in record)))
        writer.writeheader()
        writer.writerows(records)
        atomic_write(path, [memoryview(text.getvalue().encode())])

    def to_jsonl(self, path: str | os.PathLike[str]) -> None:
        """Write one JSON object a line, steps first: `{"kind": "step", "loss": 0.5, ...}`.

        Args:
            path: The file; replaced whole or not at all. What is not finite becomes null, as JSON has no nan.

        Raises:
            OSError: The file cannot be written.
        """
        lines: list[str] = []
        for kind, records in (("step", self._step_records()), ("epoch", iter(self.epochs))):
            for record in records:
                clean = {key: value if math.isfinite(value) else None for key, value in record.items()}
                lines.append(json.dumps({"kind": kind, **clean}) + "\n")
        atomic_write(path, [memoryview("".join(lines).encode())])

    def _step_records(self) -> Iterator[dict[str, float]]:
        for index in range(self._length):
            yield {"step": index + 1, **{name: column[index] for name, column in self._columns.items()}}

    def state_dict(self) -> dict[str, object]:
        """Return all records as a tree of arrays and numbers, for a checkpoint."""
        return {"steps": self.steps, "epochs": [dict(record) for record in self.epochs]}

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Replace all records by those of `state_dict`.

        Args:
            state: What `state_dict` returned.

        Raises:
            ValueError: It is something else.
        """
        steps, epochs = state.get("steps"), state.get("epochs")
        if not isinstance(steps, Mapping) or not isinstance(epochs, list):
            raise ValueError(f"a history's state has 'steps' and 'epochs', got {sorted(state)}")
        columns = {name: array("d", np.asarray(column, dtype=np.float64).tobytes()) for name, column in steps.items()}
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"a history's columns must be equally long, got lengths {sorted(lengths)}")
        self._columns, self._length = columns, lengths.pop() if lengths else 0
        self.epochs = [dict(record) for record in epochs]


_NOT_DRAWN = {"epoch", "seconds", "examples_per_second", "steps"}
