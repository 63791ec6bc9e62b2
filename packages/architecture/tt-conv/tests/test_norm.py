"""Normalisation: statistics, gradients, running buffers, and folding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_autograd import gradcheck
from tt_conv import BatchNorm2d, Conv2d, GroupNorm, batch_norm2d, fold_batch_norm, group_norm
from tt_layers import Sequential
from tt_tensor import Array, Tensor, from_numpy


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def double(array: Array, requires_grad: bool = False) -> Tensor:
    return Tensor(array, dtype=np.float64, requires_grad=requires_grad)


def channels_last(array: Array) -> Array:
    """The same numbers, a pixel's channels side by side in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)


def column(vector: Array) -> Array:
    return vector.reshape(-1, 1, 1)


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(2, 5)),
    turned=st.booleans(),
    offset=st.sampled_from([0.0, 100.0]),
)
def test_training_normalises_by_the_batch(shape: tuple[int, ...], turned: bool, offset: float) -> None:
    x = normal(*shape) * 3 + offset
    if turned:
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    weight, bias = normal(shape[1], seed=1), normal(shape[1], seed=2)
    out = batch_norm2d(double(x), weight=double(weight), bias=double(bias), training=True)
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    expected = (x - column(mean)) / np.sqrt(column(var) + 1e-5) * column(weight) + column(bias)
    np.testing.assert_allclose(out.data, expected, atol=1e-9)


def test_use_normalises_by_what_was_remembered() -> None:
    x, mean, var = normal(2, 3, 4, 5), normal(3, seed=1), normal(3, seed=2) ** 2 + 0.1
    out = batch_norm2d(double(x), double(mean), double(var))
    np.testing.assert_allclose(out.data, (x - column(mean)) / np.sqrt(column(var) + 1e-5), atol=1e-12)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 2, 1, 2), (5, 1, 1, 1), (3, 40, 2, 2)])
def test_gradients_of_batch_norm(shape: tuple[int, ...]) -> None:
    c = shape[1]
    x, w, b, m, v = normal(*shape), normal(c, seed=1), normal(c, seed=2), normal(c, seed=3), normal(c, seed=4) ** 2 + 1
    assert gradcheck(lambda x, w, b: batch_norm2d(x, weight=w, bias=b, training=True, eps=0.1), x, w, b)
    assert gradcheck(lambda x: batch_norm2d(x, training=True, eps=0.1), x)
    assert gradcheck(lambda x, w: batch_norm2d(x, weight=w, training=True, eps=0.1), x, w)
    assert gradcheck(lambda x, w, b: batch_norm2d(x, double(m), double(v), w, b), x, w, b)
    assert gradcheck(lambda w, b: batch_norm2d(double(x), double(m), double(v), w, b), w, b)


@pytest.mark.parametrize("training", [True, False])
def test_a_joined_relu_is_a_relu_behind(training: bool) -> None:
    x, w, b = normal(3, 4, 5, 6), normal(4, seed=1), normal(4, seed=2)
    mean = None if training else double(normal(4, seed=3))
    var = None if training else double(normal(4, seed=4) ** 2 + 1)

    def joined(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return batch_norm2d(x, mean, var, w, b, training, activation="relu")

    out = joined(double(x), double(w), double(b))
    plain = batch_norm2d(double(x), mean, var, double(w), double(b), training)
    np.testing.assert_array_equal(out.data, np.maximum(plain.data, 0))
    assert 0 < (out.data == 0).sum() < out.size
    assert gradcheck(joined, x, w, b)
    assert gradcheck(lambda x: batch_norm2d(x, mean, var, training=training, activation="relu"), x)


def test_an_activation_that_cannot_be_joined_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_norm2d: activation must be \"relu\" or None, but received 'tanh'"):
        batch_norm2d(double(normal(2, 3, 4, 5)), training=True, activation="tanh")  # type: ignore[arg-type]  # refused
    with pytest.raises(ValueError, match="BatchNorm2d: activation must be"):
        BatchNorm2d(3, activation="gelu")  # type: ignore[arg-type]  # that it is refused is the point
    assert "activation='relu'" in repr(BatchNorm2d(3, activation="relu"))


def test_large_batches_are_worked_on_in_blocks() -> None:
    x = normal(16, 24, 30, 30) + 5
    leaf, weight = double(x, True), double(normal(24, seed=1), True)
    g = normal(*x.shape, seed=2)
    batch_norm2d(leaf, weight=weight, training=True).backward(double(g))
    mean, deviation = column(x.mean(axis=(0, 2, 3))), np.sqrt(column(x.var(axis=(0, 2, 3))) + 1e-5)
    unit = (x - mean) / deviation
    weighted = g * column(weight.data)
    averages = [column(a.mean(axis=(0, 2, 3))) for a in (weighted, weighted * unit)]
    assert leaf.grad is not None
    assert weight.grad is not None
    np.testing.assert_allclose(leaf.grad.data, (weighted - averages[0] - unit * averages[1]) / deviation, atol=1e-9)
    np.testing.assert_allclose(weight.grad.data, (g * unit).sum(axis=(0, 2, 3)), atol=1e-8)


