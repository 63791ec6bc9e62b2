"""The rows of activations, layers and losses."""

from __future__ import annotations

import math
from functools import partial

import tinytorch as tt
import torch

from tools.parity.cases_tensor import row
from tools.parity.compare import classes, fixed, given, real, simplex, within

F, T = tt.nn.functional, torch.nn.functional
REDUCTION = ("mean", "sum", "none")

ACTIVATIONS = [
    *(
        row(f"{n}: {words}", getattr(F, n), getattr(T, n), draw)
        for n in ("relu", "sigmoid", "silu", "gelu", "tanh", "leaky_relu", "elu", "softplus")
        for words, draw in (("usual", real(3, 4)), ("far", given([-300.0, -9.0, 0.0, 9.0, 300.0])))
    ),
    row("leaky_relu: slope", lambda x: F.leaky_relu(x, 0.3), lambda x: T.leaky_relu(x, 0.3), real(3, 4)),
    row("elu: alpha", lambda x: F.elu(x, 0.7), lambda x: T.elu(x, 0.7), real(3, 4)),
    row("softplus: beta", lambda x: F.softplus(x, 2.0), lambda x: T.softplus(x, 2.0), real(3, 4)),
    row("gelu: tanh", lambda x: F.gelu(x, "tanh"), lambda x: T.gelu(x, approximate="tanh"), real(3, 4)),
    *(
        row(f"{n}: {words}", lambda x, f=f, a=axis: f(x, a), lambda x, g=g, a=axis: g(x, a), draw)
        for n, f, g in (("softmax", F.softmax, T.softmax), ("log_softmax", F.log_softmax, T.log_softmax))
        for words, axis, draw in (
            ("last axis", -1, real(3, 4)),
            ("middle axis", 1, real(2, 3, 4)),
            ("+-1e4", -1, given([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4]])),
            ("masked", -1, fixed(given([[0.0, -math.inf, 1.0]]))),
        )
    ),
]  # fmt: skip

LAYERS = [
    row("linear", F.linear, lambda x, w, b: T.linear(x, w.T, b), real(3, 4), real(4, 5), real(5)),
    row("linear: no bias", F.linear, lambda x, w: T.linear(x, w.T), real(3, 4), real(4, 5)),
    row("linear: many axes", F.linear, lambda x, w, b: T.linear(x, w.T, b), real(2, 3, 4), real(4, 5), real(5)),
    row("linear: a vector", F.linear, lambda x, w, b: T.linear(x, w.T, b), real(4), real(4, 5), real(5)),
    row("linear: no rows", F.linear, lambda x, w, b: T.linear(x, w.T, b), real(0, 4), real(4, 5), real(5)),
    *(
        row(f"dropout: p={p}, training {on}", lambda x, p=p, on=on: F.dropout(x, p, training=on),
            lambda x, p=p, on=on: T.dropout(x, p, on), real(3, 4))
        for p, on in ((0.0, True), (1.0, True), (0.5, False))
    ),
]  # fmt: skip

