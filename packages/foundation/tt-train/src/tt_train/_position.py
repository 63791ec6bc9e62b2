"""Where a training run stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from tt_layers import Module

from ._errors import CheckpointError

__all__ = ["Position", "generator_states", "restore_generators"]


@dataclass
class Position:
    """How far `fit` has come, to the step.

    Attributes:
        epoch: Epochs finished, their validation included.
        batch: Batches taken from the loader in this epoch.
        step: Optimizer steps since `fit` began.
        trained: Whether this epoch's batches are all used, and only its validation is missing.
        stopped: Whether a callback has stopped the run.
        examples: Examples seen in this epoch.
        loss_sum: The sum of their losses.
        seconds: The time spent on them.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    trained: bool = False
    stopped: bool = False
    examples: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0

    def next_epoch(self) -> None:
        """Count this epoch as finished and stand at the beginning of the next."""
        self.epoch += 1
        self.batch, self.examples, self.loss_sum, self.seconds, self.trained = 0, 0, 0.0, 0.0, False

    def record(self) -> dict[str, float]:
        """Return this epoch's figures.

        Raises:
            ValueError: There were no examples.
        """
        if self.examples == 0:
            raise ValueError(
                f"epoch {self.epoch + 1} has no batches: the loader yields nothing (an iterator is used up once)"
            )
        return {
            "epoch": self.epoch + 1,
            "loss": self.loss_sum / self.examples,
            "seconds": self.seconds,
            "examples_per_second": self.examples / max(self.seconds, 1e-9),
        }

    def state_dict(self) -> dict[str, object]:
        """Return the fields by name."""
        return dataclasses.asdict(self)

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Take the fields back.

        Args:
            state: What `state_dict` returned.

        Raises:
            CheckpointError: A field is missing, unknown or of another type.
        """
        fields = {field.name: type(field.default) for field in dataclasses.fields(self)}
        wrong = {name for name, kind in fields.items() if type(state.get(name)) is not kind}
        if wrong or state.keys() != fields.keys():
            wrong |= state.keys() ^ fields.keys()
            raise CheckpointError(f"the position in training is malformed: {', '.join(sorted(wrong))}")
        for name, value in state.items():
            setattr(self, name, value)


def _generators(model: Module) -> dict[str, np.random.Generator]:
    """Find the generators that layers were given (`Dropout(0.5, rng=...)`), by place."""
    found: dict[str, np.random.Generator] = {}
    for index, module in enumerate(model.modules()):
        found.update(_within(vars(module), index))
    return found


def _within(value: object, place: object) -> Iterator[tuple[str, np.random.Generator]]:
    """Yield the generators in nested dicts, lists and tuples."""
    if isinstance(value, np.random.Generator):
        yield str(place), value
    elif isinstance(value, (dict, list, tuple)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _within(item, f"{place}.{key}")


def generator_states(model: Module) -> dict[str, object]:
    """Return the state of each random generator that a layer of the model holds.

    Args:
        model: The model.
    """
    return {place: generator.bit_generator.state for place, generator in _generators(model).items()}


def restore_generators(model: Module, states: Mapping[str, object]) -> None:
    """Set the layers' random generators back.

    Args:
        model: A model built like the one whose states these are.
        states: What `generator_states` returned.

    Raises:
        CheckpointError: The model holds other generators than the states are of.
    """
    generators = _generators(model)
    if generators.keys() != states.keys():
        raise CheckpointError(f"the model's layers hold generators {sorted(generators)}, the file {sorted(states)}")
    for place, generator in generators.items():
        state = states[place]
        if not isinstance(state, dict):
            raise CheckpointError(f"the state of generator {place} is malformed")
        generator.bit_generator.state = state
