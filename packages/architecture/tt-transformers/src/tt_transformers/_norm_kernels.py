"""Layer norm and RMS norm on plain arrays: rows of any number are brought to one scale."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from tt_tensor import Array, Primitive, as_matrix, ones_vector

# How far off 0 a normed row's mean may be: a few roundings.
_ROUNDINGS = 8


class Normal(NamedTuple):
    """What the rules want of a norm: the normed rows (M, C), and the factors that made them so (M, 1)."""

    rows: Array
    factors: Array


def row_means(rows: Array) -> Array:
    """Average each row, (M, C) -> (M, 1)."""
    means = np.dot(rows, ones_vector(rows.shape[1], rows.dtype))
    means /= rows.shape[1]
    return np.asarray(means)[:, np.newaxis]


def row_products(a: Array, b: Array) -> Array:
    """Average the products of each row of `a` with the same row of `b`, (M, C) with (M, C) -> (M, 1)."""
    products = np.einsum("ij,ij->i", a, b)
    products /= a.shape[1]
    return np.asarray(products)[:, np.newaxis]


def reciprocal_rms(rows: Array, eps: float) -> Array:
    """Return `1 / sqrt(mean(row**2) + eps)` for each row, (M, C) -> (M, 1).

    Where the squares overflow the element type, the mean is taken in float64, so that no float32 row is lost. (float64
    has nothing wider: a row beyond 1e154 becomes zeros, as it does in PyTorch.)
    """
    squares = row_products(rows, rows)
    if not np.isfinite(squares).all():
        wide = rows.astype(np.float64)
        return (1 / np.sqrt(row_products(wide, wide) + eps)).astype(rows.dtype)
    squares += eps
    np.sqrt(squares, out=squares)
    return np.asarray(np.reciprocal(squares, out=squares))


def normalize(rows: Array, eps: float, out: Array) -> Array:
    """Bring rows (M, C) to mean 0 and variance 1 in `out`; return the factors (M, 1).

    The mean of a row far from 0 is rounded to the size of its values. What that rounding left is found exactly among
    the small differences, and subtracted where it shows.
    """
    np.subtract(rows, row_means(rows), out=out)
    factors = reciprocal_rms(out, eps)
    left = row_means(out)
    if not np.abs(left * factors).max(initial=0) <= _ROUNDINGS * np.finfo(rows.dtype).eps:
        out -= left
        factors = reciprocal_rms(out, eps)
    out *= factors
    return factors


def layer_norm(x: Array, weight: Array, bias: Array, *, eps: float) -> Array:
    """Bring the last axis of `x` to mean 0 and variance 1, then scale and shift each feature.

    Shapes: x (..., C), weight and bias (C,) -> (..., C).

    The variance is that of the population (divided by C).

    Example:
        >>> layer_norm(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2), eps=0.0).tolist()
        [[-1.0, 1.0]]
    """
    return layer_norm_recording(x, weight, bias, eps=eps)[0]


def layer_norm_recording(x: Array, weight: Array, bias: Array, *, eps: float) -> tuple[Array, Normal]:
    """The same, and what its rule wants."""
    rows = floating_rows(x)
    normal = np.empty(rows.shape, rows.dtype)
    factors = normalize(rows, eps, normal)
    out = np.multiply(normal, weight, dtype=rows.dtype)
    out += bias
    return from_rows(out, x), Normal(normal, factors)


def rms_norm(x: Array, weight: Array, *, eps: float) -> Array:
    """Divide the last axis of `x` by its root mean square, then scale each feature.

    Shapes: x (..., C), weight (C,) -> (..., C).

    Example:
        >>> rms_norm(np.array([[3.0, 4.0]]), np.ones(2), eps=0.0).round(3).tolist()
        [[0.849, 1.131]]
    """
    return rms_norm_recording(x, weight, eps=eps)[0]


def rms_norm_recording(x: Array, weight: Array, *, eps: float) -> tuple[Array, Normal]:
    """The same, and what its rule wants."""
    rows = floating_rows(x)
    factors = reciprocal_rms(rows, eps)
    normal = np.multiply(rows, factors)
    out = np.multiply(normal, weight, dtype=rows.dtype)
    return from_rows(out, x), Normal(normal, factors)


def floating_rows(x: Array) -> Array:
    """Fold all axes but the last into one, (..., C) -> (M, C), in float32 at least."""
    rows = as_matrix(x)
    return rows if rows.dtype.char in "fd" else rows.astype(np.float32)


def from_rows(rows: Array, like: Array) -> Array:
    """Undo `floating_rows`: the shape and the element type of `like`."""
    out = rows if rows.shape == like.shape else rows.reshape(like.shape)
    return out if out.dtype == like.dtype else out.astype(like.dtype)


layer_norm_primitive = Primitive("layer_norm", layer_norm, recording=layer_norm_recording)
rms_norm_primitive = Primitive("rms_norm", rms_norm, recording=rms_norm_recording)
