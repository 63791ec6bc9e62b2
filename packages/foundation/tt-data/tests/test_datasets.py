from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pytest
from tt_data import (
    DataError,
    TensorDataset,
    cifar10,
    data_folder,
    dataset_info,
    dataset_names,
    digits,
    download,
    fashion_mnist,
    mnist,
    python_topics,
    stories260k,
    tiny_shakespeare,
)

AtMost = Callable[[int], AbstractContextManager[None]]


class Make(Protocol):
    def idx(self, array: npt.NDArray[np.uint8]) -> bytes: ...
    def idx_folder(self, folder: Path, count: int = 5, *, prefix: str = "train", top_label: int = 9) -> None: ...
    def all_idx(self, folder: Path) -> None: ...
    def records(self, count: int, seed: int = 0) -> bytes: ...


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path))
    return tmp_path


def test_digits_are_the_known_ones() -> None:
    train, test = digits(), digits("test")
    assert (len(train), len(test)) == (1442, 355)
    for data in (train, test):
        assert data.x.shape[1:] == (1, 8, 8)
        assert data.x.dtype == np.float32
        assert data.y.dtype == np.int64
        assert (data.x.data.min(), data.x.data.max()) == (0, 1)
        shares = np.bincount(data.y.data, minlength=10) / len(data)
        assert (abs(shares - 0.1) < 0.005).all()
    assert train.y.data[:10].tolist() == list(range(10))
    np.testing.assert_array_equal(train.x.data[0, 0, 0] * 16, [0, 0, 5, 13, 9, 1, 0, 0])
    everything = np.concatenate([train.x.data, test.x.data]) * 16
    assert everything.sum() == 561718
    assert "digits" in train.source


def test_no_other_split() -> None:
    for load in (digits, mnist, fashion_mnist, cifar10):
        with pytest.raises(DataError, match="'train' or 'test'"):
            load("validation")  # type: ignore[arg-type] # what the test is about


def test_python_topics_are_text() -> None:
    text = python_topics()
    assert len(text) > 300_000
    assert 'An "expression statement"' in text or "xpression" in text
    assert text == python_topics()


def test_registry(own: Path) -> None:
    assert dataset_names()[:2] == ("digits", "python_topics")
    for name in dataset_names():
        info = dataset_info(name)
        assert info.name == name
        assert info.title
        assert info.licence
        assert info.source
        assert info.cached == (not info.files)
        assert info.bytes == sum(file.size for file in info.files)
        for file in info.files:
            assert file.url.startswith("https://")
            assert len(bytes.fromhex(file.sha256)) == 32
    with pytest.raises(DataError, match="choose one of digits"):
        dataset_info("imagenet")
    with pytest.raises(DataError, match="no data set"):
        download("imagenet")
    assert download("python_topics").cached


