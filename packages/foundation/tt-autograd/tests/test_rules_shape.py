"""Gradients of the operations that move elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tt_autograd  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_tensor import Tensor, primitives

Array = npt.NDArray[Any]
P = primitives()
RNG = np.random.default_rng(2)


def normal(*shape: int) -> Array:
    return np.asarray(RNG.standard_normal(shape))


@pytest.mark.parametrize(
    ("name", "shape", "params"),
    [
        ("reshape", (2, 3), {"shape": (6,)}),
        ("reshape", (2, 3), {"shape": (3, -1)}),
        ("reshape", (), {"shape": (1, 1)}),
        ("reshape", (0, 3), {"shape": (3, 0)}),
        ("transpose", (2, 3, 4), {"axes": None}),
        ("transpose", (2, 3, 4), {"axes": (2, 0, 1)}),
        ("transpose", (2, 3, 4), {"axes": (-1, 0, 1)}),
        ("transpose", (), {"axes": None}),
        ("expand_dims", (2, 3), {"axis": 1}),
        ("expand_dims", (), {"axis": 0}),
        ("squeeze", (2, 1, 3), {"axis": 1}),
        ("squeeze", (1, 1), {"axis": None}),
        ("broadcast_to", (2, 1), {"shape": (4, 2, 3)}),
        ("broadcast_to", (), {"shape": (2,)}),
        ("broadcast_to", (1, 3), {"shape": (0, 3)}),
        ("pad", (2, 3), {"width": ((1, 2), (0, 3)), "value": 5.0}),
        ("pad", (0,), {"width": ((1, 1),), "value": 0.0}),
        ("flip", (2, 3), {"axis": 1}),
        ("flip", (2, 3), {"axis": None}),
        ("flip", (2, 3, 2), {"axis": (0, -1)}),
        ("tile", (2, 3), {"reps": (2,)}),
        ("tile", (2, 3), {"reps": (2, 3)}),
        ("tile", (3,), {"reps": (2, 1, 3)}),
        ("tile", (2, 3), {"reps": (0, 2)}),
        ("repeat", (2, 3), {"repeats": 2, "axis": 0}),
        ("repeat", (2, 3), {"repeats": 3, "axis": -1}),
        ("repeat", (2, 3), {"repeats": 2, "axis": None}),
        ("repeat", (2, 3), {"repeats": 0, "axis": 1}),
        ("tril", (3, 4), {"k": 0}),
        ("tril", (2, 3, 3), {"k": -1}),
        ("triu", (4, 3), {"k": 1}),
        ("triu", (0, 3), {"k": 0}),
    ],
)
def test_moving(check: Any, name: str, shape: tuple[int, ...], params: dict[str, Any]) -> None:
    check(lambda x: P[name](x, **params), normal(*shape))


@pytest.mark.parametrize("name", ["reshape", "tile", "flip"])
def test_moving_a_strided_array(check: Any, name: str) -> None:
    params: dict[str, dict[str, Any]] = {"reshape": {"shape": (6,)}, "tile": {"reps": (2,)}, "flip": {"axis": 0}}
    check(lambda x: P[name](x, **params[name]), normal(6, 4)[::2, ::-2])


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("name", ["concat", "stack"])
def test_joining(check: Any, name: str, axis: int) -> None:
    check(lambda *xs: P[name](*xs, axis=axis), normal(2, 2), normal(2, 2), normal(2, 2))
    check(lambda *xs: P[name](*xs, axis=axis), normal(2, 3))


def test_concat_of_unequal_and_empty_parts(check: Any) -> None:
    check(lambda *xs: P["concat"](*xs, axis=1), normal(2, 2), normal(2, 0), normal(2, 3))


def test_joining_gives_nothing_to_parts_that_need_none() -> None:
    a, b = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0])
    for name in ("concat", "stack"):
        a.zero_grad()
        P[name](b, a, b, axis=0).sum().backward()
        assert b.grad is None
        assert a.grad is not None
        assert a.grad.tolist() == [1.0, 1.0]


def test_one_tensor_joined_twice_gets_both_gradients() -> None:
    a = Tensor([1.0, 2.0], requires_grad=True)
    P["concat"](a, a, axis=0).backward(Tensor([1.0, 2.0, 10.0, 20.0]))
    assert a.grad is not None
    assert a.grad.tolist() == [11.0, 22.0]


@settings(max_examples=40, deadline=None)
@given(order=st.permutations([0, 1, 2, 3]))
def test_transposing_there_and_back_gives_the_gradient_its_order(order: list[int]) -> None:
    x = Tensor(RNG.standard_normal((2, 3, 4, 5)), dtype=np.float64, requires_grad=True)
    turned = P["transpose"](x, axes=tuple(order))
    cotangent = RNG.standard_normal(turned.shape)
    turned.backward(Tensor(cotangent, dtype=np.float64))
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.data.transpose(order), cotangent)
