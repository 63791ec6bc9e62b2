"""Layer norm and RMS norm: against their definition in float64, at the edges, and their gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_autograd import gradcheck
from tt_tensor import Tensor, kernels, use_kernel
from tt_transformers import LayerNorm, RMSNorm, layer_norm, rms_norm

Array = npt.NDArray[Any]


@pytest.fixture(params=["reference", *[name for name in kernels(layer_norm) if name != "reference"]])
def layer_kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "reference":
        yield request.param
        return
    with use_kernel(layer_norm, request.param):
        yield request.param


@pytest.fixture(params=["reference", *[name for name in kernels(rms_norm) if name != "reference"]])
def rms_kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "reference":
        yield request.param
        return
    with use_kernel(rms_norm, request.param):
        yield request.param


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def wide(*arrays: Array) -> tuple[Tensor, Tensor, Tensor]:
    x, *others = (Tensor(a, dtype=np.float64) for a in arrays)
    return x, others[0], others[-1]


def exact_layer_norm(x: Array, weight: Array, bias: Array, eps: float) -> Array:
    wide = x.astype(np.float64)
    mean = wide.mean(-1, keepdims=True)
    variance = ((wide - mean) ** 2).mean(-1, keepdims=True)
    return np.asarray((wide - mean) / np.sqrt(variance + eps) * weight + bias)


def exact_rms_norm(x: Array, weight: Array, eps: float) -> Array:
    wide = x.astype(np.float64)
    return np.asarray(wide / np.sqrt((wide**2).mean(-1, keepdims=True) + eps) * weight)


SHAPES = [(5,), (1, 5), (7, 5), (2, 3, 5), (0, 5), (2, 0, 5), (3, 1), (2, 2, 2, 5)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_layer_norm_is_its_definition(layer_kernel: str, shape: tuple[int, ...], eps: float) -> None:
    x, weight, bias = 3 * normal(*shape) + 2, normal(shape[-1], seed=1), normal(shape[-1], seed=2)
    out = layer_norm(*wide(x, weight, bias), eps)
    np.testing.assert_allclose(out.data, exact_layer_norm(x, weight, bias, eps), atol=1e-12)
    assert out.shape == shape


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_rms_norm_is_its_definition(rms_kernel: str, shape: tuple[int, ...], eps: float) -> None:
    x, weight = 3 * normal(*shape) + 2, normal(shape[-1], seed=1)
    out = rms_norm(*wide(x, weight)[:2], eps)
    np.testing.assert_allclose(out.data, exact_rms_norm(x, weight, eps), atol=1e-12)
    assert out.shape == shape


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_norms_keep_the_type(kind: Any) -> None:
    x, weight, bias = (Tensor(a, dtype=kind) for a in (normal(4, 8), normal(8), normal(8)))
    assert layer_norm(x, weight, bias).dtype == rms_norm(x, weight).dtype == np.dtype(kind)
    np.testing.assert_allclose(
        layer_norm(x, weight, bias).data.astype(float),
        exact_layer_norm(x.data, weight.data.astype(float), bias.data.astype(float), 1e-5),
        atol=4e-3 if kind == np.float16 else 1e-5,
    )


def test_norms_take_strided_arrays_and_leave_their_inputs_alone() -> None:
    x, weight, bias = normal(6, 8).T[::2].astype(np.float32), normal(12)[::2], normal(6)
    copies = x.copy(), weight.copy(), bias.copy()
    out = layer_norm(*wide(x, weight, bias))
    np.testing.assert_allclose(out.data, exact_layer_norm(x, weight, bias, 1e-5), atol=1e-12)
    rms_norm(Tensor(x), Tensor(weight))
    for now, before in zip((x, weight, bias), copies, strict=True):
        np.testing.assert_array_equal(now, before)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_layer_norm_far_from_zero_is_as_exact_as_its_input(offset: float) -> None:
    x = (normal(64, 384) + offset).astype(np.float32)
    out = layer_norm(Tensor(x), Tensor(np.ones(384)), Tensor(np.zeros(384)))
    np.testing.assert_allclose(out.data, exact_layer_norm(x, np.ones(384), np.zeros(384), 1e-5), atol=2e-6, rtol=1e-6)


def test_rms_norm_of_rows_whose_squares_overflow() -> None:
    with np.errstate(over="ignore"):
        out = rms_norm(Tensor([[3e20, -3e20], [1.0, 1.0]]), Tensor([1.0, 1.0]))
        far = layer_norm(Tensor([[3e20, -3e20]]), Tensor([1.0, 1.0]), Tensor([0.0, 0.0]))
    np.testing.assert_allclose(out.data, [[1, -1], [1, 1]], rtol=1e-5)
    np.testing.assert_allclose(far.data, [[1, -1]], rtol=1e-6)


def test_a_constant_row_becomes_the_bias() -> None:
    out = layer_norm(Tensor([[7.0, 7.0, 7.0]]), Tensor([1.0, 2.0, 3.0]), Tensor([4.0, 5.0, 6.0]))
    assert out.tolist() == [[4.0, 5.0, 6.0]]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(2, 9), st.floats(0.1, 100), st.integers(0, 10**6))
def test_what_norms_do_not_see(rows: int, width: int, factor: float, seed: int) -> None:
    x = normal(rows, width, seed=seed)
    weight, bias = (Tensor(normal(width, seed=seed + i), dtype=np.float64) for i in (1, 2))
    stretched, moved = (Tensor(a, dtype=np.float64) for a in (x * factor, x * factor + 5.0))
    plain = Tensor(x, dtype=np.float64)
    np.testing.assert_allclose(
        layer_norm(moved, weight, bias, 0.0).data, layer_norm(plain, weight, bias, 0.0).data, atol=1e-7
    )
    np.testing.assert_allclose(rms_norm(stretched, weight, 0.0).data, rms_norm(plain, weight, 0.0).data, atol=1e-10)


@pytest.mark.parametrize("shape", [(4,), (1, 4), (3, 4), (2, 3, 4), (0, 4), (3, 1)])
def test_gradients_of_the_norms(layer_kernel: str, rms_kernel: str, shape: tuple[int, ...]) -> None:
    x, weight, bias = normal(*shape), normal(shape[-1], seed=1), normal(shape[-1], seed=2)
    assert gradcheck(lambda x, w, b: layer_norm(x, w, b, 0.1), x, weight, bias)
    assert gradcheck(lambda x, w: rms_norm(x, w, 0.1), x, weight)


def test_gradients_of_the_norms_through_a_kernel_that_keeps_nothing() -> None:
    x, weight, bias = normal(3, 4), normal(4, seed=1), normal(4, seed=2)

    def plain_layer(x: Array, weight: Array, bias: Array, *, eps: float) -> Array:
        return exact_layer_norm(x, weight, bias, eps)

    def plain_rms(x: Array, weight: Array, *, eps: float) -> Array:
        return exact_rms_norm(x, weight, eps)

    with use_kernel(layer_norm, plain_layer), use_kernel(rms_norm, plain_rms):
        assert gradcheck(layer_norm, x, weight, bias)
        assert gradcheck(rms_norm, x, weight)


def test_gradients_of_half_precision_are_computed_in_single() -> None:
    """The weight divided by the width would be too small for float16, and lose its last digits."""
    x, weight, g = 1 + normal(4, 1024), np.full(1024, 3e-4), 100 + 10 * normal(4, 1024, seed=1)
    slopes = []
    for kind in (np.float16, np.float64):
        leaf = Tensor(x.astype(np.float16), dtype=kind, requires_grad=True)
        out = layer_norm(leaf, Tensor(weight.astype(np.float16), dtype=kind), Tensor(np.zeros(1024), dtype=kind))
        out.backward(Tensor(g.astype(np.float16), dtype=kind))
        assert leaf.grad is not None
        slopes.append(leaf.grad.data.astype(float))
    np.testing.assert_allclose(slopes[0], slopes[1], atol=1e-3 * float(np.abs(slopes[1]).max()))


def test_gradients_of_strided_rows_and_of_some_inputs_only() -> None:
    wide = normal(4, 3, seed=3)
    assert gradcheck(lambda x, w, b: layer_norm(x.T, w, b), wide, normal(4), normal(4, seed=1))
    assert gradcheck(lambda x, w: rms_norm(x.T, w), wide, normal(4))
    x = Tensor(normal(2, 4), requires_grad=True)
    weight, bias = Tensor(np.ones(4)), Tensor(np.zeros(4), requires_grad=True)
    layer_norm(x, weight, bias).sum().backward()
    assert weight.grad is None
    assert bias.grad is not None
    assert bias.grad.tolist() == [2.0] * 4


def test_two_norms_at_once_do_not_disturb_each_other() -> None:
    """Scratch memory is used again: what a backward pass returns must not lie in it."""
    first, second = (Tensor(normal(5, 4, seed=s), requires_grad=True) for s in (1, 2))
    one = [Tensor(np.ones(4), requires_grad=True) for _ in range(4)]
    out = layer_norm(first, one[0], one[1]) * layer_norm(second, one[2], one[3])
    out.sum().backward()
    assert first.grad is not None
    assert second.grad is not None
    before = first.grad.data.copy()
    assert not np.shares_memory(first.grad.data, second.grad.data)
    layer_norm(Tensor(normal(5, 4, seed=9), requires_grad=True), one[0], one[1]).sum().backward()
    np.testing.assert_array_equal(first.grad.data, before)


def test_modules_begin_as_pure_norms() -> None:
    x = Tensor(normal(2, 3, 8))
    np.testing.assert_allclose(LayerNorm(8)(x).data.mean(-1), 0, atol=1e-6)
    np.testing.assert_allclose((RMSNorm(8)(x).data ** 2).mean(-1), 1, atol=1e-4)
    assert [name for name, _ in LayerNorm(8).named_parameters()] == ["weight", "bias"]
    assert [name for name, _ in RMSNorm(8).named_parameters()] == ["weight"]
    assert repr(LayerNorm(8)) == "LayerNorm(8, eps=1e-05)"
    assert repr(RMSNorm(8, eps=0.1)) == "RMSNorm(8, eps=0.1)"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: layer_norm(Tensor([[1.0, 2.0]]), Tensor([1.0]), Tensor([0.0, 0.0])), "weight of shape \\(1,\\)"),
        (lambda: layer_norm(Tensor([[1.0, 2.0]]), Tensor([1.0, 1.0]), Tensor([[0.0, 0.0]])), "bias of shape"),
        (lambda: rms_norm(Tensor([[1.0, 2.0]]), Tensor([1.0, 1.0, 1.0])), "weight of shape \\(3,\\)"),
        (lambda: rms_norm(Tensor([[1, 2]]), Tensor([1.0, 1.0])), "int64"),
        (lambda: rms_norm(Tensor(1.0), Tensor([1.0])), "last axis"),
        (lambda: rms_norm(Tensor([[1.0]]), Tensor([1.0]), -1.0), "received -1.0"),
        (lambda: LayerNorm(0), "embed_dim to be at least 1"),
        (lambda: RMSNorm(0), "embed_dim to be at least 1"),
        (lambda: LayerNorm(3)(Tensor([[1.0, 2.0]])), "each of the 2 features"),
    ],
)
def test_wrong_norms_explain_themselves(call: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()
