"""Gradients of the activations: against central differences, and at the edges where those say nothing."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.testing as npt
import pytest
import tt_activations as act
from tt_autograd import gradcheck
from tt_tensor import Array, Tensor, from_numpy, use_kernel

Function = Callable[[Tensor], Tensor]

ELEMENTWISE: dict[str, Function] = {
    "relu": act.relu,
    "leaky_relu": lambda x: act.leaky_relu(x, 0.2),
    "leaky_relu_flat": lambda x: act.leaky_relu(x, 0.0),
    "leaky_relu_steep": lambda x: act.leaky_relu(x, 3.0),
    "sigmoid": act.sigmoid,
    "gelu": act.gelu,
    "gelu_tanh": lambda x: act.gelu(x, "tanh"),
    "silu": act.silu,
    "softplus": act.softplus,
    "softplus_sharp": lambda x: act.softplus(x, 2.5),
    "elu": act.elu,
    "elu_alpha": lambda x: act.elu(x, 0.3),
    "elu_flat": lambda x: act.elu(x, 0.0),
}
SOFTMAX: dict[str, Callable[..., Tensor]] = {"softmax": act.softmax, "log_softmax": act.log_softmax}


def away_from_zero(shape: tuple[int, ...]) -> Array:
    """Values of both signs, further from the kink at 0 than a central difference reaches."""
    rng = np.random.default_rng(len(shape))
    return np.asarray(rng.uniform(0.05, 3, shape) * rng.choice([-1.0, 1.0], shape))


@pytest.mark.parametrize("shape", [(), (1,), (0,), (5,), (3, 4), (2, 0, 3), (2, 3, 2)])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(name: str, shape: tuple[int, ...]) -> None:
    gradcheck(ELEMENTWISE[name], away_from_zero(shape))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_on_a_strided_and_broadcast_input(name: str) -> None:
    function = ELEMENTWISE[name]
    gradcheck(lambda x: function(x.T[::2]), away_from_zero((4, 6)))
    gradcheck(lambda x, y: function(x * y), away_from_zero((4, 1)), away_from_zero((3,)))


@pytest.mark.parametrize(
    ("shape", "axis"), [((), -1), ((5,), 0), ((3, 4), 0), ((3, 4), -1), ((2, 3, 4), 1), ((0, 3), 1)]
)
@pytest.mark.parametrize("name", SOFTMAX)
def test_softmax(name: str, shape: tuple[int, ...], axis: int) -> None:
    gradcheck(lambda x: SOFTMAX[name](x, axis=axis), away_from_zero(shape))


@pytest.mark.parametrize("name", SOFTMAX)
def test_softmax_on_a_strided_and_broadcast_input(name: str) -> None:
    gradcheck(lambda x: SOFTMAX[name](x.T[::2], axis=0), away_from_zero((4, 6)))
    gradcheck(lambda x, y: SOFTMAX[name](x * y), away_from_zero((4, 1)), away_from_zero((3,)))


def slope(function: Function, points: list[float], dtype: type[np.float32 | np.float64] = np.float32) -> Array:
    x = Tensor(points, dtype=dtype, requires_grad=True)
    function(x).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == dtype
    return x.grad.data


@pytest.mark.parametrize(
    ("name", "at_zero"),
    [
        ("relu", 0.0),
        ("leaky_relu", 0.2),
        ("sigmoid", 0.25),
        ("gelu", 0.5),
        ("gelu_tanh", 0.5),
        ("silu", 0.5),
        ("softplus", 0.5),
        ("elu", 1.0),
        ("elu_alpha", 0.3),
    ],
)
def test_at_zero_as_in_pytorch(name: str, at_zero: float) -> None:
    npt.assert_allclose(slope(ELEMENTWISE[name], [0.0, -0.0]), at_zero, rtol=1e-6)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_at_the_ends_of_float32(name: str) -> None:
    got = slope(ELEMENTWISE[name], [-3e38, -1e4, -100.0, 100.0, 1e4, 3e38])
    left = {"leaky_relu": 0.2, "leaky_relu_steep": 3.0}.get(name, 0.0)
    right = 0.0 if name == "sigmoid" else 1.0
    npt.assert_allclose(got, [left] * 3 + [right] * 3, atol=1e-6)


@pytest.mark.parametrize("name", SOFTMAX)
def test_softmax_at_extreme_scores(name: str) -> None:
    x = Tensor([[3e38, -3e38], [-math.inf, 0.0], [1e4, 1e4]], requires_grad=True)
    out = SOFTMAX[name](x)
    out.backward(Tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    assert x.grad is not None
    last = [0.25, -0.25] if name == "softmax" else [0.5, -0.5]
    npt.assert_allclose(x.grad.data, [[0.0, 0.0], [0.0, 0.0], last], atol=1e-6)


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh"])
def test_gelu_gives_the_same_result_recorded_or_not(name: str) -> None:
    data = np.linspace(-6, 6, 101, dtype=np.float32)
    recorded = ELEMENTWISE[name](Tensor(data, requires_grad=True))
    npt.assert_array_equal(recorded.data, ELEMENTWISE[name](from_numpy(data)).data)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_gradient_has_the_type_of_the_input(name: str, dtype: type[np.float16 | np.float32]) -> None:
    x = Tensor(away_from_zero((3, 4)), dtype=dtype, requires_grad=True)
    ELEMENTWISE[name](x).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == dtype


def test_a_dead_unit_passes_nothing() -> None:
    assert slope(act.relu, [-1.0, 2.0]).tolist() == [0.0, 1.0]


def test_gelu_with_a_swapped_kernel_says_what_is_missing() -> None:
    x = Tensor([1.0], requires_grad=True)
    with use_kernel(act.gelu, lambda x, approximate: x):
        out = act.gelu(x)
    with pytest.raises(RuntimeError, match=r"gelu ran with a kernel that records nothing.*recording="):
        out.sum().backward()


def test_gelu_with_a_swapped_recording_uses_it() -> None:
    def recording(x: Array, approximate: str) -> tuple[Array, Array]:
        return x, np.full_like(x, 7)

    x = Tensor([1.0], requires_grad=True)
    with use_kernel(act.gelu, lambda x, approximate: x, recording=recording):
        act.gelu(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [7.0]
