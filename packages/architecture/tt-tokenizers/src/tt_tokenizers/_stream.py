"""Decoding ids that come one by one."""

from __future__ import annotations

import codecs
from collections.abc import Callable


class StreamDecoder:
    """Text from ids as they are generated: a character appears when its last byte has come.

    Get one from `BPETokenizer.stream`.

    Args:
        piece: Gives the bytes of an id. It is told whether a text begins there, and tells whether one begins after it.

    Example:
        >>> from tt_tokenizers import BPETokenizer
        >>> tokenizer = BPETokenizer.train("", 256)
        >>> stream = tokenizer.stream()
        >>> [stream.push(each) for each in tokenizer.encode("aé")], stream.finish()
        (['a', '', 'é'], '')
    """

    def __init__(self, piece: Callable[[int, bool], tuple[bytes, bool]]) -> None:
        self._piece = piece
        self._begins = True
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, number: int) -> str:
        """Take the next id and return the text that is whole now, perhaps none.

        Raises:
            TokenizerError: The id is out of range; the stream goes on without it.
        """
        data, self._begins = self._piece(number, self._begins)
        return self._decoder.decode(data)

    def finish(self) -> str:
        """Return U+FFFD if a character was left unfinished, and be ready for another text."""
        left = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        self._begins = True
        return left
