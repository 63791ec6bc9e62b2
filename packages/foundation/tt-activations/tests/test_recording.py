"""GELU's recording kernel: what it leaves for the backward pass."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.testing as npt
import pytest
import tt_activations as act
from tt_tensor import Tensor, primitives


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_it_returns_the_output_and_its_derivative(approximate: Literal["none", "tanh"]) -> None:
    x = np.linspace(-6, 6, 49)
    recording = primitives()["gelu"].recording
    assert recording is not None
    out, derivative = recording(x, approximate=approximate)
    npt.assert_array_equal(out, act.gelu(Tensor(x, dtype=np.float64), approximate).data)
    above, below = (act.gelu(Tensor(x + e, dtype=np.float64), approximate).data for e in (1e-6, -1e-6))
    assert isinstance(derivative, np.ndarray)
    npt.assert_allclose(derivative, (above - below) / 2e-6, atol=1e-8)


def test_the_derivative_in_float32_keeps_the_digits_of_its_tails() -> None:
    x = np.linspace(-13, 13, 26_001).astype(np.float32)
    recording = primitives()["gelu"].recording
    assert recording is not None
    out, derivative = recording(x, approximate="none")
    assert isinstance(derivative, np.ndarray)
    npt.assert_array_equal(out, act.gelu(Tensor(x)).data)
    wide = x.astype(np.float64)
    share = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in wide])
    exact = share + wide * np.exp(-wide * wide / 2) / math.sqrt(2 * math.pi)
    units = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    bound = (8 + wide * wide / 2) * units
    through_zero = np.abs(wide + 0.75) < 0.75
    assert np.all(np.abs(derivative - exact) <= np.where(through_zero, 3e-7, bound))


def test_the_derivative_at_the_edges() -> None:
    recording = primitives()["gelu"].recording
    assert recording is not None
    for dtype in (np.float32, np.float64):
        x = np.array([-np.inf, -3e38, -0.0, 0.0, 3e38, np.inf, np.nan], dtype)
        npt.assert_array_equal(recording(x, approximate="none")[1], np.array([0, 0, 0.5, 0.5, 1, 1, np.nan], dtype))


@pytest.mark.parametrize(
    ("given", "kept"), [(np.float16, np.float16), (np.float32, np.float32), (np.int64, np.float32)]
)
def test_types(given: type[np.number], kept: type[np.number]) -> None:
    recording = primitives()["gelu"].recording
    assert recording is not None
    out, derivative = recording(np.array([1, 2], given), approximate="none")
    assert isinstance(derivative, np.ndarray)
    assert out.dtype == derivative.dtype == kept
