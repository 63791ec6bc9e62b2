"""The errors that data gives."""

from __future__ import annotations

from pathlib import Path


class DataError(ValueError):
    """Data that is missing, malformed or not what it claims to be.

    Args:
        what: What is wrong, and what was found.
        where: The file, address or data set it was found in.
        hint: What to do about it.

    Example:
        >>> str(DataError("the magic number is 7", where="labels.gz", hint="download it again"))
        'labels.gz: the magic number is 7; download it again'
    """

    def __init__(self, what: str, *, where: str | Path | None = None, hint: str | None = None) -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__((f"{where}: " if where is not None else "") + what + (f"; {hint}" if hint else ""))


class DownloadError(DataError):
    """A file that could not be downloaded: the fault lies with the network, the server or the disk, not with the data.

    Example:
        >>> str(DownloadError("the server answers 503", where="labels.gz", hint="try later"))
        'labels.gz: the server answers 503; try later'
    """