NUMBERS = [
    *(
        row(f"{n}: {r}", partial(getattr(F, n), reduction=r), partial(getattr(T, n), reduction=r), first, second)
        for n, first, second in (
            ("mse_loss", real(3, 4), real(3, 4)),
            ("l1_loss", real(3, 4), real(3, 4)),
            ("huber_loss", real(3, 4), real(3, 4)),
            ("binary_cross_entropy", within(0.01, 0.99, 3, 4), fixed(within(0.0, 1.0, 3, 4))),
            ("binary_cross_entropy_with_logits", real(3, 4), within(0.0, 1.0, 3, 4)),
        )
        for r in REDUCTION
    ),
    row("l1_loss: equal", F.l1_loss, T.l1_loss, given([1.0, 2.0]), given([1.0, 3.0])),
    row("huber_loss: delta", lambda x, y: F.huber_loss(x, y, delta=0.4), lambda x, y: T.huber_loss(x, y, delta=0.4),
        real(3, 4), real(3, 4)),
    row("binary_cross_entropy: 0 and 1", F.binary_cross_entropy, T.binary_cross_entropy,
        fixed(given([0.0, 1.0, 0.0, 1.0])), fixed(given([0.0, 1.0, 1.0, 0.0]))),
    row("binary_cross_entropy_with_logits: extreme", F.binary_cross_entropy_with_logits,
        T.binary_cross_entropy_with_logits, given([1e4, -1e4, 1e4, -1e4]), fixed(given([0.0, 0.0, 1.0, 1.0]))),
    row("hinge_loss", F.hinge_loss, lambda x, y: torch.clamp(1 - x * y, min=0).mean(), real(4),
        fixed(given([1.0, -1.0, 1.0, -1.0]))),
    *(
        row(f"kl_div: {r}", lambda x, y, r=r: F.kl_div(F.log_softmax(x), y, r),
            lambda x, y, r=r: T.kl_div(T.log_softmax(x, -1), y, reduction=r), real(3, 4), simplex(3, 4))
        for r in (*REDUCTION, "batchmean")
    ),
    row("kl_div: target 0", lambda x, y: F.kl_div(x, y, "sum"), lambda x, y: T.kl_div(x, y, reduction="sum"),
        given([[-1.0, -2.0]]), fixed(given([[0.0, 1.0]]))),
]  # fmt: skip

IGNORED = given([0, -100, 2, 3, -100])
WEIGHT = fixed(given([0.5, 2.0, 1.0, 0.0]))
CLASSES = [
    *(
        row(f"cross_entropy: {r}, smoothing {s}", lambda x, y, r=r, s=s: F.cross_entropy(x, y, r, label_smoothing=s),
            lambda x, y, r=r, s=s: T.cross_entropy(x, y, reduction=r, label_smoothing=s), real(5, 4), targets)
        for r in REDUCTION for s, targets in ((0.0, classes(4, 5)), (0.2, IGNORED))
    ),
    *(
        row(f"cross_entropy: {r}, weights, smoothing {s}",
            lambda x, y, w, r=r, s=s: F.cross_entropy(x, y, r, weight=w, label_smoothing=s),
            lambda x, y, w, r=r, s=s: T.cross_entropy(x, y, w, reduction=r, label_smoothing=s), real(5, 4), IGNORED,
            WEIGHT)
        for r in REDUCTION for s in (0.0, 0.2)
    ),
    row("cross_entropy: ignore 2", lambda x, y: F.cross_entropy(x, y, ignore_index=2),
        lambda x, y: T.cross_entropy(x, y, ignore_index=2), real(6, 4), given([0, 1, 2, 3, 2, 0])),
    row("cross_entropy: images", lambda x, y: F.cross_entropy(x, y, axis=1), T.cross_entropy, real(2, 4, 3, 3),
        classes(4, 2, 3, 3)),
    row("cross_entropy: distributions", F.cross_entropy, T.cross_entropy, real(5, 4), simplex(5, 4)),
    row("cross_entropy: extreme", F.cross_entropy, T.cross_entropy, given([[1e4, -1e4], [-1e4, 1e4]]), given([0, 0])),
    *(
        row(f"nll_loss: {r}", lambda x, y, w, r=r: F.nll_loss(x, y, r, weight=w),
            lambda x, y, w, r=r: T.nll_loss(x, y, w, reduction=r), real(5, 4), IGNORED, WEIGHT)
        for r in REDUCTION
    ),
    row("nll_loss: ignore 2", lambda x, y: F.nll_loss(x, y, ignore_index=2),
        lambda x, y: T.nll_loss(x, y, ignore_index=2), real(6, 4), given([0, 1, 2, 3, 2, 0])),
]  # fmt: skip

CASES = [*ACTIVATIONS, *LAYERS, *NUMBERS, *CLASSES]
