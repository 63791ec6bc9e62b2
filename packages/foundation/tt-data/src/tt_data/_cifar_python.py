"""CIFAR-10's Python version: what its pickles hold, as the records of the binary version.

Reference: A. Krizhevsky, "The CIFAR-10 dataset", section "Python / Matlab versions".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ._cifar_pickle import Call, Global, raw_bytes, read_pickle
from ._errors import DataError
from ._formats import CIFAR_PIXELS, CIFAR_RECORD, opened, read_up_to

# An official file has 31 MB; pickled again by Python 3 in protocol 2, where half of the pixels take two bytes, 46 MB.
MAX_FILE_BYTES = 64 << 20


def python_bytes(path: Path) -> bytearray:
    """Read a file of the Python version, decompressed.

    Raises:
        DataError: The file is absent, damaged or too large.
    """
    with opened(path) as stream:
        data = read_up_to(stream, MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise DataError(f"holds more than {MAX_FILE_BYTES:,} bytes", where=path)
    return data


def python_records(data: bytes | bytearray) -> bytearray:
    """Turn a file of the Python version into the records that the binary version has for the same images.

    Raises:
        DataError: It is malformed, asks for a function that no such file needs, or holds other than images and labels.
    """
    batch = read_pickle(data)
    for key in ("data", "labels"):
        if key.encode() not in batch:
            raise DataError(f"holds no {key!r}")
    count, pixels = _rows(batch[b"data"])
    labels = batch[b"labels"]
    if not isinstance(labels, list) or len(labels) != count:
        found = f"{len(labels):,}" if isinstance(labels, list) else "no list of"
        raise DataError(f"holds {count:,} images and {found} labels")
    records = bytearray(count * CIFAR_RECORD)
    table = np.frombuffer(records, np.uint8).reshape(count, CIFAR_RECORD)
    table[:, 0] = _classes(labels)
    table[:, 1:] = np.frombuffer(pixels, np.uint8).reshape(count, CIFAR_PIXELS)
    return records


def _rows(array: object) -> tuple[int, bytes | bytearray]:
    """Take an array's number of rows, and their bytes, out of the note of how it would be made."""
    match array:
        case Call("_reconstruct", (Global("ndarray"), *_), (1, shape, dtype, False, content)):
            pass
        case Call("_frombuffer", (content, dtype, shape, "C")):
            pass
        case _:
            raise DataError("its 'data' is no NumPy array, row by row")
    match dtype:
        case Call("dtype", ("u1", *_), (3, "|", *_)):
            pass
        case _:
            raise DataError("its 'data' is not of the type uint8")
    match shape:
        case (int(count), 3072) if count > 0:
            pass
        case (int(), int()):
            raise DataError(f"its 'data' has shape {shape}; rows of {CIFAR_PIXELS:,} are expected")
        case _:
            raise DataError(f"its 'data' does not have rows of {CIFAR_PIXELS:,}")
    pixels = raw_bytes(content, MAX_FILE_BYTES)
    if pixels is None:
        raise DataError("its 'data' is no NumPy array of bytes")
    if len(pixels) != count * CIFAR_PIXELS:
        raise DataError(f"its 'data' has shape {shape} and holds {len(pixels):,} bytes")
    return count, pixels


def _classes(labels: list[object]) -> list[int]:
    classes = [label for label in labels if type(label) is int and 0 <= label <= 9]
    if len(classes) != len(labels):
        raise DataError("a CIFAR-10 label is a whole number between 0 and 9; one in this file is not")
    return classes
