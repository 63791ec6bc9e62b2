"""Pickles that are no CIFAR-10: refused with a reason, in few steps, and nothing that they name is called."""

from __future__ import annotations

import os
import pickle
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

import numpy as np
import pytest
from tt_data import DataError, cifar10

START = b"\x80\x02"


class Make(Protocol):
    def records(self, count: int, seed: int = 0) -> bytes: ...
    def python2(self, records: bytes) -> bytes: ...
    def python3(self, records: bytes, protocol: int, *, keys: type = str) -> bytes: ...


def short(text: bytes) -> bytes:
    """A string of Python 2."""
    return b"U" + bytes([len(text)]) + text


@contextmanager
def few_calls(most: int) -> Iterator[None]:
    """Break off what calls functions, of Python or C, more than `most` times: an end without a clock."""
    left = most

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal left
        left -= event in ("call", "c_call")
        if left < 0:
            raise AssertionError(f"more than {most:,} calls")

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)


@pytest.fixture(autouse=True, scope="module")
def _everything_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let no test count the calls of imports, which come at the first use."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "test_batch").write_bytes(b"")
    with pytest.raises(DataError):
        cifar10("test", folder=folder)


def refused(folder: Path, data: bytes) -> str:
    """What `cifar10` says of a test batch that it refuses: it must name the file, after a bounded number of steps."""
    (folder / "test_batch").write_bytes(data)
    # Reading an opcode and acting on it takes some ten calls; the files around it, some hundreds.
    with pytest.raises(DataError) as caught, few_calls(2000 + 20 * min(len(data), 200_000)):
        cifar10("test", folder=folder)
    assert caught.value.where in (folder, folder / "test_batch")
    assert "test_batch" in str(caught.value)
    return str(caught.value)


