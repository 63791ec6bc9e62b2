# ruff: noqa
# Written by `python -m tinytorch.typed_names` from _table.py: change that.

from tt_optim import (
    Adam as Adam,
    AdamW as AdamW,
    Constant as Constant,
    Cosine as Cosine,
    LinearWarmup as LinearWarmup,
    OneCycle as OneCycle,
    Optimizer as Optimizer,
    ParamGroup as ParamGroup,
    RMSprop as RMSprop,
    SGD as SGD,
    Schedule as Schedule,
    Step as Step,
    clip_grad_norm_ as clip_grad_norm_,
    clip_grad_value_ as clip_grad_value_,
)

__all__: list[str]
