"""GELU's recording kernel: what it leaves for the backward pass."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("given", "kept"), [(np.float16, np.float16), (np.float32, np.float32), (np.int64, np.float32)]
)
def test_types(given: type[np.number], kept: type[np.number]) -> None:
    recording = primitives()["gelu"].recording
    assert recording is not None
    out, derivative = recording(np.array([1, 2], given), approximate="none")
    assert isinstance(derivative, np.ndarray)
    assert out.dtype == derivative.dtype == kept
