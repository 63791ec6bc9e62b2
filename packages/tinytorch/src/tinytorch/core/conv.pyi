# ruff: noqa
# Written by `python -m tinytorch.typed_names` from _table.py: change that.

from tt_conv import *
