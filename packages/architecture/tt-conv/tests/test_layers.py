"""The layers: parameters, settings, and training by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tt_conv import AvgPool2d, BatchNorm2d, Conv1d, Conv2d, GlobalAvgPool2d, GroupNorm, MaxPool2d, conv1d, conv2d
from tt_layers import Flatten, Linear, Sequential
from tt_tensor import Array, Tensor, use_kernel


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def test_a_convolution_is_its_function_with_parameters() -> None:
    layer = Conv2d(4, 6, (3, 2), (2, 1), ((1, 0), (0, 1)), (1, 2), 2)
    x = Tensor(normal(2, 4, 7, 6))
    expected = conv2d(x, layer.weight, layer.bias, (2, 1), ((1, 0), (0, 1)), (1, 2), 2)
    np.testing.assert_array_equal(layer(x).data, expected.data)
    assert layer.weight.shape == (6, 2, 3, 2)
    line = Conv1d(4, 6, 3, 2, "valid", 2, 2)
    y = Tensor(normal(2, 4, 9))
    np.testing.assert_array_equal(line(y).data, conv1d(y, line.weight, line.bias, 2, 0, 2, 2).data)


def test_parameters_start_within_their_bound_and_repeat_with_the_generator() -> None:
    first, second = (Conv2d(8, 50, 3, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.weight.data, second.weight.data)
    assert first.bias is not None
    bound = 1 / np.sqrt(8 * 9)
    for parameter in (first.weight, first.bias):
        assert np.abs(parameter.data).max() <= bound
        assert np.abs(parameter.data).max() > 0.8 * bound
        assert parameter.dtype == np.float32
    assert Conv2d(1, 1, 1, bias=False).bias is None


@pytest.mark.parametrize("dtype", [None, np.float32, np.float64])
def test_parameters_have_the_type_that_is_asked_for(dtype: type | None) -> None:
    layers = (
        Conv1d(2, 2, 1, dtype=dtype),
        Conv2d(2, 2, 1, dtype=dtype),
        BatchNorm2d(2, dtype=dtype),
        GroupNorm(1, 2, dtype=dtype),
    )
    for layer in layers:
        assert {parameter.dtype for parameter in layer.parameters()} == {np.dtype(dtype or np.float32)}
        assert len(list(layer.parameters())) == 2


def test_pooling_layers() -> None:
    x = Tensor(normal(2, 3, 6, 6))
    assert MaxPool2d(3, 2, 1)(x).shape == (2, 3, 3, 3)
    assert MaxPool2d(2, ceil_mode=True)(Tensor(normal(1, 1, 5, 5))).shape == (1, 1, 3, 3)
    assert AvgPool2d(2)(x).shape == (2, 3, 3, 3)
    np.testing.assert_allclose(GlobalAvgPool2d()(x).data, x.data.mean(axis=(2, 3)), atol=1e-6)


@pytest.mark.parametrize("kernel", ["reference", "im2col", "loops"])
def test_a_network_learns_with_every_kernel(kernel: str) -> None:
    """Vertical against horizontal bars: gradient descent by hand, all the way through every layer."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((16, 1, 8, 8)) * 0.1
    labels = np.arange(16) % 2
    images[labels == 0, :, 3, :] += 1
    images[labels == 1, :, :, 3] += 1
    target = Tensor(2.0 * labels.reshape(-1, 1) - 1)
    model = Sequential(
        Conv2d(1, 4, 3, padding=1, rng=rng), BatchNorm2d(4), lambda x: x.tanh(), MaxPool2d(2),
        Conv2d(4, 4, 3, rng=rng), AvgPool2d(2), Flatten(), Linear(4, 1, rng=rng),
    )  # fmt: skip
    losses = []
    with use_kernel(conv2d, kernel):
        for _ in range(15):
            error = model(Tensor(images)) - target
            loss = (error * error).mean()
            model.zero_grad()
            loss.backward()
            for parameter in model.parameters():
                assert parameter.grad is not None
                parameter.data[...] -= 0.2 * parameter.grad.data
            losses.append(loss.item())
    assert losses[-1] < 0.25 * losses[0]


def test_layers_describe_themselves() -> None:
    assert repr(Conv2d(3, 8, 3)) == "Conv2d(3, 8, kernel_size=(3, 3))"
    assert "stride=(2, 2), padding='valid', groups=2, bias=False" in repr(Conv2d(2, 2, 1, 2, "valid", 1, 2, False))
    assert repr(Conv1d(3, 8, 3, padding=1)) == "Conv1d(3, 8, kernel_size=3, padding=1)"
    assert repr(MaxPool2d(2)) == "MaxPool2d(kernel_size=(2, 2), stride=(2, 2), padding=0)"
    assert repr(AvgPool2d(3, 1)) == "AvgPool2d(kernel_size=(3, 3), stride=(1, 1), padding=0)"
    assert repr(BatchNorm2d(4)) == "BatchNorm2d(4, eps=1e-05, momentum=0.1)"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Conv2d(0, 1, 1), "in_channels=0"),
        (lambda: Conv2d(4, 6, 1, groups=4), "out_channels=6 and groups=4"),
        (lambda: Conv2d(1, 1, 0), "kernel_size must be"),
        (lambda: Conv2d(1, 1, 3, 2, "same"), "stride of"),
        (lambda: Conv1d(1, 1, 0), "kernel_size must be"),
        (lambda: Conv1d(3, 4, 1, groups=2), "Conv1d needs positive numbers"),
        (lambda: MaxPool2d(0), "kernel_size must be"),
    ],
)
def test_wrong_settings_are_said_when_the_layer_is_made(make: Callable[[], Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()
