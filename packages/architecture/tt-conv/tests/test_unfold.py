"""Columns of what a window sees: a product with them is the convolution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tt_autograd import gradcheck
from tt_conv import conv2d, unfold
from tt_tensor import Array, Tensor


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def double(array: Array) -> Tensor:
    return Tensor(array, dtype=np.float64)


@pytest.mark.parametrize(
    "words", [{}, {"stride": 2}, {"padding": ((1, 0), (2, 1)), "dilation": (2, 1), "stride": (1, 3)}]
)
def test_unfold_lays_out_what_the_filters_see(words: dict[str, Any]) -> None:
    x, w = normal(2, 3, 6, 5), normal(4, 3, 2, 3, seed=1)
    columns = unfold(double(x), (2, 3), **words).data
    expected = conv2d(double(x), double(w), **words).data
    np.testing.assert_allclose((w.reshape(4, -1) @ columns).reshape(expected.shape), expected, atol=1e-12)
    assert gradcheck(lambda x: unfold(x, (2, 3), **words), x)


def test_unfold_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="unfold: a kernel that reaches over 4 x 4 does not fit"):
        unfold(Tensor(np.zeros((1, 1, 3, 3))), 4)
    with pytest.raises(ValueError, match="unfold wants images"):
        unfold(Tensor(np.zeros((3, 3))), 2)
