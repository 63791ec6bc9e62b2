"""The gradient of attention tile by tile: the scores are computed again, from the log-sums that were kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from tt_autograd import unbroadcast
from tt_tensor import Array, split_work

from tt_attention._blockwise import LOG_RANGE, add_product, scaled_queries, seconds
from tt_attention._tiles import Problem, Tile, five_axes, key_blocks, space, tile_scores, writable_five_axes


class Slopes(NamedTuple):
    """Where the gradients go, seen with five axes."""

    q: Array
    k: Array
    v: Array
    mask: Array | None  # of the mask's own shape, filled up with leading ones


def backward(
    g: Array, out: Array, logs: Array, problem: Problem, into: tuple[Array, Array, Array], mask_slope: Array | None
) -> None:
    """Write the gradients of queries, keys and values into three arrays, and add that of the mask to a fourth.

    Args:
        g: The gradient of the output (..., H, T, D_v).
        out: The output.
        logs: The log-sums of `forward`.
        problem: The inputs.
        into: Arrays of the shapes of q, k and v, in which the gradients are written.
        mask_slope: Zeros (N, H_kv, G, T, S), each axis possibly 1, or None.
    """
    kv_heads = problem.k.shape[1]
    slopes = Slopes(*(writable_five_axes(each, kv_heads) for each in into), mask_slope)
    g5, out5 = five_axes(g, kv_heads), five_axes(out, kv_heads)
    logs4 = logs.reshape(problem.q.shape[:4])
    if problem.q.shape[3] == 0:
        slopes.k[...] = 0
        slopes.v[...] = 0
    units = problem.units()

    def work(start: int, stop: int) -> None:
        with np.errstate(all="ignore"):
            for heads in units[start:stop]:
                for position, tile in enumerate(problem.tiles(heads)):
                    backward_tile(problem, tile, g5, out5, logs4, slopes, first=position == 0)

    # The gradient of a broadcast mask is a sum over units, which two threads must not write at once.
    split_work(work, len(units), seconds=0.0 if mask_slope is not None else seconds(problem, 2))


def backward_tile(
    problem: Problem, tile: Tile, g: Array, out: Array, logs: Array, slopes: Slopes, *, first: bool
) -> None:
    """Add what one block of queries contributes to the gradients; the first writes those of all keys.

    With P the weights: dV = P^T g, dP = g V^T, dS = P * (dP - delta), delta = sum(g * out) over a row, dQ = dS K and
    dK = dS^T Q. While the log-sums are moderate, P is never divided by its sums: g is, which is smaller. The values get
    a column of ones and g one of -delta, so that the product subtracts.
    """
    b, h = tile.heads
    if tile.limit == 0:
        slopes.q[b, h, :, tile.rows] = 0
        return
    q = scaled_queries(problem, tile)
    log_sums = logs[b, h, :, tile.rows, np.newaxis]
    moderate = bool(np.abs(log_sums).max() < LOG_RANGE)
    rows = tile_gradients(g[b, h, :, tile.rows], out[b, h, :, tile.rows], np.exp(-log_sums) if moderate else None)
    shift = None if moderate else log_sums
    for keys in key_blocks(tile.limit):
        p = tile_scores(problem, tile, keys, q)
        if shift is not None:
            p -= shift
        np.exp(p, out=p)
        ds = score_slopes(problem.v[b, h, :, keys], rows, p)
        if slopes.mask is not None:
            add_mask_slope(slopes.mask, tile, keys, ds)
        k = problem.k[b, h, :, keys]
        scaled = np.multiply(k, k.dtype.type(problem.scale), out=space.get("k", k.shape, k.dtype))
        add_product(ds, scaled, slopes.q[b, h, :, tile.rows], first=keys.start == 0)
        add_to_keys(ds, q, slopes.k[b, h, :, keys], first=first)
        add_to_keys(p, rows[..., :-1], slopes.v[b, h, :, keys], first=first)


def tile_gradients(g: Array, out: Array, inverse: Array | None) -> Array:
    """Return the rows of g divided by their sums, with -delta as one more column, in working memory."""
    rows = space.get("rows", (*g.shape[:-1], g.shape[-1] + 1), g.dtype)
    if inverse is None:
        rows[..., :-1] = g
    else:
        np.multiply(g, inverse, out=rows[..., :-1])
    delta = rows[..., -1]
    np.vecdot(rows[..., :-1], out, out=delta)
    np.negative(delta, out=delta)
    return rows


def score_slopes(v: Array, rows: Array, p: Array) -> Array:
    """Return the gradient of a tile's scores, in working memory."""
    values = space.get("values", (*v.shape[:-1], v.shape[-1] + 1), v.dtype)
    values[..., :-1] = v
    values[..., -1] = 1
    ds = space.get("slopes", p.shape, p.dtype)
    np.matmul(rows, values.swapaxes(-1, -2), out=ds)
    ds *= p
    return ds


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
