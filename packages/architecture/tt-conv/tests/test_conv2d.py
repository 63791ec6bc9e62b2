"""Convolution: every kernel against the definition, every setting, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_autograd import gradcheck
from tt_conv import conv1d, conv2d
from tt_tensor import Array, Tensor, kernels, use_kernel

NAMES = sorted(kernels(conv2d))
Sides = tuple[tuple[int, int], tuple[int, int]]


@pytest.fixture(params=NAMES)
def kernel(request: pytest.FixtureRequest) -> Any:
    with use_kernel(conv2d, request.param):
        yield request.param


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def double(array: Array, requires_grad: bool = False) -> Tensor:
    return Tensor(array, dtype=np.float64, requires_grad=requires_grad)


def by_definition(x: Array, w: Array, stride: Any, padding: Sides, dilation: Any, groups: int) -> Array:
    """The sum over taps and channels, number by number: shares no code with any kernel."""
    (top, bottom), (left, right) = padding
    n, _, height, width = x.shape
    out_channels, per_group, kh, kw = w.shape
    rows = (height + top + bottom - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    columns = (width + left + right - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    out = np.zeros((n, out_channels, rows, columns))
    for b, o, i, j in np.ndindex(out.shape):
        for k, y, z in np.ndindex(per_group, kh, kw):
            row, column = i * stride[0] + y * dilation[0] - top, j * stride[1] + z * dilation[1] - left
            if 0 <= row < height and 0 <= column < width:
                channel = (o * groups // out_channels) * per_group + k
                out[b, o, i, j] += x[b, channel, row, column] * w[o, k, y, z]
    return out


CASES: list[tuple[Any, Sides, Any, int, tuple[int, int]]] = [
    ((1, 1), ((0, 0), (0, 0)), (1, 1), 1, (3, 3)),
    ((1, 1), ((1, 1), (1, 1)), (1, 1), 1, (3, 3)),
    ((2, 1), ((0, 2), (3, 1)), (1, 2), 1, (2, 3)),
    ((3, 2), ((4, 1), (0, 5)), (2, 1), 2, (2, 2)),
    ((1, 1), ((1, 0), (0, 1)), (2, 2), 2, (2, 2)),
    ((2, 2), ((0, 0), (0, 0)), (1, 1), 1, (1, 1)),
    ((1, 1), ((0, 0), (0, 0)), (1, 1), 1, (1, 1)),
    ((1, 1), ((1, 1), (1, 1)), (1, 1), 4, (3, 3)),
    ((2, 1), ((1, 0), (2, 1)), (1, 2), 4, (3, 2)),
    ((1, 1), ((4, 0), (0, 1)), (1, 1), 4, (3, 3)),
    ((1, 1), ((1, 2), (0, 2)), (2, 1), 4, (2, 3)),
]


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups", "size"), CASES)
def test_every_kernel_is_the_definition(
    kernel: str, stride: Any, padding: Sides, dilation: Any, groups: int, size: tuple[int, int]
) -> None:
    x, w, b = normal(2, 4, 6, 7), normal(8, 4 // groups, *size, seed=1), normal(8, seed=2)
    out = conv2d(double(x), double(w), double(b), stride, padding, dilation, groups)
    expected = by_definition(x, w, stride, padding, dilation, groups) + b.reshape(-1, 1, 1)
    np.testing.assert_allclose(out.data, expected, atol=1e-12)
    bare = conv2d(double(x), double(w), None, stride, padding, dilation, groups)
    np.testing.assert_allclose(bare.data, expected - b.reshape(-1, 1, 1), atol=1e-12)


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups", "size"), CASES)
def test_gradients_of_every_setting(
    stride: Any, padding: Sides, dilation: Any, groups: int, size: tuple[int, int]
) -> None:
    x, w, b = normal(2, 4, 5, 6), normal(4, 4 // groups, *size, seed=1), normal(4, seed=2)
    assert gradcheck(lambda x, w, b: conv2d(x, w, b, stride, padding, dilation, groups), x, w, b)


def test_gradients_with_many_channels_and_unequal_sizes() -> None:
    x, w = normal(2, 17, 4, 3), normal(3, 17, 3, 2, seed=1)
    assert gradcheck(lambda x, w: conv2d(x, w, padding=((1, 2), (0, 1))), x, w)
    assert gradcheck(lambda x, w: conv2d(x, w, stride=2, padding=1), x, w)
    x, w = normal(1, 32, 3, 3), normal(2, 16, 2, 2, seed=1)
    assert gradcheck(lambda x, w: conv2d(x, w, padding=1, groups=2), x, w)


def test_the_gradients_do_not_depend_on_the_kernel(kernel: str) -> None:
    leaves = [double(normal(2, 3, 5, 4), True), double(normal(4, 3, 3, 2, seed=1), True), double(normal(4), True)]
    conv2d(leaves[0], leaves[1], leaves[2], (1, 2), ((1, 0), (0, 1))).sum().backward()
    again = [double(leaf.data, True) for leaf in leaves]
    with use_kernel(conv2d, "reference"):
        conv2d(again[0], again[1], again[2], (1, 2), ((1, 0), (0, 1))).sum().backward()
    for leaf, other in zip(leaves, again, strict=True):
        assert leaf.grad is not None
        assert other.grad is not None
        np.testing.assert_allclose(leaf.grad.data, other.grad.data, atol=1e-12)


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_only_what_is_needed_gets_a_gradient(frozen: int) -> None:
    arrays = [normal(2, 3, 4, 4), normal(2, 3, 3, 3, seed=1), normal(2, seed=2)]
    leaves = [double(array, i != frozen) for i, array in enumerate(arrays)]
    every = [double(array, True) for array in arrays]
    cotangent = double(normal(2, 2, 4, 4, seed=3))
    conv2d(leaves[0], leaves[1], leaves[2], padding=1).backward(cotangent)
    conv2d(every[0], every[1], every[2], padding=1).backward(cotangent)
    for i, (leaf, other) in enumerate(zip(leaves, every, strict=True)):
        if i == frozen:
            assert leaf.grad is None
        else:
            assert leaf.grad is not None
            assert other.grad is not None
            np.testing.assert_allclose(leaf.grad.data, other.grad.data, atol=1e-12)


@st.composite
def problems(draw: st.DrawFn) -> dict[str, Any]:
    small = st.integers(1, 3)
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    kernel = draw(st.tuples(small, small))
    dilation = draw(st.tuples(small, small))
    side = st.tuples(st.integers(0, 3), st.integers(0, 3))
    padding = draw(st.tuples(side, side))
    sizes = [max(1, dilation[i] * (kernel[i] - 1) + 1 - sum(padding[i])) + draw(st.integers(0, 4)) for i in range(2)]
    return {
        "x": (draw(st.integers(0, 3)), groups * draw(small), *sizes),
        "filters": groups * draw(small),
        "kernel": kernel,
        "settings": {
            "stride": draw(st.tuples(small, small)),
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
        },
        "turned": draw(st.booleans()),
        "seed": draw(st.integers(0, 99)),
    }


@pytest.mark.parametrize("name", [name for name in NAMES if name != "loops"])
@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_kernels_agree_with_the_loops(name: str, problem: dict[str, Any]) -> None:
    rng = np.random.default_rng(problem["seed"])
    x = rng.standard_normal(problem["x"])
    if problem["turned"]:  # the same images, channels last in memory
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    groups = problem["settings"]["groups"]
    w = rng.standard_normal((problem["filters"], x.shape[1] // groups, *problem["kernel"]))
    b = rng.standard_normal(len(w))
    with use_kernel(conv2d, "loops"):
        expected = conv2d(double(x), double(w), double(b), **problem["settings"])
    with use_kernel(conv2d, name):
        out = conv2d(double(x), double(w), double(b), **problem["settings"])
        single = conv2d(Tensor(x), Tensor(w), Tensor(b), **problem["settings"])
    assert out.shape == expected.shape
    np.testing.assert_allclose(out.data, expected.data, atol=1e-12)
    np.testing.assert_allclose(single.data, expected.data, atol=2e-5)


@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_gradients_are_the_transpose_of_the_loops(problem: dict[str, Any]) -> None:
    """<conv(u, w), g> = <u, gradient of u> for any u, and the same for any filters v: convolution is linear in both."""
    rng = np.random.default_rng(problem["seed"])
    x, u = rng.standard_normal((2, *problem["x"]))
    shape = (problem["filters"], x.shape[1] // problem["settings"]["groups"], *problem["kernel"])
    w, v = rng.standard_normal((2, *shape))
    images, filters = double(x, True), double(w, True)
    out = conv2d(images, filters, **problem["settings"])
    g = rng.standard_normal(out.shape)
    out.backward(double(g))
    assert images.grad is not None
    assert filters.grad is not None
    with use_kernel(conv2d, "loops"):
        for_x = conv2d(double(u), filters.detach(), **problem["settings"]).data
        for_w = conv2d(images.detach(), double(v), **problem["settings"]).data
    np.testing.assert_allclose(np.sum(for_x * g), np.sum(u * images.grad.data), atol=1e-9)
    np.testing.assert_allclose(np.sum(for_w * g), np.sum(v * filters.grad.data), atol=1e-9)


def test_same_keeps_the_size_and_pads_what_is_odd_behind(kernel: str) -> None:
    x = normal(1, 1, 5, 6)
    for size in [(1, 1), (2, 3), (4, 2), (3, 5)]:
        w = normal(1, 1, *size, seed=1)
        out = conv2d(double(x), double(w), padding="same", dilation=(1, 2))
        sides = []
        for k, d in zip(size, (1, 2), strict=True):
            sides.append((d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2))
        assert out.shape == x.shape
        expected = by_definition(x, w, (1, 1), (sides[0], sides[1]), (1, 2), 1)
        np.testing.assert_allclose(out.data, expected, atol=1e-12)


def test_valid_is_no_padding_and_pairs_are_height_and_width() -> None:
    x, w = double(normal(1, 2, 5, 6)), double(normal(2, 2, 3, 3, seed=1))
    np.testing.assert_array_equal(conv2d(x, w, padding="valid").data, conv2d(x, w).data)
    np.testing.assert_array_equal(conv2d(x, w, padding=(1, 2)).data, conv2d(x, w, padding=((1, 1), (2, 2))).data)
    assert conv2d(x, w, stride=(2, 3)).shape == (1, 2, 2, 2)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_types_are_kept(kernel: str, kind: str) -> None:
    x, w, b = (Tensor(normal(*s), dtype=np.dtype(kind)) for s in [(1, 2, 4, 4), (3, 2, 3, 3), (3,)])
    out = conv2d(x, w, b, padding=1)
    assert out.dtype == np.dtype(kind)
    wide = conv2d(double(x.data), double(w.data), double(b.data), padding=1)
    tolerance = {"f2": 2e-3, "f4": 1e-5, "f8": 1e-12}[kind]
    np.testing.assert_allclose(out.data.astype(float), wide.data, rtol=tolerance, atol=tolerance * 4)


def test_half_precision_adds_up_in_single(kernel: str) -> None:
    x, w = Tensor(np.ones((1, 4, 30, 30)), dtype=np.float16), Tensor(np.ones((1, 4, 30, 30)), dtype=np.float16)
    assert conv2d(x, w).tolist() == [[[[3600.0]]]]
    leaf = Tensor(np.ones((1, 1, 60, 60)), dtype=np.float16, requires_grad=True)
    weight = Tensor(np.ones((1, 1, 1, 1)), dtype=np.float16, requires_grad=True)
    conv2d(leaf, weight).backward(Tensor(np.ones((1, 1, 60, 60)), dtype=np.float16))
    assert weight.grad is not None
    assert weight.grad.dtype == np.float16
    assert weight.grad.tolist() == [[[[3600.0]]]]


def test_mixed_types_take_the_wider(kernel: str) -> None:
    assert conv2d(Tensor(normal(1, 1, 3, 3)), double(normal(1, 1, 2, 2))).dtype == np.float64


def test_inputs_are_left_alone_and_results_share_nothing(kernel: str) -> None:
    x, w, b = double(normal(2, 3, 4, 4)), double(normal(2, 3, 3, 3)), double(normal(2))
    before = [t.data.copy() for t in (x, w, b)]
    first = conv2d(x, w, b, padding=1)
    kept = first.data.copy()
    second = conv2d(x * 2.0, w, b, padding=1)
    for tensor, copy in zip((x, w, b), before, strict=True):
        np.testing.assert_array_equal(tensor.data, copy)
    np.testing.assert_array_equal(first.data, kept)
    assert not np.shares_memory(first.data, second.data)


def test_an_empty_batch_has_an_empty_result_and_no_gradient_for_the_filters(kernel: str) -> None:
    x, w, b = double(np.zeros((0, 2, 5, 5)), True), double(normal(3, 2, 3, 3), True), double(normal(3), True)
    for groups in (1, 2):
        weight = w if groups == 1 else double(normal(2, 1, 3, 3), True)
        out = conv2d(x, weight, b if groups == 1 else None, groups=groups)
        assert out.shape == (0, len(weight.data), 3, 3)
        out.sum().backward()
        assert x.grad is not None
        assert x.grad.shape == x.shape
        assert weight.grad is not None
        assert not weight.grad.data.any()


def test_nan_reaches_those_who_see_it_and_no_others(kernel: str) -> None:
    x = np.zeros((1, 1, 5, 5))
    x[0, 0, 0, 0] = np.nan
    out = conv2d(double(x), double(np.ones((1, 1, 2, 2)))).data[0, 0]
    assert np.isnan(out).sum() == 1
    assert np.isnan(out[0, 0])


def test_images_in_any_memory_order_give_the_same(kernel: str) -> None:
    x, w = normal(2, 3, 6, 5), normal(4, 3, 3, 3, seed=1)
    expected = conv2d(double(x), double(w), padding=1).data
    for order in [(0, 2, 3, 1), (3, 2, 1, 0), (1, 0, 3, 2)]:
        turned = np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))
        from_strided = Tensor(turned, dtype=np.float64)
        np.testing.assert_allclose(conv2d(from_strided, double(w), padding=1).data, expected, atol=1e-12)


def test_one_dimension_is_two_with_a_height_of_one(kernel: str) -> None:
    x, w, b = normal(2, 4, 9), normal(6, 2, 3, seed=1), normal(6, seed=2)
    out = conv1d(double(x), double(w), double(b), stride=2, padding=(2, 1), dilation=2, groups=2)
    expected = by_definition(x[:, :, None], w[:, :, None], (1, 2), ((0, 0), (2, 1)), (1, 2), 2)[:, :, 0]
    np.testing.assert_allclose(out.data, expected + b[:, None], atol=1e-12)
    assert conv1d(double(x), double(w), padding="same", groups=2).shape == (2, 6, 9)
    assert conv1d(double(x), double(w), padding=1, groups=2).shape == (2, 6, 9)


def test_gradients_in_one_dimension() -> None:
    assert gradcheck(
        lambda x, w, b: conv1d(x, w, b, 2, (2, 1), 2, 2), normal(2, 4, 9), normal(6, 2, 3, seed=1), normal(6, seed=2)
    )
