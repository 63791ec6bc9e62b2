"""The form in which `BPETokenizer.save` writes a tokenizer."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._model import Model
from tt_tokenizers._text import check_text

_FORMAT, _VERSION = "tt-tokenizers.bpe", 1
_FLAGS = ("characters", "space_prefix")


def to_document(model: Model) -> dict[str, object]:
    """Write a model as what JSON can hold: bytes in hexadecimal."""
    return {
        "format": _FORMAT,
        "version": _VERSION,
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
    expected = to_document(Model([], [])).keys()
    if found.keys() != expected:
        raise TokenizerError(f"the keys {sorted(expected ^ found.keys())} are missing or too many")
    if (found["format"], found["version"]) != (_FORMAT, _VERSION):
        raise TokenizerError(
            f"holds {found['format']!r}, version {found['version']!r}; not version {_VERSION} of {_FORMAT!r}"
        )
    pattern, specials, bos_id = found["pattern"], found["special_tokens"], found["bos_id"]
    flags = all(type(found[name]) is bool for name in _FLAGS)
    if not isinstance(pattern, str) or not isinstance(specials, dict) or not flags:
        raise TokenizerError("pattern, special_tokens or a flag has the wrong type")
    if (found["merges"] is None) == (found["scores"] is None):
        raise TokenizerError("there must be either merges or scores")
    tokens = [None if each is None else _bytes(each) for each in _list(found, "tokens")]
    model = Model(
        tokens,
        [_integer(each) for each in _list(found, "bytes")],
        {check_text(text, "a special token"): _integer(each) for text, each in specials.items()},
        merges=None if found["merges"] is None else [_pair(each) for each in _list(found, "merges")],
        scores=None if found["scores"] is None else [_score(each) for each in _list(found, "scores")],
        pattern=pattern,
        characters=found["characters"] is True,
        space_prefix=found["space_prefix"] is True,
        bos_id=None if bos_id is None else _integer(bos_id),
    )
    if model.scores is not None and len(model.scores) != len(tokens):
        raise TokenizerError(f"{len(model.scores)} scores for {len(tokens)} tokens")
    return model


def _list(found: Mapping[str, object], name: str) -> list[object]:
    """Return a list of the document."""
    value = found[name]
    if not isinstance(value, list):
        raise TokenizerError(f"{name} is a {type(value).__name__}, not a list")
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


def _pair(value: object) -> tuple[int, int]:
    """Return a pair of ids."""
    if not isinstance(value, list) or len(value) != 2:
        raise TokenizerError(f"{value!r} stands where a pair of ids should")
    return _integer(value[0]), _integer(value[1])


def _score(value: object) -> float | None:
    """Return a finite score, or none."""
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(float(str(value))):
        raise TokenizerError(f"{value!r} stands where a score should")
    return float(str(value))
