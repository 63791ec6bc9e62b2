"""Gradients of matrix products: ``matmul`` and ``einsum``."""

from __future__ import annotations

import string

import numpy as np
from tt_tensor import Array, as_matrix, primitives

from tt_autograd._table import Spec, defvjp
from tt_autograd._unbroadcast import unbroadcast

P = primitives()
# On plain arrays, whichever kernel serves tensors: it splits large products, and widens half precision for BLAS.
matmul = P["matmul"].reference

_LARGE = 1 << 14  # from here on, planning a contraction is cheaper than running it as written


def matmul_left(g: Array, _out: None, _a: Spec, b: Array) -> Array:
    """Gradient of ``a @ b`` for ``a``: ``g @ b^T``, (..., n, m) with (..., m, k)."""
    if b.ndim == 1:
        return unbroadcast(np.multiply(np.expand_dims(g, -1), b), _a.shape)
    if _a.ndim == 1:
        return unbroadcast(matmul(g[..., None, :], b.swapaxes(-1, -2))[..., 0, :], _a.shape)
    if b.ndim == 2:  # one product for every row of a
        rows = matmul(as_matrix(g), b.T)
        return rows if rows.shape == _a.shape else rows.reshape(_a.shape)
    left = matmul(g, b.swapaxes(-1, -2))
    return left if left.shape == _a.shape else unbroadcast(left, _a.shape)


def matmul_right(g: Array, _out: None, a: Array, _b: Spec) -> Array:
    """Gradient of ``a @ b`` for ``b``: ``a^T @ g``, (..., k, n) with (..., n, m), summed over the batch."""
    if a.ndim == 1:
        column = a if _b.ndim == 1 else a[:, None]
        return unbroadcast(column * (g if _b.ndim == 1 else g[..., None, :]), _b.shape)
    if _b.ndim == 1:
        return matmul(as_matrix(a).T, g.reshape(-1))
    if _b.ndim == 2:  # one product sums over every batch axis of a: (N, k)^T @ (N, m)
        return matmul(as_matrix(a).T, as_matrix(g))
    right = matmul(a.swapaxes(-1, -2), g)
    return right if right.shape == _b.shape else unbroadcast(right, _b.shape)


def explicit_labels(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """Write an einsum out in full: one label for each axis of each operand, and those of the output.

    An ellipsis becomes fresh labels, shared from the right; a missing output is every label that occurs once, sorted.
    """
    left, arrow, output = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    fresh = [c for c in string.ascii_letters if c not in equation]
    hidden = [
        rank - len(term.replace("...", "")) if "..." in term else 0 for term, rank in zip(terms, ranks, strict=True)
    ]
    dots = "".join(fresh[: max(hidden)])
    full = [term.replace("...", dots[len(dots) - n :]) for term, n in zip(terms, hidden, strict=True)]
    if arrow:
        return full, output.replace("...", dots)
    named = left.replace(",", "").replace("...", "")
    return full, dots + "".join(sorted(c for c in set(named) if named.count(c) == 1))


def fit(a: Array, shape: tuple[int, ...]) -> Array:
    """Sum ``a`` over the axes where ``shape`` has one, and repeat it over those where ``a`` has one."""
    extra = tuple(i for i, (have, want) in enumerate(zip(a.shape, shape, strict=True)) if have != want == 1)
    summed = a.sum(axis=extra, keepdims=True) if extra else a
    return np.broadcast_to(summed, shape)


def onto_diagonal(a: Array, labels: str, shape: tuple[int, ...]) -> Array:
    """Put ``a``, whose axes are the distinct ``labels``, onto the diagonals of zeros of ``shape``."""
    out = np.zeros(shape, a.dtype)
    distinct = "".join(dict.fromkeys(labels))
    np.einsum(f"{labels}->{distinct}", out)[...] = a  # a writable view of the diagonals
    return out


def einsum_operand(g: Array, output: str, xs: tuple[Array, ...], terms: list[str], i: int) -> Array:
    """Gradient of an einsum for operand ``i``: contract ``g`` with all the others, towards this one's labels."""
    labels, shape = terms[i], xs[i].shape
    distinct = "".join(dict.fromkeys(labels))
    others = [j for j in range(len(xs)) if j != i]
    sources = [output, *(terms[j] for j in others)]
    reached = "".join(c for c in distinct if any(c in source for source in sources))
    operands = [g, *(xs[j] for j in others)]
    large = sum(a.size for a in operands) > _LARGE
    contracted = np.asarray(np.einsum(f"{','.join(sources)}->{reached}", *operands, optimize=large))
    # a label of this operand alone was summed away: all its elements get the same gradient
    contracted = contracted.reshape([contracted.shape[reached.index(c)] if c in reached else 1 for c in distinct])
    if distinct == labels:
        return fit(contracted, shape)
    sizes = tuple(shape[labels.index(c)] for c in distinct)
    return onto_diagonal(fit(contracted, sizes), labels, shape)


def einsum_gradient(
    g: Array, _out: None, *xs: Array, needs: tuple[bool, ...], equation: str
) -> tuple[Array | None, ...]:
    """Gradient of ``einsum`` for each operand that needs one."""
    terms, output = explicit_labels(equation, [x.ndim for x in xs])
    return tuple(einsum_operand(g, output, xs, terms, i) if needed else None for i, needed in enumerate(needs))


defvjp(P["matmul"], matmul_left, matmul_right)
defvjp(P["einsum"], joint=einsum_gradient)
