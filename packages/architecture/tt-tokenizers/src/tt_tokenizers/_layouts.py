"""Other projects' vocabulary files: GPT-2's, tiktoken's, llama2.c's."""

from __future__ import annotations

import base64
import binascii
import math
import os
import re
import struct
from collections.abc import Iterable, Mapping

from tt_tokenizers._byte_alphabet import byte_characters
from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._files import PathLike, parse_json, read_limited
from tt_tokenizers._merge import Pair
from tt_tokenizers._model import Model
from tt_tokenizers._text import check_text

_BYTE_TOKEN = re.compile(rb"<0x([0-9A-F]{2})>")


def read_gpt2(vocab: PathLike, merges: PathLike, special_tokens: Iterable[str] | None) -> Model:
    """Read `vocab.json` and `merges.txt`."""
    ids = check_numbering(parse_json(read_limited(vocab), vocab), vocab)
    pairs = parse_merges(decode_lines(read_limited(merges), merges), ids, merges)
    made = {left + right for left, right in pairs}
    spelled = byte_characters()
    if special_tokens is None:
        special_tokens = [token for token in ids if token not in made and token not in spelled.values()]
    special_ids = {}
    for each in special_tokens:
        if each not in ids:
            raise TokenizerError(f"{os.fspath(vocab)}: the special token {each!r} is not in the vocabulary")
        special_ids[each] = ids[each]
    back = {ord(character): byte for byte, character in spelled.items()}
    tokens: list[bytes | None] = [None] * len(ids)
    for token, number in ids.items():
        tokens[number] = check_text(token, "a token").encode() if token in special_ids else spell(token, back, vocab)
    byte_ids = [ids.get(spelled[byte], -1) for byte in range(256)]
    listed: list[Pair] = [(ids[left], ids[right]) for left, right in pairs]
    return Model(tokens, byte_ids, special_ids, merges=listed, pattern="gpt2")


def check_numbering(found: Mapping[str, object], where: PathLike) -> dict[str, int]:
    """Return the vocabulary if its ids are 0, 1, ... without a gap."""
    ids = {token: number for token, number in found.items() if type(number) is int}
    if len(ids) != len(found) or sorted(ids.values()) != list(range(len(ids))):
        raise TokenizerError(f"{os.fspath(where)}: the ids of {len(found)} tokens are not 0, 1, ..., each once")
    return ids


def spell(token: str, back: Mapping[int, int], where: PathLike) -> bytes:
    """Return the bytes that a token spells in GPT-2's characters."""
    try:
        return bytes([back[ord(character)] for character in token])
    except KeyError as error:
        raise TokenizerError(
            f"{os.fspath(where)}: the token {token!r} has U+{error.args[0]:04X}, which spells no byte; "
            "is it a special token?"
        ) from None


def parse_merges(lines: Iterable[str], ids: Mapping[str, int], where: PathLike) -> list[tuple[str, str]]:
    """Read a pair of tokens from each line, after a first line that may name the version."""
    pairs = []
    for number, line in enumerate(lines, start=1):
        if not line or (number == 1 and line.startswith("#version")):
            continue
        parts = line.split(" ")
        if len(parts) != 2:
            raise TokenizerError(f"{os.fspath(where)}: line {number} has {len(parts)} parts; a merge has two tokens")
        left, right = parts
        for token in (left, right, left + right):
            if token not in ids:
                raise TokenizerError(f"{os.fspath(where)}: line {number} names {token!r}, not in the vocabulary")
        pairs.append((left, right))
    return pairs


