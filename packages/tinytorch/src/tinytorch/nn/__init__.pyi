# ruff: noqa
# Written by `python -m tinytorch.typed_names` from _table.py: change that.

from tinytorch.nn import (
    functional as functional,
    init as init,
)
from tt_activations import (
    ELU as ELU,
    GELU as GELU,
    LeakyReLU as LeakyReLU,
    LogSoftmax as LogSoftmax,
    ReLU as ReLU,
    SiLU as SiLU,
    Sigmoid as Sigmoid,
    Softmax as Softmax,
    Softplus as Softplus,
    Tanh as Tanh,
)
from tt_layers import (
    Buffer as Buffer,
    Dropout as Dropout,
    Flatten as Flatten,
    Identity as Identity,
    Linear as Linear,
    LoadReport as LoadReport,
    Module as Module,
    Parameter as Parameter,
    Residual as Residual,
    Sequential as Sequential,
)
from tt_losses import (
    BCELoss as BCELoss,
    BCEWithLogitsLoss as BCEWithLogitsLoss,
    CrossEntropyLoss as CrossEntropyLoss,
    HingeLoss as HingeLoss,
    HuberLoss as HuberLoss,
    KLDivLoss as KLDivLoss,
    L1Loss as L1Loss,
    MSELoss as MSELoss,
    NLLLoss as NLLLoss,
)

__all__: list[str]
