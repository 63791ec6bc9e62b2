"""One file over the network: https, resumable, capped, checked, and in its place only when whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ._errors import DownloadError
from ._progress import progress_bar
from ._storage import alone_in, sha256_of

if TYPE_CHECKING:
    from http.client import HTTPResponse

_BLOCK = 1 << 16
_AGAIN = "run the same again: what has come is kept, and the download goes on from there"


def download_file(
    url: str,
    path: str | os.PathLike[str],
    *,
    sha256: str,
    size: int,
    timeout: float = 30.0,
    progress: bool = True,
) -> Path:
    """Download one file and put it in its place once its SHA-256 is right.

    What has come is kept beside it as `<name>.part`: a download that was interrupted goes on from there, and `path`
    is at any moment absent, the old file, or the whole new one. Where the system has locks, only one process at a time
    downloads into a folder; whoever waited for another to bring the same file takes that.

    Args:
        url: Its address: https, or http to this machine itself.
        path: Where it goes; folders are made.
        sha256: Its SHA-256, in hexadecimal.
        size: Its size in bytes; not one byte more is taken.
        timeout: Seconds of silence after which to give up.
        progress: Whether to show a bar, if rich is installed and standard error is a terminal.

    Returns:
        `path`.

    Raises:
        DownloadError: The address is not https or cannot be reached, something else came from there, or the folder
            cannot be written.

    Example:
        >>> import tempfile
        >>> download_file("http://example.org/x", tempfile.gettempdir() + "/x", sha256="00", size=1)
        Traceback (most recent call last):
            ...
        tt_data._errors.DownloadError: http://example.org/x: is not https; only encrypted addresses are downloaded from
    """
    require_safe(url)
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with alone_in(path.parent) as waited:
            if not (waited and path.is_file() and sha256_of(path) == sha256.lower()):
                _complete(url, part, sha256, size, timeout, progress)
                os.replace(part, path)
    except OSError as error:
        raise DownloadError(
            f"cannot be written ({error.strerror or error})", where=part, hint="set TINYTORCH_DATA to another folder"
        ) from error
    return path


def _complete(url: str, part: Path, sha256: str, size: int, timeout: float, progress: bool) -> None:
    """Bring `part` to its size and make sure of its SHA-256."""
    for _ in range(2):
        resumed = part.is_file() and 0 < part.stat().st_size <= size
        if not (part.is_file() and part.stat().st_size == size):
            _fetch(url, part, size, timeout, progress)
        if (found := sha256_of(part)) == sha256.lower():
            return
        part.unlink()
        if not resumed:  # else what lay there may have been of another file: begin once from nothing
            break
    raise DownloadError(
        f"the SHA-256 of what came is {found}, not {sha256}",
        where=url,
        hint="it was deleted; the server's file has changed, or something between here and there changes it",
    )


def require_safe(url: str) -> None:
    """Refuse an address that is neither https nor this machine itself.

    Raises:
        DownloadError: It is one, or no address at all.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise DownloadError(f"is no address ({error})", where=url) from error
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname == "127.0.0.1"):
        raise DownloadError("is not https", where=url, hint="only encrypted addresses are downloaded from")


def _open(url: str, start: int, timeout: float) -> HTTPResponse:
    # Imported late: most programs find their data in the cache, and these cost tens of milliseconds.
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Redirects(HTTPRedirectHandler):
        def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def] # urllib's own
            require_safe(newurl)
            return super().redirect_request(req, fp, code, msg, headers, newurl)

        def http_error_302(self, req, fp, code, msg, headers):  # type: ignore[no-untyped-def] # urllib's own
            try:
                return super().http_error_302(req, fp, code, msg, headers)
            except ValueError:  # refused, or no address; urllib closes the answer only where it goes on
                fp.close()
                raise

        http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    headers = {"User-Agent": "tinytorch (tt-data)", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        response: HTTPResponse = build_opener(Redirects).open(Request(url, headers=headers), timeout=timeout)
    except HTTPError as error:
        with closing(error):
            if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
                return _open(url, 0, timeout)
        raise DownloadError(f"the server answers {error.code} {error.reason}", where=url, hint="try later") from error
    except DownloadError:
        raise
    # A ValueError is about an address that is none, here or where the server sends us.
    except (URLError, OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise DownloadError(
            f"cannot be reached ({reason})",
            where=url,
            hint="check the network, or put the file into the folder that TINYTORCH_DATA names",
        ) from error
    return response


def _fetch(url: str, part: Path, size: int, timeout: float, progress: bool) -> None:
    """Bring `part` to `size` bytes, from where it stands if the server can do that."""
    have = part.stat().st_size if part.is_file() else 0
    have = have if have < size else 0
    with closing(_open(url, have, timeout)) as response:
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            have = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise DownloadError("the server sends another part than was asked for", where=url, hint="try later")
        promised = response.headers.get("Content-Length", "")
        if promised.isdecimal() and have + int(promised) > size:
            raise DownloadError(f"the file has {have + int(promised):,} bytes there, not {size:,}", where=url)
        with part.open("ab" if have else "wb") as out, progress_bar(part.stem, have, size, progress) as advance:
            have += _copy(response, out.write, size - have, advance, url)
            out.flush()
            os.fsync(out.fileno())
    if have < size:
        raise DownloadError(f"the connection ended after {have:,} of {size:,} bytes", where=url, hint=_AGAIN)


def _copy(
    response: HTTPResponse, write: Callable[[bytes], object], most: int, advance: Callable[[int], None], url: str
) -> int:
    """Copy at most `most` bytes, and return how many; more is an error."""
    from http.client import HTTPException

    copied = 0
    while True:
        try:
            block = response.read(_BLOCK)
        except (OSError, HTTPException) as error:
            raise DownloadError(f"the connection broke ({error})", where=url, hint=_AGAIN) from error
        if not block:
            return copied
        if copied + len(block) > most:
            raise DownloadError("the server sends more than the file's size", where=url, hint="try later")
        write(block)
        copied += len(block)
        advance(len(block))