def read_tiktoken(path: PathLike, special_ids: Mapping[str, int], pattern: str) -> Model:
    """Read lines of base64 and rank."""
    ranks = parse_ranks(decode_lines(read_limited(path), path), path)
    taken = {number: token for token, number in ranks.items()}
    if len(taken) != len(ranks):
        raise TokenizerError(f"{os.fspath(path)}: a rank stands twice")
    everything = {token: number for token, number in special_ids.items() if type(number) is int and number not in taken}
    if len(everything) != len(special_ids):
        raise TokenizerError(f"special ids must be integers that no token of {os.fspath(path)} has")
    size = 1 + max([*taken, *special_ids.values()], default=-1)
    # Published vocabularies have a few holes; one id of 10**12 would want a list of that length.
    if size > 2 * len(ranks) + 4096 or min([0, *taken, *special_ids.values()]) < 0:
        raise TokenizerError(f"{os.fspath(path)}: ids reach {size - 1} with {len(ranks)} tokens; number them from 0")
    tokens = [taken.get(number) for number in range(size)]
    for special, number in special_ids.items():
        tokens[number] = check_text(special, "a special token").encode()
    scores = [-float(number) if number in taken else None for number in range(size)]
    byte_ids = [ranks.get(bytes([byte]), -1) for byte in range(256)]
    return Model(tokens, byte_ids, dict(special_ids), scores=scores, pattern=pattern)


def parse_ranks(lines: Iterable[str], where: PathLike) -> dict[bytes, int]:
    """Read the token and the rank of each line that is not empty."""
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        parts = line.split(" ")
        try:
            token, rank = base64.b64decode(parts[0], validate=True), int(parts[1])
        except (IndexError, ValueError, binascii.Error) as error:
            raise TokenizerError(f"{os.fspath(where)}: line {number} is not base64, a space and a rank") from error
        if len(parts) != 2 or not parts[1].isdecimal() or token in ranks:
            raise TokenizerError(f"{os.fspath(where)}: line {number} has a token twice, or more than two parts")
        ranks[token] = rank
    return ranks


def read_llama2c(path: PathLike) -> Model:
    """Read the tokenizer of llama2.c."""
    entries = parse_llama2c(read_limited(path), os.fspath(path))
    byte_ids = [-1] * 256
    tokens: list[bytes | None] = []
    for number, (_, piece) in enumerate(entries):
        if number > 2 and (found := _BYTE_TOKEN.fullmatch(piece)):
            byte = int(found[1], 16)
            if byte_ids[byte] >= 0:
                raise TokenizerError(f"{os.fspath(path)}: the byte token {piece!r} stands twice")
            byte_ids[byte] = number
            piece = bytes([byte])
        tokens.append(piece)
    if len(tokens) < 3:
        raise TokenizerError(f"{os.fspath(path)}: {len(tokens)} tokens; there must be <unk>, <s> and </s> at least")
    tokens[:3] = b"<unk>", b"", b""
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


def parse_llama2c(data: bytes, where: str | bytes) -> list[tuple[float, bytes]]:
    """Read int32 greatest length, then float32 score, int32 length and bytes of each token, little-endian.

    Every length is compared with what is left before anything of that length is made.
    """
    if len(data) < 4:
        raise TokenizerError(f"{where!s}: {len(data)} bytes; there must be 4 at least")
    (longest,) = struct.unpack_from("<i", data)
    entries: list[tuple[float, bytes]] = []
    place = 4
    while place < len(data):
        if len(data) - place < 8:
            raise TokenizerError(f"{where!s}: ends within the head of token {len(entries)}")
        score, length = struct.unpack_from("<fi", data, place)
        place += 8
        if not math.isfinite(score):
            raise TokenizerError(f"{where!s}: token {len(entries)} has the score {score}")
        # The three special tokens are spelled longer than the greatest length says.
        if length < 1 or length > len(data) - place or (length > longest and len(entries) > 2 and data[place] != 0x3C):
            raise TokenizerError(
                f"{where!s}: token {len(entries)} has the length {length}; {len(data) - place} bytes are left, "
                f"{longest} is the greatest length"
            )
        entries.append((score, data[place : place + length]))
        place += length
    return entries


def _inner_space(token: bytes) -> bool:
    """Tell whether a space follows something else in a token, so that words cannot be split before spaces."""
    return b" " in token.lstrip(b" ")


def decode_lines(data: bytes, where: PathLike) -> list[str]:
    """Return the lines of a UTF-8 file, whose ends may be those of Windows."""
    try:
        return data.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise TokenizerError(f"{os.fspath(where)}: not UTF-8: {error}") from error
