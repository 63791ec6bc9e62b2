"""Gradients of the primitives that only move elements: each rule moves the gradient back the same way.

Whatever a forward pass repeated, the backward pass adds up; whatever it dropped gets zero.
"""

from __future__ import annotations

import numpy as np
from tt_tensor import Array, primitives

from tt_autograd._rules_index import scatter_add_slices
from tt_autograd._table import Spec, defvjp
from tt_autograd._unbroadcast import unbroadcast

P = primitives()


def transpose_gradient(g: Array, _out: None, _x: Spec, *, axes: tuple[int, ...] | None = None) -> Array:
    """Gradient of ``transpose``: the inverse permutation."""
    if axes is None:
        return g.transpose()
    inverse = [0] * len(axes)
    for new, old in enumerate(axes):
        inverse[old] = new
    return g.transpose(inverse)


def concat_gradient(
    g: Array, _out: None, *_xs: Spec, needs: tuple[bool, ...], axis: int = 0
) -> tuple[Array | None, ...]:
    """Gradient of ``concat``: cut ``g`` where the inputs met."""
    axis %= g.ndim
    gradients: list[Array | None] = []
    start = 0
    for x, needed in zip(_xs, needs, strict=True):
        stop = start + x.shape[axis]
        gradients.append(g[(slice(None),) * axis + (slice(start, stop),)] if needed else None)
        start = stop
    return tuple(gradients)


def stack_gradient(
    g: Array, _out: None, *_xs: Spec, needs: tuple[bool, ...], axis: int = 0
) -> tuple[Array | None, ...]:
    """Gradient of ``stack``: one slice of ``g`` for each input."""
    parts = np.moveaxis(g, axis, 0)
    return tuple(parts[i] if needed else None for i, needed in enumerate(needs))


def pad_gradient(g: Array, _out: None, _x: Spec, *, width: tuple[tuple[int, int], ...], value: float = 0.0) -> Array:
    """Gradient of ``pad``: what is left after cutting the padding off."""
    return g[tuple(slice(before, before + n) for (before, _), n in zip(width, _x.shape, strict=True))]


def tile_gradient(g: Array, _out: None, _x: Spec, *, reps: tuple[int, ...]) -> Array:
    """Gradient of ``tile``: the sum over the copies."""
    rank = max(len(reps), _x.ndim)
    times = (1,) * (rank - len(reps)) + reps
    shape = (1,) * (rank - _x.ndim) + _x.shape
    split = [n for pair in zip(times, shape, strict=True) for n in pair]  # (copies, size) for each axis
    total: Array = g.reshape(split).sum(axis=tuple(range(0, 2 * rank, 2)))
    return total.reshape(_x.shape)


def repeat_gradient(g: Array, _out: None, _x: Spec, *, repeats: int, axis: int | None = None) -> Array:
    """Gradient of ``repeat``: the sum over the copies of each element."""
    shape, at = ((_x.size,), 0) if axis is None else (_x.shape, axis % _x.ndim)
    rows = np.repeat(np.arange(shape[at]), repeats)
    return scatter_add_slices(g, rows, shape, at).reshape(_x.shape)


defvjp(P["reshape"], lambda g, _out, _x, *, shape: g.reshape(_x.shape))
defvjp(P["expand_dims"], lambda g, _out, _x, *, axis=None: g.reshape(_x.shape))
defvjp(P["squeeze"], lambda g, _out, _x, *, axis=None: g.reshape(_x.shape))
defvjp(P["transpose"], transpose_gradient)
defvjp(P["broadcast_to"], lambda g, _out, _x, *, shape: unbroadcast(g, _x.shape))
defvjp(P["concat"], joint=concat_gradient)
defvjp(P["stack"], joint=stack_gradient)
defvjp(P["pad"], pad_gradient)
defvjp(P["flip"], lambda g, _out, _x, *, axis=None: np.flip(g, axis))
defvjp(P["tile"], tile_gradient)
defvjp(P["repeat"], repeat_gradient)
defvjp(P["tril"], lambda g, _out, _x, *, k=0: np.tril(g, k))
defvjp(P["triu"], lambda g, _out, _x, *, k=0: np.triu(g, k))
