from __future__ import annotations

import contextlib
import gzip
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tt_data import DataError, read_cifar10, read_idx

AtMost = Callable[[int], AbstractContextManager[None]]
CODES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("formats") / "file"


@settings(deadline=None)
@given(
    dtype=st.sampled_from(sorted(CODES)),
    shape=hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4),
    compressed=st.booleans(),
    seed=st.integers(0, 9),
)
def test_idx_round_trip(place: Path, dtype: str, shape: tuple[int, ...], compressed: bool, seed: int) -> None:
    array = (np.random.default_rng(seed).random(shape) * 100).astype(">" + dtype)
    data = bytes([0, 0, CODES[dtype], len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()
    place.write_bytes(gzip.compress(data) if compressed else data)
    read = read_idx(place)
    assert read.dtype == np.dtype(dtype)
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


@settings(deadline=None)
@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_an_array_or_a_data_error(place: Path, data: bytes, begin_well: bool) -> None:
    place.write_bytes(bytes([0, 0, 8, 1]) + data if begin_well else data)
    for read in (read_idx, read_cifar10):
        try:
            read(place)
        except DataError as error:
            assert str(place) in str(error)  # noqa: PT017 # an array is as good an answer


@settings(deadline=None)
@given(st.data())
def test_damaged_gzip_is_a_data_error_or_still_right(place: Path, data: st.DataObject) -> None:
    array = np.arange(200, dtype=np.uint8)
    whole = gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 200]) + array.tobytes())
    cut = data.draw(st.integers(2, len(whole) - 1))
    place.write_bytes(whole[:cut])
    with pytest.raises(DataError):
        read_idx(place)
    spot = data.draw(st.integers(3, len(whole) - 1))
    place.write_bytes(whole[:spot] + bytes([whole[spot] ^ 0x10]) + whole[spot + 1 :])
    with contextlib.suppress(DataError):
        np.testing.assert_array_equal(read_idx(place), array)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "got nothing"),
        (b"\0\0\x08", "got 00 00 08"),
        (b"\1\0\x08\1\0\0\0\1a", "begins with 00 00"),
        (b"\0\0\x0a\1\0\0\0\1a", "begins with 00 00"),
        (b"\0\0\x08\0a", "begins with 00 00"),
        (b"\0\0\x08\2\0\0\0\1", "ends within its header"),
        (b"\0\0\x08\1\0\0\0\2a", "only 1"),
        (b"\0\0\x08\1\0\0\0\1ab", "holds more"),
        (b"\0\0\x08\1\xff\xff\xff\xff", "at most"),
        (b"\0\0\x08\x40" + b"\0\0\0\1" * 64 + b"a", "promises 64 dimensions"),
        (b"\0\0\x08\4\0\0\0\0" + b"\xff" * 12, "impossible shape"),
        (b"\x1f\x8bnonsense", "is damaged"),
    ],
)
def test_malformed_idx(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "x.idx"
    path.write_bytes(data)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path)
    assert caught.value.where == path


def test_the_cap_is_the_last_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.idx"
    path.write_bytes(b"\0\0\x0b\1\0\0\0\5" + bytes(10))
    assert read_idx(path, max_bytes=10).shape == (5,)
    with pytest.raises(DataError, match=r"promises 10 bytes of shape .* at most 9 are read"):
        read_idx(path, max_bytes=9)


def test_absent_file(tmp_path: Path) -> None:
    for read in (read_idx, read_cifar10):
        with pytest.raises(DataError, match="cannot be read"):
            read(tmp_path / "absent")


def test_bytes_after_the_gzip_stream(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"\0\0\x08\1\0\0\0\1a") + b"trailing")
    with pytest.raises(DataError, match="damaged"):
        read_idx(path)


def test_cifar_layout(tmp_path: Path) -> None:
    red, green, blue = (bytes([level]) * 1024 for level in (1, 2, 3))
    path = tmp_path / "data_batch_1.bin"
    path.write_bytes(bytes([7]) + red + green + blue + bytes([0]) + bytes(range(256)) * 12)
    images, labels = read_cifar10(path)
    assert images.shape == (2, 3, 32, 32)
    assert images.dtype == np.uint8
    assert labels.tolist() == [7, 0]
    assert labels.dtype == np.int64
    assert [int(images[0, channel].mean()) for channel in range(3)] == [1, 2, 3]
    assert images[1, 0, 1, :3].tolist() == [32, 33, 34]


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "no whole number"), (bytes(3074), "no whole number"), (bytes([10]) + bytes(3072), "between 0 and 9")],
)
def test_malformed_cifar(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(data)
    with pytest.raises(DataError, match=message):
        read_cifar10(path)


def test_bombs_stop_at_their_cap(tmp_path: Path, at_most: AtMost) -> None:
    # A header that promises much, and a file that gives nothing, take no memory either.
    files = {
        "idx": gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 1]) + bytes(64 << 20)),
        "cifar": gzip.compress(bytes(64 << 20)),
        "empty": bytes([0, 0, 8, 1, 0x0F, 0, 0, 0]),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with at_most(8 << 20):
        with pytest.raises(DataError, match="holds more"):
            read_idx(tmp_path / "idx")
        with pytest.raises(DataError, match="more than 2 records"):
            read_cifar10(tmp_path / "cifar", max_records=2)
        with pytest.raises(DataError, match="only 0"):
            read_idx(tmp_path / "empty")
