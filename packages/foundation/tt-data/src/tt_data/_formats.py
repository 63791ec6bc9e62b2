"""The official file formats, read strictly: idx (MNIST, Fashion-MNIST) and the CIFAR-10 binary version.

Nothing is believed that a file says of itself: a header is checked before memory is taken for what it promises, and
what is decompressed is counted as it comes.

Reference: Y. LeCun, "The MNIST database", section "File formats"; A. Krizhevsky, "The CIFAR-10 dataset", section
"Binary version".
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt
from tt_tensor import Array

from ._errors import DataError

IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
CIFAR_PIXELS = 3 * 32 * 32
CIFAR_RECORD = 1 + CIFAR_PIXELS
Scale = Literal["float32", "uint8"]
_BLOCK = 1 << 20


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed if it begins like gzip; whatever fails while reading is a `DataError`."""
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if compressed:
                with gzip.GzipFile(fileobj=raw) as stream:
                    # A GzipFile reads like any binary file, though typeshed does not say so.
                    yield stream  # type: ignore[misc]
            else:
                yield raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"is damaged ({error})", where=path, hint="delete it and download it again") from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=path) from error


def read_up_to(stream: BinaryIO, count: int) -> bytearray:
    """Read `count` bytes, or all there are if they are fewer; memory grows with what arrives, not with `count`."""
    data = bytearray()
    while len(data) < count and (block := stream.read(min(_BLOCK, count - len(data)))):
        data += block
    return data


def idx_header(header: bytes) -> tuple[np.dtype[np.generic], int]:
    """Read the magic number of an idx file: two zero bytes, the type of the elements, the number of dimensions.

    Args:
        header: The file's first four bytes.

    Returns:
        The elements' dtype (big-endian, as in the file), and how many 4-byte dimensions follow.

    Raises:
        DataError: There are fewer than four bytes, or they are no magic number.

    Example:
        >>> idx_header(bytes([0, 0, 8, 3]))
        (dtype('uint8'), 3)
    """
    if len(header) != 4 or header[:2] != b"\0\0" or header[2] not in IDX_TYPES or header[3] == 0:
        raise DataError(
            f"an idx file begins with 00 00, a type ({', '.join(f'{code:02x}' for code in IDX_TYPES)}) and a number "
            f"of dimensions; got {bytes(header).hex(' ') or 'nothing'}"
        )
    return np.dtype(IDX_TYPES[header[2]]), header[3]


def read_idx(path: str | os.PathLike[str], *, max_bytes: int = 1 << 28) -> Array:
    """Read an idx file, gzip-compressed or not, the way MNIST is distributed.

    Args:
        path: The file.
        max_bytes: How much memory its elements may take.

    Returns:
        An array of the shape and the type that the file's header says, in native byte order.

    Raises:
        DataError: The file is absent, damaged, too large, shorter or longer than its header says.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "labels.idx"
        >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 7]))
        >>> read_idx(path)
        array([5, 7], dtype=uint8)
    """
    path = Path(path)
    with opened(path) as stream:
        try:
            dtype, ndim = idx_header(bytes(read_up_to(stream, 4)))
        except DataError as error:
            raise DataError(error.what, where=path, hint="is it the file that its name says?") from error
        sizes = bytes(read_up_to(stream, 4 * ndim))
        if len(sizes) < 4 * ndim:
            raise DataError(f"ends within its header of {ndim} dimensions", where=path, hint="download it again")
        shape = struct.unpack(f">{ndim}I", sizes)
        if ndim > 32:
            raise DataError(f"promises {ndim} dimensions; at most 32 are read", where=path)
        expected = math.prod(shape) * dtype.itemsize
        if expected > max_bytes:
            raise DataError(f"promises {expected:,} bytes of shape {shape}; at most {max_bytes:,} are read", where=path)
        # A side of 0 empties the array, yet NumPy wants the product of the others to be within its range.
        if math.prod(side or 1 for side in shape) * dtype.itemsize > max_bytes:
            raise DataError(f"promises an empty array of the impossible shape {shape}", where=path)
        # One byte more than promised, to see what trails.
        data = read_up_to(stream, expected + 1)
    if len(data) != expected:
        found = f"only {len(data):,}" if len(data) < expected else "more"
        raise DataError(f"promises {expected:,} bytes of shape {shape} and holds {found}", where=path)
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def split_records(data: bytes | bytearray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Split CIFAR-10 records: one byte of label, then 1,024 bytes each of red, green and blue, row by row.

    Args:
        data: Whole records, 3,073 bytes each.

    Returns:
        Images `(N, 3, 32, 32)` and labels `(N,)`.

    Raises:
        DataError: There is no whole number of records, or a label is not in 0..9.

    Example:
        >>> images, labels = split_records(bytes([7]) + bytes(3072))
        >>> images.shape, labels.tolist()
        ((1, 3, 32, 32), [7])
    """
    if not data or len(data) % CIFAR_RECORD:
        raise DataError(f"CIFAR-10 records have {CIFAR_RECORD:,} bytes each; {len(data):,} bytes are no whole number")
    records = np.frombuffer(data, np.uint8).reshape(-1, CIFAR_RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() > 9:
        raise DataError(f"a CIFAR-10 label lies between 0 and 9; record {labels.argmax()} has {labels.max()}")
    return records[:, 1:].reshape(-1, 3, 32, 32), labels


def cifar_bytes(path: Path, max_records: int = 50_000) -> bytearray:
    """Read the records of a CIFAR-10 file, decompressed.

    Raises:
        DataError: The file is absent, damaged or too large.
    """
    with opened(path) as stream:
        data = read_up_to(stream, max_records * CIFAR_RECORD + 1)
    if len(data) > max_records * CIFAR_RECORD:
        raise DataError(f"holds more than {max_records:,} records", where=path)
    return data


def read_cifar10(
    path: str | os.PathLike[str], *, max_records: int = 50_000
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Read one file of CIFAR-10's binary version (`data_batch_1.bin`, also gzip-compressed).

    Args:
        path: The file.
        max_records: How many records it may hold.

    Returns:
        Images `(N, 3, 32, 32)` and labels `(N,)`.

    Raises:
        DataError: The file is absent, damaged, too large, or no whole number of records.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "data_batch_1.bin"
        >>> _ = path.write_bytes(bytes(3073 * 2))
        >>> read_cifar10(path)[0].shape
        (2, 3, 32, 32)
    """
    path = Path(path)
    data = cifar_bytes(path, max_records)
    try:
        return split_records(data)
    except DataError as error:
        raise DataError(error.what, where=path, hint="take the binary version of CIFAR-10") from error


def scaled(images: npt.NDArray[np.uint8], dtype: Scale) -> Array:
    """Return pixels as they are, or as float32 from 0 to 1.

    Raises:
        DataError: `dtype` is neither "float32" nor "uint8".
    """
    if dtype not in ("float32", "uint8"):
        raise DataError(f"images are 'float32' or 'uint8'; got {dtype!r}")
    return images if dtype == "uint8" else np.divide(images, np.float32(255), dtype=np.float32)
