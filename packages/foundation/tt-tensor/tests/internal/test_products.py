"""Where the parts of a large product run."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import tt_tensor as tt
from tt_tensor import Tensor, run_together

Parts = list[tuple[int, tuple[int, ...]]]


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    """The thread and the result's shape of every product that NumPy is asked for, with two threads."""
    seen: Parts = []
    # Each part waits for the other, which another thread must have taken.
    meeting = threading.Barrier(2)
    multiply = np.matmul

    def spy(a: tt.Array, b: tt.Array, out: tt.Array | None = None) -> tt.Array:
        result: tt.Array = multiply(a, b) if out is None else multiply(a, b, out=out)
        seen.append((threading.get_ident(), result.shape))
        if out is not None:
            meeting.wait(timeout=30)
        return result

    monkeypatch.setattr(np, "matmul", spy)
    before = tt.get_num_threads()
    tt.set_num_threads(2)
    yield seen
    tt.set_num_threads(before)


@pytest.mark.parametrize(
    ("left", "right", "part"),
    [
        ((600, 300), (300, 200), (300, 200)),
        ((200, 300), (300, 600), (200, 300)),
        ((3, 200, 300), (300, 200), (300, 200)),
        ((8, 1500), (1500, 1500), (8, 750)),
    ],
)
def test_once_our_threads_have_worked_they_share_out_a_large_product(
    parts: Parts, left: tuple[int, ...], right: tuple[int, ...], part: tuple[int, ...]
) -> None:
    a, b = tt.ones(left), tt.ones(right)
    assert (a @ b).size == np.prod(left[:-1]) * right[1]
    assert len(parts) == 1  # NumPy's own threads have it
    parts.clear()
    run_together([lambda: 1, lambda: 2])
    assert np.all((a @ b).data == left[-1])
    assert [shape for _, shape in parts] == [part, part]
    assert len({thread for thread, _ in parts}) == 2


def test_small_products_are_not_shared_out(parts: Parts) -> None:
    run_together([lambda: 1, lambda: 2])
    assert (tt.ones(64, 64) @ tt.ones(64, 64) @ tt.ones(64, 2)).shape == (64, 2)
    assert len({thread for thread, _ in parts}) == 1
    assert len(parts) == 2


def test_half_precision_is_shared_out_as_what_it_is_widened_to(parts: Parts) -> None:
    run_together([lambda: 1, lambda: 2])
    half = Tensor(np.ones((300, 300)), dtype=np.float16)
    assert (half @ half.astype(np.float32)).dtype == np.float32
    assert (half @ half).dtype == np.float16
    assert [shape for _, shape in parts] == [(150, 300)] * 4
    assert len({thread for thread, _ in parts}) == 2
