"""What the tests of the rules share: a gradient check of their own, so that they do not lean on `gradcheck`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pytest
import tt_autograd  # noqa: F401  # records operations once imported
from tt_tensor import Tensor, from_numpy

Array = npt.NDArray[Any]


class Check(Protocol):
    def __call__(self, operation: Callable[..., Tensor], *arrays: Array, atol: float = ...) -> None: ...


def leaf(array: Array, *, trainable: bool = True) -> Tensor:
    tensor = from_numpy(array)
    tensor.requires_grad = trainable and array.dtype.kind == "f"
    return tensor


def analytic(operation: Callable[..., Tensor], arrays: list[Array], cotangent: Array) -> list[Array | None]:
    leaves = [leaf(a) for a in arrays]
    operation(*leaves).backward(from_numpy(cotangent))
    return [None if x.grad is None else x.grad.data for x in leaves]


def numeric(operation: Callable[..., Tensor], arrays: list[Array], i: int, cotangent: Array) -> Array:
    eps = 1e-6
    slope = np.zeros(arrays[i].shape)
    for index in np.ndindex(*arrays[i].shape):
        ends = []
        for step in (eps, -eps):
            moved = [a.copy() for a in arrays]
            moved[i][index] += step
            ends.append(float((operation(*[leaf(a, trainable=False) for a in moved]).data * cotangent).sum()))
        slope[index] = (ends[0] - ends[1]) / (2 * eps)
    return slope


@pytest.fixture
def check() -> Check:
    """Compare gradients in float64 with central differences, and those in float32 with those in float64."""

    def run(operation: Callable[..., Tensor], *arrays: Array, atol: float = 1e-6) -> None:
        given = [np.asarray(a) for a in arrays]
        shape = operation(*[leaf(a, trainable=False) for a in given]).shape
        cotangent = np.random.default_rng(7).standard_normal(shape)
        gradients = analytic(operation, given, cotangent)
        half = [a.astype(np.float32) if a.dtype == np.float64 else a for a in given]
        small = analytic(operation, half, cotangent.astype(np.float32))
        for i, (array, gradient, single) in enumerate(zip(given, gradients, small, strict=True)):
            if array.dtype.kind != "f":
                assert gradient is None
                continue
            assert gradient is not None, f"input {i} got no gradient"
            assert single is not None
            assert gradient.dtype == np.float64
            assert single.dtype == np.float32
            assert gradient.shape == single.shape == array.shape
            expected = numeric(operation, given, i, cotangent)
            np.testing.assert_allclose(gradient, expected, atol=atol, rtol=1e-5, err_msg=f"input {i}")
            np.testing.assert_allclose(single, gradient, atol=2e-4, rtol=2e-3, err_msg=f"input {i} in float32")

    return run
