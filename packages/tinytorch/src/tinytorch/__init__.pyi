# ruff: noqa
# Written by `python -m tinytorch._stubs` from _table.py: change that.

from tinytorch import (
    accel as accel,
    autograd as autograd,
    bench as bench,
    compress as compress,
    core as core,
    data as data,
    milestone as milestone,
    nn as nn,
    olympics as olympics,
    optim as optim,
    packages as packages,
    profile as profile,
    quant as quant,
    text as text,
    train as train,
)
from tt_autograd import (
    enable_grad as enable_grad,
    no_grad as no_grad,
)
from tt_tensor import (
    Tensor as Tensor,
    arange as arange,
    eye as eye,
    from_numpy as from_numpy,
    full as full,
    linspace as linspace,
    manual_seed as manual_seed,
    ones as ones,
    rand as rand,
    randn as randn,
    zeros as zeros,
)
from tinytorch._lazy import MissingPackageError as MissingPackageError

__version__: str

__all__: list[str]
