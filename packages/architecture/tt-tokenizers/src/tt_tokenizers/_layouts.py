"""Other projects' vocabulary files: GPT-2's, tiktoken's, llama2.c's."""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Iterable, Mapping

from tt_tokenizers._byte_alphabet import byte_characters
from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._files import PathLike, naming, parse_json, read_limited
from tt_tokenizers._merge import Pair
from tt_tokenizers._model import Model
from tt_tokenizers._text import check_special_tokens

_BYTE_TOKEN = re.compile(rb"<0x([0-9A-F]{2})>")


def read_gpt2(vocab: PathLike, merges: PathLike, special_tokens: Iterable[str] | None) -> Model:
    """Read `vocab.json` and `merges.txt`."""
    with naming(vocab):
        ids = check_numbering(parse_json(read_limited(vocab)))
    with naming(merges):
        pairs = parse_merges(decode_lines(read_limited(merges)), ids)
    spelled = byte_characters()
    if special_tokens is None:
        ordinary = {left + right for left, right in pairs}.union(spelled.values())
        special_tokens = [token for token in ids if token not in ordinary]
    with naming(vocab):
        specials = check_special_tokens(special_tokens)
        if absent := [each for each in specials if each not in ids]:
            raise TokenizerError(f"the special token {absent[0]!r} is not in the vocabulary")
        special_ids = {each: ids[each] for each in specials}
        byte_of = {character: byte for byte, character in spelled.items()}
        tokens: list[bytes | None] = [None] * len(ids)
        for token, number in ids.items():
            tokens[number] = token.encode() if token in special_ids else unspell(token, byte_of)
    byte_ids = [ids.get(spelled[byte], -1) for byte in range(256)]
    listed: list[Pair] = [(ids[left], ids[right]) for left, right in pairs]
    return Model(tokens, byte_ids, special_ids, merges=listed, pattern="gpt2")


def check_numbering(found: Mapping[str, object]) -> dict[str, int]:
    """Return the vocabulary if its ids are 0, 1, ... without a gap."""
    ids = {token: number for token, number in found.items() if type(number) is int}
    if len(ids) != len(found):
        token, number = next(item for item in found.items() if item[0] not in ids)
        raise TokenizerError(f"the token {token!r} has the id {number!r}; ids are the integers 0, 1, ..., each once")
    if missing := set(range(len(ids))).difference(ids.values()):
        raise TokenizerError(f"none of {len(ids)} tokens has the id {min(missing)}; ids are 0, 1, ..., each once")
    return ids


def unspell(token: str, byte_of: Mapping[str, int]) -> bytes:
    """Return the bytes that a token spells in GPT-2's characters."""
    try:
        return bytes([byte_of[character] for character in token])
    except KeyError as error:
        raise TokenizerError(
            f"the token {token!r} has U+{ord(error.args[0]):04X}, which spells no byte; is it a special token?"
        ) from None


def parse_merges(lines: Iterable[str], ids: Mapping[str, int]) -> list[tuple[str, str]]:
    """Read a pair of tokens from each line, after a first line that may name the version."""
    pairs = []
    for number, line in enumerate(lines, start=1):
        if not line or (number == 1 and line.startswith("#version")):
            continue
        parts = line.split(" ")
        if len(parts) != 2:
            raise TokenizerError(f"line {number}, {line[:40]!r}, has {len(parts)} parts; a merge has two tokens")
        left, right = parts
        for token in (left, right, left + right):
            if token not in ids:
                raise TokenizerError(f"line {number} names {token!r}, not in the vocabulary")
        pairs.append((left, right))
    return pairs


