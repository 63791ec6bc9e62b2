# ruff: noqa
# Written by `python -m tinytorch.typed_names` from _table.py: change that.

from tt_autograd import (
    AnomalyError as AnomalyError,
    GradcheckError as GradcheckError,
    NONDIFFERENTIABLE as NONDIFFERENTIABLE,
    Record as Record,
    checkpoint as checkpoint,
    defvjp as defvjp,
    detect_anomaly as detect_anomaly,
    enable_grad as enable_grad,
    grad as grad,
    gradcheck as gradcheck,
    graph as graph,
    is_grad_enabled as is_grad_enabled,
    no_grad as no_grad,
    parallel as parallel,
)

__all__: list[str]
