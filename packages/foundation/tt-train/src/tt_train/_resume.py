"""What a trainer's checkpoint holds, beside the weights: every piece of state that the next step depends on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tt_layers import Module
from tt_tensor import rng_state, set_rng_state

from ._callbacks import Callback
from ._checkpoint import Stateful, load_tree, read_checkpoint
from ._errors import CheckpointError
from ._position import generator_states, restore_generators

if TYPE_CHECKING:
    from ._trainer import Trainer

__all__ = ["parts_of", "restore", "source_of", "undone_if_interrupted"]


def source_of(checkpoint: Path | None, resume: bool | str | os.PathLike[str]) -> Path | None:
    """Say which file to go on from, if any.

    Args:
        checkpoint: The file that this run will write.
        resume: A file; or True for `checkpoint`, if that exists already.

    Raises:
        FileNotFoundError: The folder of `checkpoint` is missing: better said now than after an hour's epoch.
        ValueError: `resume` is True without a `checkpoint`.
    """
    if checkpoint is not None and not checkpoint.parent.is_dir():
        raise FileNotFoundError(f"checkpoint={str(checkpoint)!r} is to be written into a folder that is missing")
    if resume is not True:
        return Path(resume) if resume is not False else None
    if checkpoint is None:
        raise ValueError("resume=True means the file of checkpoint=, which was not given; or say resume=PATH")
    return checkpoint if checkpoint.exists() else None


class _Generators:
    """The random generators of a model's layers, as one part."""

    def __init__(self, model: Module) -> None:
        self._model = model

    def state_dict(self) -> dict[str, object]:
        return generator_states(self._model)

    def load_state_dict(self, state: Mapping[str, object], /) -> None:
        restore_generators(self._model, state)


class _Callbacks:
    """All callbacks, as one part."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self._callbacks = {f"{index}.{type(callback).__name__}": callback for index, callback in enumerate(callbacks)}

    def state_dict(self) -> dict[str, object]:
        return {name: callback.state_dict() for name, callback in self._callbacks.items()}

    def load_state_dict(self, state: Mapping[str, object], /) -> None:
        if state.keys() != self._callbacks.keys():
            raise CheckpointError(f"the trainer has callbacks {sorted(self._callbacks)}, the file {sorted(state)}")
        for name, callback in self._callbacks.items():
            part = state[name]
            if not isinstance(part, Mapping):
                raise CheckpointError(f"the state of callback {name} is malformed")
            callback.load_state_dict(part)


def parts_of(trainer: Trainer, loader: object) -> dict[str, Stateful]:
    """List everything that the trainer's next step depends on.

    Args:
        trainer: The trainer.
        loader: What it trains on; it has a place of its own in the checkpoint if it can say where it stands.
    """
    parts: dict[str, Stateful | None] = {
        "model": trainer.model,
        "optimizer": trainer.optimizer,
        "schedule": trainer.schedule,
        "loader": loader if isinstance(loader, Stateful) else None,
        "scaler": trainer.scaler,
        "history": trainer.history,
        "position": trainer.position,
        "callbacks": _Callbacks(trainer.callbacks),
        "generators": _Generators(trainer.model),
    }
    return {name: part for name, part in parts.items() if part is not None}


def restore(path: Path, parts: Mapping[str, Stateful]) -> None:
    """Load a trainer's checkpoint into a trainer's parts.

    Args:
        path: The file.
        parts: What `parts_of` returned.

    Raises:
        CheckpointError: The file is malformed or holds other parts: the run would not go on as it was.
        OSError: The file cannot be read.
    """
    tree = read_checkpoint(path)
    differ = (tree.keys() - {"rng", "extra"}) ^ parts.keys()
    if differ:
        raise CheckpointError(
            f"{path}: file and trainer do not agree on {', '.join(sorted(differ))}: a run goes on exactly only with "
            "the settings it began with; load_checkpoint(path, model=model) takes the weights alone"
        )
    load_tree(path, tree, parts, restore_rng=True)


@contextmanager
def undone_if_interrupted(loader: object) -> Iterator[None]:
    """On Ctrl-C inside, put the random generator and the training loader back to where they were.

    Args:
        loader: The training loader; a validation may run on it too.
    """
    generator, place = rng_state(), loader.state_dict() if isinstance(loader, Stateful) else None
    try:
        yield
    except KeyboardInterrupt:
        set_rng_state(generator)
        if isinstance(loader, Stateful) and place is not None:
            loader.load_state_dict(place)
        raise
