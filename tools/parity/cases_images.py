"""The rows of convolution, pooling, and normalisation over channels."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import product

import tinytorch as tt
import torch
from tt_conv import batch_norm2d, group_norm

from tools.parity.cases_tensor import row
from tools.parity.compare import Case, Draw, fixed, given, real, within

F, T = tt.nn.functional, torch.nn.functional

Setting = int | str | tuple[int, int]


def conv_row(
    words: str, shape: tuple[int, ...], weight: tuple[int, ...], *, kernel: str = "", **settings: Setting
) -> Case:
    """Compare a convolution, 1-D or 2-D by the shape of its weight, with a bias."""
    name = f"conv{len(weight) - 2}d"
    ours, theirs = (partial(getattr(library, name), **settings) for library in (F, T))
    around = partial(tt.use_kernel, "conv2d", kernel) if kernel else None
    bound = math.sqrt(3 / max(1, math.prod(weight[1:])))  # outputs of about the size of the inputs
    filters = within(-bound, bound, *weight)
    return row(f"{name}: {words}", ours, theirs, real(*shape), filters, real(weight[0]), around=around)


PAIRS = product((1, 2), (0, 1, 2), (1, 2), (1, 2))  # stride, padding, dilation, groups
CONVOLUTIONS = [
    *(
        conv_row(f"stride {s}, padding {p}, dilation {d}, groups {g}", (2, 4, 7, 8), (6, 4 // g, 3, 3),
                 stride=s, padding=p, dilation=d, groups=g)
        for s, p, d, g in PAIRS
    ),
    *(
        conv_row(f"{kernel}, stride {s}, groups {g}", (2, 4, 7, 8), (6, 4 // g, 3, 2), kernel=kernel,
                 stride=s, padding=1, groups=g)
        for kernel in ("reference", "blocks", "im2col", "loops") for s, g in ((1, 1), (2, 2))
    ),
    conv_row("uneven settings", (2, 3, 9, 8), (4, 3, 2, 3), stride=(2, 3), padding=(0, 2), dilation=(3, 1)),
    conv_row("same", (2, 3, 6, 5), (4, 3, 3, 5), padding="same"),
    conv_row("same, even kernel, dilation", (2, 3, 6, 5), (4, 3, 2, 4), padding="same", dilation=2),
    conv_row("valid", (2, 3, 6, 5), (4, 3, 3, 5), padding="valid"),
    conv_row("1 x 1", (2, 5, 4, 3), (6, 5, 1, 1)),
    conv_row("1 x 1, stride 2", (2, 5, 4, 3), (6, 5, 1, 1), stride=2),
    conv_row("depthwise", (2, 6, 7, 6), (6, 1, 3, 3), padding=1, groups=6),
    conv_row("depthwise, two each, stride 2", (2, 3, 7, 6), (6, 1, 3, 3), stride=2, groups=3),
    conv_row("as large as the image", (2, 3, 4, 5), (2, 3, 4, 5)),
    conv_row("larger than its image, padded", (2, 3, 2, 2), (2, 3, 4, 4), padding=2),
    conv_row("no images", (0, 3, 5, 5), (2, 3, 3, 3)),
    conv_row("many channels", (3, 32, 12, 12), (48, 32, 3, 3), padding=1),
    conv_row("few filters, many rows", (16, 1, 8, 6), (6, 1, 3, 3), padding=1),
    conv_row("few filters, many rows, uneven", (26, 3, 9, 8), (5, 3, 3, 4), stride=(2, 1), padding=1, dilation=(1, 2)),
    row("conv2d: no bias", F.conv2d, T.conv2d, real(2, 3, 5, 5), real(4, 3, 3, 3)),
    *(
        conv_row(f"stride {s}, padding {p}, dilation {d}, groups {g}", (2, 4, 9), (6, 4 // g, 3),
                 stride=s, padding=p, dilation=d, groups=g)
        for s, p, d, g in ((1, 0, 1, 1), (2, 1, 1, 1), (1, 2, 2, 2), (3, 1, 2, 1))
    ),
    conv_row("same", (2, 3, 8), (4, 3, 4), padding="same"),
]  # fmt: skip

TIES = given([[[[1.0, 1.0, 0.0, 2.0], [1.0, 0.0, 2.0, 2.0], [3.0, 3.0, 3.0, 3.0], [3.0, 3.0, 3.0, 3.0]]]])


def pool_row(name: str, words: str, draw: Draw, kernel: int | tuple[int, int], **settings: Setting) -> Case:
    """Compare a pooling."""
    ours, theirs = (partial(getattr(library, name), kernel_size=kernel, **settings) for library in (F, T))
    return row(f"{name}: {words}", ours, theirs, draw)


POOLING = [
    *(
        pool_row(name, f"kernel {kernel}, {settings}", real(2, 3, 7, 8), kernel, **settings)
        for name in ("max_pool2d", "avg_pool2d")
        for kernel, settings in (
            (2, {}), (3, {"stride": 2}), (3, {"stride": 1, "padding": 1}), ((2, 3), {"stride": (1, 2)}), (1, {}),
        )
    ),
    pool_row("max_pool2d", "dilation", real(2, 3, 9, 9), 3, stride=2, padding=1, dilation=2),
    pool_row("max_pool2d", "ties", TIES, 2),
    pool_row("max_pool2d", "ties, overlapping", TIES, 3, stride=1, padding=1),
    *(
        row(f"adaptive_avg_pool2d: {size}", partial(F.adaptive_avg_pool2d, output_size=size),
            partial(T.adaptive_avg_pool2d, output_size=size), real(2, 3, 7, 5))
        for size in (1, (2, 3), (7, 5), 4)
    ),
    *(
        row(f"unfold: {settings}", partial(F.unfold, kernel_size=(3, 2), **settings),
            partial(T.unfold, kernel_size=(3, 2), **settings), real(2, 3, 7, 8))
        for settings in ({}, {"stride": 2}, {"padding": 1}, {"dilation": 2, "stride": (1, 2)})
    ),
]  # fmt: skip


def normalised(training: bool, momentum: float = 0.1) -> Callable[..., tuple[tt.Tensor, ...]]:
    """Return our images, and the running statistics afterwards, from copies of those given."""

    def run(
        x: tt.Tensor, mean: tt.Tensor, var: tt.Tensor, *affine: tt.Tensor
    ) -> tuple[tt.Tensor, tt.Tensor, tt.Tensor]:
        mean, var = mean.copy(), var.copy()
        weight, bias = affine or (None, None)
        return batch_norm2d(x, mean, var, weight, bias, training, momentum), mean, var

    return run


def their_normalised(training: bool, momentum: float = 0.1) -> Callable[..., tuple[torch.Tensor, ...]]:
    """Return PyTorch's."""

    def run(x: torch.Tensor, mean: torch.Tensor, var: torch.Tensor, *affine: torch.Tensor) -> tuple[torch.Tensor, ...]:
        mean, var = mean.clone(), var.clone()
        return T.batch_norm(x, mean, var, *affine, training=training, momentum=momentum), mean, var

    return run


