"""The gradient of attention tile by tile: the scores are computed again, from the log-sums that were kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from tt_autograd import unbroadcast
from tt_tensor import Array, scratch, split_work

from tt_attention._blockwise import Normalizers, add_product, scaled_queries, seconds
from tt_attention._tiles import Problem, Tile, five_axes, key_blocks, tile_scores, writable_five_axes


class Slopes(NamedTuple):
    """Where the gradients go, seen with five axes."""

    q: Array
    k: Array
    v: Array
    mask: Array | None  # of the mask's own shape, filled up with leading ones


def backward(
    g: Array,
    out: Array,
    kept: Normalizers,
    problem: Problem,
    into: tuple[Array, Array, Array],
    mask_slope: Array | None,
) -> None:
    """Write the gradients of queries, keys and values into three arrays, and add that of the mask to a fourth.

    Args:
        g: The gradient of the output (..., H, T, D_v).
        out: The output.
        kept: The normalizers that `forward` returned.
        problem: The inputs.
        into: Arrays of the shapes of q, k and v, in which the gradients are written.
        mask_slope: Zeros (N, H_kv, G, T, S), each axis possibly 1, or None.
    """
    kv_heads = problem.k.shape[1]
    q_slope, k_slope, v_slope = (writable_five_axes(each, kv_heads) for each in into)
    slopes = Slopes(q_slope, k_slope, v_slope, mask_slope)
    g5, out5 = five_axes(g, kv_heads), five_axes(out, kv_heads)
    kept4 = Normalizers(*(each.reshape(problem.q.shape[:4]) for each in kept))
    if problem.q.shape[3] == 0 or problem.k.shape[3] == 0:  # nobody looks, or there is nothing to look at
        for slope in (slopes.q, slopes.k, slopes.v):
            slope[...] = 0
        return
    units = problem.units()

    def work(start: int, stop: int) -> None:
        with np.errstate(all="ignore"):
            for heads in units[start:stop]:
                backward_unit(problem, heads, (g5[heads], out5[heads]), kept4, slopes)

    # The gradient of a broadcast mask is a sum over units, which two threads must not write at once.
    split_work(work, len(units), seconds=0.0 if mask_slope is not None else seconds(problem, 2))


def backward_unit(
    problem: Problem, heads: tuple[slice, slice], outputs: tuple[Array, Array], kept: Normalizers, slopes: Slopes
) -> None:
    """Write the gradients of some heads, block of keys by block of queries.

    With P the weights: dV = P^T g, dP = g V^T, dS = P * (dP - delta), delta = sum(g * out) over a row, dQ = dS K and
    dK = dS^T Q. P is never divided by its sums: g is, which is smaller. The values get a column of ones and g one of
    -delta, so that the product subtracts.
    """
    b, h = heads
    q = scaled_queries(problem, heads)
    rows = divided_rows(*outputs, kept.sums[heads])
    shifts = kept.shifts[heads]
    for keys in key_blocks(problem.k.shape[3]):
        values = with_ones(problem.v[b, h, :, keys])
        for position, tile in enumerate(problem.tiles(heads)):
            seen = slice(keys.start, min(keys.stop, tile.limit))
            if seen.stop > seen.start:
                queries = q[..., tile.rows, :], rows[..., tile.rows, :], shifts[..., tile.rows]
                width = seen.stop - seen.start
                backward_tile(problem, tile, seen, queries, values[..., :width, :], slopes, first=position == 0)
            elif keys.start == 0:
                slopes.q[b, h, :, tile.rows] = 0
    of_queries = slopes.q[heads]
    of_queries *= q.dtype.type(problem.scale)


def backward_tile(
    problem: Problem,
    tile: Tile,
    keys: slice,
    queries: tuple[Array, Array, Array],
    values: Array,
    slopes: Slopes,
    *,
    first: bool,
) -> None:
    """Add what one block of queries and keys contributes; the first block of queries writes, since it sees all keys."""
    b, h = tile.heads
    q, rows, shifts = queries
    shifted = bool(shifts.any())
    p = tile_scores(problem, tile, keys, q, exact=shifted)
    if shifted:
        p -= shifts[..., np.newaxis]
    np.exp(p, out=p)
    ds = np.matmul(rows, values.swapaxes(-1, -2), out=scratch("tt_attention.slopes", p.shape, p.dtype))
    ds *= p
    if slopes.mask is not None:
        add_mask_slope(slopes.mask, tile, keys, ds)
    add_product(ds, problem.k[b, h, :, keys], slopes.q[b, h, :, tile.rows], first=keys.start == 0)
    add_to_keys(ds, q, slopes.k[b, h, :, keys], first=first)
    add_to_keys(p, rows[..., :-1], slopes.v[b, h, :, keys], first=first)


def divided_rows(g: Array, out: Array, sums: Array) -> Array:
    """Return the rows of g divided by their sums, with -delta as one more column, in working memory."""
    rows = scratch("tt_attention.rows", (*g.shape[:-1], g.shape[-1] + 1), g.dtype)
    np.multiply(g, (1 / sums)[..., np.newaxis], out=rows[..., :-1])
    # Not into the last column at once: NumPy 2.4's vecdot is then wrong for some lengths of float64.
    np.negative(np.vecdot(rows[..., :-1], out), out=rows[..., -1])
    return rows


def with_ones(v: Array) -> Array:
    """Return the values with a column of ones, in working memory."""
    values = scratch("tt_attention.values", (*v.shape[:-1], v.shape[-1] + 1), v.dtype)
    values[..., :-1] = v
    values[..., -1] = 1
    return values


def add_to_keys(weights: Array, rows: Array, slope: Array, *, first: bool) -> None:
    """Add `weights^T @ rows`, summed over the heads that share a key head, to the gradient (n, h, 1, keys, D)."""
    if weights.shape[2] == 1:
        add_product(weights.swapaxes(-1, -2), rows, slope, first=first)
        return
    total = np.add.reduce(weights.swapaxes(-1, -2) @ rows, axis=2, keepdims=True)
    if first:
        slope[...] = total
    else:
        slope += total


def add_mask_slope(slope: Array, tile: Tile, keys: slice, ds: Array) -> None:
    """Add a tile's gradient of the scores to that of a mask, summed over the axes along which the mask is one."""
    wanted = (*tile.heads, slice(None), tile.rows, keys)
    where = tuple(slice(None) if size == 1 else part for size, part in zip(slope.shape, wanted, strict=True))
    part = slope[where]
    part += unbroadcast(ds, part.shape)
