"""Batch normalisation folded into the convolution before it: in use, both are linear."""

from __future__ import annotations

from copy import deepcopy
from typing import TypeVar

import numpy as np
from tt_activations import ReLU
from tt_layers import Module, Parameter, Sequential
from tt_tensor import Array

from tt_conv._conv_layers import Conv2d
from tt_conv._norm_layers import BatchNorm2d

M = TypeVar("M", bound=Module)


def folded_parameters(conv: Conv2d, norm: BatchNorm2d) -> tuple[Array, Array]:
    """Return the weight and the bias with which the convolution alone does what both do in use.

    `(w * x + b - mean) * scale + shift = (scale * w) * x + ((b - mean) * scale + shift)`.
    """
    scale = 1 / np.sqrt(norm.running_var.data.astype(np.float64) + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight.data
    bias = -norm.running_mean.data * scale
    if conv.bias is not None:
        bias = bias + conv.bias.data * scale
    if norm.bias is not None:
        bias = bias + norm.bias.data
    return conv.weight.data * scale.reshape(-1, 1, 1, 1), bias


def fold_batch_norm(model: M) -> M:
    """Return a copy of a model, in eval mode, in which every BatchNorm2d right after a Conv2d is folded into it.

    It computes the same as the model in eval mode, without the normalisation's passes over memory. Only neighbours in
    a `Sequential`, at any depth, are folded; an activation joined to the normalisation becomes a layer of its own. The
    model itself stays as it is.

    Args:
        model: The trained model.

    Returns:
        The copy; not for training.

    Example:
        >>> model = Sequential(Conv2d(3, 8, 3, bias=False), BatchNorm2d(8))
        >>> fold_batch_norm(model)
        Sequential(
          (0): Conv2d(3, 8, kernel_size=(3, 3))
        )
    """
    copy = deepcopy(model).eval()
    for chain in list(copy.modules()):
        if isinstance(chain, Sequential):
            _fold_chain(chain)
    return copy


def _fold_chain(chain: Sequential) -> None:
    """Fold the neighbours of one chain, in place."""
    kept = chain.layers[:1]
    for layer in chain.layers[1:]:
        before = kept[-1]
        if isinstance(before, Conv2d) and isinstance(layer, BatchNorm2d):
            weight, bias = folded_parameters(before, layer)
            dtype = before.weight.dtype
            before.weight = Parameter(weight, dtype=dtype)
            before.bias = Parameter(bias, dtype=dtype)
            if layer.activation == "relu":
                kept.append(ReLU())
        else:
            kept.append(layer)
    chain.layers[:] = kept
