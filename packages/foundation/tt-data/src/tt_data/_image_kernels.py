"""What the transforms do, on arrays: whole batches of images `(N, C, H, W)` at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from tt_tensor import Array


def normalize(images: Array, mean: Array, std: Array) -> Array:
    """Return `(images - mean) / std` with one mean and one standard deviation for each channel.

    Args:
        images: `(N, C, H, W)`.
        mean: `(C,)`.
        std: `(C,)`.

    Example:
        >>> normalize(np.full((1, 1, 1, 2), 3.0), np.array([1.0]), np.array([2.0])).tolist()
        [[[[1.0, 1.0]]]]
    """
    shape = (1, -1, 1, 1)  # beside the channel axis
    return (images - mean.reshape(shape)) / std.reshape(shape)


def crop(images: Array, top: npt.NDArray[np.int64], left: npt.NDArray[np.int64], height: int, width: int) -> Array:
    """Cut a window of `height` by `width` out of each image, each at a place of its own.

    Args:
        images: `(N, C, H, W)`.
        top: First row of each window `(N,)`, at most `H - height`.
        left: First column of each window `(N,)`, at most `W - width`.
        height: Rows of a window.
        width: Columns of a window.

    Example:
        >>> crop(np.arange(9).reshape(1, 1, 3, 3), np.array([1]), np.array([0]), 2, 2).tolist()
        [[[[3, 4], [6, 7]]]]
    """
    windows = np.lib.stride_tricks.sliding_window_view(images, (height, width), axis=(2, 3))  # (N, C, top, left, h, w)
    chosen: Array = windows[np.arange(len(images)), :, top, left]  # (N, C, h, w)
    return chosen


def flip_where(images: Array, chosen: npt.NDArray[np.bool_]) -> Array:
    """Mirror the chosen images left to right.

    Args:
        images: `(N, C, H, W)`.
        chosen: Which to mirror `(N,)`.

    Example:
        >>> flip_where(np.array([[[[1, 2]]], [[[3, 4]]]]), np.array([False, True])).tolist()
        [[[[1, 2]]], [[[4, 3]]]]
    """
    flipped = images.copy()
    flipped[chosen] = images[chosen, :, :, ::-1]
    return flipped


def cut_out(images: Array, row: npt.NDArray[np.int64], column: npt.NDArray[np.int64], size: int) -> Array:
    """Set a square to zero in each image; what reaches over the edge is lost.

    Args:
        images: `(N, C, H, W)`.
        row: First row of each square `(N,)`; may be negative.
        column: First column of each square `(N,)`; may be negative.
        size: Side of the squares.

    Example:
        >>> cut_out(np.ones((1, 1, 2, 2)), np.array([-1]), np.array([0]), 2).tolist()
        [[[[0.0, 0.0], [1.0, 1.0]]]]
    """
    height, width = images.shape[2:]
    rows = np.arange(height) - row[:, None]  # (N, H)
    columns = np.arange(width) - column[:, None]  # (N, W)
    inside = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[:, None, :]  # (N, H, W)
    return np.where(inside[:, None], images.dtype.type(0), images)
