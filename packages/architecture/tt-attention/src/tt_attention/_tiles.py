"""How attention is cut into tiles that stay in the cache, and the memory in which a tile is worked on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from tt_tensor import Array, scratch

# Measured on two cores with 2 MB of second-level cache each. Few rows skip more of the future, which then costs
# nothing; many heads and sequences in one NumPy call keep Python's lock free, so that two threads run side by side.
ROWS = 64  # queries of a tile where they are few; where they are many, a quarter of them
MOST_ROWS = 256
KEYS = 512  # keys of a tile
TILE = 1 << 19  # scores of a tile, over all its heads
UNIT = 1 << 20  # numbers of the queries, or keys, of a unit


class Tile(NamedTuple):
    """Some queries of some heads, with the keys that at least one of them may see."""

    heads: tuple[slice, slice]  # sequences of the batch, key heads
    rows: slice
    limit: int


@dataclass(frozen=True)
class Problem:
    """The arrays of one attention, seen with five axes: sequence, key head, head of its group, place, number."""

    q: Array  # (N, H_kv, G, T, D)
    k: Array  # (N, H_kv, 1, S, D)
    v: Array  # (N, H_kv, 1, S, D_v)
    mask: Array | None  # (N, H_kv, G, T, S)
    causal: bool
    scale: float

    @staticmethod
    def of(q: Array, k: Array, v: Array, mask: Array | None, causal: bool, scale: float) -> Problem:
        """See (..., H, T, D) and (..., H_kv, S, D) with five axes; nothing moves."""
        kv_heads = k.shape[-3]
        if mask is not None:
            mask = five_axes(np.broadcast_to(mask, (*q.shape[:-1], k.shape[-2])), kv_heads)
        return Problem(five_axes(q, kv_heads), five_axes(k, kv_heads), five_axes(v, kv_heads), mask, causal, scale)

    @property
    def reach(self) -> int:
        """How many keys before its own number query 0 sees: the last query sees all."""
        return int(self.k.shape[3] - self.q.shape[3])

    @property
    def rows(self) -> int:
        """How many queries a tile has."""
        queries = self.q.shape[3]
        return int(max(1, min(queries, max(ROWS, min(queries // 4, MOST_ROWS)))))

    def units(self) -> list[tuple[slice, slice]]:
        """Return what can be computed apart from each other: sequences, or key heads of one, as many as fill a tile."""
        n, kv_heads, group, queries, width = self.q.shape
        keys = self.k.shape[3]
        scores = max(1, group * self.rows * min(keys, KEYS))
        numbers = max(1, max(group * queries, keys) * (max(width, self.v.shape[4]) + 1))
        most = max(1, min(TILE // scores, UNIT // numbers))  # key heads
        heads = min(kv_heads, most)
        batch = max(1, min(n, most // kv_heads))
        if 1 < batch <= n:  # an even number of units, for two threads
            batch = math.ceil(n / (2 * math.ceil(n / (2 * batch))))
        return [
            (slice(b, b + batch), slice(h, h + heads)) for b in range(0, n, batch) for h in range(0, kv_heads, heads)
        ]

    def tiles(self, heads: tuple[slice, slice]) -> Iterator[Tile]:
        """Yield the blocks of queries, the last first: it alone sees every key."""
        queries, keys = self.q.shape[3], self.k.shape[3]
        for start in reversed(range(0, queries, self.rows)):
            stop = min(start + self.rows, queries)
            limit = min(keys, max(0, stop + self.reach)) if self.causal else keys
            yield Tile(heads, slice(start, stop), limit)


def five_axes(array: Array, kv_heads: int) -> Array:
    """See (..., H, T, D) as (N, H_kv, H / H_kv, T, D)."""
    *lead, heads, places, width = array.shape
    return array.reshape(math.prod(lead), kv_heads, heads // kv_heads, places, width)


def writable_five_axes(array: Array, kv_heads: int) -> Array:
    """See an array that will be written with five axes; a silent copy would lose what is written."""
    view = five_axes(array, kv_heads)
    if view.size and not np.may_share_memory(view, array):
        raise ValueError(f"an array of shape {array.shape} and strides {array.strides} cannot be seen with five axes")
    return view


def key_blocks(limit: int) -> Iterator[slice]:
    """Cut the keys into blocks."""
    for start in range(0, limit, KEYS):
        yield slice(start, min(start + KEYS, limit))


@lru_cache(maxsize=32)
def future(rows: int, columns: int, seen: int, kind: str) -> Array:
    """Return (rows, columns): 0 where row i sees column j, j <= i + seen, and -inf elsewhere."""
    table = np.zeros((rows, columns), kind)
    table[~np.tri(rows, columns, seen, dtype=np.bool_)] = -np.inf
    table.flags.writeable = False
    return table


def tile_scores(problem: Problem, tile: Tile, keys: slice, q: Array, *, exact: bool) -> Array:
    """Return the masked scores (n, h, G, rows, keys) of scaled queries, in working memory.

    `exact` hides a score that is NaN, too; adding -inf, which takes half the time, does not.
    """
    b, h = tile.heads
    k = problem.k[b, h, :, keys]
    scores = scratch("tt_attention.scores", (*q.shape[:-1], k.shape[3]), q.dtype)
    np.matmul(q, k.swapaxes(-1, -2), out=scores)
    if problem.mask is not None:
        part = problem.mask[b, h, :, tile.rows, keys]
        if part.dtype.kind == "b":
            np.copyto(scores, -np.inf, where=~part)
        else:
            scores += part
    if problem.causal:
        hide_future(scores, tile.rows.start + problem.reach - keys.start, exact=exact)
    return scores


def hide_future(scores: Array, seen: int, *, exact: bool) -> None:
    """Hide from row i the columns beyond `i + seen`, in place; columns that every row sees are left alone."""
    rows, columns = scores.shape[-2:]
    first = max(0, seen + 1) // 16 * 16  # where a vector of the processor begins
    if first < columns:
        hidden = future(rows, columns - first, seen - first, scores.dtype.str)
        if exact:
            np.copyto(scores[..., first:], -np.inf, where=hidden < 0)
        else:
            scores[..., first:] += hidden
