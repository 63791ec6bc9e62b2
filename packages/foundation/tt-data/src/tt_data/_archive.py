"""Files out of a tar archive, by exact name, into memory: nothing is extracted, so no path can lead anywhere."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO, Self

from ._errors import DataError
from ._formats import opened

# What one header may bring beside its 512 bytes, such as a long name, and how many entries there may be: tarfile keeps
# them all in memory, and a small compressed file can hold very much of either. The official archives have 9 entries.
_MAX_HEADER_BYTES = 1 << 16
_MAX_ENTRIES = 1000
_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class _Entry(tarfile.TarInfo):
    """An entry of an archive, refused before anything is read of it if it is a header of unreasonable length."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the entry that these 512 bytes announce."""
        entry = super().frombuf(buf, encoding, errors)
        if entry.type in _HEADERS and entry.size > _MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {entry.size:,} bytes")
        return entry


class _Capped(io.RawIOBase):
    """A stream that ends in a `DataError` once it has given more than `limit` bytes."""

    def __init__(self, stream: BinaryIO, limit: int, path: Path) -> None:
        super().__init__()
        self._stream, self._left, self._path = stream, limit, path

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes."""
        if size is None or size < 0:
            raise ValueError("a capped stream is read piece by piece")
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise DataError("unpacks to more than it may", where=self._path, hint="it is not the official archive")
        return data


def read_members(path: Path, names: Collection[str], *, max_member_bytes: int, max_bytes: int) -> dict[str, bytearray]:
    """Read some files of a tar archive, gzip-compressed or not.

    Args:
        path: The archive.
        names: Exact names of regular files in it; everything else in it is passed over.
        max_member_bytes: How large each of them may be.
        max_bytes: How large the whole archive may be, decompressed.

    Raises:
        DataError: The archive is damaged or too large, or a file is absent, there twice, too large or no regular file.

    Example:
        >>> import io, tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.tar.gz"
        >>> with tarfile.open(path, "w:gz") as tar:
        ...     info = tarfile.TarInfo("a/b.bin")
        ...     info.size = 3
        ...     tar.addfile(info, io.BytesIO(b"abc"))
        >>> bytes(read_members(path, ["a/b.bin"], max_member_bytes=10, max_bytes=100_000)["a/b.bin"])
        b'abc'
    """
    found: dict[str, bytearray] = {}
    with opened(path) as stream:
        try:
            with tarfile.open(fileobj=_Capped(stream, max_bytes, path), mode="r|", tarinfo=_Entry) as tar:
                for count, member in enumerate(tar):
                    if count == _MAX_ENTRIES:
                        raise DataError(f"holds more than {_MAX_ENTRIES:,} entries", where=path)
                    if not 0 <= member.size <= max_bytes:  # tarfile would look for the end of it for hours
                        what = f"{member.name[:100]!a} alone claims {member.size:,} bytes"
                        raise DataError(f"unpacks to more than it may: {what}", where=path)
                    if member.name in names:
                        if member.name in found:
                            raise DataError(f"holds {member.name} twice", where=path)
                        found[member.name] = _content(tar, member, max_member_bytes, path)
        except (tarfile.TarError, ValueError, IndexError) as error:  # the last for sparse entries that are cut off
            if isinstance(error, DataError):
                raise
            raise DataError(f"is no proper tar archive ({error})", where=path, hint="download it again") from error
    if missing := sorted(set(names) - found.keys()):
        raise DataError(f"lacks {', '.join(missing)}", where=path, hint="download it again")
    return found


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, limit: int, path: Path) -> bytearray:
    stream = tar.extractfile(member) if member.isreg() else None
    if stream is None or member.size > limit:
        kind = f"a file of {member.size:,} bytes" if stream is not None else "no regular file"
        raise DataError(f"{member.name} is {kind}; a file of at most {limit:,} is expected", where=path)
    with stream:
        data = bytearray()
        while block := stream.read(1 << 20):
            data += block
    if len(data) != member.size:
        raise DataError(f"ends within {member.name}", where=path, hint="download it again")
    return data
