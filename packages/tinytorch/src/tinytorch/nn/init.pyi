# ruff: noqa
# Written by `python -m tinytorch.typed_names` from _table.py: change that.

from tt_layers.init import (
    constant_ as constant_,
    fans as fans,
    gain as gain,
    kaiming_normal_ as kaiming_normal_,
    kaiming_uniform_ as kaiming_uniform_,
    lecun_normal_ as lecun_normal_,
    lecun_uniform_ as lecun_uniform_,
    normal_ as normal_,
    ones_ as ones_,
    uniform_ as uniform_,
    xavier_normal_ as xavier_normal_,
    xavier_uniform_ as xavier_uniform_,
    zeros_ as zeros_,
)

__all__: list[str]
