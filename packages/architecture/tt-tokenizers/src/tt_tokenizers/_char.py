"""One id for each character."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._files import (
    PathLike,
    check_document,
    make_document,
    naming,
    parse_json,
    read_limited,
    write_json,
)
from tt_tokenizers._text import Ids, check_ids, check_string, check_text

_FORMAT = "tt-tokenizers.char"


class CharTokenizer:
    """A tokenizer whose tokens are the characters of an alphabet, in the order given.

    Args:
        alphabet: The characters; the first has id 0.

    Raises:
        TokenizerError: The alphabet is empty, or has a character twice or a lone surrogate.

    Example:
        >>> tokenizer = CharTokenizer.from_text("hello")
        >>> tokenizer.alphabet, tokenizer.encode("hole")
        ('ehlo', [1, 3, 2, 0])
        >>> tokenizer.decode([1, 3, 2, 0])
        'hole'
    """

    def __init__(self, alphabet: Iterable[str]) -> None:
        given = [alphabet] if isinstance(alphabet, str) else alphabet
        characters = "".join([check_text(each, "the alphabet") for each in given])
        self._alphabet = characters
        if not characters:
            raise TokenizerError("the alphabet is empty; give at least one character")
        self._ids = {character: number for number, character in enumerate(characters)}
        if len(self._ids) != len(characters):
            twice = next(each for number, each in enumerate(characters) if self._ids[each] != number)
            raise TokenizerError(f"the alphabet has {twice!r} twice; every character has one id")
        codes = _code_points(characters)
        # The id of every code point up to one beyond the highest; -1 where there is none.
        self._id_of_code = np.full(int(codes.max()) + 2, -1, dtype=np.int64)
        self._id_of_code[codes] = np.arange(len(codes))

    @classmethod
    def from_text(cls, text: str) -> CharTokenizer:
        """Make the tokenizer of every character in a text, in the order of their code points.

        Args:
            text: What it shall be able to encode.

        Raises:
            TokenizerError: The text is empty or has a lone surrogate.
        """
        return cls("".join(sorted(set(check_text(text)))))

    @property
    def alphabet(self) -> str:
        """All characters, in the order of their ids."""
        return self._alphabet

    @property
    def vocab_size(self) -> int:
        """How many characters there are."""
        return len(self._alphabet)

    def encode(self, text: str) -> list[int]:
        """Return the id of every character.

        Raises:
            TokenizerError: A character is not in the alphabet, or the text is no string.
        """
        ids = self._ids
        try:
            return [ids[character] for character in check_text(text)]
        except KeyError:
            raise self._unknown(text) from None

    def encode_array(self, text: str) -> npt.NDArray[np.int64]:
        """Return the ids as an array, several times faster than as a list: for a whole training text.

        Raises:
            TokenizerError: A character is not in the alphabet, or the text is no string.

        Example:
            >>> CharTokenizer("ab").encode_array("abba")
            array([0, 1, 1, 0])
        """
        codes = _code_points(check_text(text))
        # What is beyond the table is clipped to its last entry, where no character is.
        ids = self._id_of_code.take(codes, mode="clip")
        if ids.min(initial=0) < 0:
            raise self._unknown(text)
        return ids

    def decode(self, ids: Ids) -> str:
        """Return the text of the ids.

        Args:
            ids: Integers, or an array of them with one axis.

        Raises:
            TokenizerError: An id is out of range or no integer.
        """
        alphabet = self._alphabet
        return "".join([alphabet[each] for each in check_ids(ids, len(alphabet))])

    def save(self, path: PathLike) -> None:
        """Write the tokenizer to a JSON file, whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        write_json(path, make_document(_FORMAT, {"alphabet": self._alphabet}))

    @classmethod
    def load(cls, path: PathLike) -> CharTokenizer:
        """Read a tokenizer that `save` wrote.

        Raises:
            TokenizerError: The file is malformed.
            OSError: It cannot be read.
        """
        with naming(path):
            found = parse_json(read_limited(path))
            check_document(found, _FORMAT, ["alphabet"])
            return cls(check_string(found["alphabet"], "the alphabet"))

    def _unknown(self, text: str) -> TokenizerError:
        """Say which character is unknown and where."""
        place = next(number for number, character in enumerate(text) if character not in self._ids)
        return TokenizerError(
            f"the character {text[place]!r} at position {place} is not in the alphabet of {self.vocab_size} "
            "characters; make the tokenizer from a text that has it"
        )

    def __repr__(self) -> str:
        return f"CharTokenizer({self.vocab_size} characters)"


def _code_points(text: str) -> npt.NDArray[np.uint32]:
    """Return the code point of every character."""
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