def test_statistics_are_as_exact_as_doubles_would_give() -> None:
    layer = BatchNorm2d(2, momentum=1.0)
    x = (normal(64, 2, 40, 40) * 1e-1 + np.array([1e3, -1e3]).reshape(1, 2, 1, 1)).astype(np.float32)
    layer(Tensor(x))
    exact = x.astype(np.float64)
    np.testing.assert_allclose(layer.running_mean.data, exact.mean(axis=(0, 2, 3)), rtol=2e-7)
    np.testing.assert_allclose(layer.running_var.data, exact.var(axis=(0, 2, 3), ddof=1), rtol=1e-5)
    spread = np.array([1e8, 1e8 + 8, 1e8 + 16], np.float32).reshape(1, 1, 1, 3)
    single = BatchNorm2d(1, momentum=1.0)
    single(Tensor(spread))
    assert single.running_var.tolist() == [64.0]


def test_running_statistics_move_by_the_momentum_and_are_unbiased() -> None:
    layer = BatchNorm2d(3, momentum=0.25)
    x = normal(2, 3, 2, 2) + 7
    version = layer.running_mean.version
    layer(Tensor(x))
    np.testing.assert_allclose(layer.running_mean.data, 0.25 * x.mean(axis=(0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(layer.running_var.data, 0.75 + 0.25 * x.var(axis=(0, 2, 3), ddof=1), rtol=1e-5)
    assert layer.running_mean.version > version
    before = layer.state_dict()
    layer.eval()(Tensor(x))
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert sorted(before) == ["bias", "running_mean", "running_var", "weight"]
    assert layer.parallel_batches is False


def test_types_and_empty_batches() -> None:
    for kind in (np.float16, np.float32, np.float64):
        out = BatchNorm2d(2)(Tensor(normal(3, 2, 2, 2), dtype=kind))
        assert out.dtype == (kind if kind != np.float16 else np.float32)
        assert batch_norm2d(Tensor(normal(3, 2, 2, 2), dtype=kind), training=True).dtype == kind
        assert group_norm(Tensor(normal(3, 2, 2, 2), dtype=kind), 1).dtype == kind
    layer = BatchNorm2d(2)
    empty = Tensor(np.zeros((0, 2, 3, 3)), requires_grad=True)
    out = layer(empty)
    assert out.shape == (0, 2, 3, 3)
    out.sum().backward()
    assert layer.running_mean.tolist() == [0.0, 0.0]
    assert GroupNorm(1, 2)(Tensor(np.zeros((0, 2, 3)))).shape == (0, 2, 3)


@pytest.mark.parametrize("activation", ["relu", None])
def test_no_image_moves_no_parameter(activation: Literal["relu"] | None) -> None:
    layer = BatchNorm2d(2, activation=activation)
    layer(Tensor(np.zeros((0, 2, 3, 3)))).sum().backward()
    for parameter in (layer.weight, layer.bias):
        assert parameter is not None
        assert parameter.grad is not None
        assert parameter.grad.tolist() == [0.0, 0.0]


def test_a_channel_with_nan_spoils_no_other() -> None:
    x = normal(2, 3, 4, 4)
    x[0, 1, 2, 2] = np.nan
    out = batch_norm2d(double(x), training=True).data
    assert np.isnan(out[:, 1]).all()
    assert np.isfinite(out[:, [0, 2]]).all()


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("shape", [(2, 4, 3, 5), (3, 4, 6), (2, 4)])
def test_group_norm_normalises_every_group_of_every_example(groups: int, shape: tuple[int, ...]) -> None:
    if shape == (2, 4) and groups == 4:
        return  # a group of one number is its own mean
    x, w, b = normal(*shape) + 3, normal(4, seed=1), normal(4, seed=2)
    out = group_norm(double(x), groups, double(w), double(b))
    parts = x.reshape(len(x), groups, -1)
    unit = (parts - parts.mean(axis=2, keepdims=True)) / np.sqrt(parts.var(axis=2, keepdims=True) + 1e-5)
    per_channel = (4, *[1] * (len(shape) - 2))
    expected = unit.reshape(shape) * w.reshape(per_channel) + b.reshape(per_channel)
    np.testing.assert_allclose(out.data, expected, atol=1e-9)
    assert gradcheck(lambda x, w, b: group_norm(x, groups, w, b, eps=0.1), x, w, b)
    assert gradcheck(lambda x: group_norm(x, groups, eps=0.1), x)


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(5, 12, 9, 7), (3, 6, 16, 16), (2, 6, 300)])
def test_group_norm_is_the_same_however_the_examples_lie(shape: tuple[int, ...], affine: bool) -> None:
    x, g = normal(*shape), normal(*shape, seed=3)
    factors = [normal(shape[1], seed=1), normal(shape[1], seed=2)] if affine else []
    found = []
    for turned in (False, True):
        arrays = [channels_last(array) if turned else array for array in (x, g)]
        leaves = [from_numpy(arrays[0]), *(from_numpy(each.copy()) for each in factors)]
        for leaf in leaves:
            leaf.requires_grad = True
        weight, bias = leaves[1:] or (None, None)
        out = group_norm(leaves[0], 3, weight, bias)
        out.backward(from_numpy(arrays[1]))
        found.append([out.data, *(leaf.grad.data for leaf in leaves if leaf.grad is not None)])
        assert len(found[-1]) == 1 + len(leaves)
    for plain, turned_one in zip(*found, strict=True):
        np.testing.assert_allclose(plain, turned_one, atol=1e-12)


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_group_norm_of_numbers_far_from_zero(turned: bool, affine: bool) -> None:
    """In float32, neighbours of 1e8 are 8 apart: the numbers are exact, their mean is not."""
    steps = np.random.default_rng(0).integers(-3, 4, (4, 6, 8, 8))
    far = (1e8 + 8.0 * steps).astype(np.float32)
    x, g = (
        np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1) if turned else a
        for a in (far, normal(4, 6, 8, 8))
    )
    leaf, exact = from_numpy(x), double(far, True)
    leaf.requires_grad = True
    if affine:
        w, b = np.linspace(-3, 3, 6), np.linspace(1, 2, 6)
        out = group_norm(leaf, 2, Tensor(w, dtype=np.float32), Tensor(b, dtype=np.float32))
        wanted = group_norm(exact, 2, double(w), double(b))
    else:
        out, wanted = group_norm(leaf, 2), group_norm(exact, 2)
    np.testing.assert_allclose(out.data, wanted.data, atol=1e-5)
    out.backward(from_numpy(g.astype(np.float32)))
    wanted.backward(double(g))
    assert leaf.grad is not None
    assert exact.grad is not None
    np.testing.assert_allclose(leaf.grad.data, exact.grad.data, atol=1e-6)


