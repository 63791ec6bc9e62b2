"""A file is the old one or the new one, whatever the system does to us, and whenever."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tt_layers import Linear
from tt_train import atomic_write, load_checkpoint, read_checkpoint, save_checkpoint

CALLS = ["open", "write", "fsync", "replace", "close"]


def test_it_writes_all_pieces(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_write(path, [memoryview(b"one "), memoryview(b""), memoryview(b"two")])
    assert path.read_bytes() == b"one two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_system_that_takes_one_byte_at_a_time_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:1]))
    atomic_write(tmp_path / "file", [memoryview(b"slowly")])
    assert (tmp_path / "file").read_bytes() == b"slowly"


def test_the_bytes_are_on_the_disk_before_the_name_is_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    for name in ("write", "fsync", "replace"):
        monkeypatch.setattr(os, name, recorded(name, getattr(os, name), order))
    atomic_write(tmp_path / "file", [memoryview(b"x")])
    assert order == ["write", "fsync", "replace", "fsync"]


def recorded(name: str, call: Callable[..., object], order: list[str]) -> Callable[..., object]:
    def replacement(*args: object, **settings: object) -> object:
        order.append(name)
        return call(*args, **settings)

    return replacement


class Fault:
    """Raise at the k-th of all system calls; count them otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, error: BaseException) -> None:
        self.at, self.error, self.count = at, error, 0
        for name in CALLS:
            monkeypatch.setattr(os, name, self.wrap(getattr(os, name), name))

    def wrap(self, call: Callable[..., object], name: str) -> Callable[..., object]:
        def replacement(*args: object, **settings: object) -> object:
            self.count += 1
            if self.count == self.at:
                if name == "close":  # a failing close has closed nevertheless
                    call(*args, **settings)
                raise self.error
            return call(*args, **settings)

        return replacement


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left"), OSError(errno.EIO, "I/O error"), KeyboardInterrupt()],
    ids=["full disk", "I/O error", "Ctrl-C"],
)
def test_a_fault_at_any_system_call_leaves_the_old_or_the_new(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.safetensors"
    old, new = Linear(4, 3), Linear(4, 3)
    k, finished = 0, False
    while not finished:
        k += 1
        save_checkpoint(path, model=old, extra={"which": "old"})
        with monkeypatch.context() as patch:
            fault = Fault(patch, k, error)
            try:
                save_checkpoint(path, model=new, extra={"which": "new"})
                finished = True
            except type(error):
                pass
        renamed = fault.count >= k > 0 and finished
        read = Linear(4, 3)
        which = load_checkpoint(path, model=read)["which"]
        assert which in ("old", "new")
        if renamed:
            assert which == "new"
        expected = new if which == "new" else old
        np.testing.assert_array_equal(read.weight.data, expected.weight.data)
        assert [entry.name for entry in tmp_path.iterdir()] == [path.name], f"call {k} left something behind"
        assert k < 100
    assert k > 8  # open, header, two arrays, rng..., fsync, close, replace, open, fsync, close: all were tried


def test_a_full_disk_at_the_first_save_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: memoryview) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path / "run.safetensors", model=Linear(2, 2))
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys
import numpy as np
from tt_layers import Linear
from tt_train import save_checkpoint

model = Linear(300, 300)
for turn in range(1_000_000):
    model.weight.assign_(np.full((300, 300), turn, dtype=np.float32))
    save_checkpoint(sys.argv[1], model=model, extra={"turn": turn})
    if turn == 0:
        sys.stdout.write("begun\\n")
        sys.stdout.flush()
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_a_killed_process_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    for wait in (0.05, 0.117, 0.173):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
        model = Linear(300, 300)
        turn = load_checkpoint(path, model=model)["turn"]
        np.testing.assert_array_equal(model.weight.data, np.full((300, 300), turn))


@pytest.mark.skipif(os.name != "posix", reason="process ids are asked for on POSIX")
def test_what_a_killed_writer_left_is_tidied_and_a_living_ones_is_not(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    host = os.uname().nodename
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    dead = tmp_path / f".{path.name}.{host}.{ended.pid}-1234.part"
    alive = tmp_path / f".{path.name}.{host}.{os.getppid()}-1234.part"
    foreign = tmp_path / f".other.{host}.{ended.pid}.part"
    for part in (dead, alive, foreign):
        part.write_bytes(b"half")
    save_checkpoint(path, model=Linear(2, 2))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([alive.name, foreign.name, path.name])
    assert read_checkpoint(path)


def test_two_threads_do_not_write_into_one_file(tmp_path: Path) -> None:
    path = tmp_path / "both"
    second = threading.Thread(target=atomic_write, args=(path, [memoryview(b"bb")]))

    def first() -> Iterator[memoryview]:
        yield memoryview(b"a")
        second.start()
        second.join()  # a whole writer comes and goes in the middle of this one
        assert path.read_bytes() == b"bb"
        yield memoryview(b"aa")

    atomic_write(path, first())
    assert path.read_bytes() == b"aaa"
    assert list(tmp_path.iterdir()) == [path]
