# ruff: noqa
# Written by `python -m tinytorch._stubs` from _table.py: change that.

from tt_activations import (
    elu as elu,
    gelu as gelu,
    leaky_relu as leaky_relu,
    log_softmax as log_softmax,
    relu as relu,
    sigmoid as sigmoid,
    silu as silu,
    softmax as softmax,
    softplus as softplus,
    tanh as tanh,
)

__all__: list[str]
