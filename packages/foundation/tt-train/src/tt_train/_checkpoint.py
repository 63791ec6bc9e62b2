"""Checkpoints: everything that a training run needs to go on as if it had never stopped, in one safetensors file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from tt_layers import Module
from tt_tensor import Tensor, rng_state, set_rng_state

from ._errors import CheckpointError
from ._format import read_arrays, write_arrays
from ._tree import flatten, unflatten

__all__ = ["Stateful", "load_checkpoint", "read_checkpoint", "save_checkpoint"]

FORMAT = "tt-train 1"

# A module's state maps names to tensors, an optimizer's is a nest: only Any lets one protocol speak of both.
State: TypeAlias = Mapping[str, Any]


@runtime_checkable
class Stateful(Protocol):
    """What a checkpoint can hold: a module, an optimizer, a schedule, a loader, a history, or a thing of yours."""

    def state_dict(self) -> State:
        """Return the state as a tree of dicts, lists, numbers, text, arrays and tensors."""

    def load_state_dict(self, state: State, /) -> object:
        """Take the state back."""


def save_checkpoint(
    path: str | os.PathLike[str], *, extra: Mapping[str, object] | None = None, **parts: Stateful
) -> None:
    """Save the state of everything given, and of TinyTorch's random generator, into one safetensors file.

    The file is replaced atomically: kill the process or fill the disk at any moment, and `path` is either the
    old checkpoint or the new one. The arrays of a part are named by their place, such as `model.0.weight`, so
    that any other safetensors reader finds them; nothing is pickled.

    Args:
        path: The file; its folder must exist.
        extra: A tree of plain values and arrays to keep beside the parts.
        parts: What to save, by name: `model=..., optimizer=..., schedule=..., loader=...`.

    Raises:
        TypeError: A state holds what a file cannot.
        ValueError: A part is called `rng`, `extra` or `format`, which are taken; or what is not arrays is too long.
        OSError: The system refused; the old file is untouched.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from tt_layers import Linear
        >>> model, path = Linear(2, 1), Path(tempfile.mkdtemp(), "run.safetensors")
        >>> save_checkpoint(path, model=model, extra={"step": 3})
        >>> load_checkpoint(path, model=model)
        {'step': 3}
    """
    if taken := {"rng", "extra", "format"} & parts.keys():
        raise ValueError(f"the part names {sorted(taken)} are taken by the checkpoint itself; choose others")
    save_parts(Path(path), parts, extra or {})


def save_parts(path: Path, parts: Mapping[str, Stateful], extra: Mapping[str, object]) -> None:
    """Write the state of parts, of the random generator, and `extra`.

    Args:
        path: The file.
        parts: What to save, by name.
        extra: A tree of plain values and arrays.
    """
    tree: dict[str, object] = {name: part.state_dict() for name, part in parts.items()}
    arrays, text = flatten({**tree, "rng": rng_state(), "extra": dict(extra)})
    write_arrays(path, arrays, {"format": FORMAT, "state": text})


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, object]:
    """Read a checkpoint as a tree, without loading it into anything.

    Args:
        path: The file.

    Returns:
        The parts' states by name, and `rng` and `extra`.

    Raises:
        CheckpointError: The file is malformed, or no checkpoint. It is found out before memory is taken.
        OSError: The file cannot be opened or read.
    """
    arrays, metadata = read_arrays(Path(path))
    if metadata.get("format") != FORMAT or "state" not in metadata:
        raise CheckpointError(
            f"{path} is a safetensors file, but no checkpoint of save_checkpoint (format {metadata.get('format')!r}, "
            f"wanted {FORMAT!r}); safetensors.numpy.load_file reads its arrays"
        )
    try:
        tree = unflatten(arrays, metadata["state"])
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    for name in ("rng", "extra"):
        if not isinstance(tree.get(name), dict):
            raise CheckpointError(f"{path}: the checkpoint has no {name!r}")
    return tree


def load_checkpoint(path: str | os.PathLike[str], *, restore_rng: bool = True, **parts: Stateful) -> dict[str, object]:
    """Load a checkpoint of `save_checkpoint` into the things it was made from, or their equals.

    Parts in the file that are not asked for are left alone: `load_checkpoint(path, model=model)` takes the weights.

    Args:
        path: The file.
        restore_rng: Whether TinyTorch's random generator goes back too.
        parts: What to load into, under the names of `save_checkpoint`.

    Returns:
        The `extra` that was saved.

    Raises:
        CheckpointError: The file is malformed, lacks a part, or does not fit one (names or shapes); nothing has
            changed then.
        OSError: The file cannot be opened or read.
    """
    tree = read_checkpoint(path)
    load_tree(path, tree, parts, restore_rng=restore_rng)
    return dict(_mapping(tree["extra"], "extra"))


def load_tree(
    path: str | os.PathLike[str], tree: Mapping[str, object], parts: Mapping[str, Stateful], *, restore_rng: bool
) -> None:
    """Load what `read_checkpoint` returned into parts.

    Args:
        path: Where it came from, for messages.
        tree: What it returned.
        parts: What to load into, by name.
        restore_rng: Whether TinyTorch's random generator goes back too.

    Raises:
        CheckpointError: A part is missing or does not fit; nothing has changed then.
    """
    with _translated(path):
        before = rng_state()
        if restore_rng:
            set_rng_state(dict(_mapping(tree["rng"], "rng")))
        try:
            _load_parts(tree, parts)
        except BaseException:
            set_rng_state(before)
            raise
        if restore_rng:  # again, should a part have drawn numbers
            set_rng_state(dict(_mapping(tree["rng"], "rng")))


@contextmanager
def _translated(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        # A part that is handed a state of the wrong form may fail in any of these ways.
        raise CheckpointError(f"{path}: the state does not fit ({type(error).__name__}: {error})") from error


def _mapping(node: object, name: str) -> Mapping[str, object]:
    if not isinstance(node, Mapping):
        raise CheckpointError(f"the state of {name!r} must be a dict, got {type(node).__name__}")
    return node


def _load_parts(tree: Mapping[str, object], parts: Mapping[str, Stateful]) -> None:
    """Load all parts or none: modules, whose fit can be proved beforehand, go last; the others are rolled back."""
    for name, part in parts.items():
        if name not in tree:
            raise CheckpointError(f"there is no {name!r} in it; it holds {', '.join(sorted(tree))}")
        if isinstance(part, Module):
            check_weights(name, _mapping(tree[name], name), part.state_dict())
    undo: list[tuple[Stateful, State]] = []
    try:
        for name, part in sorted(parts.items(), key=lambda item: isinstance(item[1], Module)):
            if not isinstance(part, Module):
                undo.append((part, _snapshot(part)))
            part.load_state_dict(_mapping(tree[name], name))
    except BaseException:
        for part, state in reversed(undo):
            part.load_state_dict(state)
        raise


def _snapshot(part: Stateful) -> State:
    arrays, text = flatten(part.state_dict())
    return unflatten({name: array.copy() for name, array in arrays.items()}, text)


def check_weights(name: str, saved: Mapping[str, object], current: Mapping[str, object]) -> None:
    """Prove that saved weights fit a model: the same names, each of the same shape and dtype.

    Args:
        name: The part's name, for the message.
        saved: The weights in the file.
        current: The weights of the model.

    Raises:
        CheckpointError: They do not fit; the message names the weights.
    """
    missing, surplus = current.keys() - saved.keys(), saved.keys() - current.keys()
    if missing or surplus:
        raise CheckpointError(
            f"{name!r} does not fit: the file lacks {sorted(missing)} and has {sorted(surplus)} that the model lacks"
        )
    for key, value in current.items():
        here, there = _form(value), _form(saved[key])
        if here != there:
            raise CheckpointError(f"{name + '.' + key!r} is {there} in the file, but {here} in the model")


def _form(value: object) -> str:
    if isinstance(value, (Tensor, np.ndarray)):
        return f"{value.dtype} {tuple(value.shape)}"
    return type(value).__name__
