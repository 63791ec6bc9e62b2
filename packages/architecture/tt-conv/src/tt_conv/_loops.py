"""Convolution and pooling as their definitions say: slow, and right. What the other kernels are tested against."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array

from tt_conv._precision import widened
from tt_conv._window import Pair, Sides, windows


@widened
def conv2d_loops(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Sides = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Slide every filter over every image: each number of the result is the sum of a filter times what it sees.

    Shapes: x (N, C, H, W), weight (O, C / groups, KH, KW), bias (O,) -> (N, O, OH, OW).

    Example:
        >>> conv2d_loops(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2))).tolist()
        [[[[4.0, 4.0], [4.0, 4.0]]]]
    """
    filters, channels, *kernel = weight.shape
    down, right = windows((kernel[0], kernel[1]), stride, padding, dilation)
    padded = np.pad(x, ((0, 0), (0, 0), *padding))
    out = np.zeros((len(x), filters, down.positions(x.shape[2]), right.positions(x.shape[3])), x.dtype)
    for image, filter_, row, column in np.ndindex(out.shape):
        first = filter_ // (filters // groups) * channels  # the first channel of this filter's group
        top, left = row * stride[0], column * stride[1]
        seen = padded[
            image,
            first : first + channels,
            top : top + down.reach : dilation[0],
            left : left + right.reach : dilation[1],
        ]
        out[image, filter_, row, column] = np.sum(seen * weight[filter_])
    return out if bias is None else out + bias.reshape(-1, 1, 1)
