from __future__ import annotations

import contextlib
import gzip
import http.server
import pickle
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tt_data import data_folder, dataset_info


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of real data sets: TINYTORCH_DATA, or shared/data beside the repository."""
    above = [folder / "shared" / "data" for folder in Path(__file__).resolve().parents]
    for folder in [data_folder(), *above]:
        monkeypatch.setenv("TINYTORCH_DATA", str(folder))
        # All of them: for one that is not there, the tests would ask the network.
        if all(dataset_info(name).cached for name in ("mnist", "fashion_mnist", "tiny_shakespeare", "stories260k")):
            return folder
    pytest.skip("no real data: set TINYTORCH_DATA")


@pytest.fixture
def at_most() -> Callable[[int], contextlib.AbstractContextManager[None]]:
    """Holds what runs in its block to so many bytes of memory at a time."""

    @contextlib.contextmanager
    def limit(size: int) -> Iterator[None]:
        tracemalloc.start()
        try:
            yield
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < size

    return limit


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
    meeting: threading.Barrier | None = None


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
            if state.meeting is not None:  # where two requests that are answered at once would meet
                self.wfile.write(body[:1000])
                body = body[1000:]
                with contextlib.suppress(threading.BrokenBarrierError):
                    state.meeting.wait()
            self.wfile.write(body if state.stop_after is None else body[: state.stop_after])

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(f"http://127.0.0.1:{httpd.server_address[1]}")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def short(text: bytes) -> bytes:
    """A string of Python 2."""
    return b"U" + bytes([len(text)]) + text


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

    @staticmethod
    def python2(records: bytes) -> bytes:
        """The file that Python 2 and its NumPy wrote, opcode by opcode, with their numbering of the memo."""
        table = np.frombuffer(records, np.uint8).reshape(-1, 3073)
        images, labels = table[:, 1:], table[:, 0].tolist()
        pixels = images.tobytes()
        names = b"".join(short(b"name_%d.png" % number) + b"q" + bytes([14 + number]) for number in range(len(labels)))
        return b"".join(
            (
                b"\x80\x02}q\x01(" + short(b"batch_label") + b"q\x02" + short(b"training batch 1 of 5") + b"q\x03",
                short(b"labels") + b"q\x04]q\x05(" + b"".join(b"K" + bytes([label]) for label in labels) + b"e",
                short(b"data") + b"q\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08",
                b"K\x00\x85" + short(b"b") + b"\x87Rq\x09(K\x01M" + struct.pack("<H", len(labels)) + b"M\x00\x0c\x86",
                b"cnumpy\ndtype\nq\x0a" + short(b"u1") + b"K\x00K\x01\x87Rq\x0b",
                b"(K\x03" + short(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
                b"T" + struct.pack("<I", len(pixels)) + pixels + b"tb",
                short(b"filenames") + b"q\x0c]q\x0d(" + names + b"eu.",
            )
        )

    @staticmethod
    def python3(records: bytes, protocol: int, *, keys: type = str) -> bytes:
        table = np.frombuffer(records, np.uint8).reshape(-1, 3073)
        images, labels = table[:, 1:], table[:, 0].tolist()
        batch = {
            "batch_label": "testing batch 1 of 1",
            "labels": labels,
            "data": images.copy(),
            "filenames": ["a", "b"],
        }
        return pickle.dumps(batch if keys is str else {key.encode(): batch[key] for key in batch}, protocol)


@pytest.fixture
def make() -> type[Make]:
    return Make


@pytest.fixture
def sound(make: type[Make]) -> bytes:
    return make.python2(make.records(3))
