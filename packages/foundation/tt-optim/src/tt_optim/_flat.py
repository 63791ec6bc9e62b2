"""States of many parameters in a few flat arrays, walked in chunks that fit the cache.

Fifty small parameters would cost fifty times a dozen NumPy calls a step; one array of them all would leave the cache
between two of the dozen. So states lie end to end in one array for each kind, and are updated chunk by chunk: a large
parameter makes several chunks, small neighbours share one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from tt_tensor import Array, Tensor

CHUNK = 40960  # elements: measured inside a whole MLP step; 24,576 takes 6% longer (calls), 65,536 14% (the cache)
# Steps between two looks for subnormal states, on which a processor takes a slow path. A mean whose gradient has become
# zero (a dead unit's) shrinks to the smallest of them and, rounded, never below: the step then takes 3 times as long.
FLUSH_EVERY = 32

Update: TypeAlias = "Callable[[Array, Mapping[str, Array], Array, int], None]"


@dataclass(slots=True)
class Piece:
    """A run of one parameter inside a chunk."""

    parameter: Tensor
    start: int  # within the parameter
    stop: int
    view: Array | None  # that run of the parameter's memory; None if it is not contiguous
    scratch: slice  # the same run within the chunk


@dataclass(slots=True)
class Chunk:
    """Pieces that lie end to end in the states, together no larger than the scratch, all at the same step."""

    start: int  # within the states
    pieces: list[Piece] = field(default_factory=list)
    size: int = 0
    step: int = 0
    states: dict[str, Array] = field(default_factory=dict)


class FlatState:
    """The states of those parameters of a group that have one type.

    Args:
        dtype: The type of the states.
        scratch: Two arrays of CHUNK elements of that type, shared among groups.
    """

    def __init__(self, dtype: npt.DTypeLike, scratch: tuple[Array, Array]) -> None:
        self.dtype = np.dtype(dtype)
        self.arrays: dict[str, Array] = {}
        self.places: dict[int, slice] = {}  # by id: the optimizer's group keeps the parameters alive
        self.steps: dict[int, int] = {}
        self.size = 0
        self._scratch = scratch
        self._chunks: list[Chunk] = []
        self._planned: tuple[list[tuple[int, int]], tuple[str, ...]] = ([], ())

    def admit(self, parameters: Sequence[Tensor], names: Sequence[str]) -> None:
        """Make room, filled with zeros, for states and parameters that have none yet."""
        fresh = [p for p in parameters if id(p) not in self.places]
        size = self.size
        for parameter in fresh:
            self.places[id(parameter)] = slice(size, size + parameter.size)
            self.steps[id(parameter)] = 0
            size += parameter.size
        for name in names:
            old = self.arrays.get(name)
            if old is None or size > self.size:
                self.arrays[name] = np.zeros(size, self.dtype)
                if old is not None:
                    self.arrays[name][: self.size] = old
        self.size = size

    def step(
        self,
        parameters: Sequence[Tensor],
        gradients: Sequence[Array],
        names: tuple[str, ...],
        update: Update,
        *,
        coupled: float = 0.0,
        shrink: float = 1.0,
    ) -> None:
        """Move the parameters along their gradients, and the states on.

        Args:
            parameters: Those to move now.
            gradients: One for each, of its shape.
            names: The states that the update wants.
            update: Writes into its third argument what to subtract: `update(gradient, states, out, step)`.
            coupled: This times the parameter is added to its gradient.
            shrink: The parameter is multiplied by this before the step is taken.
        """
        key = ([(id(p), id(p.data)) for p in parameters], names)
        if key != self._planned:
            self.admit(parameters, names)
            self._chunks = plan(parameters, self.places, self.steps)
            for chunk in self._chunks:
                part = slice(chunk.start, chunk.start + chunk.size)
                chunk.states = {name: self.arrays[name][part] for name in names}
            self._planned = key
        flat = {id(p): g.reshape(-1) for p, g in zip(parameters, gradients, strict=True)}
        for chunk in self._chunks:
            chunk.step += 1
            self._advance(chunk, flat, update, coupled, shrink)
        for parameter in parameters:
            self.steps[id(parameter)] += 1

    def _advance(
        self, chunk: Chunk, gradients: Mapping[int, Array], update: Update, coupled: float, shrink: float
    ) -> None:
        gradient, out = self._scratch[0][: chunk.size], self._scratch[1][: chunk.size]
        parts = [gradients[id(piece.parameter)][piece.start : piece.stop] for piece in chunk.pieces]
        if len(parts) == 1 and parts[0].dtype == self.dtype and not coupled:
            gradient = parts[0]
        else:
            np.concatenate(parts, out=gradient, casting="same_kind")
        if coupled:
            for piece in chunk.pieces:
                np.multiply(read(piece), coupled, out=out[piece.scratch], dtype=self.dtype)  # float16 in float32
            np.add(gradient, out, out=gradient)
        update(gradient, chunk.states, out, chunk.step)
        if chunk.step % FLUSH_EVERY == 0:
            for state in chunk.states.values():
                flush(state, self._scratch[0][: chunk.size])
        for piece in chunk.pieces:
            subtract(piece, out, shrink)

    def read(self, parameter: Tensor) -> dict[str, Array | int]:
        """Return copies of one parameter's states, in its shape, and how many steps they have seen."""
        place = self.places[id(parameter)]
        states: dict[str, Array | int] = {"step": self.steps[id(parameter)]}
        for name, array in self.arrays.items():
            states[name] = array[place].reshape(parameter.shape).copy()
        return states

    def write(self, entries: Sequence[tuple[Tensor, int, Mapping[str, Array]]]) -> None:
        """Set parameters' counts of steps and states; room is made for all at once, since it moves what is there."""
        self._planned = ([], ())
        self.admit(
            [parameter for parameter, _, _ in entries], list({name for *_, states in entries for name in states})
        )
        for parameter, step, states in entries:
            self.steps[id(parameter)] = step
            for name, value in states.items():
                self.arrays[name][self.places[id(parameter)]] = value.reshape(-1)


