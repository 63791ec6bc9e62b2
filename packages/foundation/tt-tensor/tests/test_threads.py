"""Work split over threads, and the memory that stays."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
import tt_tensor as tt
from tt_tensor import Interpreter, Primitive, Tensor, run_together, split_work


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = tt.get_num_threads()
    tt.set_num_threads(2)
    yield
    tt.set_num_threads(before)


def ranges_of(length: int, seconds: float) -> list[tuple[int, int, int]]:
    """Give the ranges that the work was called with, and the threads that called it."""
    calls: list[tuple[int, int, int]] = []

    def work(start: int, stop: int) -> None:
        time.sleep(0.005)  # long enough for the other thread to take its own part
        calls.append((start, stop, threading.get_ident()))

    split_work(work, length, seconds=seconds)
    return sorted(calls)


@pytest.mark.parametrize("length", [2, 3, 64, 101])
def test_split_work_covers_everything_once_in_two_threads(length: int) -> None:
    calls = ranges_of(length, 1.0)
    assert [i for start, stop, _ in calls for i in range(start, stop)] == list(range(length))
    assert len({thread for *_, thread in calls}) == 2


@pytest.mark.parametrize(("length", "seconds"), [(64, 1e-5), (1, 1.0)])
def test_small_work_stays_in_this_thread(length: int, seconds: float) -> None:
    assert ranges_of(length, seconds) == [(0, length, threading.get_ident())]


def test_nothing_to_do_is_not_called() -> None:
    assert ranges_of(0, 1.0) == []


def test_one_thread_means_no_splitting() -> None:
    tt.set_num_threads(1)
    assert ranges_of(10, 1.0) == [(0, 10, threading.get_ident())]


def test_a_split_inside_a_split_runs_inline() -> None:
    inner: list[list[tuple[int, int, int]]] = []
    split_work(lambda start, stop: inner.append(ranges_of(4, 1.0)), 2, seconds=1.0)
    assert [[call[:2] for call in calls] for calls in inner] == [[(0, 4)], [(0, 4)]]


def test_threads_that_split_at_once_do_not_wait_for_each_other() -> None:
    results: list[int] = []

    def user() -> None:
        for _ in range(50):
            results.append(len(run_together([lambda: 1, lambda: 2, lambda: 3])))

    users = [threading.Thread(target=user) for _ in range(3)]
    for each in users:
        each.start()
    for each in users:
        each.join(timeout=30)
    assert results == [3] * 150


def test_a_process_that_sets_no_number_of_threads_does_not_hang() -> None:
    """The first split of a process makes the threads, while matrix products are held at one."""
    script = "from tt_tensor import get_num_threads, run_together; n = get_num_threads(); "
    script += "assert run_together([get_num_threads, get_num_threads]) == [n, n]; assert get_num_threads() == n"
    subprocess.run(
        [sys.executable, "-c", script], check=True, timeout=60, env={**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    )


def test_results_come_in_the_order_of_the_tasks() -> None:
    def slow() -> str:
        time.sleep(0.01)
        return "slow"

    assert run_together([slow, lambda: "quick"]) == ["slow", "quick"]


def test_the_first_error_is_raised_after_all_have_ended() -> None:
    ended: list[int] = []

    def fail(number: int) -> None:
        time.sleep(0.01 * number)
        ended.append(number)
        raise ValueError(f"task {number}")

    with pytest.raises(ValueError, match="task 1"):
        run_together([lambda: fail(1), lambda: fail(2)])
    assert sorted(ended) == [1, 2]
    assert run_together([lambda: 1, lambda: 2]) == [1, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="sends itself a signal")
@pytest.mark.parametrize("long_part", [0, 1])
def test_ctrl_c_is_raised_after_all_parts_have_ended(long_part: int) -> None:
    program = f"""
import os, signal, time, tt_tensor as tt
tt.set_num_threads(2)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job, as a check may be, ignores it
ended = []
def work(start, stop):
    if start == {long_part}:
        time.sleep(0.2)
        until = time.monotonic() + 0.3
        try:
            os.kill(os.getpid(), signal.SIGINT)
            while time.monotonic() < until:
                time.sleep(0.01)
        finally:
            ended.append(start)
    else:
        ended.append(start)
try:
    tt.split_work(work, 2, seconds=1.0)
except KeyboardInterrupt:
    print(sorted(ended))
ended.clear()
tt.split_work(lambda start, stop: ended.append(start), 2, seconds=1.0)
print(sorted(ended))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split("\n") == ["[0, 1]", "[0, 1]", ""]


