"""TinyTorch module 09: convolution, pooling and normalisation of images.

Example:
    >>> from tt_layers import Sequential
    >>> from tt_tensor import zeros
    >>> Sequential(Conv2d(1, 4, 3), MaxPool2d(2), GlobalAvgPool2d())(zeros((2, 1, 8, 8))).shape
    (2, 4)
"""

from tt_conv import (  # the tables of rules fill themselves on import
    _conv_gradient,  # noqa: F401
    _group_norm_gradient,  # noqa: F401
    _norm_gradient,  # noqa: F401
    _pool_gradient,  # noqa: F401
)
from tt_conv._conv_layers import Conv1d, Conv2d
from tt_conv._convolution import conv1d, conv2d, unfold
from tt_conv._fold import fold_batch_norm
from tt_conv._norm_layers import BatchNorm2d, GroupNorm
from tt_conv._normalisation import batch_norm2d, group_norm
from tt_conv._pool_layers import AvgPool2d, GlobalAvgPool2d, MaxPool2d
from tt_conv._pooling import adaptive_avg_pool2d, avg_pool2d, max_pool2d

__all__ = [
    "AvgPool2d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "GlobalAvgPool2d",
    "GroupNorm",
    "MaxPool2d",
    "adaptive_avg_pool2d",
    "avg_pool2d",
    "batch_norm2d",
    "conv1d",
    "conv2d",
    "fold_batch_norm",
    "group_norm",
    "max_pool2d",
    "unfold",
]
