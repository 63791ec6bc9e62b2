# ruff: noqa
# Written by `python -m tinytorch.typed_names` from _table.py: change that.

from tt_tokenizers import (
    BPETokenizer as BPETokenizer,
    CharTokenizer as CharTokenizer,
    TokenizerError as TokenizerError,
)

__all__: list[str]
