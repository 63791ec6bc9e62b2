from __future__ import annotations

import gzip
import http.server
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tt_data import data_folder


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of real data sets: TINYTORCH_DATA, or shared/data beside the repository."""
    above = [folder / "shared" / "data" for folder in Path(__file__).resolve().parents]
    for folder in [data_folder(), *above]:
        if (folder / "mnist").is_dir():
            monkeypatch.setenv("TINYTORCH_DATA", str(folder))
            return folder
    pytest.skip("no real data: set TINYTORCH_DATA")


@dataclass
class Server:
    """A web server of bytes in memory, with the ways in which a server can go wrong."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: list[str | None] = field(default_factory=list)
    honour_ranges: bool = True
    stop_after: int | None = None
    extra: bytes = b""
    length: bool = True
    redirect: str | None = None
    content_range: str | None = None


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            state.ranges.append(self.headers["Range"])
            data = state.files.get(self.path.lstrip("/"))
            if state.redirect is not None:
                self.send_response(302)
                self.send_header("Location", state.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if data is None:
                self.send_error(404)
                return
            start = 0
            if self.headers["Range"] and state.honour_ranges:
                start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
                if start >= len(data):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", state.content_range or f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            body = data[start:] + state.extra
            if state.length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if state.stop_after is None else body[: state.stop_after])

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(f"http://127.0.0.1:{httpd.server_address[1]}")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    httpd.shutdown()
    thread.join()
    httpd.server_close()


class Make:
    """Small files in the official formats."""

    @staticmethod
    def idx(array: npt.NDArray[np.uint8]) -> bytes:
        return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()

    @staticmethod
    def idx_folder(folder: Path, count: int = 5, *, prefix: str = "train", top_label: int = 9) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        images = np.arange(count * 784, dtype=np.uint8).reshape(count, 28, 28)
        labels = (top_label - np.arange(count)).astype(np.uint8)
        for name, array in ((f"{prefix}-images-idx3-ubyte.gz", images), (f"{prefix}-labels-idx1-ubyte.gz", labels)):
            (folder / name).write_bytes(gzip.compress(Make.idx(array)))

    @staticmethod
    def all_idx(folder: Path) -> None:
        for prefix in ("train", "t10k"):
            Make.idx_folder(folder, prefix=prefix)

    @staticmethod
    def records(count: int, seed: int = 0) -> bytes:
        rng = np.random.default_rng(seed)
        records = rng.integers(0, 256, (count, 3073), np.uint8)
        records[:, 0] %= 10
        return records.tobytes()


@pytest.fixture
def make() -> type[Make]:
    return Make