def test_group_norm_layer_knows_no_mode() -> None:
    layer, x = GroupNorm(2, 4), Tensor(normal(1, 4, 2, 2))
    np.testing.assert_array_equal(layer(x).data, layer.eval()(x).data)
    assert layer.num_parameters() == 8
    assert GroupNorm(2, 4, affine=False).num_parameters() == 0


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_folding_keeps_what_the_model_computes(bias: bool, affine: bool, activation: Literal["relu"] | None) -> None:
    inner = Sequential(Conv2d(4, 5, 3, groups=1, bias=bias), BatchNorm2d(5, affine=affine))
    norm = BatchNorm2d(4, affine=affine, activation=activation)
    model = Sequential(Conv2d(2, 4, 3, padding=1, bias=bias), norm, lambda x: x * 2.0, inner)
    for layer in [layer for layer in model.modules() if isinstance(layer, BatchNorm2d)]:
        if layer.weight is not None and layer.bias is not None:
            layer.weight.data[...] = normal(layer.num_features, seed=5)
            layer.bias.data[...] = normal(layer.num_features, seed=6)
    x = Tensor(normal(3, 2, 6, 6))
    for _ in range(3):
        model(x)
    before = model.state_dict()
    folded = fold_batch_norm(model)
    assert not any(isinstance(layer, BatchNorm2d) for layer in folded.modules())
    assert not folded.training
    assert model.training
    np.testing.assert_allclose(folded(x).data, model.eval()(x).data, atol=1e-5)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_normalisation_that_follows_no_convolution_stays() -> None:
    model = Sequential(BatchNorm2d(2), Conv2d(2, 2, 1), lambda x: x, BatchNorm2d(2))
    assert len(fold_batch_norm(model)) == 4


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: BatchNorm2d(2)(Tensor(np.zeros((1, 2, 1, 1)))), r"more than one value.*\(1, 2, 1, 1\).*eval\(\)"),
        (lambda: BatchNorm2d(2)(Tensor(np.zeros((1, 3, 2, 2)))), r"wants \(N, 2, H, W\).*\(1, 3, 2, 2\)"),
        (lambda: batch_norm2d(Tensor(np.zeros((1, 3, 2)))), r"batch_norm2d wants images"),
        (lambda: batch_norm2d(Tensor(np.zeros((2, 3, 2, 2))), weight=Tensor([1.0])), r"weight.*\(3,\).*\(1,\)"),
        (lambda: BatchNorm2d(0), "num_features=0"),
        (lambda: GroupNorm(3, 4), "num_groups=3 and num_channels=4"),
        (lambda: GroupNorm(2, 4)(Tensor(np.zeros((1, 2, 2)))), r"wants \(N, 4, ...\)"),
        (lambda: group_norm(Tensor(np.zeros((1, 4))), 3), r"num_groups=3 for the shape \(1, 4\)"),
    ],
)
def test_what_does_not_fit_is_said(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()


def test_one_value_is_enough_in_use() -> None:
    assert BatchNorm2d(2).eval()(Tensor(np.zeros((1, 2, 1, 1)))).shape == (1, 2, 1, 1)


def test_integers_are_refused() -> None:
    with pytest.raises(TypeError, match="group_norm needs floating-point numbers"):
        group_norm(Tensor(np.zeros((1, 4), np.int64)), 2)
