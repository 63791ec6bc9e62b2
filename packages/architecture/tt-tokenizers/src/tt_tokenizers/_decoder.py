"""Ids to bytes."""

from __future__ import annotations

from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._model import Model
from tt_tokenizers._text import Ids, check_ids


class Decoder:
    """The bytes of ids, as a model has them.

    Args:
        model: What the tokenizer knows, checked.
    """

    def __init__(self, model: Model) -> None:
        self._tokens = tuple(model.tokens)
        self._space_prefix, self._bos_id = model.space_prefix, model.bos_id
        self._plain = not model.space_prefix and None not in self._tokens

    def decode_bytes(self, ids: Ids) -> bytes:
        """Return the bytes of the ids: see `BPETokenizer.decode_bytes`."""
        listed = check_ids(ids, len(self._tokens))
        if self._plain:
            tokens = self._tokens
            return b"".join([tokens[each] or b"" for each in listed])
        pieces, begins = [], True
        for each in listed:
            piece, begins = self._piece(each, begins)
            pieces.append(piece)
        return b"".join(pieces)

    def piece(self, number: int, begins: bool) -> tuple[bytes, bool]:
        """Return the bytes of one id, told whether a text begins with it, and whether one begins after it.

        Raises:
            TokenizerError: There is no such id.
        """
        (checked,) = check_ids([number], len(self._tokens))
        return self._piece(checked, begins)

    def _piece(self, number: int, begins: bool) -> tuple[bytes, bool]:
        """Do what `piece` does, with an id that is in range: where a text begins, its prefix is dropped."""
        token = self._tokens[number]
        if token is None:
            raise TokenizerError(f"id {number} is not in the vocabulary, which has holes; see `vocabulary` for its ids")
        dropped = 1 if begins and self._space_prefix and token.startswith(b" ") else 0
        return token[dropped:], number == self._bos_id