def swapped(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


class Harmful:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_file_that_would_run_a_command(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "trace"
    data = pickle.dumps(Harmful(trace), protocol)
    pickle.loads(data)  # to see that it does harm
    assert trace.exists()
    trace.unlink()
    assert f"asks for '{os.system.__module__}.system'" in refused(tmp_path, data)
    batch = {"labels": [1], "data": np.zeros((1, 3072), np.uint8), "filenames": Harmful(trace)}
    if protocol >= 2:
        assert f"{os.system.__module__}.system" in refused(tmp_path, pickle.dumps(batch, protocol))
    assert not trace.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"cos\nsystem\n" + short(b"exit 1") + b"\x85R.", "asks for 'os.system', "),
        (short(b"os") + short(b"system") + b"\x93.", "asks for 'os.system', "),
        (b"cbuiltins\neval\n" + short(b"1") + b"\x85R.", "asks for 'builtins.eval', "),
        (b"cnumpy\nload\n.", "asks for 'numpy.load', "),
        (b"cnumpy.core\nmultiarray _reconstruct\n.", "asks for 'numpy.core.multiarray _reconstruct', "),
        (b"c" + b"a" * 5000 + b"\nb\n.", "'a{100}', "),
        (b"K\x01K\x02\x93.", "no text"),
        (b"(" + short(b"exit 1") + b"ios\nsystem\n.", "opcode INST"),
        (b"(cnumpy\ndtype\no.", "opcode OBJ"),
        (b"cnumpy\ndtype\n)\x81.", "opcode EMPTY_TUPLE"),
        (b"cnumpy\ndtype\nK\x01\x85\x81.", "opcode NEWOBJ"),
        (b"cnumpy\ndtype\nK\x01\x85}\x92.", "opcode NEWOBJ_EX"),
        (b"\x82\x01.", "opcode EXT1"),
        (b"P1\n.", "opcode PERSID"),
        (b"K\x01Q.", "opcode BINPERSID"),
        (b"\x97.", "opcode NEXT_BUFFER"),
        (b"N2.", "opcode DUP"),
        (b"G" + bytes(8) + b".", "opcode BINFLOAT"),
        (b"\x8a\x01\x01.", "opcode LONG1"),
        (b"L" + b"9" * 5000 + b"L\n.", "no proper pickle|opcode LONG"),
        (b"S'a'\n.", "opcode STRING"),
        (b"S'\\d'\n.", "no proper pickle|opcode STRING"),
        (b"F" + b"x" * 100_000 + b"\n.", "no proper pickle"),
        (b"\xff.", "no proper pickle .*unknown"),
        (b"", "no proper pickle .*exhausted"),
        (b"N", "no proper pickle .*exhausted"),
        (b"\x80\x01}.", "protocol 1"),
        (b"\x80\x06}.", "protocol 6"),
        (b"\x95" + b"\xff" * 8 + b"}.", "frame"),
        (b"\x95\x03\0\0\0\0\0\0\0}.", "frame"),
        (b"K\x01\x8b.", "no proper pickle|opcode"),
        (b"T\xff\xff\xff\x7fabc", "no proper pickle .*expected 2147483647 bytes"),
        (b"T\xff\xff\xff\xffabc", "no proper pickle"),
        (b"B\xff\xff\xff\xffabc", "no proper pickle"),
        (b"X\xff\xff\xff\xffabc", "no proper pickle"),
        (b"X\x01\0\0\0\xff.", "no proper pickle"),
        (b"\x96" + b"\xff" * 8 + b"abc", "no proper pickle"),
        (b"\x96\xff\xff\xff\xff\xff\xff\xff\x7fabc", "no proper pickle"),
        (b"h\x05.", "memo 5"),
        (b"j\xff\xff\xff\xff.", "memo 4294967295"),
        (b"Nr\xff\xff\xff\xff.", "no dictionary"),
        (b".", "stack"),
        (b"q\x01.", "stack"),
        (b"\x94.", "stack"),
        (b"N\x86.", "stack"),
        (b"NN\x87.", "stack"),
        (b"N(\x85.", "stack"),
        (b"a.", "stack"),
        (b"]a.", "stack"),
        (b"(e.", "stack"),
        (b"}Ns.", "stack"),
        (b"R.", "stack"),
        (b"b.", "stack"),
        (b"(b.", "stack"),
        (b"c\xff\n\n.", "no proper pickle"),
        (b"t.", "mark"),
        (b"]e.", "mark"),
        (b"}u.", "mark"),
        (b"NNa.", "APPEND"),
        (b"N(Ne.", "APPEND"),
        (b"N(NNu.", "SETITEM"),
        (b"]NNs.", "SETITEM"),
        (b"}(" + short(b"key") + b"u.", "key without a value"),
        (b"}NNs.", "key"),
        (b"}]Ns.", "key"),
        (b"}" + b"T" + struct.pack("<I", 65) + b"k" * 65 + b"Ns.", "key"),
        (b"}X\x02\0\0\0\xc4\x80Ns.", "key|latin"),
        (b"NN\x85R.", "REDUCE"),
        (b"cnumpy\ndtype\nNR.", "REDUCE"),
        (b"]NNR.", "REDUCE"),
        (b"NNb.", "BUILD"),
        (b"cnumpy\ndtype\nNb.", "BUILD"),
        (b"cnumpy\ndtype\nN\x85R(tb(tb.", "BUILD"),
        (b"N.", "no dictionary"),
        (b"].", "no dictionary"),
        (b"cnumpy\ndtype\n.", "no dictionary"),
        (b"}.", "'data'"),
        (b"}" + short(b"data") + b"Ns.", "'labels'"),
        (b"}(" + short(b"data") + b"N" + short(b"labels") + b"]u.", "NumPy array"),
        (b"}(" + short(b"data") + b"}" + short(b"labels") + b"]u.", "NumPy array"),
    ],
)
def test_what_no_such_file_holds(tmp_path: Path, data: bytes, message: str) -> None:
    assert len(refused(tmp_path, START + data)) < 1000
    with pytest.raises(DataError, match=message):
        cifar10("test", folder=tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"M\x03\x00M\x00\x0c", b"M\x03\x00M\x01\x0c", r"shape \(3, 3073\)"),
        (b"M\x03\x00M\x00\x0c", b"M\x00\x0cM\x03\x00", r"shape \(3072, 3\)"),
        (b"M\x03\x00M\x00\x0c", b"J\xff\xff\xff\xffM\x00\x0c", r"shape \(-1, 3072\)"),
        (b"M\x03\x00M\x00\x0c", b"M\x04\x00M\x00\x0c", r"shape \(4, 3072\) and holds 9,216"),
        (b"M\x03\x00M\x00\x0c\x86", b"M\x00\x24\x85", "rows of 3,072"),
        (b"M\x03\x00M\x00\x0c\x86", b"N", "rows of 3,072"),
        (b"M\x03\x00M", b"NM", "rows of 3,072"),
        (short(b"u1"), short(b"i1"), "uint8"),
        (short(b"u1"), short(b"O8"), "uint8"),
        (short(b"u1"), b"N", "uint8"),
        (short(b"u1") + b"K\x00K\x01\x87", b"N", "REDUCE"),
        (b"(K\x03" + short(b"|"), b"(K\x03" + short(b">"), "uint8"),
        (b"cnumpy\nndarray\nq\x08", b"cnumpy\ndtype\nq\x08", "NumPy array"),
        (b"tb\x89T", b"tb\x88T", "NumPy array, row by row"),
        (b"(K\x01M\x03", b"(K\x02M\x03", "NumPy array"),
        (b"tb" + short(b"filenames"), b"t0" + short(b"filenames"), "opcode POP"),
        (short(b"labels"), short(b"lapels"), "'labels'"),
        (short(b"data"), short(b"date"), "'data'"),
        (short(b"filenames"), short(b"data"), "NumPy array"),
        (short(b"filenames"), short(b"labels"), "label"),
        (b"]q\x05(", b"]q\x05(K\x01", "3 images and 4 labels"),
        (b"]q\x05(K", b"]q\x05(M\x01\x00K", "3 images and 4 labels"),
        (b"eu.", b"eu.N", "after its end"),
        (b"eu.", b"eu.eu.", "after its end"),
    ],
)
def test_files_with_one_thing_wrong(tmp_path: Path, sound: bytes, old: bytes, new: bytes, message: str) -> None:
    refused(tmp_path, swapped(sound, old, new))
    with pytest.raises(DataError, match=message):
        cifar10("test", folder=tmp_path)


