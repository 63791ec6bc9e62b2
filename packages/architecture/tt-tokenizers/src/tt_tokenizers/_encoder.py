"""Text to ids: it is split at special tokens, then into words, and within each word pairs merge."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._merge import merge_word
from tt_tokenizers._model import Model
from tt_tokenizers._patterns import splitter
from tt_tokenizers._text import check_text

# A longer word hardly comes twice; and a cache that is full starts again.
_LONGEST_CACHED, _MOST_CACHED = 64, 1 << 16

Special = Collection[str] | Literal["all"]


class Encoder:
    """The ids of text, as a model has them; those of a word are remembered.

    Args:
        model: What the tokenizer knows, checked.
    """

    def __init__(self, model: Model) -> None:
        ordinary = model.ordinary()
        self._specials = model.special_ids
        self._byte_ids = model.byte_ids
        self._space_prefix, self._bos_id = model.space_prefix, model.bos_id
        self._table = model.table(ordinary)
        self._split = splitter(model.pattern)
        # tiktoken takes a word that is a token as it is, even if no merges lead there.
        self._whole = ordinary if model.scores is not None else {}
        self._characters = ordinary if model.characters else None
        self._cache: dict[str, list[int]] = {}

    def encode(self, text: str, allowed_special: Special) -> list[int]:
        """Return the ids of a text: see `BPETokenizer.encode`."""
        ids: list[int] = []
        begins = True
        for place, part in enumerate(split_special(check_text(text), allowed_special, self._specials)):
            if place % 2:
                ids.append(self._specials[part])
                begins = ids[-1] == self._bos_id
            elif part:
                self._encode_ordinary(part, begins, ids)
        return ids

    def encode_bytes(self, data: bytes | bytearray | memoryview) -> list[int]:
        """Return the ids of any bytes: see `BPETokenizer.encode_bytes`."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TokenizerError(f"data is of type {type(data).__name__}; give bytes, or a str to encode")
        ids: list[int] = []
        if data:
            self._encode_ordinary(str(data, "utf-8", "surrogateescape"), True, ids)
        return ids

    def _encode_ordinary(self, text: str, begins: bool, ids: list[int]) -> None:
        """Append the ids of a text in which nothing is special; where a text begins, a prefix may be put before it."""
        cache, extend = self._cache, ids.extend
        for word in self._split(" " + text if begins and self._space_prefix else text):
            found = cache.get(word)
            if found is None:
                found = self._encode_word(word)
                if len(word) <= _LONGEST_CACHED:
                    if len(cache) >= _MOST_CACHED:
                        cache.clear()
                    cache[word] = found
            extend(found)

    def _encode_word(self, word: str) -> list[int]:
        """Return the ids of one word."""
        if self._characters is not None:
            return merge_word(start_with_characters(word, self._characters, self._byte_ids), self._table)
        data = word.encode("utf-8", "surrogateescape")
        if (whole := self._whole.get(data)) is not None:
            return [whole]
        return merge_word([self._byte_ids[byte] for byte in data], self._table)


def split_special(text: str, allowed: Special, specials: Collection[str]) -> list[str]:
    """Split a text at the special tokens that are allowed, of two at one place at the longer: every second part is one.

    Raises:
        TokenizerError: What is allowed is one string other than "all", or no special token.
    """
    if allowed == "all":
        chosen = list(specials)
    elif isinstance(allowed, str):
        raise TokenizerError(f"allowed_special is {allowed!r}; give a collection of special tokens, or 'all'")
    else:
        chosen = list(allowed)
    if unknown := [each for each in chosen if each not in specials]:
        raise TokenizerError(f"{unknown[0]!r} is no special token; there are {sorted(specials)}")
    if not chosen:
        return [text]
    ordered = sorted(chosen, key=len, reverse=True)
    return re.split("(" + "|".join(map(re.escape, ordered)) + ")", text)


def start_with_characters(word: str, characters: Mapping[bytes, int], byte_ids: Sequence[int]) -> list[int]:
    """Return the id of every character, or the ids of its bytes where it is no token."""
    ids: list[int] = []
    for character in word:
        data = character.encode("utf-8", "surrogateescape")
        known = characters.get(data)
        if known is None:
            ids.extend(byte_ids[byte] for byte in data)
        else:
            ids.append(known)
    return ids
