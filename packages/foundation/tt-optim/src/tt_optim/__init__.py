"""TinyTorch module 07: optimizers, learning-rate schedules and gradient clipping.

Example:
    >>> from tt_tensor import Tensor
    >>> weight = Tensor([4.0], requires_grad=True)
    >>> optimizer = SGD([weight], lr=0.25)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (weight * weight).sum().backward()
    ...     optimizer.step()
    >>> weight.tolist()
    [0.5]
"""

from tt_optim._clip import clip_grad_norm_, clip_grad_value_
from tt_optim._optimizer import Optimizer
from tt_optim._optimizers import SGD, Adam, AdamW, RMSprop
from tt_optim._schedules import Constant, Cosine, LinearWarmup, OneCycle, Schedule, Step
from tt_optim._settings import ParamGroup

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "LinearWarmup",
    "OneCycle",
    "Optimizer",
    "ParamGroup",
    "RMSprop",
    "Schedule",
    "Step",
    "clip_grad_norm_",
    "clip_grad_value_",
]
