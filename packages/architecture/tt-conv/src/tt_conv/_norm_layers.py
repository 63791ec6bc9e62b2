"""Normalisation as layers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from tt_layers import Buffer, Module, Parameter
from tt_tensor import Tensor

from tt_conv._normalisation import Activation, batch_norm2d, check_activation, group_norm


class BatchNorm2d(Module):
    """Normalise every channel by the statistics of the batch, in use by those remembered from training.

    Shapes: (N, num_features, H, W) -> the same; see `batch_norm2d`.

    Args:
        num_features: The number of channels.
        eps: What is added to the variance.
        momentum: How far the remembered statistics move towards those of each batch.
        affine: False leaves weight and bias out.
        activation: "relu" does in the same passes what an `nn.ReLU()` behind the layer would.
        dtype: The type of parameters and buffers; float32 without it.

    Attributes:
        weight: The parameter that scales each channel, from 1; or None.
        bias: The parameter that shifts each channel, from 0; or None.
        running_mean: The buffer of remembered means, from 0.
        running_var: The buffer of remembered variances, from 1.

    Raises:
        ValueError: If `num_features` is not positive, or there is no such activation.

    Source: Ioffe and Szegedy, "Batch normalization", 2015.

    Example:
        >>> layer = BatchNorm2d(1, eps=0.0)
        >>> layer(Tensor([[[[1.0, 3.0]]]])).tolist()
        [[[[-1.0, 1.0]]]]
        >>> round(layer.running_mean.tolist()[0], 3), round(layer.running_var.tolist()[0], 3)
        (0.2, 1.1)
    """

    # The examples of a batch meet here, so a batch must not be cut in two.
    parallel_batches = False

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        *,
        activation: Activation = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        check_activation(activation, "BatchNorm2d")
        if num_features < 1:
            raise ValueError(f"BatchNorm2d needs at least one channel, but received num_features={num_features}")
        kind = np.float32 if dtype is None else dtype
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.activation: Activation = activation
        self.weight = Parameter(np.ones(num_features), dtype=kind) if affine else None
        self.bias = Parameter(np.zeros(num_features), dtype=kind) if affine else None
        self.running_mean = Buffer(np.zeros(num_features), dtype=kind)
        self.running_var = Buffer(np.ones(num_features), dtype=kind)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised images."""
        if x.ndim != 4 or x.shape[1] != self.num_features:
            raise ValueError(f"{self!r} wants (N, {self.num_features}, H, W), but received the shape {x.shape}")
        running = (self.running_mean, self.running_var)
        return batch_norm2d(
            x, *running, self.weight, self.bias, self.training, self.momentum, self.eps, self.activation
        )

    def describe(self) -> str:
        """Return the settings."""
        shown = f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"
        return shown if self.activation is None else f"{shown}, activation={self.activation!r}"


class GroupNorm(Module):
    """Normalise every group of channels of every example by itself.

    Shapes: (N, num_channels, ...) -> the same; see `group_norm`.

    Args:
        num_groups: Into how many groups the channels are cut.
        num_channels: The number of channels.
        eps: What is added to the variance.
        affine: False leaves weight and bias out.
        dtype: The type of the parameters; float32 without it.

    Attributes:
        weight: The parameter that scales each channel, from 1; or None.
        bias: The parameter that shifts each channel, from 0; or None.

    Raises:
        ValueError: If the groups do not divide the channels.

    Source: Wu and He, "Group normalization", 2018.

    Example:
        >>> GroupNorm(1, 2, eps=0.0)(Tensor([[[1.0], [3.0]]])).tolist()
        [[[-1.0], [1.0]]]
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        if num_groups < 1 or num_channels < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm cuts channels into equal groups, but received num_groups={num_groups} and "
                f"num_channels={num_channels}"
            )
        kind = np.float32 if dtype is None else dtype
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.weight = Parameter(np.ones(num_channels), dtype=kind) if affine else None
        self.bias = Parameter(np.zeros(num_channels), dtype=kind) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised examples."""
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ValueError(f"{self!r} wants (N, {self.num_channels}, ...), but received the shape {x.shape}")
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def describe(self) -> str:
        """Return the settings."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}"