CHANNELS = 5
MEAN, VAR = fixed(real(CHANNELS)), fixed(within(0.5, 2.0, CHANNELS))
AFFINE = (real(CHANNELS), real(CHANNELS))


NORMS = [
    *(
        row(f"batch_norm2d: training {on}, {words}", normalised(on), their_normalised(on), real(*shape), MEAN, VAR,
            *affine)
        for on in (True, False)
        for words, shape, affine in (
            ("affine", (4, CHANNELS, 3, 6), AFFINE),
            ("plain", (4, CHANNELS, 3, 6), ()),
            ("one image", (1, CHANNELS, 4, 4), AFFINE),
            ("many images", (64, CHANNELS, 8, 8), AFFINE),
        )
    ),
    *(
        row(f"batch_norm2d: ReLU joined, {words}",
            lambda x, w, b: batch_norm2d(x, None, None, w, b, True, activation="relu"),
            lambda x, w, b: T.relu(T.batch_norm(x, None, None, w, b, training=True)), real(*shape), *AFFINE)
        for words, shape in (("few", (4, CHANNELS, 3, 6)), ("many images", (64, CHANNELS, 8, 8)))
    ),
    row("batch_norm2d: momentum", normalised(True, 0.7), their_normalised(True, 0.7), real(4, CHANNELS, 3, 6), MEAN,
        VAR),
    *(
        row(f"group_norm: {groups} groups of {shape}", lambda x, w, b, g=groups: group_norm(x, g, w, b),
            lambda x, w, b, g=groups: T.group_norm(x, g, w, b), real(*shape), real(6), real(6))
        for groups, shape in ((1, (2, 6, 3, 4)), (2, (2, 6, 3, 4)), (6, (2, 6, 3, 4)), (2, (2, 6)), (3, (4, 6, 5)))
    ),
    row("group_norm: plain", lambda x: group_norm(x, 2), lambda x: T.group_norm(x, 2), real(2, 6, 3, 4)),
]  # fmt: skip

CASES = [*CONVOLUTIONS, *POOLING, *NORMS]
