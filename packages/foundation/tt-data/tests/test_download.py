from __future__ import annotations

import hashlib
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest
from tt_data import DownloadError, download_file

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(Protocol):
    url: str
    files: dict[str, bytes]
    ranges: list[str | None]
    honour_ranges: bool
    stop_after: int | None
    extra: bytes
    length: bool
    redirect: str | None
    content_range: str | None
    meeting: threading.Barrier | None


def get(server: Server, path: Path, *, size: int = len(CONTENT), sha256: str = SHA256) -> Path:
    server.files.setdefault("f", CONTENT)
    return download_file(server.url + "/f", path, sha256=sha256, size=size, timeout=10)


def part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def test_the_file_comes_whole_and_alone(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "f"
    assert get(server, path) == path
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["f"]
    assert server.ranges == [None]


def test_it_goes_on_from_what_came(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "f"
    server.stop_after = 100_000
    with pytest.raises(DownloadError, match="run the same again"):
        get(server, path)
    assert not path.exists()
    assert part(path).read_bytes() == CONTENT[:100_000]
    server.stop_after = None
    get(server, path)
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-"]
    assert not part(path).exists()


def test_a_server_without_ranges_begins_again(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "f"
    part(path).write_bytes(b"wrong" * 100)
    server.honour_ranges = False
    get(server, path)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("old", [b"x" * 1000, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 1)])
def test_a_part_of_something_else_is_thrown_away(server: Server, tmp_path: Path, old: bytes) -> None:
    path = tmp_path / "f"
    part(path).write_bytes(old)
    get(server, path)
    assert path.read_bytes() == CONTENT


def test_a_part_longer_than_the_servers_file(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "f"
    part(path).write_bytes(b"x" * 500)
    server.files["f"] = b"short"
    with pytest.raises(DownloadError, match="ended after 5"):
        get(server, path)
    assert server.ranges == ["bytes=500-", None]


def test_a_whole_part_needs_no_network(tmp_path: Path) -> None:
    path = tmp_path / "f"
    part(path).write_bytes(CONTENT)
    download_file("http://127.0.0.1:9/f", path, sha256=SHA256.upper(), size=len(CONTENT))
    assert path.read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_the_old_file(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    server.files["f"] = CONTENT[:-1] + b"?"
    with pytest.raises(DownloadError, match="SHA-256") as caught:
        get(server, path)
    assert path.read_bytes() == b"old"
    assert not part(path).exists()
    assert caught.value.where == server.url + "/f"


@pytest.mark.parametrize("length", [True, False])
def test_too_large(server: Server, tmp_path: Path, length: bool) -> None:
    server.extra, server.length = b"more", length
    with pytest.raises(DownloadError, match="bytes there, not" if length else "more than the file's size"):
        get(server, tmp_path / "f")
    assert not (tmp_path / "f").exists()
    assert not part(tmp_path / "f").exists() or part(tmp_path / "f").stat().st_size <= len(CONTENT)


def test_another_part_than_asked_for(server: Server, tmp_path: Path) -> None:
    part(tmp_path / "f").write_bytes(CONTENT[:10])
    server.content_range = "bytes 0-9/10"
    with pytest.raises(DownloadError, match="another part"):
        get(server, tmp_path / "f")


def test_no_such_file_and_no_server(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="answers 404"):
        download_file(server.url + "/absent", tmp_path / "f", sha256=SHA256, size=1)
    with pytest.raises(DownloadError, match="check the network"):
        download_file("http://127.0.0.1:9/f", tmp_path / "f", sha256=SHA256, size=1)


@pytest.mark.parametrize("url", ["http://example.org/f", "file:///etc/passwd", "ftp://127.0.0.1/f"])
def test_only_encrypted_addresses(server: Server, tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="not https"):
        download_file(url, tmp_path / "f", sha256=SHA256, size=1)
    server.redirect = url
    with pytest.raises(DownloadError, match=r"not https|is not allowed"):
        get(server, tmp_path / "f")


def test_redirects_within_the_rules(server: Server, tmp_path: Path) -> None:
    server.redirect = server.url + "/loop"
    with pytest.raises(DownloadError, match="answers 302"):
        get(server, tmp_path / "f")


@pytest.mark.parametrize("address", ["https://[::1", "https://127.0.0.1:port/f", "https://"])
def test_a_redirect_to_what_is_no_address(server: Server, tmp_path: Path, address: str) -> None:
    server.redirect = address
    with pytest.raises(DownloadError, match="cannot be reached"):
        get(server, tmp_path / "f")
    with pytest.raises(DownloadError, match=r"cannot be reached|no address"):
        download_file(address, tmp_path / "f", sha256=SHA256, size=1)


def test_downloads_of_one_file_take_turns(server: Server, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    server.meeting = threading.Barrier(2, timeout=0.5)
    with ThreadPoolExecutor(3) as pool:
        for path in pool.map(lambda _: get(server, tmp_path / "f"), range(3)):
            assert path.read_bytes() == CONTENT
    assert server.meeting.broken  # nobody met there
    assert set(server.ranges) == {None}
    assert [file.name for file in tmp_path.iterdir()] == ["f"]


def test_who_waited_takes_what_another_brought(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    flock, waiting = fcntl.flock, threading.Event()

    def watched(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX:
            waiting.set()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", watched)
    other = os.open(tmp_path, os.O_RDONLY)
    flock(other, fcntl.LOCK_EX)
    with ThreadPoolExecutor(1) as pool:
        download = pool.submit(get, server, tmp_path / "f")
        assert waiting.wait(10)
        (tmp_path / "f").write_bytes(CONTENT)
        os.close(other)
        assert download.result() == tmp_path / "f"
    assert server.ranges == []


def test_a_folder_without_locks(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    get(server, tmp_path / "f")
    monkeypatch.undo()
    fcntl = pytest.importorskip("fcntl")

    def unknown(descriptor: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unknown)
    get(server, tmp_path / "g")
    assert (tmp_path / "f").read_bytes() == (tmp_path / "g").read_bytes() == CONTENT


def test_a_folder_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DownloadError, match="TINYTORCH_DATA"):
        get(server, tmp_path / "file" / "f")


def test_ctrl_c_leaves_only_the_part(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from http.client import HTTPResponse

    path, read, calls = tmp_path / "f", HTTPResponse.read, []

    def interrupted(self: HTTPResponse, amt: int | None = None) -> bytes:
        calls.append(amt)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return read(self, amt)

    monkeypatch.setattr(HTTPResponse, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        get(server, path)
    assert [file.name for file in tmp_path.iterdir()] == ["f.part"]
    assert CONTENT.startswith(part(path).read_bytes())
    monkeypatch.undo()
    get(server, path)
    assert path.read_bytes() == CONTENT


def test_a_connection_that_breaks(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from http.client import HTTPResponse

    def broken(self: HTTPResponse, amt: int | None = None) -> bytes:
        raise ConnectionResetError("reset")

    monkeypatch.setattr(HTTPResponse, "read", broken)
    with pytest.raises(DownloadError, match="connection broke"):
        get(server, tmp_path / "f")


def test_a_bar_for_who_is_looking_and_wants_it(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rich")
    server.files["f"] = CONTENT
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for terminal, wanted in ((False, True), (True, False), (True, True)):
        if terminal:
            monkeypatch.setenv("FORCE_COLOR", "1")  # how rich is told that somebody is looking
        download_file(server.url + "/f", tmp_path / "f", sha256=SHA256, size=len(CONTENT), progress=wanted)
        shown = capsys.readouterr()
        assert bool(shown.err) == (terminal and wanted)
        assert shown.out == ""


def test_without_rich_there_is_no_bar(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    get(server, tmp_path / "f")
    download_file(server.url + "/f", tmp_path / "g", sha256=SHA256, size=len(CONTENT), progress=False)
    assert (tmp_path / "g").read_bytes() == CONTENT
