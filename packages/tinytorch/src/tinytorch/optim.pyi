# ruff: noqa
# Written by `python -m tinytorch._stubs` from _table.py: change that.

from tt_optim import (
    Adam as Adam,
    AdamW as AdamW,
    RMSprop as RMSprop,
    SGD as SGD,
)

__all__: list[str]
