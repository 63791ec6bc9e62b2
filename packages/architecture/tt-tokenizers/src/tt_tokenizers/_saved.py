"""The form in which `BPETokenizer.save` writes a tokenizer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar

from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._files import check_document, make_document
from tt_tokenizers._merge import Pair
from tt_tokenizers._model import Model
from tt_tokenizers._text import check_text

_FORMAT = "tt-tokenizers.bpe"

T = TypeVar("T")


def to_document(model: Model) -> dict[str, object]:
    """Write a model as what JSON can hold: bytes in hexadecimal."""
    return make_document(_FORMAT, _content(model))


def _content(model: Model) -> dict[str, object]:
    """Write everything but the head."""
    return {
        "pattern": model.pattern,
        "tokens": [None if token is None else token.hex() for token in model.tokens],
        "bytes": list(model.byte_ids),
        "special_tokens": dict(model.special_ids),
        "merges": None if model.merges is None else [list(pair) for pair in model.merges],
        "scores": None if model.scores is None else list(model.scores),
        "characters": model.characters,
        "space_prefix": model.space_prefix,
        "bos_id": model.bos_id,
    }


def from_document(found: Mapping[str, object]) -> Model:
    """Read a model from what `to_document` wrote; types are checked here, their sense by the model.

    Raises:
        TokenizerError: Something is missing, too much, or of another type.
    """
    check_document(found, _FORMAT, _content(Model([], [])))
    if (found["merges"] is None) == (found["scores"] is None):
        raise TokenizerError("merges and scores are both there, or neither; there must be one of them")
    tokens = [None if each is None else _bytes(each) for each in _typed(found, "tokens", list)]
    scores = None if found["scores"] is None else [_score(each) for each in _typed(found, "scores", list)]
    if scores is not None and len(scores) != len(tokens):
        raise TokenizerError(f"{len(scores)} scores for {len(tokens)} tokens; each token must have one")
    specials = _typed(found, "special_tokens", dict).items()
    return Model(
        tokens,
        [_integer(each) for each in _typed(found, "bytes", list)],
        {check_text(text, "a special token"): _integer(each) for text, each in specials},
        merges=None if found["merges"] is None else [_pair(each) for each in _typed(found, "merges", list)],
        scores=scores,
        pattern=_typed(found, "pattern", str),
        characters=_typed(found, "characters", bool),
        space_prefix=_typed(found, "space_prefix", bool),
        bos_id=None if found["bos_id"] is None else _integer(found["bos_id"]),
    )


def _typed(found: Mapping[str, object], name: str, kind: type[T]) -> T:
    """Return what the document has under a name, if it is of a type."""
    value = found[name]
    if not isinstance(value, kind):
        raise TokenizerError(f"{name} is of type {type(value).__name__}; it must be of type {kind.__name__}")
    return value


def _integer(value: object) -> int:
    """Return an integer that is no truth value."""
    if type(value) is not int:
        raise TokenizerError(f"{value!r} stands where an id should")
    return value


def _bytes(value: object) -> bytes:
    """Return the bytes that a string spells in hexadecimal."""
    try:
        return bytes.fromhex(value)  # type: ignore[arg-type] # what is no string is a TypeError, as caught
    except (TypeError, ValueError) as error:
        raise TokenizerError(f"{value!r} stands where a token in hexadecimal should") from error


def _pair(value: object) -> Pair:
    """Return a pair of ids."""
    if not isinstance(value, list) or len(value) != 2:
        raise TokenizerError(f"{value!r} stands where a pair of ids should")
    return _integer(value[0]), _integer(value[1])


def _score(value: object) -> float | None:
    """Return a finite score, or none."""
    if value is None:
        return None
    # By way of its digits, an integer beyond every float becomes infinity: float(value) would be an OverflowError.
    score = float(str(value)) if type(value) in (int, float) else math.nan
    if not math.isfinite(score):
        raise TokenizerError(f"{value!r} stands where a score should")
    return score
