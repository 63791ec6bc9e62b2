# ruff: noqa
# Written by `python -m tinytorch._stubs` from _table.py: change that.

from tt_data import *
