"""Gradients of the layers: linear for every number of leading axes, dropout for a fixed mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tt_autograd  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_layers import Dropout, Linear, dropout, linear
from tt_tensor import Tensor, from_numpy, primitives

Array = npt.NDArray[Any]
RNG = np.random.default_rng(5)


def normal(*shape: int) -> Array:
    return np.asarray(RNG.standard_normal(shape))


@pytest.mark.parametrize("shape", [(3,), (1, 3), (4, 3), (2, 4, 3), (2, 1, 4, 3), (0, 3), (2, 0, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(check: Any, shape: tuple[int, ...], bias: bool) -> None:
    inputs = [normal(*shape), normal(3, 2)] + [normal(2)] * bias
    check(linear, *inputs)


def test_linear_of_strided_arrays(check: Any) -> None:
    check(linear, normal(3, 4).T, normal(2, 6)[:, ::2].T, normal(4)[::-2])
    check(linear, np.broadcast_to(normal(3), (4, 3)).copy()[::2], normal(3, 1), normal(1))


def test_linear_without_features(check: Any) -> None:
    check(linear, normal(4, 0), normal(0, 2), normal(2))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 1000))
def test_linear_is_a_matrix_product_and_a_sum(leading: list[int], rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = Tensor(rng.standard_normal((*leading, rows)), dtype=np.float64, requires_grad=True)
    weight = Tensor(rng.standard_normal((rows, columns)), dtype=np.float64, requires_grad=True)
    bias = Tensor(rng.standard_normal(columns), dtype=np.float64, requires_grad=True)
    g = rng.standard_normal((*leading, columns))
    linear(x, weight, bias).backward(from_numpy(g))
    assert x.grad is not None
    assert weight.grad is not None
    assert bias.grad is not None
    np.testing.assert_allclose(x.grad.data, g @ weight.data.T, atol=1e-12)
    flat_x, flat_g = x.data.reshape(-1, rows), g.reshape(-1, columns)
    np.testing.assert_allclose(weight.grad.data, flat_x.T @ flat_g, atol=1e-12)
    np.testing.assert_allclose(bias.grad.data, flat_g.sum(axis=0), atol=1e-12)


@pytest.mark.parametrize("trained", [(True, False, False), (False, True, False), (False, False, True)])
def test_linear_gives_gradients_only_to_those_that_want_one(trained: tuple[bool, bool, bool]) -> None:
    tensors = [
        Tensor(normal(*shape), requires_grad=wanted)
        for shape, wanted in zip([(4, 3), (3, 2), (2,)], trained, strict=True)
    ]
    linear(*tensors).sum().backward()
    assert tuple(tensor.grad is not None for tensor in tensors) == trained


def test_linear_in_half_precision_sums_as_float32_would() -> None:
    rows = 5000
    x = Tensor(np.ones((rows, 1)), dtype=np.float16, requires_grad=True)
    weight = Tensor([[1.0]], dtype=np.float16, requires_grad=True)
    bias = Tensor([0.0], dtype=np.float16, requires_grad=True)
    linear(x, weight, bias).sum().backward()
    assert x.grad is not None
    assert weight.grad is not None
    assert bias.grad is not None
    assert {x.grad.dtype, weight.grad.dtype, bias.grad.dtype} == {np.dtype(np.float16)}
    assert weight.grad.tolist() == [[5000.0]]
    assert bias.grad.tolist() == [5000.0]


def test_a_layer_used_twice_adds_its_gradients_up() -> None:
    layer = Linear(2, 2, dtype=np.float64)
    x = Tensor(normal(3, 2), dtype=np.float64)
    layer(x).sum().backward()
    assert layer.weight.grad is not None
    once = layer.weight.grad.data.copy()
    layer.zero_grad()
    (layer(x) + layer(x)).sum().backward()
    np.testing.assert_allclose(layer.weight.grad.data, 2 * once)


@pytest.mark.parametrize("shape", [(), (5,), (4, 3), (0, 3), (2, 3, 2)])
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_dropout(check: Any, shape: tuple[int, ...], p: float) -> None:
    check(lambda x: dropout(x, p, rng=np.random.default_rng(3)), normal(*shape))


def test_dropout_in_eval_mode(check: Any) -> None:
    check(Dropout(0.9).eval(), normal(4, 3))


def test_what_was_dropped_gets_no_gradient_even_where_the_gradient_is_infinite() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    primitives()["dropout"](x, np.array([True, False]), scale=2.0).backward(Tensor([3.0, np.inf]))
    assert x.grad is not None
    assert x.grad.tolist() == [6.0, 0.0]


def test_a_mask_of_numbers_has_no_gradient() -> None:
    mask = Tensor([1.0, 0.0], requires_grad=True)
    out = primitives()["dropout"](Tensor([1.0, 2.0]), mask, scale=2.0)
    with pytest.raises(TypeError, match="mask has no gradient"):
        out.sum().backward()
