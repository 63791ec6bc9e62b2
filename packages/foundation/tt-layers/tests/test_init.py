"""Initialisers: the spread each promises, for linear and convolution weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_layers import Parameter, init
from tt_tensor import Tensor, manual_seed, zeros

Fill = Callable[..., Tensor]
LINEAR, CONV = (300, 200), (64, 16, 5, 5)


def std(name: str, fan_in: int, fan_out: int) -> float:
    variance = {"xavier": 2 / (fan_in + fan_out), "kaiming": 2 / fan_in, "lecun": 1 / fan_in}
    return math.sqrt(variance[name])


@pytest.mark.parametrize("shape", [LINEAR, CONV])
@pytest.mark.parametrize("name", ["xavier", "kaiming", "lecun"])
@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_has_the_spread_it_promises(shape: tuple[int, ...], name: str, kind: str) -> None:
    fan_in, fan_out = (300, 200) if shape == LINEAR else (16 * 25, 64 * 25)
    fill: Fill = getattr(init, f"{name}_{kind}_")
    weight = Parameter(np.zeros(shape))
    assert fill(weight, rng=np.random.default_rng(0)) is weight
    expected = std(name, fan_in, fan_out)
    assert weight.data.std() == pytest.approx(expected, rel=0.02)
    assert abs(weight.data.mean()) < 0.02 * expected
    largest = abs(weight.data).max() / expected
    assert largest <= math.sqrt(3) + 1e-6 if kind == "uniform" else largest > 3.0
    assert weight.dtype == np.float32


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_kaiming_heeds_mode_slope_and_activation(kind: str) -> None:
    fill: Fill = getattr(init, f"kaiming_{kind}_")

    def spread(*args: Any, **words: Any) -> float:
        return float(fill(zeros(LINEAR), *args, rng=np.random.default_rng(0), **words).data.std())

    assert spread(mode="fan_out") == pytest.approx(math.sqrt(2 / 200), rel=0.02)
    assert spread(math.sqrt(5.0)) == pytest.approx(math.sqrt(1 / 3 / 300), rel=0.02)
    assert spread(nonlinearity="linear") == pytest.approx(math.sqrt(1 / 300), rel=0.02)
    assert spread(nonlinearity="tanh") == pytest.approx(5 / 3 * math.sqrt(1 / 300), rel=0.02)
    with pytest.raises(ValueError, match="'fan_in' or 'fan_out'"):
        fill(zeros(LINEAR), mode="both")


def test_xavier_heeds_the_gain() -> None:
    for fill in (init.xavier_uniform_, init.xavier_normal_):
        weight = fill(zeros(LINEAR), gain=3.0, rng=np.random.default_rng(0))
        assert weight.data.std() == pytest.approx(3.0 * std("xavier", *LINEAR), rel=0.02)


def test_fans_of_linear_and_convolution() -> None:
    assert init.fans((3, 7)) == (3, 7)
    assert init.fans((8, 3, 5, 5)) == (75, 200)
    assert init.fans((8, 3, 5)) == (15, 40)
    for shape in [(), (3,)]:
        with pytest.raises(ValueError, match="at least two axes"):
            init.fans(shape)
        with pytest.raises(ValueError, match="at least two axes"):
            init.kaiming_normal_(Tensor(np.zeros(shape)))


def test_gains() -> None:
    assert init.gain("linear") == init.gain("sigmoid") == 1.0
    assert init.gain("relu") == pytest.approx(math.sqrt(2))
    assert init.gain("leaky_relu", 1.0) == 1.0
    assert (init.gain("tanh"), init.gain("selu")) == (5 / 3, 3 / 4)
    with pytest.raises(ValueError, match="no gain is known for 'step'; choose one of leaky_relu"):
        init.gain("step")


def test_constants() -> None:
    weight = Parameter([[1.0, 2.0]])
    memory, version = weight.data, weight.version
    assert init.zeros_(weight) is weight
    assert weight.tolist() == [[0.0, 0.0]]
    assert init.ones_(weight).tolist() == [[1.0, 1.0]]
    assert init.constant_(weight, 7.0).tolist() == [[7.0, 7.0]]
    assert weight.data is memory
    assert weight.version == version + 3
    assert weight.requires_grad


@settings(max_examples=30, deadline=None)
@given(st.floats(-10, 10), st.floats(0, 10), st.integers(0, 1000))
def test_uniform_and_normal(middle: float, width: float, seed: int) -> None:
    weight = init.uniform_(zeros((500,), dtype=np.float64), middle, middle + width, rng=np.random.default_rng(seed))
    assert middle <= weight.data.min()
    assert weight.data.max() <= middle + width
    weight = init.normal_(zeros((500,), dtype=np.float64), middle, width, rng=np.random.default_rng(seed))
    assert abs(weight.data.mean() - middle) <= width * 0.3 + 1e-9
    assert weight.data.std() == pytest.approx(width, rel=0.2, abs=1e-9)


def test_refuses_what_has_no_meaning() -> None:
    with pytest.raises(ValueError, match=r"low=2\.0 and high=1\.0"):
        init.uniform_(zeros((2,)), 2.0, 1.0)
    with pytest.raises(ValueError, match=r"std=-1\.0"):
        init.normal_(zeros((2,)), 0.0, -1.0)


def test_follows_the_seed_without_a_generator() -> None:
    manual_seed(3)
    first = init.xavier_uniform_(zeros((4, 4))).data, init.normal_(zeros((4,))).data
    manual_seed(3)
    second = init.xavier_uniform_(zeros((4, 4))).data, init.normal_(zeros((4,))).data
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_without_numbers_it_is_the_standard_normal_distribution() -> None:
    drawn, asked = (init.normal_(zeros((500,)), *numbers, rng=np.random.default_rng(0)) for numbers in ((), (0.0, 1.0)))
    assert drawn.tolist() == asked.tolist()
