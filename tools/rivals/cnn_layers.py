"""Milestone 04's own layers in PyTorch."""

from __future__ import annotations

import tinytorch as tt
import torch
from torch import nn


def tensor(of: tt.Tensor) -> torch.Tensor:
    """Return a copy of one of our tensors."""
    return torch.tensor(of.detach().numpy())


class ScaledTanh(nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """1.7159 tanh(2x / 3)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Squash."""
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsample(nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """The mean of every 2x2 square, times and plus a learnt number of each map."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(maps, 1, 1))
        self.bias = nn.Parameter(torch.zeros(maps, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return images of half the size."""
        return nn.functional.avg_pool2d(x, 2) * self.weight + self.bias


class PartlyConnected(nn.Conv2d):  # type: ignore[misc]  # torch is not there when types are checked
    """A convolution whose filters each see some of the channels."""

    mask: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve with the weights that are there."""
        return nn.functional.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


def convolution(ours: tt.nn.Conv2d) -> nn.Module:
    """Return the convolution of the same sizes, with the mask where there is one."""
    assert isinstance(ours.padding, int)
    kind = PartlyConnected if type(ours).__name__ == "PartlyConnected" else nn.Conv2d
    made = kind(ours.in_channels, ours.out_channels, ours.kernel_size, padding=ours.padding, bias=ours.bias is not None)
    if isinstance(made, PartlyConnected):
        made.register_buffer("mask", tensor(next(iter(ours.buffers()))), persistent=False)
    return made


def twin(module: object) -> nn.Module:
    """Return PyTorch's module that computes the same, with a copy of the weights; an activation is no module of ours.

    Raises:
        TypeError: There is none for this kind.
    """
    made: nn.Module
    kind = type(module).__name__
    if kind in ("Flatten", "ReLU", "ScaledTanh"):
        return {"Flatten": nn.Flatten, "ReLU": nn.ReLU, "ScaledTanh": ScaledTanh}[kind]()
    assert isinstance(module, tt.nn.Module)
    if isinstance(module, tt.nn.Sequential):
        return nn.Sequential(*map(twin, module))
    if isinstance(module, tt.nn.Conv2d):
        made = convolution(module)
    elif isinstance(module, tt.nn.Linear):
        made = nn.Linear(*module.weight.shape)
    elif kind == "Subsample":
        made = Subsample(next(module.parameters()).shape[0])
    elif isinstance(module, tt.nn.BatchNorm2d):
        made = nn.BatchNorm2d(module.num_features)
    elif kind == "MaxPool2d":
        made = nn.MaxPool2d(2)
    else:
        raise TypeError(f"there is no twin of {module!r}")
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            value = tensor(parameter)
            made.get_parameter(name).copy_(value.T if isinstance(made, nn.Linear) and name == "weight" else value)
    if isinstance(module, tt.nn.BatchNorm2d) and module.activation is not None:
        return nn.Sequential(made, nn.ReLU())
    return made
