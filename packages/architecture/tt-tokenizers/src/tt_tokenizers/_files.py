"""Files: read within bounds and strictly, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tt_tokenizers._errors import TokenizerError

PathLike = str | os.PathLike[str]

# Sixteen times the size of the largest published vocabulary file; beyond it a file is something else.
LARGEST_FILE = 1 << 28
_VERSION = 1


@contextmanager
def naming(*paths: PathLike) -> Iterator[None]:
    """Put the names of the files that are read before the message of every `TokenizerError`."""
    try:
        yield
    except TokenizerError as error:
        raise TokenizerError(f"{', '.join(os.fspath(each) for each in paths)}: {error}") from error


def read_limited(path: PathLike) -> bytes:
    """Read a file, unless it is larger than any vocabulary.

    Raises:
        TokenizerError: It is larger than 256 MiB.
        OSError: It cannot be read.
    """
    with open(path, "rb") as stream:
        data = stream.read(LARGEST_FILE + 1) if os.fstat(stream.fileno()).st_size <= LARGEST_FILE else None
    if data is None or len(data) > LARGEST_FILE:
        raise TokenizerError(f"larger than {LARGEST_FILE:,} bytes, which no vocabulary is")
    return data


def parse_json(data: bytes) -> dict[str, object]:
    """Read a JSON object strictly: UTF-8, no key twice, no NaN.

    Raises:
        TokenizerError: It is anything else.
    """
    try:
        found: object = json.loads(data.decode("utf-8"), object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise TokenizerError(f"not a JSON file of a tokenizer: {error}") from error
    if not isinstance(found, dict):
        raise TokenizerError(f"holds a {type(found).__name__}; a JSON object was expected")
    return found


def _no_key_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build the dict of an object, unless a key would be lost."""
    found = dict(pairs)
    if len(found) != len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice!r} stands twice")
    return found


def _no_constant(name: str) -> object:
    """Refuse NaN and the infinities, which JSON has not."""
    raise ValueError(f"{name} is not JSON")


def make_document(kind: str, content: Mapping[str, object]) -> dict[str, object]:
    """Head the content of a saved tokenizer with its kind and the version of the format."""
    return {"format": kind, "version": _VERSION, **content}


def check_document(found: Mapping[str, object], kind: str, keys: Collection[str]) -> None:
    """Refuse what `make_document` did not make of this kind, in this version, with these keys.

    Raises:
        TokenizerError: The kind or the version is another, or keys are missing or unknown.
    """
    if (found.get("format"), found.get("version")) != (kind, _VERSION):
        raise TokenizerError(
            f"holds {found.get('format')!r}, version {found.get('version')!r}; not version {_VERSION} of {kind!r}"
        )
    expected = {"format", "version", *keys}
    if found.keys() != expected:
        raise TokenizerError(
            f"the keys {sorted(expected - found.keys())} are missing, {sorted(found.keys() - expected)} are unknown"
        )


def write_json(path: PathLike, document: Mapping[str, object]) -> None:
    """Write a JSON file whole: a temporary file beside it takes its place when it is complete.

    Raises:
        OSError: It cannot be written; what was there is still there.
    """
    target = Path(path)
    data = (json.dumps(document, ensure_ascii=True, separators=(",", ":")) + "\n").encode("ascii")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files that only their owner may read.
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
