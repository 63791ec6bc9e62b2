"""The safetensors format: eight bytes of header length, a JSON header, then the numbers themselves.

Files are written here, piece by piece and without a second copy, and read by the official safetensors library;
but before it, or any array, takes memory, `check_header` has proved that the header agrees with the file's size.
Format: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from safetensors import SafetensorError, safe_open
from tt_tensor import Array

from ._atomic import atomic_write
from ._errors import CheckpointError

MAX_HEADER = 100_000_000  # the official library's own limit

DTYPES: Mapping[str, np.dtype[np.generic]] = {
    "BOOL": np.dtype("?"),
    "I8": np.dtype("i1"),
    "I16": np.dtype("<i2"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"),
    "U16": np.dtype("<u2"),
    "U32": np.dtype("<u4"),
    "U64": np.dtype("<u8"),
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


@dataclass(frozen=True)
class Entry:
    """What the header says of one array."""

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Header:
    """A header that agrees with its file: the arrays by name, and the text beside them."""

    entries: Mapping[str, Entry]
    metadata: Mapping[str, str]


def encode_header(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """Describe arrays as the beginning of a safetensors file: length, then JSON, padded to a multiple of 8.

    Args:
        arrays: The arrays, in the order in which their bytes will follow.
        metadata: Text to keep beside them.

    Returns:
        Eight bytes (the JSON's length, little-endian) and the JSON: for each name its dtype, shape and the
        half-open range of its bytes, counted from the header's end.

    Raises:
        TypeError: An array's dtype has no place in the format.
    """
    table: dict[str, object] = {"__metadata__": dict(metadata)}
    begin = 0
    for name, array in arrays.items():
        kind = _NAMES.get(array.dtype.newbyteorder("<"))
        if kind is None:
            raise TypeError(f"{name!r} has dtype {array.dtype}, which safetensors cannot hold; convert it first")
        end = begin + array.nbytes
        table[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(table, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def check_header(text: bytes, data_size: int) -> Header:
    """Read a JSON header and prove that it describes exactly `data_size` bytes: no gap, no overlap, no surprise.

    Args:
        text: The JSON, without the eight bytes of its length.
        data_size: How many bytes follow it in the file.

    Raises:
        CheckpointError: It is not such a header; the message says why.
    """
    table = _parse(text)
    metadata = table.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise CheckpointError("__metadata__ must map names to text")
    entries: dict[str, Entry] = {}
    spans: list[tuple[int, int]] = []
    for name, described in table.items():
        entries[name], span = _check_entry(name, described)
        spans.append(span)
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise CheckpointError(f"the arrays' bytes have a gap or an overlap at byte {min(begin, position)}")
        position = end
    if position != data_size:
        raise CheckpointError(f"the header describes {position} bytes of arrays, the file holds {data_size}")
    return Header(entries, metadata)


def _check_entry(name: str, described: object) -> tuple[Entry, tuple[int, int]]:
    if not isinstance(described, dict) or described.keys() != {"dtype", "shape", "data_offsets"}:
        raise CheckpointError(f"array {name!r} must have dtype, shape and data_offsets")
    dtype = DTYPES.get(described["dtype"]) if isinstance(described["dtype"], str) else None
    if dtype is None:
        raise CheckpointError(f"array {name!r} has the unknown dtype {str(described['dtype'])[:40]!r}")
    shape = _naturals(described["shape"], f"the shape of {name!r}")
    offsets = _naturals(described["data_offsets"], f"data_offsets of {name!r}")
    if len(shape) > 64:
        raise CheckpointError(f"array {name!r} has {len(shape)} axes; NumPy allows 64")
    if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * dtype.itemsize:
        raise CheckpointError(f"array {name!r} of shape {shape} does not fill data_offsets {offsets}")
    return Entry(dtype, shape), (offsets[0], offsets[1])


def _naturals(value: object, what: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(item) is int and 0 <= item < 2**63 for item in value):
        raise CheckpointError(f"{what} must be a list of whole numbers from 0 up, got {str(value)[:80]}")
    return tuple(value)


def _parse(text: bytes) -> dict[str, object]:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        table = dict(pairs)
        if len(table) != len(pairs):
            raise ValueError("a name occurs twice")
        return table

    try:
        table = json.loads(text.decode("utf-8"), parse_constant=refuse, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"the header is not valid JSON ({error})") from error
    if not isinstance(table, dict):
        raise CheckpointError("the header must be a JSON object")
    return table


def read_header(path: Path) -> Header:
    """Read and check the header of a safetensors file, and nothing else of it.

    Args:
        path: The file.

    Raises:
        CheckpointError: The file is no safetensors file, or was cut.
        OSError: The file cannot be opened or read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < 8:
            raise CheckpointError(
                f"{path}: {size} bytes are too few for a checkpoint, which starts with 8 bytes of header length"
            )
        length = int.from_bytes(file.read(8), "little")
        if length > min(size - 8, MAX_HEADER):
            raise CheckpointError(
                f"{path}: the header claims {length:,} bytes, but the file has {size - 8:,} after it "
                f"(limit {MAX_HEADER:,}); it was cut or is no safetensors file"
            )
        text = file.read(length)
    try:
        return check_header(text, size - 8 - length)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def read_arrays(path: Path) -> tuple[dict[str, Array], Mapping[str, str]]:
    """Read a whole safetensors file into arrays of their own, after its header has been checked.

    Args:
        path: The file.

    Raises:
        CheckpointError: The file is malformed.
        OSError: The file cannot be opened or read.
    """
    header = read_header(path)
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in header.entries}, header.metadata
    except SafetensorError as error:
        raise CheckpointError(f"{path}: {error}") from error


def write_arrays(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write arrays and text as a safetensors file, atomically.

    Args:
        path: The file.
        arrays: Arrays by name; wide dtypes are laid first, so that each begins at a multiple of its item size.
        metadata: Text to keep beside them.

    Raises:
        TypeError: A dtype has no place in the format.
        ValueError: Names and metadata are too long.
        OSError: The system refused; the old file, if any, is untouched.
    """
    ordered = dict(sorted(arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])))
    header = encode_header(ordered, metadata)
    if len(header) - 8 > MAX_HEADER:  # found out now, while the state can still be saved in another form
        raise ValueError(
            f"what is not arrays takes {len(header):,} bytes of text, and no reader of safetensors takes more than "
            f"{MAX_HEADER:,}; keep long lists and texts as arrays"
        )
    atomic_write(path, _pieces(header, ordered))


def _pieces(header: bytes, arrays: Mapping[str, Array]) -> Iterator[memoryview]:
    yield memoryview(header)
    for array in arrays.values():
        if array.size:
            flat = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(-1)
            yield flat.view(np.uint8).data
