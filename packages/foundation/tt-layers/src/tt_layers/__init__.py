"""TinyTorch module 03: modules, parameters, layers and their initialisation.

Example:
    >>> from tt_tensor import Tensor
    >>> model = Sequential(Linear(4, 8), Dropout(0.1), Linear(8, 2))
    >>> model(Tensor([[1.0, 2.0, 3.0, 4.0]])).shape, model.num_parameters()
    ((1, 2), 58)
"""

from tt_layers import functional, init
from tt_layers._containers import Residual, Sequential
from tt_layers._layers import Dropout, Flatten, Identity, Linear
from tt_layers._module import Module, observe_calls
from tt_layers._parameter import Buffer, Parameter
from tt_layers._state import LoadReport
from tt_layers.functional import dropout, linear

__all__ = [
    "Buffer",
    "Dropout",
    "Flatten",
    "Identity",
    "Linear",
    "LoadReport",
    "Module",
    "Parameter",
    "Residual",
    "Sequential",
    "dropout",
    "functional",
    "init",
    "linear",
    "observe_calls",
]
