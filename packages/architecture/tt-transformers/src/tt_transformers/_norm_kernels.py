"""Layer norm and RMS norm on plain arrays: rows of any number are brought to one scale."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from tt_tensor import Array, Primitive


@lru_cache(maxsize=64)
def ones(length: int, dtype: np.dtype[np.generic]) -> Array:
    """Return a vector of ones, made once for each length; it cannot be written to."""
    vector = np.ones(length, dtype)
    vector.flags.writeable = False
    return vector


def column_sums(rows: Array) -> Array:
    """Sum a matrix over its rows, (M, C) -> (C,), as a product with ones: BLAS does it in a third of `sum`'s time."""
    return np.asarray(np.dot(ones(len(rows), rows.dtype), rows))


def row_means(rows: Array) -> Array:
    """Average each row, (M, C) -> (M, 1)."""
    means = np.dot(rows, ones(rows.shape[1], rows.dtype))
    means /= rows.shape[1]
    return np.asarray(means)[:, np.newaxis]


def row_products(a: Array, b: Array) -> Array:
    """Average the products of each row of `a` with the same row of `b`, (M, C) with (M, C) -> (M, 1)."""
    products = np.einsum("ij,ij->i", a, b)
    products /= a.shape[1]
    return np.asarray(products)[:, np.newaxis]


def reciprocal_rms(rows: Array, eps: float) -> Array:
    """Return `1 / sqrt(mean(row**2) + eps)` for each row, (M, C) -> (M, 1).

    Where the squares overflow the element type, the mean is taken in float64, so that no finite row is lost.
    """
    squares = row_products(rows, rows)
    if not np.isfinite(squares).all():
        wide = rows.astype(np.float64)
        return (1 / np.sqrt(row_products(wide, wide) + eps)).astype(rows.dtype)
    squares += eps
    np.sqrt(squares, out=squares)
    return np.asarray(np.reciprocal(squares, out=squares))


def center(rows: Array, out: Array) -> Array:
    """Write each row minus its mean into `out`.

    The mean is subtracted twice: the first time it is rounded to the size of the row's values, and what that rounding
    left (much, if a row lies far from 0) is found exactly among the small differences.
    """
    np.subtract(rows, row_means(rows), out=out)
    out -= row_means(out)
    return out


def normalize(x: Array, eps: float, out: Array) -> Array:
    """Bring the rows of `x` (M, C) to mean 0 and variance 1 in `out`; return the factors (M, 1)."""
    factors = reciprocal_rms(center(x, out), eps)
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


def layer_norm_recording(x: Array, weight: Array, bias: Array, *, eps: float) -> tuple[Array, Array]:
    """The same, and what its rule wants: the factor by which each row was multiplied (M, 1)."""
    rows = as_rows(x)
    out = np.empty_like(rows)
    factors = normalize(rows, eps, out)
    out *= weight
    out += bias
    return from_rows(out, x), factors


def rms_norm(x: Array, weight: Array, *, eps: float) -> Array:
    """Divide the last axis of `x` by its root mean square, then scale each feature.

    Shapes: x (..., C), weight (C,) -> (..., C).

    Example:
        >>> rms_norm(np.array([[3.0, 4.0]]), np.ones(2), eps=0.0).round(3).tolist()
        [[0.849, 1.131]]
    """
    return rms_norm_recording(x, weight, eps=eps)[0]


def rms_norm_recording(x: Array, weight: Array, *, eps: float) -> tuple[Array, Array]:
    """The same, and what its rule wants: the factor by which each row was multiplied (M, 1)."""
    rows = as_rows(x)
    factors = reciprocal_rms(rows, eps)
    out = rows * factors
    out *= weight
    return from_rows(out, x), factors


def as_rows(x: Array) -> Array:
    """Fold all axes but the last into one, (..., C) -> (M, C), in float32 at least."""
    rows = x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    return rows if rows.dtype.char in "fd" else rows.astype(np.float32)


def from_rows(rows: Array, like: Array) -> Array:
    """Undo `as_rows`: the shape and the element type of `like`."""
    out = rows if rows.shape == like.shape else rows.reshape(like.shape)
    return out if out.dtype == like.dtype else out.astype(like.dtype)


def norm_gradient(scaled: Array, normal: Array, factors: Array) -> Array:
    """Turn the gradient for RMS-normed rows, in `scaled`, into that for the rows themselves, in place.

    Spoils `normal`.

    `(g - normal * mean(g * normal)) * factor`: what would only make a row longer changes nothing, and is taken out.
    """
    along = row_products(scaled, normal)
    scaled -= np.multiply(normal, along, out=normal)
    scaled *= factors
    return scaled


layer_norm_primitive = Primitive("layer_norm", layer_norm, recording=layer_norm_recording)
rms_norm_primitive = Primitive("rms_norm", rms_norm, recording=rms_norm_recording)
