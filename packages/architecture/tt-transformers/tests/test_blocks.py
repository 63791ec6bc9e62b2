"""MLP, SwiGLU and the block: against compositions of simpler operations, and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_activations import gelu, silu
from tt_attention import MultiHeadAttention
from tt_autograd import gradcheck, no_grad
from tt_layers import Linear, Parameter, linear
from tt_tensor import Tensor, use_kernel
from tt_transformers import MLP, LayerNorm, RMSNorm, SwiGLU, TransformerBlock, linear_gelu, swiglu

Array = npt.NDArray[Any]


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def wide(*arrays: Array) -> list[Tensor]:
    return [Tensor(a, dtype=np.float64) for a in arrays]


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 4, 3), (0, 3)])
def test_linear_gelu_is_linear_then_gelu(shape: tuple[int, ...]) -> None:
    x, weight, bias = wide(3 * normal(*shape), normal(3, 4, seed=1), normal(4, seed=2))
    expected = gelu(linear(x, weight, bias), approximate="tanh")
    np.testing.assert_allclose(linear_gelu(x, weight, bias).data, expected.data, atol=1e-12)
    x.requires_grad = True
    recorded = linear_gelu(x, weight, bias)
    np.testing.assert_allclose(recorded.data, expected.data, atol=1e-12)
    assert recorded.shape == (*shape[:-1], 4)


def test_linear_gelu_of_many_and_of_extreme_numbers() -> None:
    """More than fit into one piece of work, and so large that their squares overflow."""
    x = np.concatenate([np.linspace(-40, 40, 40_000), [1e20, -1e20, 3e38, -3e38]]).astype(np.float32)[:, np.newaxis]
    one, zero = Tensor([[1.0]]), Tensor([0.0])
    with np.errstate(over="ignore"):
        leaf = Tensor(x, requires_grad=True)
        out = linear_gelu(leaf, one, zero)
        expected = gelu(Tensor(x), approximate="tanh")
        np.testing.assert_allclose(out.data, expected.data, atol=1e-5, rtol=1e-5)
        np.testing.assert_allclose(linear_gelu(Tensor(x), one, zero).data, expected.data, atol=1e-5, rtol=1e-5)
        out.sum().backward()
    assert leaf.grad is not None
    slopes = leaf.grad.data[:, 0]
    assert np.isfinite(slopes).all()
    assert slopes[-4:].tolist() == [1.0, 0.0, 1.0, 0.0]
    other = Tensor(x[:-4], requires_grad=True)
    gelu(other, approximate="tanh").sum().backward()
    assert other.grad is not None
    np.testing.assert_allclose(slopes[:-4], other.grad.data[:, 0], atol=2e-5)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=3), st.integers(0, 10**6))
def test_swiglu_is_silu_times_up(shape: list[int], seed: int) -> None:
    gate, up = wide(4 * normal(*shape, seed=seed), normal(*shape, seed=seed + 1))
    expected = (silu(gate) * up).data
    np.testing.assert_allclose(swiglu(gate, up).data, expected, atol=1e-12)
    gate.requires_grad = True
    np.testing.assert_allclose(swiglu(gate, up).data, expected, atol=1e-12)


def test_swiglu_of_many_extreme_and_half_numbers() -> None:
    gate = np.concatenate([np.linspace(-200, 200, 30_000), [-1e30, 1e30]]).astype(np.float32)
    leaf = Tensor(gate, requires_grad=True)
    out = swiglu(leaf, Tensor(np.ones_like(gate)))
    np.testing.assert_allclose(out.data, silu(Tensor(gate)).data, rtol=1e-5, atol=1e-30)
    out.sum().backward()
    assert leaf.grad is not None
    assert np.isfinite(leaf.grad.data).all()
    half = swiglu(Tensor([1.0, -20.0], dtype=np.float16), Tensor([2.0, 1.0], dtype=np.float16))
    assert half.dtype == np.float16
    np.testing.assert_allclose(half.data, [1.462, 0], atol=1e-3)


@pytest.mark.parametrize("kinds", [("f2", "f2"), ("f2", "f4"), ("f8", "f4"), ("f2", "f8")])
def test_swiglu_has_one_type_with_and_without_a_gradient(kinds: tuple[str, str]) -> None:
    gate, up = (Tensor([1.0, -2.0], dtype=kind, requires_grad=True) for kind in kinds)
    out = swiglu(gate, up)
    out.sum().backward()
    assert out.dtype == swiglu(gate.detach(), up.detach()).dtype == np.result_type(*kinds)
    np.testing.assert_allclose(out.data, swiglu(gate.detach(), up.detach()).data, rtol=1e-6)
    assert [leaf.grad.dtype for leaf in (gate, up) if leaf.grad is not None] == [np.dtype(kind) for kind in kinds]


def test_swiglu_of_integers_is_not_cut_off() -> None:
    out = swiglu([1, 2], [3, 4])
    assert out.dtype == np.float32
    np.testing.assert_allclose(out.data, (silu(Tensor([1, 2])) * Tensor([3, 4])).data, rtol=1e-6)
    assert swiglu(Tensor([1.0]), [2]).dtype == np.float32


def test_hidden_layers_of_infinity_are_silent() -> None:
    ends = Tensor([-np.inf, np.inf], requires_grad=True)
    np.testing.assert_array_equal(swiglu(ends, Tensor([1.0, 1.0])).data, silu(ends).data)
    np.testing.assert_array_equal(swiglu(ends.detach(), Tensor([1.0, 1.0])).data, silu(ends).data)
    column, one, zero = ends.reshape(2, 1), Tensor([[1.0]]), Tensor([0.0])
    expected = gelu(column, approximate="tanh").data
    np.testing.assert_array_equal(linear_gelu(column, one, zero).data, expected)
    np.testing.assert_array_equal(linear_gelu(column.detach(), one, zero).data, expected)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 3)])
def test_gradients_of_swiglu(shape: tuple[int, ...]) -> None:
    assert gradcheck(swiglu, normal(*shape), normal(*shape, seed=1))
    assert gradcheck(lambda gate, up: swiglu(gate.T, up.T), normal(*shape), normal(*shape, seed=1))


@pytest.mark.parametrize("shape", [(3,), (1, 3), (5, 3), (2, 2, 3), (0, 3)])
def test_gradients_of_linear_gelu(shape: tuple[int, ...]) -> None:
    assert gradcheck(linear_gelu, normal(*shape), normal(3, 4, seed=1), normal(4, seed=2))


def test_gradients_through_kernels_that_keep_nothing() -> None:
    def plain_linear(x: Array, weight: Array, bias: Array) -> Array:
        return np.asarray(gelu(Tensor(x @ weight + bias, dtype=np.float64), approximate="tanh").data)

    def plain_gate(gate: Array, up: Array) -> Array:
        return np.asarray(gate / (1 + np.exp(-gate)) * up)

    with use_kernel(linear_gelu, plain_linear), use_kernel(swiglu, plain_gate):
        assert gradcheck(linear_gelu, normal(5, 3), normal(3, 4, seed=1), normal(4, seed=2))
        assert gradcheck(swiglu, normal(2, 3), normal(2, 3, seed=1))


def test_the_linear_kernel_below_may_return_an_array_of_any_order() -> None:
    def from_columns(x: Array, weight: Array, bias: Array) -> Array:
        return np.asarray((weight.T @ x.T).T + bias)

    x, weight, bias = wide(normal(5, 3), normal(3, 4, seed=1), normal(4, seed=2))
    expected = linear_gelu(x, weight, bias).data
    with use_kernel(linear, from_columns):
        np.testing.assert_allclose(linear_gelu(x, weight, bias).data, expected, atol=1e-12)
        assert gradcheck(linear_gelu, normal(5, 3), normal(3, 4, seed=1), normal(4, seed=2))


def test_half_precision_is_computed_in_single() -> None:
    x, weight, bias = (Tensor(a, dtype=np.float16, requires_grad=True) for a in (normal(2, 3), normal(3, 4), normal(4)))
    out = linear_gelu(x, weight, bias)
    assert out.dtype == np.float16
    apart = gelu(linear(x, weight, bias).astype(np.float32), approximate="tanh").astype(np.float16)
    np.testing.assert_array_equal(out.data, apart.data)
    with no_grad():
        np.testing.assert_array_equal(linear_gelu(x, weight, bias).data, apart.data)
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float16


def test_mlp_is_two_layers_and_whatever_stands_in_them() -> None:
    mlp, x = MLP(4, 6, rng=np.random.default_rng(0)), Tensor(normal(2, 3, 4))
    expected = mlp.down(gelu(mlp.up(x), approximate="tanh"))
    np.testing.assert_allclose(mlp(x).data, expected.data, atol=1e-6)
    assert (MLP(4).up.out_features, MLP(4).num_parameters()) == (16, 4 * 16 + 16 + 16 * 4 + 4)

    class Doubled(Linear):
        def forward(self, x: Any) -> Tensor:
            return super().forward(x) * 2.0

    other = Doubled(4, 6)
    other.load_state_dict(mlp.up.state_dict())
    before, mlp.up = mlp.up, other
    np.testing.assert_allclose(mlp(x).data, mlp.down(gelu(before(x) * 2.0, approximate="tanh")).data, atol=1e-6)


def test_swiglu_module_gates() -> None:
    layer, x = SwiGLU(4, 6, rng=np.random.default_rng(0)), Tensor(normal(2, 3, 4))
    np.testing.assert_allclose(layer(x).data, layer.down(silu(layer.gate(x)) * layer.up(x)).data, atol=1e-6)
    assert layer.gate.bias is None
    assert SwiGLU(4, 6, bias=True).gate.bias is not None
    assert SwiGLU(96).gate.out_features == 256
    assert SwiGLU(100).gate.out_features == 272


def block(**settings: Any) -> TransformerBlock:
    attention = MultiHeadAttention(8, 2, causal=True, rng=np.random.default_rng(0))
    return TransformerBlock(attention, MLP(8, rng=np.random.default_rng(1)), LayerNorm(8), LayerNorm(8), **settings)


def test_a_block_adds_to_the_stream_what_its_parts_read_through_norms() -> None:
    made, x = block(), Tensor(5 + 3 * normal(2, 4, 8))
    middle = x + made.attention(made.attention_norm(x))
    expected = middle + made.mlp(made.mlp_norm(middle))
    np.testing.assert_allclose(made(x).data, expected.data, atol=1e-5)


def test_a_block_whose_parts_add_nothing_is_the_identity() -> None:
    made, x = block(), Tensor(5 + 3 * normal(2, 4, 8))
    for layer in (made.attention.output, made.mlp.down):
        for parameter in layer.parameters():
            parameter.data[...] = 0
    np.testing.assert_array_equal(made(x).data, x.data)


def test_any_attention_may_stand_in_a_block_and_receive_a_mask() -> None:
    made, x = block(), Tensor(normal(1, 3, 8))
    only_self = np.eye(3, dtype=np.bool_)
    middle = x + made.attention(made.attention_norm(x), mask=Tensor(only_self))
    expected = middle + made.mlp(made.mlp_norm(middle))
    np.testing.assert_allclose(made(x, only_self).data, expected.data, atol=1e-6)
    made.attention = lambda normed: normed * 0.0  # type: ignore[assignment]  # any callable may stand there
    np.testing.assert_allclose(made(x).data, (x + made.mlp(made.mlp_norm(x))).data, atol=1e-6)


def test_dropout_of_a_block_is_for_training_only() -> None:
    made, x = block(dropout=0.5), Tensor(normal(2, 4, 8))
    assert not np.array_equal(made(x).data, made(x).data)
    made.eval()
    np.testing.assert_array_equal(made(x).data, made(x).data)
    all_dropped = block(dropout=1.0)
    np.testing.assert_array_equal(all_dropped(x).data, x.data)


def test_the_gradient_of_a_block() -> None:
    attention = MultiHeadAttention(4, 2, causal=True, rng=np.random.default_rng(0))
    made = TransformerBlock(attention, SwiGLU(4, 6, rng=np.random.default_rng(1)), RMSNorm(4), RMSNorm(4))
    for module in list(made.modules()):
        for name, value in list(vars(module).items()):
            if isinstance(value, Parameter):
                setattr(module, name, Parameter(value.data, dtype=np.float64))
    assert gradcheck(made, normal(2, 3, 4))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: swiglu(Tensor([1.0, 2.0]), Tensor([1.0])), r"\(2,\) and \(1,\)"),
        (lambda: linear_gelu(Tensor([[1.0]]), Tensor([[1.0], [1.0]]), Tensor([0.0])), r"\(1, 1\), \(2, 1\)"),
        (lambda: linear_gelu(Tensor([[1.0]]), Tensor([[1.0]]), Tensor([0.0, 1.0])), r"\(2,\)"),
        (lambda: MLP(4)(Tensor([[1.0, 2.0]])), "linear_gelu takes"),
    ],
)
def test_wrong_shapes_explain_themselves(call: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()