def test_the_folder(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_folder() == own
    monkeypatch.setenv("TINYTORCH_DATA", "~/some data")
    assert data_folder() == Path.home() / "some data"
    monkeypatch.delenv("TINYTORCH_DATA")
    assert data_folder() != own
    assert "tinytorch" in str(data_folder())


def test_small_mnist(own: Path, make: Make) -> None:
    make.all_idx(own / "mnist")
    make.all_idx(own / "fashion_mnist")
    data = mnist()
    assert data.x.shape == (5, 1, 28, 28)
    assert data.y.tolist() == [9, 8, 7, 6, 5]
    assert data.source == "MNIST, unverified copy"
    raw = mnist("test", dtype="uint8").x
    assert raw.dtype == np.uint8
    np.testing.assert_allclose(data.x.data, raw.data / 255, rtol=1e-6)
    assert data.x.data.max() == 1
    assert fashion_mnist("test").classes[9] == "ankle boot"
    with pytest.raises(DataError, match="'float32' or 'uint8'"):
        mnist(dtype="float64")  # type: ignore[arg-type] # what the test is about


def test_mnist_that_does_not_fit(own: Path, make: Make) -> None:
    make.all_idx(own / "mnist")
    labels = own / "mnist" / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(make.idx(np.zeros(4, np.uint8)))
    with pytest.raises(DataError, match="do not belong together"):
        mnist()
    labels.write_bytes(make.idx(np.zeros(5, np.uint8)).replace(b"\0\0\x08", b"\0\0\x09", 1))  # int8
    with pytest.raises(DataError, match=r"labels int8.* do not belong together"):
        mnist()
    labels.write_bytes(make.idx(np.full(5, 10, np.uint8)))
    with pytest.raises(DataError, match="ten classes"):
        mnist()


@pytest.mark.parametrize("shape", [(5, 28, 27), (5, 784), (5, 1, 28, 28)])
def test_mnist_of_another_shape(own: Path, make: Make, shape: tuple[int, ...]) -> None:
    make.all_idx(own / "mnist")
    (own / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(make.idx(np.zeros(shape, np.uint8)))
    with pytest.raises(DataError, match=rf"holds uint8{re.escape(str(shape))}; images are uint8\(N, 28, 28\)"):
        mnist()
    assert len(mnist("test")) == 5


def cifar_tar(path: Path, members: list[tuple[str, bytes]], kind: bytes = tarfile.REGTYPE) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            data = content if kind == tarfile.REGTYPE else b""  # a link has a target, and no content
            info.size, info.type = len(data), kind
            info.linkname = "/etc/passwd" if kind != tarfile.REGTYPE else ""
            tar.addfile(info, io.BytesIO(data))


def members(make: Make) -> list[tuple[str, bytes]]:
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    return [(f"cifar-10-batches-bin/{name}.bin", make.records(2, seed)) for seed, name in enumerate(names)]


@pytest.mark.parametrize("ending", [".bin", ".bin.gz"])
@pytest.mark.parametrize("inside", ["", "cifar-10-batches-bin"])
def test_cifar_from_loose_files(tmp_path: Path, make: Make, ending: str, inside: str) -> None:
    folder = tmp_path / inside
    folder.mkdir(exist_ok=True)
    for name, data in members(make):
        file = folder / (Path(name).stem + ending)
        file.write_bytes(gzip.compress(data) if ending == ".bin.gz" else data)
    train = cifar10(folder=tmp_path, dtype="uint8")
    assert train.x.shape == (10, 3, 32, 32)
    np.testing.assert_array_equal(
        train.x.data[2:4].reshape(2, -1), np.frombuffer(make.records(2, 1), np.uint8).reshape(2, 3073)[:, 1:]
    )
    assert train.source == "CIFAR-10, unverified copy"
    test = cifar10("test", folder=tmp_path, source="CIFAR-10, JPEG copy")
    assert (len(test), test.source, test.classes[3]) == (2, "CIFAR-10, JPEG copy", "cat")


def test_cifar_from_the_archive(own: Path, make: Make) -> None:
    (own / "cifar10").mkdir()
    archive = own / "cifar10" / "cifar-10-binary.tar.gz"
    cifar_tar(archive, [("../evil", b"x"), *members(make), ("/etc/evil", b"x"), ("long/" * 100, b"x")])
    before = sorted(own.rglob("*"))
    assert len(cifar10()) == 10
    assert cifar10("test").source == "CIFAR-10, unverified copy"
    assert sorted(own.rglob("*")) == before
    excerpt = own / "cifar10" / "test_batch.first1.bin"
    excerpt.write_bytes(make.records(1))
    assert len(cifar10("test")) == 2  # the archive is better than an excerpt


def test_cifar_excerpts(own: Path, make: Make) -> None:
    (own / "cifar10").mkdir()
    (own / "cifar10" / "data_batch_1.first3.bin.gz").write_bytes(gzip.compress(make.records(3)))
    (own / "cifar10" / "data_batch_1.first3.bin.part").write_bytes(b"half")
    assert dataset_info("cifar10").cached
    assert len(cifar10()) == 3
    assert "unverified" in cifar10().source


def test_malformed_cifar_archives(tmp_path: Path, make: Make) -> None:
    archive = tmp_path / "cifar-10-binary.tar.gz"
    good = members(make)
    bad = [(good[-1][0], bytes([99]) * 3073)]
    for content, kind, message in (
        (good[:3], tarfile.REGTYPE, "lacks"),
        (good + good, tarfile.REGTYPE, "twice"),
        (good, tarfile.SYMTYPE, "no regular file"),
        (good[:-1] + bad, tarfile.REGTYPE, "between 0 and 9"),
        ([(good[-1][0], bytes(30_733_073))], tarfile.REGTYPE, "at most"),
        ([("padding", bytes(210_000_000))], tarfile.REGTYPE, "unpacks to more"),
    ):
        cifar_tar(archive, content, kind)
        with pytest.raises(DataError, match=message):
            cifar10("test", folder=tmp_path)
    for data in (b"", b"no tar archive" * 100, gzip.compress(b"no tar archive" * 100)):
        archive.write_bytes(data)
        with pytest.raises(DataError, match="cifar-10-binary"):
            cifar10("test", folder=tmp_path)
    cifar_tar(archive, good)
    whole = archive.read_bytes()
    for cut in (10, len(whole) // 2, len(whole) - 20):
        archive.write_bytes(whole[:cut])
        with pytest.raises(DataError, match="cifar-10-binary"):
            cifar10("test", folder=tmp_path)
    plain = gzip.decompress(whole)
    archive.write_bytes(gzip.compress(plain[: plain.rindex(good[-1][1]) + 100]))
    with pytest.raises(DataError, match="cifar-10-binary"):
        cifar10("test", folder=tmp_path)
    with pytest.raises(DataError, match="holds no CIFAR-10"):
        cifar10(folder=tmp_path / "absent")


def test_an_archive_that_claims_more_than_any_disk_holds(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a")
    info.size = 1 << 60
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(DataError, match="'a' alone claims 1,152,921,504,606,846,976 bytes"):
        cifar10("test", folder=tmp_path)


def test_small_archives_that_would_fill_memory(tmp_path: Path, at_most: AtMost) -> None:
    archive = tmp_path / "cifar-10-binary.tar.gz"
    many = tarfile.TarInfo("a").tobuf() * 100_000
    for kind, message in (
        (tarfile.XHDTYPE, "a header of 60,000,000 bytes"),
        (tarfile.XGLTYPE, "a header of 60,000,000 bytes"),
        (tarfile.GNUTYPE_LONGNAME, "a header of 60,000,000 bytes"),
        (tarfile.REGTYPE, "more than 1,000 entries"),
    ):
        info = tarfile.TarInfo("a")
        info.type, info.size = kind, 60_000_000
        start = b"60000000 comment=" if kind in (tarfile.XHDTYPE, tarfile.XGLTYPE) else b""
        content = many if kind == tarfile.REGTYPE else info.tobuf() + start.ljust(60_000_000, b"a")
        archive.write_bytes(gzip.compress(content, 1))
        with at_most(4 << 20), pytest.raises(DataError, match=message):
            cifar10("test", folder=tmp_path)


def test_cifar_loose_files_that_are_malformed(tmp_path: Path) -> None:
    (tmp_path / "test_batch.bin").write_bytes(b"abc")
    with pytest.raises(DataError, match="take the binary version"):
        cifar10("test", folder=tmp_path)


def test_shakespeare_is_ascii_of_bounded_size(own: Path) -> None:
    path = own / "tinyshakespeare" / "input.txt"
    path.parent.mkdir()
    path.write_bytes(b"First Citizen:")
    assert tiny_shakespeare() == "First Citizen:"
    path.write_bytes(b"First \xff")
    with pytest.raises(DataError, match="not ASCII"):
        tiny_shakespeare()
    path.write_bytes(bytes((16 << 20) + 1))
    with pytest.raises(DataError, match="16 MB"):
        tiny_shakespeare()


def test_downloads_leave_whole_files_alone(real_data: Path) -> None:
    for name in ("mnist", "tiny_shakespeare", "stories260k"):
        assert download(name).cached  # the folder may well be read-only, and there is no network


def test_real_data(real_data: Path) -> None:
    test = mnist("test")
    assert (len(test), test.source) == (10_000, "MNIST")
    assert np.bincount(test.y.data).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    clothes = fashion_mnist("test", dtype="uint8")
    assert (clothes.source, np.bincount(clothes.y.data).tolist()) == ("Fashion-MNIST", [1000] * 10)
    assert hashlib.sha256(tiny_shakespeare().encode()).hexdigest().startswith("86c4e6aa")
    assert [path.stat().st_size for path in stories260k()] == [1_056_540, 6_227]
    if (real_data / "cifar10" / "test_batch.first1000.bin.gz").is_file():
        data: TensorDataset = cifar10("test", dtype="uint8")
        assert data.x.shape[1:] == (3, 32, 32)
        assert data.source.startswith("CIFAR-10")


@pytest.mark.parametrize("load", [mnist, cifar10, tiny_shakespeare, stories260k])
def test_what_is_not_there_is_downloaded(own: Path, load: object, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def no_network(*args: object, **settings: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    assert callable(load)
    with pytest.raises(DataError, match=r"https://.*cannot be reached.*check the network"):
        load()
    assert not [path for path in own.rglob("*") if path.is_file()]
