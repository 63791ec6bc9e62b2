"""Attention tile by tile: the whole matrix of scores never exists, forward or backward.

Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018; Rabe and Staats, "Self-attention does
not need O(n^2) memory", 2021; Dao et al., "FlashAttention", 2022.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from tt_tensor import Array, scratch, split_work

from tt_attention._tiles import Problem, Tile, key_blocks, tile_scores, writable_five_axes

# exp(s) needs no shift while the sum over a row stays between these: what underflows does not count then, nor do
# gradients vanish that are divided by it. Training rarely leaves that range, and the shift costs more than the
# exponential.
LOWEST, HIGHEST = 1e-15, 1e15


class Normalizers(NamedTuple):
    """What makes weights of scores: `exp(score - shift) / sum`. Their log-sum-exp is `shift + log(sum)`.

    They are kept apart, since for scores of 1e4 the sum of both would be known to 1e-3 only. A row without any visible
    key has the sum inf.
    """

    shifts: Array  # (..., H, T)
    sums: Array


def forward(
    q: Array, k: Array, v: Array, mask: Array | None, *, causal: bool, scale: float
) -> tuple[Array, Normalizers]:
    """Return the output (..., H, T, D_v) and the normalizers of each row.

    The output lies in memory as (..., T, H, D_v), so that putting the heads side by side moves nothing.
    """
    problem = Problem.of(q, k, v, mask, causal, scale)
    *lead, heads, queries, _ = q.shape
    out = np.empty((*lead, queries, heads, v.shape[-1]), q.dtype).swapaxes(-3, -2)
    kept = Normalizers(np.empty(q.shape[:-1], q.dtype), np.empty(q.shape[:-1], q.dtype))
    out5 = writable_five_axes(out, k.shape[-3])
    kept4 = Normalizers(*(each.reshape(problem.q.shape[:4]) for each in kept))
    units = problem.units()

    def work(start: int, stop: int) -> None:
        with np.errstate(all="ignore"):
            for heads in units[start:stop]:
                q = scaled_queries(problem, heads)
                for tile in problem.tiles(heads):
                    forward_tile(problem, tile, q[..., tile.rows, :], out5, kept4)
                part = out5[heads]
                np.divide(part, kept4.sums[heads][..., np.newaxis], out=part)

    split_work(work, len(units), seconds=seconds(problem, 1))
    return out, kept


def seconds(problem: Problem, products: int) -> float:
    """Estimate the time on one thread, of `products` times two matrix products and an exponential."""
    scores = problem.q[..., 0].size * problem.k.shape[3] * (0.5 if problem.causal else 1.0)
    return float(scores * products * (1e-9 + 3e-11 * problem.q.shape[4]))


def scaled_queries(problem: Problem, heads: tuple[slice, slice]) -> Array:
    """Return `scale * q` of some heads, in working memory."""
    q = problem.q[heads]
    scaled = scratch("tt_attention.q", q.shape, q.dtype)
    np.multiply(q, q.dtype.type(problem.scale), out=scaled)
    return scaled


def forward_tile(problem: Problem, tile: Tile, q: Array, out: Array, kept: Normalizers) -> None:
    """Write the normalizers of one block of queries, and the output as it is before the division by the sums."""
    here = (*tile.heads, slice(None), tile.rows)
    part = out[here]  # (n, h, G, rows, D_v)
    kept.shifts[here] = 0
    if tile.limit == 0:
        part[...] = 0
        kept.sums[here] = np.inf
        return
    sums = unshifted_sums(problem, tile, q, part)
    # A NaN comes here, too, and so do values that are as large themselves.
    if not (sums.min() > LOWEST and sums.max() < HIGHEST and np.isfinite(np.add.reduce(part, axis=None))):
        sums, kept.shifts[here] = shifted_sums(problem, tile, q, part)
        sums[sums == 0] = np.inf
    kept.sums[here] = sums


def unshifted_sums(problem: Problem, tile: Tile, q: Array, out: Array) -> Array:
    """Write the sums of `exp(scores) @ v` into `out` and return those of `exp(scores)`: right if in range."""
    b, h = tile.heads
    total: Array | None = None
    for keys in key_blocks(tile.limit):
        scores = tile_scores(problem, tile, keys, q, exact=False)
        np.exp(scores, out=scores)
        sums = row_sums(scores)
        add_product(scores, problem.v[b, h, :, keys], out, first=total is None)
        total = sums if total is None else total + sums
    assert total is not None
    return total


def row_sums(rows: Array) -> Array:
    """Return the sums over the last axis as products with ones: a quarter of the time of `sum`."""
    sums: Array = np.matmul(rows, np.ones(rows.shape[-1], rows.dtype))
    return sums


def add_product(a: Array, b: Array, out: Array, *, first: bool) -> None:
    """Write `a @ b` into `out`, or add it to what is there."""
    if first:
        np.matmul(a, b, out=out)
    else:
        out += np.matmul(a, b, out=scratch("tt_attention.product", out.shape, out.dtype))


def shifted_sums(problem: Problem, tile: Tile, q: Array, out: Array) -> tuple[Array, Array]:
    """Do the same for scores of any size: return the sums of `exp(scores - highest)`, and the highest of each row."""
    b, h = tile.heads
    highest = np.full(q.shape[:-1], -np.inf, q.dtype)
    sums = np.zeros(q.shape[:-1], q.dtype)
    out[...] = 0
    for keys in key_blocks(tile.limit):
        scores = tile_scores(problem, tile, keys, q, exact=True)
        highest = online_softmax(scores, problem.v[b, h, :, keys], highest, sums, out)
    return sums, np.where(highest == -np.inf, 0, highest)


def online_softmax(scores: Array, v: Array, highest: Array, sums: Array, out: Array) -> Array:
    """Add a block of keys to a softmax that has begun, and return the highest score of each row so far.

    `sums` (..., rows) and `out` (..., rows, D) hold the sums of `exp(score - highest)`, and of that times the values.
    Where the new block has a higher score, what is there was computed with too small a shift, and shrinks.
    """
    new = np.maximum(highest, np.maximum.reduce(scores, axis=-1))
    shift = np.where(new == -np.inf, 0, new).astype(new.dtype, copy=False)
    shrink = np.exp(highest - shift)
    scores -= shift[..., np.newaxis]
    np.exp(scores, out=scores)
    sums *= shrink
    sums += np.add.reduce(scores, axis=-1)
    out *= shrink[..., np.newaxis]
    out += scores @ v
    return new