def read_tiktoken(path: PathLike, special_ids: Mapping[str, int], pattern: str) -> Model:
    """Read lines of base64 and rank."""
    ranks = parse_ranks(decode_lines(read_limited(path)))
    taken: dict[int, bytes] = {}
    for token, rank in ranks.items():
        if taken.setdefault(rank, token) != token:
            raise TokenizerError(
                f"the tokens {taken[rank]!r} and {token!r} have the same rank, {rank}; each needs its own"
            )
    check_special_tokens(special_ids)
    for special, number in special_ids.items():
        if type(number) is not int or number < 0 or number in taken:
            raise TokenizerError(
                f"the special token {special!r} has the id {number!r}; give an integer of 0 or more that no token has"
            )
    size = 1 + max([*taken, *special_ids.values()], default=-1)
    # Published vocabularies have a few holes; one id of 10**12 would want a list of that length.
    if size > 2 * len(ranks) + 4096:
        raise TokenizerError(f"ids reach {size - 1} with {len(ranks)} tokens; number them from 0")
    tokens = [taken.get(number) for number in range(size)]
    for special, number in special_ids.items():
        tokens[number] = special.encode()
    scores = [-float(number) if number in taken else None for number in range(size)]
    byte_ids = [ranks.get(bytes([byte]), -1) for byte in range(256)]
    return Model(tokens, byte_ids, dict(special_ids), scores=scores, pattern=pattern)


def parse_ranks(lines: Iterable[str]) -> dict[bytes, int]:
    """Read the token and the rank of each line that is not empty."""
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        encoded, _, digits = line.partition(" ")
        try:
            token = base64.b64decode(encoded, validate=True)
            rank = int(digits) if digits.isdecimal() else -1
        except ValueError:
            rank = -1
        if rank < 0:
            raise TokenizerError(f"line {number}, {line[:40]!r}, is not base64, a space and a rank")
        if token in ranks:
            raise TokenizerError(
                f"line {number} has the token {token!r} once more; it has the rank {ranks[token]} already"
            )
        ranks[token] = rank
    return ranks


def read_llama2c(path: PathLike) -> Model:
    """Read the tokenizer of llama2.c."""
    entries = parse_llama2c(read_limited(path))
    if len(entries) < 3:
        raise TokenizerError(f"{len(entries)} tokens; there must be <unk>, <s> and </s> at least")
    byte_ids = [-1] * 256
    # The beginning and the end of a text stand for no text.
    tokens: list[bytes | None] = [b"<unk>", b"", b""]
    for number, (_, piece) in enumerate(entries[3:], start=3):
        found = _BYTE_TOKEN.fullmatch(piece)
        if found is None:
            tokens.append(piece)
            continue
        byte = int(found[1], 16)
        if byte_ids[byte] >= 0:
            raise TokenizerError(f"the byte token {piece!r} stands twice, as id {byte_ids[byte]} and as id {number}")
        byte_ids[byte] = number
        tokens.append(bytes([byte]))
    apart = {0, 1, 2, *byte_ids}
    scores = [None if number in apart else score for number, (score, _) in enumerate(entries)]
    pattern = "none" if any(_inner_space(token) for token in tokens if token) else "spaces"
    return Model(
        tokens,
        byte_ids,
        {"<unk>": 0, "<s>": 1, "</s>": 2},
        scores=scores,
        pattern=pattern,
        characters=True,
        space_prefix=True,
        bos_id=1,
    )


def parse_llama2c(data: bytes) -> list[tuple[float, bytes]]:
    """Read int32 greatest length, then float32 score, int32 length and bytes of each token, little-endian.

    Every length is compared with what is left before anything of that length is made.
    """
    if len(data) < 4:
        raise TokenizerError(f"{len(data)} bytes; there must be 4 at least")
    (longest,) = struct.unpack_from("<i", data)
    entries: list[tuple[float, bytes]] = []
    place = 4
    while place < len(data):
        if len(data) - place < 8:
            raise TokenizerError(f"ends within the head of token {len(entries)}")
        score, length = struct.unpack_from("<fi", data, place)
        place += 8
        if not math.isfinite(score):
            raise TokenizerError(f"token {len(entries)} has the score {score}; a score is finite")
        if length < 1 or length > len(data) - place or length > longest:
            raise TokenizerError(
                f"token {len(entries)} has the length {length}; {len(data) - place} bytes are left, "
                f"{longest} is the greatest length"
            )
        entries.append((score, data[place : place + length]))
        place += length
    return entries


def _inner_space(token: bytes) -> bool:
    """Tell whether a space follows something else in a token, so that words cannot be split before spaces."""
    return b" " in token.lstrip(b" ")


def decode_lines(data: bytes) -> list[str]:
    """Return the lines of a UTF-8 file, whose ends may be those of Windows."""
    try:
        return data.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise TokenizerError(f"not UTF-8: {error}") from error
