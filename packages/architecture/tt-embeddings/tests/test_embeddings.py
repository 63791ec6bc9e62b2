"""Tables of vectors: looking up, learning, positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_autograd import gradcheck
from tt_embeddings import Embedding, PositionalEmbedding, embedding, sinusoidal_positions
from tt_embeddings.lessons import lookup_costs, plot_lookup, table_bytes
from tt_tensor import Tensor

Array = npt.NDArray[Any]


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("shape", [(), (3,), (2, 1, 3), (0,), (2, 0)])
@pytest.mark.parametrize("dtype", ["i8", "i4", "u1"])
def test_every_id_gets_its_row(shape: tuple[int, ...], dtype: str) -> None:
    ids = np.random.default_rng(0).integers(0, 5, shape).astype(dtype)
    table = normal(5, 4)
    out = embedding(Tensor(ids), Tensor(table, dtype=np.float64))
    assert out.shape == (*shape, 4)
    for place in np.ndindex(shape):
        np.testing.assert_array_equal(out.data[place], table[int(ids[place])])


@pytest.mark.parametrize("rows", [6, 300])
def test_the_gradient_against_differences(rows: int) -> None:
    assert gradcheck(lambda table: embedding([[3, 0, 3], [5, 3, 1]], table), normal(rows, 2))


@settings(max_examples=25, deadline=None)
@given(
    rows=st.sampled_from([1, 2, 256, 257, 1000]),
    shape=st.sampled_from([(), (5,), (3, 40), (0,), (5000,)]),
    seed=st.integers(0, 9),
)
def test_the_gradient_is_the_sum_over_the_uses(rows: int, shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids, g = rng.integers(0, rows, shape), rng.standard_normal((*shape, 3))
    table = Tensor(np.zeros((rows, 3)), dtype=np.float64, requires_grad=True)
    embedding(ids, table).backward(Tensor(g, dtype=np.float64))
    expected = np.zeros((rows, 3))
    np.add.at(expected, ids, g)
    assert table.grad is not None
    np.testing.assert_allclose(table.grad.data, expected, atol=1e-11)


@pytest.mark.parametrize("rows", [4, 400])
@pytest.mark.parametrize("broken", [np.inf, -np.inf, np.nan])
def test_a_gradient_that_is_not_finite_stays_in_its_row(rows: int, broken: float) -> None:
    table = Tensor(np.zeros((rows, 2)), requires_grad=True)
    embedding([0, 1, 1], table).backward(Tensor([[broken, 1.0], [2.0, 3.0], [4.0, 5.0]]))
    assert table.grad is not None
    np.testing.assert_array_equal(table.grad.data[:4], [[broken, 1], [6, 8], [0, 0], [0, 0]])


@pytest.mark.parametrize("rows", [4, 400])
def test_half_precision_is_summed_in_single_and_padding_learns_nothing(rows: int) -> None:
    table = Tensor(np.zeros((rows, 1)), dtype=np.float16, requires_grad=True)
    ids = np.array([0] * 5000 + [2])
    out = embedding(ids, table, padding_idx=2)
    out.backward(Tensor(np.ones((5001, 1)), dtype=np.float16))
    assert out.dtype == np.float16
    assert table.grad is not None
    assert table.grad.dtype == np.float16
    assert table.grad.data[:4, 0].tolist() == [5000.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("rows", [4, 400])
def test_half_precision_is_rounded_once(rows: int) -> None:
    rng = np.random.default_rng(0)
    ids, g = rng.integers(0, 3, 20_000), rng.integers(-30, 50, (20_000, 2)) / 8  # whose sums single precision holds
    table = Tensor(np.zeros((rows, 2)), dtype=np.float16, requires_grad=True)
    embedding(ids, table).backward(Tensor(g, dtype=np.float16))
    exact = np.zeros((rows, 2))
    np.add.at(exact, ids, g)
    assert table.grad is not None
    np.testing.assert_array_equal(table.grad.data, exact.astype(np.float16))


@pytest.mark.parametrize("bad", [5, -1])
def test_an_id_out_of_range_is_named_with_its_place(bad: int) -> None:
    with pytest.raises(IndexError, match=rf"id {bad} at position \(1, 0\) .*5 rows .*0 to 4"):
        embedding([[0, 4], [bad, 1]], Tensor(normal(5, 2)))


def test_wrong_use_explains_itself() -> None:
    table = Tensor(normal(5, 2))
    with pytest.raises(TypeError, match=r"integer ids, but received float32.*astype"):
        embedding([1.0], table)
    with pytest.raises(ValueError, match=r"\(V, C\).*\(5,\)"):
        embedding([1], Tensor(normal(5)))
    with pytest.raises(ValueError, match="padding_idx=5 is no row of a table of 5"):
        embedding([1], table, padding_idx=5)
    with pytest.raises(ValueError, match="padding_idx=-1"):
        Embedding(3, 2, padding_idx=-1)
    with pytest.raises(ValueError, match="num_embeddings=0 and embedding_dim=2"):
        Embedding(0, 2)
    with pytest.raises(ValueError, match="max_seq_len=2 and embed_dim=0"):
        PositionalEmbedding(2, 0)


@pytest.mark.parametrize("padding", [0, 3, 999])
def test_a_table_starts_small_with_a_padding_row_of_zeros_that_stays(padding: int) -> None:
    layer = Embedding(1000, 50, padding_idx=padding, rng=np.random.default_rng(0))
    assert layer.weight.dtype == np.float32
    assert layer.weight.data[padding].tolist() == [0.0] * 50
    assert layer.weight.data.std() == pytest.approx(0.02, rel=0.02)
    layer(Tensor([[padding, 2]])).sum().backward()
    assert layer.weight.grad is not None
    assert np.flatnonzero(layer.weight.grad.data[:, 0]).tolist() == [2]
    assert repr(layer) == f"Embedding(1000, 50, padding_idx={padding})"


def test_one_number_and_one_position_are_enough() -> None:
    assert Embedding(1, 1)(Tensor([0, 0])).shape == (2, 1)
    one = PositionalEmbedding(1, 1)
    assert one(Tensor([[0.0]])).tolist() == one.weight.tolist()


def test_learned_positions_start_small() -> None:
    layer = PositionalEmbedding(500, 50, rng=np.random.default_rng(0))
    assert layer.weight.data.std() == pytest.approx(0.02, rel=0.02)
    first = layer.weight.data.copy()
    layer.reset_parameters(rng=np.random.default_rng(1))
    assert (layer.weight.data != first).all()


def test_learned_positions_are_added_from_the_offset_on() -> None:
    layer = PositionalEmbedding(6, 3, rng=np.random.default_rng(0))
    x = Tensor(normal(2, 4, 3), requires_grad=True)
    out = layer(x)
    np.testing.assert_allclose(out.data, x.data + layer.weight.data[:4], rtol=1e-6)
    np.testing.assert_allclose(layer(x, 2).data, x.data + layer.weight.data[2:], rtol=1e-6)
    out.sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.data[:, 0].tolist() == [2.0, 2.0, 2.0, 2.0, 0.0, 0.0]
    assert repr(layer) == "PositionalEmbedding(6, 3)"
    with pytest.raises(ValueError, match="0 to 5, but received 7 from position 0"):
        layer(Tensor(np.zeros((1, 7, 3))))
    with pytest.raises(ValueError, match="2 from position 5"):
        layer(Tensor(np.zeros((1, 2, 3))), 5)
    with pytest.raises(ValueError, match="2 from position -1"):
        layer(Tensor(np.zeros((1, 2, 3))), -1)
    with pytest.raises(ValueError, match=r"\(..., T, 3\), but received \(1, 2, 4\)"):
        layer(Tensor(np.zeros((1, 2, 4))))


@pytest.mark.parametrize("width", [1, 2, 5, 8])
def test_sinusoids_are_those_of_the_paper(width: int) -> None:
    table = sinusoidal_positions(50, width)
    assert table.shape == (50, width)
    assert table.dtype == np.float32
    for place in (0, 1, 7, 49):
        for i in range(width):
            angle = place / 10000 ** (2 * (i // 2) / width)
            assert table.data[place, i] == pytest.approx(np.cos(angle) if i % 2 else np.sin(angle), abs=1e-6)
    with pytest.raises(ValueError, match="received -1 and 4"):
        sinusoidal_positions(-1, 4)


def test_lessons() -> None:
    assert table_bytes(10, 4).table == 160
    assert table_bytes(10, 4).training == 640
    costs = lookup_costs([8, 64], tokens=16, embedding_dim=4, repeats=1)
    assert [(cost.vocabulary, cost.lookup_bytes) for cost in costs] == [(8, 256), (64, 256)]
    assert costs[1].product_bytes == 256 + 16 * 64 * 4
    assert all(cost.time_ratio > 0 for cost in costs)
    pytest.importorskip("matplotlib")
    assert len(plot_lookup(costs).axes[0].lines) == 2
