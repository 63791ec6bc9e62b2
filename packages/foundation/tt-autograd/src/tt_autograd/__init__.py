"""TinyTorch module 06: records operations as they run, and computes gradients backwards.

Importing it is enough: from then on every operation on a tensor that requires a gradient is remembered.
"""

from tt_tensor import install

from tt_autograd import (  # the tables of rules fill themselves on import
    _rules_activations,  # noqa: F401
    _rules_elementwise,  # noqa: F401
    _rules_index,  # noqa: F401
    _rules_layers,  # noqa: F401
    _rules_linalg,  # noqa: F401
    _rules_losses,  # noqa: F401
    _rules_reduce,  # noqa: F401
    _rules_shape,  # noqa: F401
)
from tt_autograd._anomaly import AnomalyError, detect_anomaly
from tt_autograd._backward import grad
from tt_autograd._checkpoint import checkpoint
from tt_autograd._cuts import explain_missing
from tt_autograd._engine import backward_order, propagate
from tt_autograd._gradcheck import GradcheckError, gradcheck
from tt_autograd._graph import graph
from tt_autograd._node import Node
from tt_autograd._parallel import parallel
from tt_autograd._record import Record, enable_grad, is_grad_enabled, no_grad
from tt_autograd._table import NONDIFFERENTIABLE, Spec, defvjp, has_rules
from tt_autograd._unbroadcast import unbroadcast

__all__ = [
    "NONDIFFERENTIABLE",
    "AnomalyError",
    "GradcheckError",
    "Node",
    "Record",
    "Spec",
    "backward_order",
    "checkpoint",
    "defvjp",
    "detect_anomaly",
    "enable_grad",
    "explain_missing",
    "grad",
    "gradcheck",
    "graph",
    "has_rules",
    "is_grad_enabled",
    "no_grad",
    "parallel",
    "propagate",
    "unbroadcast",
]

install(Record)
