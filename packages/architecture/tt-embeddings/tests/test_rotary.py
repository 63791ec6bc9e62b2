"""Rotary positions."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_autograd import gradcheck
from tt_embeddings import RotaryEmbedding, rotary, rotary_angles
from tt_tensor import Tensor

Array = npt.NDArray[Any]


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def turned_slowly(x: Array, places: Array, interleaved: bool, base: float = 10000.0) -> Array:
    """Turn each pair as one complex number."""
    half = x.shape[-1] // 2
    out = np.empty_like(x)
    for i in range(half):
        a, b = (2 * i, 2 * i + 1) if interleaved else (i, i + half)
        turned = (x[..., a] + 1j * x[..., b]) * np.exp(1j * places * base ** (-2 * i / x.shape[-1]))
        out[..., a], out[..., b] = turned.real, turned.imag
    return out


@pytest.mark.parametrize("interleaved", [True, False])
@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (5, 2), (0, 2, 3, 4), (2, 2, 0, 4)])
@pytest.mark.parametrize("offset", [0, 7])
def test_pairs_turn_like_complex_numbers(interleaved: bool, shape: tuple[int, ...], offset: int) -> None:
    x = normal(*shape)
    layer = RotaryEmbedding(shape[-1], base=100.0, max_seq_len=20, interleaved=interleaved)
    out = layer(Tensor(x, dtype=np.float64), offset)
    places = np.arange(offset, offset + shape[-2])
    np.testing.assert_allclose(out.data, turned_slowly(x, places, interleaved, 100.0), atol=1e-12)


@pytest.mark.parametrize("interleaved", [True, False])
def test_explicit_positions_and_gradients(interleaved: bool) -> None:
    x = normal(2, 3, 4, 6)
    layer = RotaryEmbedding(6, interleaved=interleaved)
    each = np.array([[5, 0, 900, 3], [1, 2, 3, 4]])
    out = layer(Tensor(x, dtype=np.float64), positions=each)
    np.testing.assert_allclose(out.data, turned_slowly(x, each[:, None], interleaved), atol=1e-12)
    out = layer(Tensor(x, dtype=np.float64), positions=each[0])
    np.testing.assert_allclose(out.data, turned_slowly(x, each[0], interleaved), atol=1e-12)
    assert gradcheck(lambda x: layer(x, 3), normal(2, 2, 3, 6))
    assert gradcheck(lambda x: layer(x.swapaxes(1, 2)), normal(2, 3, 2, 6))
    assert gradcheck(lambda x: layer(x, positions=each[:, :2]), normal(2, 1, 2, 6))


@settings(max_examples=20, deadline=None)
@given(first=st.integers(0, 500), second=st.integers(0, 500), shift=st.integers(0, 500), interleaved=st.booleans())
def test_a_product_sees_the_distance_only(first: int, second: int, shift: int, interleaved: bool) -> None:
    layer = RotaryEmbedding(8, max_seq_len=1001, interleaved=interleaved)
    q, k = (Tensor(normal(1, 8, seed=seed), dtype=np.float64) for seed in (0, 1))
    here = (layer(q, first) * layer(k, second)).sum().item()
    there = (layer(q, first + shift) * layer(k, second + shift)).sum().item()
    assert here == pytest.approx(there, abs=1e-10)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_types_stay(dtype: type) -> None:
    x = Tensor(normal(2, 5, 4), dtype=dtype, requires_grad=True)
    before = x.data.copy()
    out = RotaryEmbedding(4)(x, 100)
    out.sum().backward()
    assert x.grad is not None
    assert out.dtype == dtype
    assert x.grad.dtype == dtype
    np.testing.assert_array_equal(x.data, before)
    expected = turned_slowly(before.astype(np.float64), np.arange(100, 105), True)
    np.testing.assert_allclose(out.data, expected, atol=2e-3 if dtype is np.float16 else 1e-5)


def test_each_type_has_angles_of_its_own_precision() -> None:
    layer, x = RotaryEmbedding(4), normal(5, 4)
    for dtype, error in ((np.float32, 1e-5), (np.float64, 1e-12)):
        out = layer(Tensor(x, dtype=dtype), 3000)
        np.testing.assert_allclose(out.data, turned_slowly(x, np.arange(3000, 3005), True), rtol=0, atol=error)


def test_positions_of_a_batch_without_heads() -> None:
    x, each = normal(2, 3, 4), np.array([[5, 0, 9], [1, 2, 3]])
    out = RotaryEmbedding(4)(Tensor(x, dtype=np.float64), positions=each)
    np.testing.assert_allclose(out.data, turned_slowly(x, each, True), atol=1e-12)


def test_settings_that_are_changed_hold_from_then_on() -> None:
    layer, x = RotaryEmbedding(4, max_seq_len=8), normal(2, 4)
    layer(Tensor(x), 6)
    layer.base, layer.max_seq_len = 50.0, 20
    out = layer(Tensor(x, dtype=np.float32), 17)
    np.testing.assert_allclose(out.data, turned_slowly(x, np.arange(17, 19), True, 50.0), atol=1e-5)


def test_integers_are_refused_and_not_cut_off() -> None:
    with pytest.raises(TypeError, match=r"floating-point numbers, but received int64.*astype"):
        rotary([[1, 0]], [[0.5]], [[0.8]])
    with pytest.raises(TypeError, match="received int64"):
        RotaryEmbedding(2)(Tensor([[1, 0]]))


@pytest.mark.parametrize("angles", [(2, 2), (2, 3, 2), (4, 2)])
def test_angles_that_do_not_broadcast_are_named(angles: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=rf"x \(3, 4\), cos {re.escape(str(angles))} and"):
        rotary(np.ones((3, 4)), np.ones(angles), np.ones(angles))
    with pytest.raises(ValueError, match=rf"x \(1, 4\), cos {re.escape(str(angles))} and"):  # x does not stretch
        rotary(np.ones((1, 4)), np.ones(angles), np.ones(angles))


def test_wrong_use_explains_itself() -> None:
    with pytest.raises(ValueError, match="even head_dim, but received 5"):
        RotaryEmbedding(5)
    with pytest.raises(ValueError, match=r"base=0.* and max_seq_len=4"):
        RotaryEmbedding(4, base=0.0, max_seq_len=4)
    for head_dim, base in ((3, 10.0), (0, 10.0), (4, 0.0), (4, float("nan"))):
        with pytest.raises(ValueError, match=f"received head_dim={head_dim} and base={base}"):
            rotary_angles(np.arange(2), head_dim, base)
    layer = RotaryEmbedding(4, max_seq_len=8)
    assert repr(layer) == "RotaryEmbedding(4, base=10000, max_seq_len=8)"
    assert list(layer.state_dict()) == []
    with pytest.raises(ValueError, match=r"\(..., T, 4\), but received \(2, 6\)"):
        layer(Tensor(np.zeros((2, 6))))
    with pytest.raises(ValueError, match="0 to 7, but received 6 to 8"):
        layer(Tensor(np.zeros((3, 4))), 6)
    with pytest.raises(ValueError, match="received 1 to 9"):
        layer(Tensor(np.zeros((2, 4))), positions=[1, 9])
    with pytest.raises(ValueError, match=r"2 integers, one for each entry, but received .* of shape \(3,\)"):
        layer(Tensor(np.zeros((2, 4))), positions=[1, 2, 3])
    with pytest.raises(ValueError, match=r"x \(2, 3\), cos \(2, 2\) and sin \(2, 2\)"):
        rotary(Tensor(np.zeros((2, 3))), Tensor(np.zeros((2, 2))), Tensor(np.zeros((2, 2))))
    with pytest.raises(ValueError, match=r"x \(3, 2, 3, 4\), cos \(2, 1, 3, 2\)"):
        layer(Tensor(np.zeros((3, 2, 3, 4))), positions=[[0, 1, 2], [3, 4, 5]])
    trained = Tensor(np.ones((2, 2)), requires_grad=True)
    with pytest.raises(TypeError, match="cos and sin have no gradient"):
        rotary(Tensor(np.zeros((2, 4))), trained, Tensor(np.zeros((2, 2)))).sum().backward()
    cos, _ = rotary_angles(np.array([100_000]), 2)
    assert cos.item() == pytest.approx(np.cos(100_000.0), abs=1e-6)
