"""The Python version of CIFAR-10: pickles of a known form, which are read as data and never run."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pytest
from tt_data import DataError, cifar10, dataset_info

AtMost = Callable[[int], AbstractContextManager[None]]
STEMS = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]


class Make(Protocol):
    def records(self, count: int, seed: int = 0) -> bytes: ...
    def python2(self, records: bytes) -> bytes: ...
    def python3(self, records: bytes, protocol: int, *, keys: type = str) -> bytes: ...


def split(records: bytes) -> tuple[npt.NDArray[np.uint8], list[int]]:
    table = np.frombuffer(records, np.uint8).reshape(-1, 3073)
    return table[:, 1:], table[:, 0].tolist()


def test_the_hand_written_file_is_a_pickle(make: Make) -> None:
    records = make.records(3)
    batch = pickle.loads(make.python2(records), encoding="latin1")  # our own bytes
    assert list(batch) == ["batch_label", "labels", "data", "filenames"]
    np.testing.assert_array_equal(batch["data"], split(records)[0])


@pytest.mark.parametrize("inside", ["", "cifar-10-batches-py"])
def test_python_files_give_what_binary_files_give(tmp_path: Path, make: Make, inside: str) -> None:
    binary, python = tmp_path / "binary", tmp_path / "python" / inside
    binary.mkdir()
    python.mkdir(parents=True)
    for seed, stem in enumerate(STEMS):
        (binary / f"{stem}.bin").write_bytes(make.records(3, seed))
        (python / stem).write_bytes(make.python2(make.records(3, seed)))
    for part, count in (("train", 15), ("test", 3)):
        expected, got = (cifar10(part, folder=tmp_path / name, dtype="uint8") for name in ("binary", "python"))  # type: ignore[arg-type] # a name of a split
        assert got.x.shape == (count, 3, 32, 32)
        np.testing.assert_array_equal(got.x.data, expected.x.data)
        np.testing.assert_array_equal(got.y.data, expected.y.data)
        assert got.x.dtype == np.uint8
        assert got.y.dtype == np.int64
        assert got.source == "CIFAR-10, unverified copy"
        assert got.classes == expected.classes
    assert cifar10("test", folder=tmp_path / "python").x.data.max() == 1
    assert cifar10("test", folder=tmp_path / "python", source="mine").source == "mine"


@pytest.mark.parametrize("keys", [str, bytes])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_files_pickled_again_by_python_3(tmp_path: Path, make: Make, protocol: int, keys: type) -> None:
    records = make.records(300)  # so many that shapes and lengths take their longer opcodes
    (tmp_path / "test_batch").write_bytes(make.python3(records, protocol, keys=keys))
    data = cifar10("test", folder=tmp_path, dtype="uint8")
    images, labels = split(records)
    np.testing.assert_array_equal(data.x.data.reshape(300, -1), images)
    assert data.y.tolist() == labels


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_the_older_numpy_s_names_and_read_only_arrays(tmp_path: Path, make: Make, protocol: int) -> None:
    pixels, labels = split(make.records(2))
    images = pixels.copy()
    images.flags.writeable = False
    data = pickle.dumps({"data": images, "labels": labels}, protocol)
    data = data.replace(b"numpy._core.multiarray\n", b"numpy.core.multiarray\n")
    data = data.replace(b"\x16numpy._core.multiarray", b"\x15numpy.core.multiarray")
    data = data.replace(b"\x13numpy._core.numeric", b"\x12numpy.core.numeric")
    assert b"numpy._core" not in data
    if protocol > 3:
        data = data[:2] + data[11:]  # without the frame, whose length is another now
    (tmp_path / "test_batch").write_bytes(data)
    assert cifar10("test", folder=tmp_path).y.tolist() == labels


def test_ten_thousand_images_in_one_file(tmp_path: Path, make: Make) -> None:
    """As many as in an official file, with labels and names in groups of 1,000, as picklers write them."""
    images, labels = split(make.records(10_000))
    names = [f"leptodactylus_pentadactylus_s_{number:06}.png" for number in range(10_000)]
    (tmp_path / "test_batch").write_bytes(pickle.dumps({"data": images, "labels": labels, "filenames": names}, 2))
    data = cifar10("test", folder=tmp_path, dtype="uint8")
    assert data.x.shape == (10_000, 3, 32, 32)
    assert data.y.tolist() == labels
    np.testing.assert_array_equal(data.x.data[-1].reshape(-1), images[-1])


def python_tar(path: Path, members: list[tuple[str, bytes]]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def test_the_archive_of_the_python_version(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch, sound: bytes
) -> None:
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path))
    folder = tmp_path / "cifar10"
    folder.mkdir()
    assert not dataset_info("cifar10").cached
    members = [(f"cifar-10-batches-py/{stem}", make.python2(make.records(2, seed))) for seed, stem in enumerate(STEMS)]
    archive = folder / "cifar-10-python.tar.gz"
    python_tar(archive, [("cifar-10-batches-py/batches.meta", b"cos\nsystem\n."), *members])
    before = sorted(tmp_path.rglob("*"))
    assert dataset_info("cifar10").cached
    train = cifar10()
    assert train.y.tolist() == [label for seed in range(5) for label in split(make.records(2, seed))[1]]
    assert (len(cifar10("test")), cifar10("test").source) == (2, "CIFAR-10, unverified copy")
    assert sorted(tmp_path.rglob("*")) == before
    python_tar(archive, members[:3])
    with pytest.raises(DataError, match="lacks cifar-10-batches-py/data_batch_4"):
        cifar10()
    python_tar(archive, [(members[-1][0], sound[:-1])])
    with pytest.raises(DataError, match=r"test_batch: .*pickle"):
        cifar10("test")
    python_tar(archive, [(members[-1][0], bytes((64 << 20) + 1))])
    with pytest.raises(DataError, match="at most"):
        cifar10("test")


def test_a_loose_python_file_counts_as_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound: bytes) -> None:
    monkeypatch.setenv("TINYTORCH_DATA", str(tmp_path))
    folder = tmp_path / "cifar10" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    (folder / "data_batch_1").write_bytes(sound)
    assert dataset_info("cifar10").cached


def test_which_form_is_preferred(tmp_path: Path, make: Make) -> None:
    """The binary version, then the Python version, then an excerpt; loose files before archives."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (tmp_path / "test_batch.first1.bin").write_bytes(make.records(1))
    assert len(cifar10("test", folder=tmp_path)) == 1
    python_tar(tmp_path / "cifar-10-python.tar.gz", [("cifar-10-batches-py/test_batch", make.python2(make.records(2)))])
    assert len(cifar10("test", folder=tmp_path)) == 2
    (folder / "test_batch").write_bytes(make.python2(make.records(3)))
    assert len(cifar10("test", folder=tmp_path)) == 3
    (tmp_path / "test_batch").write_bytes(make.python2(make.records(4)))
    assert len(cifar10("test", folder=tmp_path)) == 4
    python_tar(tmp_path / "cifar-10-binary.tar.gz", [("cifar-10-batches-bin/test_batch.bin", make.records(5))])
    assert len(cifar10("test", folder=tmp_path)) == 5
    (tmp_path / "test_batch.bin").write_bytes(make.records(6))
    assert len(cifar10("test", folder=tmp_path)) == 6