@pytest.mark.parametrize(
    "label", [b"K\x0a", b"K\xff", b"J\xff\xff\xff\xff", b"\x88", b"N", b"]", short(b"1"), b"h\x04"]
)
def test_labels_that_are_none(tmp_path: Path, make: Make, label: bytes) -> None:
    data = make.python2(make.records(1))
    start = data.index(b"]q\x05(") + 4
    assert "label" in refused(tmp_path, data[:start] + label + data[start + 2 :])
    assert "between 0 and 9" in refused(tmp_path, data[:start] + label + data[start + 2 :])


def test_pixels_of_another_number(tmp_path: Path, sound: bytes) -> None:
    start = sound.index(b"T\x00\x24\x00\x00")
    for count in (0, 9215):
        text = refused(
            tmp_path,
            sound[:start] + b"T" + struct.pack("<I", count) + bytes(count) + sound[start + 5 + 9216 :],
        )
        assert f"holds {count:,}" in text
    text = refused(tmp_path, sound[:start] + b"X\x02\0\0\0\xc4\x80" + sound[start + 5 + 9216 :])
    assert "latin" in text
    assert "NumPy array" in refused(tmp_path, sound[:start] + b"N" + sound[start + 5 + 9216 :])


def test_an_empty_batch(tmp_path: Path) -> None:
    assert "rows of 3,072" in refused(tmp_path, pickle.dumps({"data": np.zeros((0, 3072), np.uint8), "labels": []}, 3))


@pytest.mark.parametrize("dtype", ["i1", "u2", "f4", "O", "?", "V1"])
@pytest.mark.parametrize("protocol", [2, 5])
def test_arrays_of_another_type(tmp_path: Path, dtype: str, protocol: int) -> None:
    batch = {"data": np.zeros((2, 3072), dtype), "labels": [1, 2]}
    assert refused(tmp_path, pickle.dumps(batch, protocol))


@pytest.mark.parametrize("protocol", [2, 5])
def test_arrays_column_by_column(tmp_path: Path, protocol: int) -> None:
    batch = {"data": np.zeros((2, 3072), np.uint8, order="F"), "labels": [1, 2]}
    assert "row by row" in refused(tmp_path, pickle.dumps(batch, protocol))


@pytest.mark.parametrize("protocol", [0, 1])
def test_protocols_that_no_such_file_has(tmp_path: Path, make: Make, protocol: int) -> None:
    assert "opcode" in refused(tmp_path, make.python3(make.records(1), protocol))


def test_every_cut_is_refused(tmp_path: Path, make: Make) -> None:
    for whole in (make.python2(make.records(1)), make.python3(make.records(1), 2), make.python3(make.records(1), 5)):
        pixels = 3000 if len(whole) > 3500 else 0
        for cut in [*range(400), *range(pixels, len(whole), 3)]:
            assert "pickle" in refused(tmp_path, whole[:cut])


def test_damage_is_refused_or_changes_data_only(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "test_batch"
    rng = np.random.default_rng(0)
    for whole in (make.python2(make.records(2)), make.python3(make.records(2), 2), make.python3(make.records(2), 4)):
        outside = [spot for spot in range(len(whole)) if spot < 400 or spot > len(whole) - 100]
        for spot in rng.choice(outside, 300):
            path.write_bytes(whole[:spot] + bytes([rng.integers(256)]) + whole[spot + 1 :])
            try:
                assert cifar10("test", folder=tmp_path).x.shape == (2, 3, 32, 32)
            except DataError as error:
                assert "test_batch" in str(error)  # noqa: PT017 # data of the right form is as sound an answer


def test_nesting_however_deep(tmp_path: Path) -> None:
    many = 60_000
    for data, message in (
        (b"N" + b"\x85" * many + b".", "no dictionary"),
        (b"]" * many + b"a" * (many - 1) + b".", "no dictionary"),
        (b"(" * many + b"t" * many + b".", "no dictionary"),
        (b"}" + b"N" + b"\x85" * many + b"Ns.", "key"),
        (b"}(" + short(b"data") + b"N" + b"\x85" * many + short(b"labels") + b"]u.", "NumPy array"),
        (b"]" * 250_000 + b".", "more than 200,000 opcodes"),
        (b"]q\x01h\x01a.", "no dictionary"),
        (b"}q\x01" + short(b"data") + b"h\x01s" + short(b"labels") + b"h\x01s.", "NumPy array"),
    ):
        assert message in refused(tmp_path, START + data)
