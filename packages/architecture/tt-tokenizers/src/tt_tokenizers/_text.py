"""What every tokenizer checks before it starts: text that is Unicode, ids that exist."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

import numpy as np
import numpy.typing as npt

from tt_tokenizers._errors import TokenizerError

Ids = Iterable[int | np.integer] | npt.NDArray[np.integer]

_SURROGATE = re.compile("[\ud800-\udfff]")


def check_text(text: object, what: str = "text") -> str:
    """Return the text if it is a string that UTF-8 can write.

    Raises:
        TokenizerError: It is no string, or has a lone surrogate.
    """
    if not isinstance(text, str):
        raise TokenizerError(f"{what} is a {type(text).__name__}, not a str; decode bytes first, or use encode_bytes")
    if not text.isascii() and (found := _SURROGATE.search(text)):
        raise TokenizerError(
            f"{what} has the lone surrogate U+{ord(found[0]):04X} at position {found.start()}, which is no character; "
            "remove it, or read the file with errors='replace'"
        )
    return text


def check_ids(ids: Ids, size: int) -> list[int]:
    """Return the ids as a list of integers from 0 to size - 1.

    Raises:
        TokenizerError: One of them is no integer or out of range; an array has not one axis.
    """
    if isinstance(ids, np.ndarray):
        if ids.ndim != 1 or not (ids.size == 0 or np.issubdtype(ids.dtype, np.integer)):
            raise TokenizerError(
                f"ids are an array of {ids.dtype} with shape {ids.shape}; give one axis of integers, a row at a time"
            )
        listed = [int(each) for each in ids.tolist()]
    else:
        given = list(ids)
        kinds = set(map(type, given)) - {int}
        if wrong := [kind.__name__ for kind in kinds if kind is bool or not issubclass(kind, (int, np.integer))]:
            raise TokenizerError(f"ids have a {min(wrong)} among them; every id is an integer")
        listed = [int(each) for each in given] if kinds else cast("list[int]", given)
    if listed and (min(listed) < 0 or max(listed) >= size):
        position, found = next((i, each) for i, each in enumerate(listed) if not 0 <= each < size)
        raise TokenizerError(f"id {found} at position {position} is out of range; ids go from 0 to {size - 1}")
    return listed
