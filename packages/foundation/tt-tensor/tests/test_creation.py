"""Tensors from nothing, and the generator of random ones."""

from __future__ import annotations

import numpy as np
import pytest
import tt_tensor as tt
from tt_tensor import Tensor


def test_constants() -> None:
    assert tt.zeros(2, 3).tolist() == tt.zeros((2, 3)).tolist() == [[0.0] * 3] * 2
    assert tt.ones(2).tolist() == [1.0, 1.0]
    assert tt.full((2,), 7).tolist() == [7, 7]
    assert tt.full(2, 0.5).dtype == np.float32
    assert tt.full(2, 7).dtype == np.int64
    assert tt.full(2, True).dtype == np.bool_
    assert tt.eye(2, 3).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert tt.zeros().shape == ()
    for make in (tt.zeros, tt.ones, tt.rand, tt.randn):
        made = make(2, requires_grad=True)
        assert made.requires_grad
        assert made.dtype == np.float32
    assert tt.full(2, 1.0, requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="-1"):
        tt.zeros(2, -1)


def test_ranges() -> None:
    assert tt.arange(3).tolist() == [0, 1, 2]
    assert tt.arange(3).dtype == np.int64
    assert tt.arange(1, 2, 0.25).tolist() == [1.0, 1.25, 1.5, 1.75]
    assert tt.arange(0.0, 1.0, 0.5).dtype == np.float32
    assert tt.arange(3, dtype=np.float64).dtype == np.float64
    assert tt.arange(3, 0, -1).tolist() == [3, 2, 1]
    assert tt.linspace(0, 1, 5).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    with pytest.raises(ValueError, match="step"):
        tt.arange(0, 1, 0)


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_like(kind: type) -> None:
    x = tt.zeros(2, 3, dtype=kind)
    for make in (tt.zeros_like, tt.ones_like, tt.rand_like, tt.randn_like):
        made = make(x)
        assert made.shape == (2, 3)
        assert made.dtype == kind
    assert tt.full_like(x, 3).tolist() == [[3.0] * 3] * 2
    assert tt.full_like(x, 3).dtype == kind
    others = tt.zeros_like(x, np.int64), tt.ones_like(x, np.int64), tt.full_like(x, 2, np.int64)
    for value, other in enumerate(others):
        assert other.dtype == np.int64
        assert other.tolist() == [[value] * 3] * 2


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_random_numbers(dtype: type[np.floating]) -> None:
    rng = np.random.default_rng(0)
    uniform, normal = tt.rand(10_000, dtype=dtype, rng=rng), tt.randn(100, 100, dtype=dtype, rng=rng)
    assert uniform.dtype == normal.dtype == dtype
    assert 0 <= float(uniform.min().item()) < 0.01
    assert 0.99 < float(uniform.max().item()) <= 1
    assert float(uniform.mean().item()) == pytest.approx(0.5, abs=0.02)
    assert float(normal.mean().item()) == pytest.approx(0.0, abs=0.05)
    assert float(normal.std().item()) == pytest.approx(1.0, abs=0.05)
    with pytest.raises(TypeError, match="int64"):
        tt.rand(2, dtype=np.int64)


def test_the_default_generator_can_be_seeded_saved_and_replaced() -> None:
    assert tt.manual_seed(3) is tt.default_rng()
    first = tt.randn(4).tolist()
    state = tt.rng_state()
    second = tt.rand(4).tolist()
    tt.manual_seed(3)
    assert tt.randn(4).tolist() == first
    tt.set_rng_state(state)
    assert tt.rand(4).tolist() == second
    mine = np.random.default_rng(3)
    assert tt.default_rng(mine) is mine
    before = tt.rng_state()
    tt.randn(4, rng=mine)
    assert tt.rng_state() == before
    with pytest.raises(ValueError, match="-1"):
        tt.manual_seed(-1)
    with pytest.raises(ValueError, match="rng_state"):
        tt.set_rng_state({"bit_generator": "MT19937"})


def test_a_malformed_state_changes_nothing() -> None:
    before = tt.rng_state()
    other = np.random.PCG64(5).state["state"]
    for state in (
        {"bit_generator": "PCG64", "state": other},
        {"bit_generator": "PCG64", "state": {"state": -1, "inc": 1}, "has_uint32": 0, "uinteger": 0},
        {"bit_generator": "PCG64", "state": other, "has_uint32": 0, "uinteger": 2**40},
    ):
        with pytest.raises(ValueError, match=r"not a state of the default generator \(PCG64\)"):
            tt.set_rng_state(state)
        assert tt.rng_state() == before


def test_uniform_numbers_of_half_precision_stay_below_one() -> None:
    drawn = tt.rand(100_000, dtype=np.float16, rng=np.random.default_rng(0)).data
    assert drawn.dtype == np.float16
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert drawn.max() > 0.999
    assert tt.rand(dtype=np.float16).shape == ()


def test_one_rng_gives_one_sequence() -> None:
    draws = [tt.rand(3, rng=np.random.default_rng(5)) for _ in range(2)]
    assert draws[0].tolist() == draws[1].tolist()
    assert isinstance(draws[0], Tensor)


def test_as_tensor_keeps_a_tensor_and_makes_one_of_anything_else() -> None:
    x = Tensor([1.0], requires_grad=True)
    assert tt.as_tensor(x) is x
    array = np.ones(2)
    made = tt.as_tensor(array)
    assert made.dtype == np.float32
    assert made.tolist() == [1.0, 1.0]
    assert not np.shares_memory(made.data, array)
    with pytest.raises(TypeError):
        tt.as_tensor("words")


def test_a_shape_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a shape is made of lengths of at least 0; got \(1.5,\)"):
        tt.zeros(1.5)  # type: ignore[arg-type]  # wrong on purpose
