"""What every tokenizer checks before it starts: text that is Unicode, ids that exist, special tokens that differ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from tt_tokenizers._errors import TokenizerError

Ids = Iterable[int | np.integer] | npt.NDArray[np.integer]

_SURROGATE = re.compile("[\ud800-\udfff]")


def check_string(text: object, what: str = "text") -> str:
    """Return the text if it is a string.

    Raises:
        TokenizerError: It is none.
    """
    if not isinstance(text, str):
        raise TokenizerError(f"{what} is of type {type(text).__name__}; give a str (bytes must be decoded first)")
    return text


def check_text(text: object, what: str = "text") -> str:
    """Return the text if it is a string that UTF-8 can write.

    Raises:
        TokenizerError: It is no string, or has a lone surrogate.
    """
    checked = check_string(text, what)
    if not checked.isascii() and (found := _SURROGATE.search(checked)):
        raise TokenizerError(
            f"{what} has the lone surrogate U+{ord(found[0]):04X} at position {found.start()}, which is no character; "
            "remove it, or read the file with errors='replace'"
        )
    return checked


def check_integer(value: object, what: str) -> int:
    """Return an integer, NumPy's or Python's, that is no truth value.

    Raises:
        TokenizerError: It is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TokenizerError(f"{what} is {value!r}, of type {type(value).__name__}; give an integer")
    return int(value)


def check_special_tokens(special_tokens: Iterable[str]) -> list[str]:
    """Return the special tokens as a list, if each is a text of its own.

    Raises:
        TokenizerError: They are one string, or one of them is no text, is empty or stands twice.
    """
    if isinstance(special_tokens, str):
        raise TokenizerError(f"special_tokens is one str, {special_tokens!r}; give a list of them")
    specials = [check_text(each, "a special token") for each in special_tokens]
    if "" in specials:
        raise TokenizerError(f"a special token is empty in {specials}; give each at least one character")
    twice = [each for each, count in Counter(specials).items() if count > 1]
    if twice:
        raise TokenizerError(f"the special token {twice[0]!r} stands twice; name each once")
    return specials


def check_ids(ids: object, size: int) -> list[int]:
    """Return the ids as a list of integers from 0 to size - 1.

    Raises:
        TokenizerError: One of them is no integer or out of range; an array has not one axis.
    """
    listed: list[int]
    if isinstance(ids, np.ndarray):
        if ids.ndim != 1 or not (ids.size == 0 or np.issubdtype(ids.dtype, np.integer)):
            raise TokenizerError(
                f"ids are an array of {ids.dtype} with shape {ids.shape}; give one axis of integers, a row at a time"
            )
        listed = ids.tolist()
    elif isinstance(ids, Iterable):
        listed = list(ids)
        # Nearly always there are only Python's integers: then no id need be looked at by itself.
        if set(map(type, listed)) - {int}:
            listed = [check_integer(each, f"the id at position {place}") for place, each in enumerate(listed)]
    else:
        raise TokenizerError(f"ids are of type {type(ids).__name__}; give a list of integers, or an array of one axis")
    if listed and (min(listed) < 0 or max(listed) >= size):
        place, found = next((place, each) for place, each in enumerate(listed) if not 0 <= each < size)
        raise TokenizerError(f"id {found} at position {place} is out of range; ids go from 0 to {size - 1}")
    return listed
