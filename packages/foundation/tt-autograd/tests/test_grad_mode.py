"""`no_grad` and `enable_grad`: they nest, undo themselves, and stay in their own thread or task."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator

import pytest
from tt_autograd import enable_grad, no_grad
from tt_tensor import Tensor


def recorded() -> bool:
    return (Tensor([1.0], requires_grad=True) * 2.0).requires_grad


def test_no_grad_records_nothing() -> None:
    with no_grad():
        assert not recorded()
    assert recorded()


def test_leaves_made_inside_no_grad_may_still_require_a_gradient() -> None:
    with no_grad():
        x = Tensor([1.0], requires_grad=True)
    (x * 2.0).sum().backward()
    assert x.grad is not None


def test_enable_grad_inside_no_grad() -> None:
    with no_grad():
        with enable_grad():
            assert recorded()
        assert not recorded()
    assert recorded()


def test_no_grad_is_undone_by_an_exception() -> None:
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert recorded()


def test_no_grad_decorates_a_function() -> None:
    @no_grad()
    def evaluate() -> bool:
        return recorded()

    assert not evaluate()
    assert not evaluate()
    assert recorded()


def test_a_decorated_generator_is_quiet_while_it_runs_and_not_while_its_consumer_does() -> None:
    closed = []

    @no_grad()
    def evaluate(n: int) -> Generator[bool, str, str]:
        try:
            for _ in range(n):
                got = yield recorded()
                assert got in (None, "more")
            return "done"
        finally:
            closed.append(recorded())

    generator = evaluate(2)
    assert not next(generator)
    assert recorded()
    assert not generator.send("more")
    assert recorded()
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "done"
    assert closed == [False]
    assert list(evaluate(3)) == [False] * 3
    early = evaluate(3)
    next(early)
    early.close()
    assert len(closed) == 3
    assert recorded()


def test_other_threads_go_on_recording() -> None:
    seen: list[bool] = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(recorded()))
        thread.start()
        thread.join()
        assert not recorded()
    assert seen == [True]


def test_other_tasks_go_on_recording() -> None:
    async def quiet(inside: asyncio.Event, leave: asyncio.Event) -> bool:
        with no_grad():
            inside.set()
            await leave.wait()
            return recorded()

    async def main() -> tuple[bool, bool]:
        inside, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(quiet(inside, leave))
        await inside.wait()
        outside = recorded()
        leave.set()
        return await task, outside

    assert asyncio.run(main()) == (False, True)


def test_backward_of_an_earlier_graph_works_inside_no_grad() -> None:
    x = Tensor([3.0], requires_grad=True)
    loss = (x * x).sum()
    with no_grad():
        loss.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [6.0]
    assert not x.grad.requires_grad
