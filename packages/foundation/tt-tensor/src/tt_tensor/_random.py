"""One default generator: seeded by `manual_seed`, replaced by any `rng` that a caller passes, saved in checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import TypeVar

import numpy as np

T = TypeVar("T")

# The generator of a task that runs beside others: they would else draw from one in an order that nobody knows.
_own: ContextVar[Callable[[], np.random.Generator] | None] = ContextVar("tt_tensor_rng", default=None)


@cache
def _generator() -> np.random.Generator:
    """Make the process's generator at first use: importing numpy.random takes longer than the rest of this package."""
    return np.random.default_rng()


def default_rng(rng: np.random.Generator | None = None) -> np.random.Generator:
    """Return `rng`, or the process's own generator if it is `None`.

    Example:
        >>> mine = np.random.default_rng(0)
        >>> default_rng(mine) is mine
        True
    """
    if rng is not None:
        return rng
    own = _own.get()
    return _generator() if own is None else own()


@contextmanager
def own_generators(tasks: Sequence[Callable[[], T]]) -> Iterator[list[Callable[[], T]]]:
    """Give the tasks, each with a default generator of its own, seeded from the present one.

    That one moves on only if a task has drawn something: what draws nothing changes no later random number.
    """
    parent = default_rng()
    state = parent.bit_generator.state
    drawn: list[int] = []

    def make(position: int) -> np.random.Generator:
        drawn.append(position)
        before: np.random.BitGenerator = np.random.PCG64()
        before.state = state
        return np.random.default_rng(np.random.Generator(before).integers(2**63, size=len(tasks))[position])

    def owning(task: Callable[[], T], position: int) -> T:
        token = _own.set(cache(partial(make, position)))
        try:
            return task()
        finally:
            _own.reset(token)

    yield [partial(owning, task, position) for position, task in enumerate(tasks)]
    if drawn:
        parent.integers(2**63, size=len(tasks))


def manual_seed(seed: int) -> np.random.Generator:
    """Start the default generator again from `seed`, and return it.

    Raises:
        ValueError: `seed` is negative.

    Example:
        >>> a = manual_seed(1).random()
        >>> a == manual_seed(1).random()
        True
    """
    if seed < 0:
        raise ValueError(f"a seed is an integer of at least 0; got {seed}")
    generator = default_rng()
    generator.bit_generator.state = np.random.PCG64(seed).state
    return generator


def rng_state() -> dict[str, object]:
    """Return the state of the default generator, as plain numbers."""
    return dict(default_rng().bit_generator.state)


def set_rng_state(state: Mapping[str, object]) -> None:
    """Continue the default generator from a state that `rng_state` gave.

    Raises:
        ValueError: The state is of another generator or malformed.
    """
    whole: np.random.BitGenerator = np.random.PCG64()  # first: a state that ends halfway would be taken halfway
    try:
        whole.state = dict(state)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"not a state of the default generator (PCG64): {error}; pass what rng_state() gave"
        ) from error
    default_rng().bit_generator.state = whole.state
