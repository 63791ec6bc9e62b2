"""The rows of tt-tensor: values, reductions, shapes, selection, products."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import tinytorch as tt
import torch

from tools.parity.compare import Case, Draw, classes, fixed, given, real, truth, within


def row(
    name: str,
    ours: object,
    theirs: object,
    *draws: Draw,
    tolerance: float | None = None,
    around: Callable[[], AbstractContextManager[object]] | None = None,
) -> Case:
    """Make a case of two callables and its inputs."""
    if not callable(ours) or not callable(theirs):
        raise TypeError(f"{name}: both sides must be callable")
    return Case(name, ours, theirs, draws, tolerance, around or nullcontext)


TIES = given([[2.0, 2.0, 1.0], [0.0, 3.0, 3.0]])
ZEROS = given([[0.0, 2.0, 3.0], [0.0, 0.0, 4.0], [1.0, 2.0, 3.0]])
ODD = ("abs", "exp", "sin", "cos", "tanh", "erf", "negative")
VALUES = [
    *(row(n, getattr(tt, n), getattr(torch, n), real(3, 4)) for n in ODD),
    *(row(n, getattr(tt, n), getattr(torch, n), within(0.1, 5.0, 3, 4)) for n in ("log", "log1p", "sqrt")),
    *(row(n, getattr(tt, n), getattr(torch, n), fixed(real(3, 4))) for n in ("floor", "sign")),
    *(
        row(f"{n}: {words}", getattr(tt, n), getattr(torch, n), *inputs)
        for n in ("add", "subtract", "multiply", "divide", "maximum", "minimum", "remainder")
        for words, inputs in (
            ("broadcast", (real(3, 4), real(4))),
            ("outer", (real(3, 1), real(1, 4))),
            ("0-d", (real(), real(2, 2))),
            ("empty", (real(0, 3), real(1, 3))),
            ("integers", (classes(9, 5), given([1, 2, 3, 4, 5]))),
        )
    ),
    row("multiply: strided", lambda x, y: x.T[::2] * y[::2], lambda x, y: x.T[::2] * y[::2], real(3, 4), real(4, 3)),
    row("maximum: ties", tt.maximum, torch.maximum, TIES, given([2.0, 2.0, 3.0])),
    row("minimum: ties", tt.minimum, torch.minimum, TIES, given([2.0, 2.0, 3.0])),
    row("log: 0 and below", tt.log, torch.log, fixed(given([0.0, -1.0, 1.0]))),
    row("divide: by 0", tt.divide, torch.divide, fixed(given([0.0, -1.0, 1.0])), fixed(given([0.0, 0.0, 0.0]))),
    row("floor_divide", tt.floor_divide, torch.floor_divide, fixed(real(3, 4)), fixed(real(4))),
    row("floor_divide: integers", lambda x, y: (x - 4) // y, lambda x, y: (x - 4) // y, classes(9, 5),
        given([1, 2, -3, 4, -5])),
    row("power", tt.power, torch.pow, within(0.2, 3.0, 3, 4), real(4)),
    row("power: 0 ** 0 and 0 ** 2", lambda x: x ** tt.Tensor([0.0, 2.0, 1.0], dtype=x.dtype),
        lambda x: x ** torch.tensor([0.0, 2.0, 1.0], dtype=x.dtype), given([0.0, 0.0, 0.0])),
    row("power: scalar", lambda x: x**3, lambda x: x**3, real(3, 4)),
    row("clip", lambda x: tt.clip(x, -0.5, 0.5), lambda x: torch.clip(x, -0.5, 0.5), real(3, 4)),
    row("clip: one side", lambda x: tt.clip(x, low=0.0), lambda x: torch.clip(x, min=0.0), real(3, 4)),
    row("where", tt.where, torch.where, truth(3, 4), real(3, 4), real(4)),
    row("masked_fill", lambda x, m: tt.masked_fill(x, m, -9.0), lambda x, m: x.masked_fill(m, -9.0), real(3, 4),
        truth(4)),
    *(
        row(n, getattr(tt, n), getattr(torch, n), TIES, given([2.0, 3.0, 1.0]))
        for n in ("not_equal", "less", "less_equal", "greater", "greater_equal")
    ),
    row("equal", tt.equal, torch.eq, TIES, given([2.0, 3.0, 1.0])),
    row("logical_not", tt.logical_not, torch.logical_not, truth(3, 4)),
    row("isfinite", tt.isfinite, torch.isfinite, given([1.0, math.inf, math.nan])),
    row("isnan", tt.isnan, torch.isnan, given([1.0, math.inf, math.nan])),
]  # fmt: skip

REDUCTIONS = [
    *(
        row(f"{n}: {words}", getattr(tt, n), getattr(torch, n), real(3, 4))
        for n, words in (("sum", "all"), ("mean", "all"), ("prod", "all"), ("max", "all"), ("min", "all"))
    ),
    *(
        row(f"{n}: axis {axis}", partial(getattr(tt, n), axis=axis, keepdims=True),
            partial(getattr(torch, other), dim=axis, keepdim=True), real(3, 4, 2))
        for n, other in (("sum", "sum"), ("mean", "mean"), ("logsumexp", "logsumexp"), ("max", "amax"), ("min", "amin"))
        for axis in (1, -1, (0, 2))
    ),
    row("prod: axis", lambda x: tt.prod(x, axis=1), lambda x: torch.prod(x, dim=1), real(3, 4)),
    row("prod: zeros", lambda x: tt.prod(x, axis=1), lambda x: torch.prod(x, dim=1), ZEROS),
    row("mean: nothing", tt.mean, torch.mean, fixed(real(0, 3))),
    row("sum: nothing", tt.sum, torch.sum, real(0, 3)),
    row("max: ties", tt.max, torch.amax, TIES),
    row("max: ties on an axis", lambda x: tt.max(x, 1), lambda x: torch.amax(x, 1), TIES),
    row("min: ties", tt.min, torch.amin, TIES),
    row("logsumexp: -inf", lambda x: tt.logsumexp(x, axis=1), lambda x: torch.logsumexp(x, dim=1),
        fixed(given([[-math.inf, -math.inf], [0.0, -math.inf], [1e4, 1e4]]))),
    *(
        row(f"{n}: correction {c}, axis {axis}", partial(getattr(tt, n), axis=axis, correction=c),
            partial(getattr(torch, n), dim=axis, correction=c), real(3, 4, 2))
        for n in ("var", "std") for c in (0, 1) for axis in (None, 1, (0, 2))
    ),
    *(
        row(f"norm: ord {order}, axis {axis}", lambda x, o=order, a=axis: tt.norm(x, o, a),
            lambda x, o=order, a=axis: torch.linalg.vector_norm(x, o, dim=a), real(3, 4))
        for order in (1, 2, 3, math.inf) for axis in (None, 1)
    ),
    row("norm: of zeros", tt.norm, torch.linalg.vector_norm, given([0.0, 0.0])),
    row("cumsum", lambda x: tt.cumsum(x, 1), lambda x: torch.cumsum(x, 1), real(3, 4)),
    row("argmax", lambda x: tt.argmax(x, 1), lambda x: torch.argmax(x, 1), real(3, 4)),
    row("argmax: all", tt.argmax, torch.argmax, real(3, 4)),
    row("argmin", lambda x: tt.argmin(x, 0), lambda x: torch.argmin(x, 0), real(3, 4)),
    row("any", lambda x: tt.any(x, 1), lambda x: torch.any(x, 1), truth(3, 4)),
    row("all", lambda x: tt.all(x, 1), lambda x: torch.all(x, 1), truth(3, 4)),
]  # fmt: skip

SHAPES = [
    row("reshape", lambda x: tt.reshape(x, (2, -1)), lambda x: torch.reshape(x, (2, -1)), real(3, 4)),
    row("view", lambda x: x.view((2, -1)), lambda x: x.view((2, -1)), real(3, 4)),
    row("flatten", lambda x: tt.flatten(x, 1), lambda x: torch.flatten(x, 1), real(2, 3, 4)),
    row("transpose", tt.transpose, lambda x: x.permute(2, 1, 0), real(2, 3, 4)),
    row("permute", lambda x: tt.permute(x, (1, 2, 0)), lambda x: torch.permute(x, (1, 2, 0)), real(2, 3, 4)),
    row("swapaxes", lambda x: tt.swapaxes(x, 0, -1), lambda x: torch.swapaxes(x, 0, -1), real(2, 3, 4)),
    row("expand_dims", lambda x: tt.expand_dims(x, 1), lambda x: torch.unsqueeze(x, 1), real(3, 4)),
    row("squeeze", tt.squeeze, torch.squeeze, real(1, 3, 1)),
    row("squeeze: axis", lambda x: tt.squeeze(x, 0), lambda x: torch.squeeze(x, 0), real(1, 3, 1)),
    row("broadcast_to", lambda x: tt.broadcast_to(x, (2, 3, 4)), lambda x: torch.broadcast_to(x, (2, 3, 4)),
        real(3, 1)),
    row("flip", lambda x: tt.flip(x, 1), lambda x: torch.flip(x, (1,)), real(3, 4)),
    row("concat", lambda x, y: tt.concat([x, y], 1), lambda x, y: torch.concat([x, y], 1), real(3, 2), real(3, 4)),
    row("stack", lambda x, y: tt.stack([x, y], 1), lambda x, y: torch.stack([x, y], 1), real(3, 4), real(3, 4)),
    row("split", lambda x: tt.split(x, 2, 1), lambda x: torch.tensor_split(x, 2, 1), real(3, 4)),
    row("split: sizes", lambda x: tt.split(x, [1, 3], 1), lambda x: torch.split(x, [1, 3], 1), real(3, 4)),
    row("pad", lambda x: tt.pad(x, [(1, 2), (0, 3)], 7.0),
        lambda x: torch.nn.functional.pad(x, (0, 3, 1, 2), value=7.0), real(3, 4)),
    row("tile", lambda x: tt.tile(x, (2, 3)), lambda x: torch.tile(x, (2, 3)), real(3, 4)),
    row("repeat", lambda x: tt.repeat(x, 3, axis=0), lambda x: torch.repeat_interleave(x, 3, dim=0), real(3, 4)),
    row("repeat: flat", lambda x: tt.repeat(x, 2), lambda x: torch.repeat_interleave(x, 2), real(3, 4)),
    row("tril", lambda x: tt.tril(x, 1), lambda x: torch.tril(x, 1), real(3, 4)),
    row("triu", lambda x: tt.triu(x, -1), lambda x: torch.triu(x, -1), real(3, 4)),
]  # fmt: skip

SELECTION = [
    row("index: slices", lambda x: x[1:, ::2], lambda x: x[1:, ::2], real(3, 4)),
    row("index: a row, a new axis", lambda x: x[None, 1, ..., 2], lambda x: x[None, 1, ..., 2], real(3, 4, 5)),
    row("index: repeated", lambda x, i: x[i], lambda x, i: x[i], real(3, 4), given([2, 0, 2, -1])),
    row("index: mask", lambda x, m: x[m], lambda x, m: x[m], real(3, 4), truth(3, 4)),
    row("take", lambda x, i: tt.take(x, i, 1), lambda x, i: torch.index_select(x, 1, i), real(3, 4),
        given([1, 1, 3])),
    row("take: flat", tt.take, torch.take, real(3, 4), given([[1, 1], [11, 0]])),
    row("gather", lambda x, i: tt.gather(x, i, 1), lambda x, i: torch.gather(x, 1, i), real(3, 4), classes(4, 3, 6)),
    row("one_hot", lambda i: tt.one_hot(i, 5), lambda i: torch.nn.functional.one_hot(i, 5).float(), classes(5, 2, 3)),
    row("sort", lambda x: tt.sort(x, 0), lambda x: torch.sort(x, 0).values, real(3, 4)),
    row("sort: descending", lambda x: tt.sort(x, descending=True), lambda x: torch.sort(x, descending=True).values,
        real(3, 4)),
    row("argsort", tt.argsort, torch.argsort, real(3, 4)),
    row("topk", lambda x: tt.topk(x, 2), lambda x: tuple(torch.topk(x, 2)), real(3, 4)),
]  # fmt: skip

PRODUCTS = [
    *(
        row(f"matmul: {a} @ {b}", tt.matmul, torch.matmul, real(*a), real(*b))
        for a, b in (
            ((3, 4), (4, 5)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 5)), ((2, 3, 4), (4, 5)),
            ((2, 1, 3, 4), (5, 4, 2)), ((3, 0), (0, 4)), ((0, 3), (3, 4)),
        )
    ),
    *(
        row(f"einsum: {e}", lambda *xs, e=e: tt.einsum(e, *xs), lambda *xs, e=e: torch.einsum(e, *xs), *draws)
        for e, draws in (
            ("ij,jk->ik", (real(3, 4), real(4, 5))),
            ("bij,bkj->bik", (real(2, 3, 4), real(2, 5, 4))),
            ("ij->j", (real(3, 4),)),
            ("ii->i", (real(3, 3),)),
            ("i,j->ij", (real(3), real(4))),
            ("bhqd,bhkd->bhqk", (real(2, 2, 3, 4), real(2, 2, 5, 4))),
        )
    ),
]  # fmt: skip

CASES = [*VALUES, *REDUCTIONS, *SHAPES, *SELECTION, *PRODUCTS]