def test_a_thread_that_cannot_be_started_is_not_waited_for() -> None:
    program = """
import threading, tt_tensor as tt
tt.set_num_threads(2)
start = threading.Thread.start
def refuse(self):
    raise RuntimeError("no more threads")
threading.Thread.start = refuse
parts = []
try:
    tt.split_work(lambda start, stop: parts.append(start), 2, seconds=1.0)
except RuntimeError as error:
    print(error)
threading.Thread.start = start
tt.split_work(lambda start, stop: parts.append(start), 2, seconds=1.0)
print(sorted(parts))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split("\n") == ["no more threads", "[0, 1]", ""]


class Count(Interpreter):
    """Counts what is applied."""

    seen = 0

    def apply(self, primitive: Primitive, inputs: tuple[Tensor, ...], params: Mapping[str, object]) -> Tensor:
        self.seen += 1
        return self.inner.apply(primitive, inputs, params)


def test_tasks_see_the_callers_interpreter() -> None:
    counter = Count(tt.current())
    with tt.use_interpreter(counter):
        run_together([lambda: Tensor([1.0]) + 1, lambda: Tensor([1.0]) + 1])
    assert counter.seen == 2


@pytest.mark.parametrize("threads", [1, 2])
def test_random_numbers_are_the_same_for_any_number_of_threads(threads: int) -> None:
    def draws() -> list[list[float]]:
        return [
            list(each)
            for each in run_together([lambda: tt.default_rng().random(3), lambda: tt.default_rng().random(3)])
        ]

    tt.manual_seed(7)
    tt.set_num_threads(2)
    expected = draws() + draws()
    tt.manual_seed(7)
    tt.set_num_threads(threads)
    assert draws() + draws() == expected
    assert len({tuple(each) for each in expected}) == 4


def test_tasks_that_draw_nothing_change_no_later_number() -> None:
    tt.manual_seed(7)
    expected = tt.default_rng().random()
    tt.manual_seed(7)
    run_together([lambda: 1, lambda: 2])
    assert tt.default_rng().random() == expected


@pytest.mark.parametrize(("m", "k", "n"), [(3, 4, 5), (600, 300, 200), (1, 5000, 5000), (0, 4, 2)])
@pytest.mark.parametrize("split_before", [False, True])
def test_matrix_product_is_the_product(m: int, k: int, n: int, split_before: bool) -> None:
    if split_before:
        run_together([lambda: 1, lambda: 2])
    rng = np.random.default_rng(0)
    a, b = rng.random((k, m)).T, rng.random((k, n))
    np.testing.assert_allclose(tt.matrix_product(a, b), a @ b, rtol=1e-12)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((600, 300), (300, 200)), ((60, 300), (300, 2000)), ((8, 1500), (1500, 1500)), ((3, 200, 300), (300, 200)),
        ((300,), (300, 200)), ((3, 200, 300), (3, 300, 200)), ((600, 300), (3, 300, 200)),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("one", "other"), [("f4", "f4"), ("f8", "f8"), ("f4", "f8"), ("f4", "i8"), ("i4", "i4")])
@pytest.mark.parametrize("split_before", [False, True])
def test_large_products_of_tensors_are_the_products(
    left: tuple[int, ...], right: tuple[int, ...], one: str, other: str, split_before: bool
) -> None:
    if split_before:
        run_together([lambda: 1, lambda: 2])
    rng = np.random.default_rng(0)
    a, b = rng.integers(-8, 8, left).astype(one), rng.integers(-8, 8, right).astype(other)  # exact in every type
    product = Tensor(a, dtype=a.dtype) @ Tensor(b, dtype=b.dtype)
    np.testing.assert_array_equal(product.data, a.astype(np.float64) @ b.astype(np.float64))
    strided = tt.from_numpy(a[..., ::-1]) @ tt.from_numpy(np.asfortranarray(b[..., ::-1, :]))
    np.testing.assert_array_equal(strided.data, product.data)
    assert strided.dtype == product.dtype


@pytest.mark.parametrize("shapes", [((600, 300), (200, 300)), ((2, 300, 300), (200, 300))])
def test_large_matrices_that_do_not_fit_are_refused_after_a_split_too(shapes: tuple[tuple[int, ...], ...]) -> None:
    run_together([lambda: 1, lambda: 2])
    with pytest.raises(ValueError, match="inner sizes 300 and 200 must be equal"):
        tt.matmul(tt.zeros(shapes[0]), tt.zeros(shapes[1]))


def test_matrix_products_inside_a_split_are_right() -> None:
    a = np.random.default_rng(0).random((300, 200), dtype=np.float32)
    out = np.empty((300, 300), np.float32)
    split_work(lambda start, stop: np.matmul(a[start:stop], a.T, out=out[start:stop]), 300, seconds=1.0)
    np.testing.assert_allclose(out, a @ a.T, rtol=1e-5)
    assert tt.get_num_threads() == 2


@pytest.mark.skipif(sys.platform == "win32", reason="the system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_makes_its_own_threads() -> None:
    assert ranges_of(8, 1.0)
    child = os.fork()
    if child == 0:
        os._exit(0 if [call[:2] for call in ranges_of(8, 1.0)] == [(0, 4), (4, 8)] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("count", [0, -2])
def test_the_number_of_threads_is_checked(count: int) -> None:
    with pytest.raises(ValueError, match=f"must be at least 1; got {count}"):
        tt.set_num_threads(count)


def test_keeping_memory_can_be_undone() -> None:
    kept = tt.keep_freed_memory(True)
    assert tt.keep_freed_memory(False) == kept
    assert tt.keep_freed_memory(True) == kept


@pytest.mark.skipif(not tt.keep_freed_memory(), reason="the C library is not glibc")
def test_freed_memory_is_kept_or_given_back() -> None:
    """The pages of a freed array are still the process's own in one case, and not in the other."""

    def left_after_freeing() -> int:
        before = resident()
        array = np.ones(32 * 2**20, np.uint8)
        del array
        return resident() - before

    try:
        tt.keep_freed_memory(False)
        given_back = left_after_freeing()
        tt.keep_freed_memory(True)
        kept = left_after_freeing()
    finally:
        tt.keep_freed_memory(True)
    assert given_back < 4 * 2**20
    assert kept > 24 * 2**20


def resident() -> int:
    """Read this process's resident bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