def flush(state: Array, scratch: Array) -> None:
    """Set the numbers of `state` that are too small for full precision to zero; `scratch` is of its size.

    Example:
        >>> state = np.array([1e-40, -1e-40, 1e-30], np.float32)
        >>> flush(state, np.empty_like(state))
        >>> (state != 0).tolist()
        [False, False, True]
    """
    np.abs(state, out=scratch)
    np.less(scratch, np.finfo(state.dtype).tiny, out=scratch, casting="unsafe")
    if scratch.any():
        state[scratch != 0] = 0


def read(piece: Piece) -> Array:
    """Return a piece's values: of its memory if it is contiguous, else a copy."""
    if piece.view is not None:
        return piece.view
    return np.asarray(piece.parameter.data.flat[piece.start : piece.stop])


def subtract(piece: Piece, out: Array, shrink: float) -> None:
    """Shrink a piece of a parameter, subtract its part of `out`, and leave the result in the parameter's memory."""
    values = read(piece)
    if shrink != 1.0:
        np.multiply(values, shrink, out=values)
    np.subtract(values, out[piece.scratch], out=values, casting="same_kind")
    if piece.view is None:
        piece.parameter.data.flat[piece.start : piece.stop] = values


def spans(size: int, limit: int) -> Iterator[tuple[int, int]]:
    """Cut `size` elements into as few nearly equal runs as `limit` allows.

    Example:
        >>> list(spans(10, 4))
        [(0, 4), (4, 7), (7, 10)]
    """
    count = -(-size // limit)
    start = 0
    for remaining in range(count, 0, -1):
        stop = start + -(-(size - start) // remaining)
        yield start, stop
        start = stop


def plan(
    parameters: Sequence[Tensor], places: Mapping[int, slice], steps: Mapping[int, int], limit: int = CHUNK
) -> list[Chunk]:
    """Cut parameters into chunks of at most `limit` elements.

    A chunk is closed when the next run does not fit, does not follow in the states (something frozen lies between), or
    has seen another number of steps.
    """
    chunks: list[Chunk] = []
    for parameter in sorted(parameters, key=lambda p: places[id(p)].start):
        data = parameter.data
        flat = data.reshape(-1) if data.flags.c_contiguous else None
        for start, stop in spans(data.size, limit):
            place, step = places[id(parameter)].start + start, steps[id(parameter)]
            last = chunks[-1] if chunks else None
            if last is None or last.size + stop - start > limit or last.start + last.size != place or last.step != step:
                last = Chunk(place, step=step)
                chunks.append(last)
            view = None if flat is None else flat[start:stop]
            last.pieces.append(Piece(parameter, start, stop, view, slice(last.size, last.size + stop - start)))
            last.size += stop - start
    return chunks