def test_a_part_of_the_files_is_not_the_training_set(tmp_path: Path, sound: bytes) -> None:
    for stem in STEMS[:4]:
        (tmp_path / stem).write_bytes(sound)
    with pytest.raises(DataError, match="holds no CIFAR-10 files of the train split"):
        cifar10(folder=tmp_path)


def test_checksums_are_those_of_the_binary_version(real_data: Path, tmp_path: Path, make: Make) -> None:
    excerpt = real_data / "cifar10" / "test_batch.first1000.bin.gz"
    if not excerpt.is_file():
        pytest.skip("no excerpt of CIFAR-10")
    (tmp_path / "test_batch").write_bytes(make.python3(gzip.decompress(excerpt.read_bytes()), 4))
    assert cifar10("test", folder=tmp_path).source == "CIFAR-10, first 1,000 of 10,000"


def test_memory_is_bounded_by_what_the_file_holds(tmp_path: Path, make: Make, at_most: AtMost) -> None:
    # Many objects out of one byte each; one long text encoded again and again; lengths that are not there; a bomb.
    long = b"T" + struct.pack("<I", 2_000_000) + bytes(2_000_000) + b"q\x00"
    encode = b"c_codecs\nencode\nq\x01h\x00X\x06\0\0\0latin1\x86R"
    for data, message in (
        (b"]" * 3_000_000 + b".", "more than 200,000 opcodes"),
        (b"}\x94" * 2_000_000 + b".", "more than 200,000 opcodes"),
        (long + b"](" + (encode + b"}h\x00Ns") * 2000 + b"e.", "key"),
        (long + b"](" + encode * 20_000 + b"e.", "no dictionary"),
        (long + b"}" + encode + b"Ns.", "key"),
        (b"T\xff\xff\xff\x7f", "expected"),
        (b"\x96\xff\xff\xff\xff\xff\xff\x00\x00", "expected"),
    ):
        (tmp_path / "test_batch").write_bytes(b"\x80\x02" + data)
        with at_most(6 * len(data) + (32 << 20)), pytest.raises(DataError, match=message):
            cifar10("test", folder=tmp_path)
    bomb = gzip.compress(bytes(80 << 20))
    (tmp_path / "test_batch").write_bytes(bomb)
    with pytest.raises(DataError, match="holds more than"):
        cifar10("test", folder=tmp_path)
    # A good file takes a small multiple of itself.
    data = make.python2(make.records(241))
    (tmp_path / "test_batch").write_bytes(data)
    cifar10("test", folder=tmp_path)
    with at_most(6 * len(data) + (1 << 20)):
        cifar10("test", folder=tmp_path, dtype="uint8")
