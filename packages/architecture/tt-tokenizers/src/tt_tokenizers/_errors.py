"""The one error that tokenizers give."""

from __future__ import annotations


class TokenizerError(ValueError):
    """Text, ids or a file that a tokenizer cannot take.

    Example:
        >>> try:
        ...     raise TokenizerError("id 7 is not in the vocabulary")
        ... except ValueError as error:
        ...     print(error)
        id 7 is not in the vocabulary
    """
