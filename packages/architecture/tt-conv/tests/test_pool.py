"""Pooling against its definition, its gradients, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_autograd import gradcheck
from tt_conv import adaptive_avg_pool2d, avg_pool2d, max_pool2d
from tt_tensor import Array, Tensor, kernels, primitive_of, use_kernel

Sides = tuple[tuple[int, int], tuple[int, int]]


def distinct(*shape: int, seed: int = 0) -> Array:
    """Numbers that all differ by 1 at least: no maximum is near a tie."""
    return np.random.default_rng(seed).permutation(int(np.prod(shape))).reshape(shape).astype(float) - np.prod(shape)


def double(array: Array, requires_grad: bool = False) -> Tensor:
    return Tensor(array, dtype=np.float64, requires_grad=requires_grad)


def pooled(
    x: Array, kernel: Any, stride: Any, padding: Sides, dilation: Any, reduce: Callable[[Array], float], fill: float
) -> Array:
    """Every window taken out and reduced, one after another."""
    padded = np.pad(x, ((0, 0), (0, 0), *padding), constant_values=fill)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    size = [(n - r) // s + 1 for n, r, s in zip(padded.shape[2:], reach, stride, strict=True)]
    out = np.zeros((*x.shape[:2], *size))
    for n, c, i, j in np.ndindex(out.shape):
        top, left = i * stride[0], j * stride[1]
        out[n, c, i, j] = reduce(padded[n, c, top : top + reach[0] : dilation[0], left : left + reach[1] : dilation[1]])
    return out


@pytest.fixture(params=sorted(kernels(max_pool2d)))
def max_kernel(request: pytest.FixtureRequest) -> Any:
    with use_kernel(max_pool2d, request.param):
        yield request.param


SETTINGS = [
    ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1)),
    ((3, 2), (1, 2), ((1, 0), (0, 1)), (1, 1)),
    ((2, 3), (3, 4), ((0, 1), (1, 0)), (2, 1)),
    ((1, 1), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((1, 4), (1, 4), ((0, 0), (0, 2)), (1, 1)),
]


@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), SETTINGS)
def test_max_pool_takes_the_largest(max_kernel: str, kernel: Any, stride: Any, padding: Sides, dilation: Any) -> None:
    x = distinct(2, 3, 7, 8)  # all negative, so padding with zero would show
    out = max_pool2d(double(x), kernel, stride, padding, dilation)
    np.testing.assert_array_equal(out.data, pooled(x, kernel, stride, padding, dilation, np.max, -np.inf))


@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), SETTINGS)
def test_gradient_of_max_pool(max_kernel: str, kernel: Any, stride: Any, padding: Sides, dilation: Any) -> None:
    assert gradcheck(lambda x: max_pool2d(x, kernel, stride, padding, dilation), distinct(2, 3, 7, 8))


def test_the_recording_max_pool_computes_the_same() -> None:
    for kernel, stride, padding, dilation in SETTINGS:
        x = distinct(2, 3, 7, 8)
        plain = max_pool2d(double(x), kernel, stride, padding, dilation)
        recorded = max_pool2d(double(x, True), kernel, stride, padding, dilation)
        np.testing.assert_array_equal(plain.data, recorded.data)


@pytest.mark.parametrize("kernel", [2, 3])
def test_of_equals_the_first_in_reading_order_receives_the_gradient(kernel: int) -> None:
    x = double(np.zeros((1, 1, kernel, kernel)), True)
    max_pool2d(x, kernel).sum().backward()
    assert x.grad is not None
    expected = np.zeros((kernel, kernel))
    expected[0, 0] = 1
    np.testing.assert_array_equal(x.grad.data[0, 0], expected)
    anti = double(np.fliplr(np.eye(kernel))[None, None], True)  # (0, last) comes before (last, 0)
    max_pool2d(anti, kernel).sum().backward()
    assert anti.grad is not None
    assert anti.grad.data[0, 0, 0, kernel - 1] == 1
    assert anti.grad.data.sum() == 1


def test_max_pool_passes_nan_and_infinities_on(max_kernel: str) -> None:
    x = np.full((1, 1, 2, 4), -np.inf)
    x[0, 0, 0, 2], x[0, 0, 1, 3] = 5.0, np.nan
    np.testing.assert_array_equal(max_pool2d(double(x), 2).data, [[[[-np.inf, np.nan]]]])
    np.testing.assert_array_equal(max_pool2d(double(x[..., ::-1, ::-1]), 2).data, [[[[np.nan, -np.inf]]]])
    recorded = max_pool2d(double(x, True), 2)
    np.testing.assert_array_equal(recorded.data, [[[[-np.inf, np.nan]]]])


def test_wide_windows_number_their_taps_without_overflow() -> None:
    x = np.zeros((1, 1, 1, 301))
    x[..., 300] = 1
    leaf = double(x, True)
    max_pool2d(leaf, (1, 301)).sum().backward()
    assert leaf.grad is not None
    np.testing.assert_array_equal(leaf.grad.data, x)


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [s[:3] for s in SETTINGS])
def test_avg_pool_takes_the_mean(kernel: Any, stride: Any, padding: Sides, include: bool) -> None:
    if any(max(side) > k // 2 for side, k in zip(padding, kernel, strict=True)):
        padding = ((0, 0), (0, 0))
    x = np.random.default_rng(0).standard_normal((2, 3, 7, 8))
    out = avg_pool2d(double(x), kernel, stride, padding, count_include_pad=include)
    fill, mean = (0.0, np.mean) if include else (np.nan, np.nanmean)
    np.testing.assert_allclose(out.data, pooled(x, kernel, stride, padding, (1, 1), mean, fill), atol=1e-12)
    assert gradcheck(lambda x: avg_pool2d(x, kernel, stride, padding, count_include_pad=include), x)


def test_avg_pool_may_divide_by_what_it_is_told() -> None:
    x = np.random.default_rng(0).standard_normal((1, 2, 4, 4))
    out = avg_pool2d(double(x), 2, divisor_override=3)
    np.testing.assert_allclose(out.data, avg_pool2d(double(x), 2).data * 4 / 3, atol=1e-12)
    assert gradcheck(lambda x: avg_pool2d(x, 2, divisor_override=3), x)


# Sizes of PyTorch 2.13: length, window, stride, padding -> places with ceil_mode.
CEIL = [
    (5, 2, 2, 0, 3),
    (4, 2, 2, 0, 2),
    (6, 3, 2, 0, 3),
    (5, 3, 3, 1, 2),
    (3, 1, 3, 0, 1),
    (4, 1, 3, 0, 2),
    (7, 2, 3, 1, 3),
    (1, 2, 2, 0, 1),
    (3, 4, 2, 0, 1),
]


@pytest.mark.parametrize(("length", "kernel", "stride", "padding", "places"), CEIL)
def test_ceil_mode_counts_a_last_partial_window(
    length: int, kernel: int, stride: int, padding: int, places: int
) -> None:
    if padding > kernel // 2:
        pytest.skip("refused")
    x = distinct(1, 2, length, length)
    out = max_pool2d(double(x), kernel, stride, padding, ceil_mode=True)
    assert out.shape == (1, 2, places, places)
    padded = np.pad(x, ((0, 0), (0, 0), (padding, 99), (padding, 99)), constant_values=-np.inf)
    for i, j in np.ndindex(places, places):
        top, left = i * stride, j * stride
        np.testing.assert_array_equal(
            out.data[..., i, j], padded[..., top : top + kernel, left : left + kernel].max(axis=(2, 3))
        )
    assert gradcheck(lambda x: max_pool2d(x, kernel, stride, padding, ceil_mode=True), x)
    assert gradcheck(lambda x: avg_pool2d(x, kernel, stride, padding, ceil_mode=True), x)


def test_avg_pool_with_ceil_mode_divides_by_what_lies_within_the_padding() -> None:
    x = np.ones((1, 1, 5, 5))
    whole = avg_pool2d(double(x), 2, ceil_mode=True)
    assert whole.tolist() == [[[[1.0] * 3] * 3]]
    # Padding of one that was asked for counts; what ceil_mode adds beyond it does not: the corner sees 4 of 9 ones.
    padded = avg_pool2d(double(np.ones((1, 1, 4, 4))), 3, 2, 1, ceil_mode=True)
    np.testing.assert_allclose(padded.data[0, 0, 0], [4 / 9, 6 / 9, 2 / 6])


def test_ceil_mode_refuses_an_image_of_which_no_window_sees_enough() -> None:
    with pytest.raises(ValueError, match="reaches over 4 x 4 does not fit the padded input of 2 x 2"):
        max_pool2d(double(np.ones((1, 1, 2, 2))), 4, 2, ceil_mode=True)


def test_global_means_of_many_pixels_keep_their_digits() -> None:
    x = (np.random.default_rng(0).random((1, 3, 224, 224)) + 0.5).astype(np.float32)
    means = x.astype(np.float64).mean(axis=(2, 3), keepdims=True)
    np.testing.assert_allclose(adaptive_avg_pool2d(Tensor(x), 1).data, means, rtol=1e-6)


@pytest.mark.parametrize("size", [1, 2, (1, 3)])
def test_adaptive_pooling_of_no_image(size: Any) -> None:
    x = Tensor(np.zeros((0, 3, 5, 5)), requires_grad=True)
    out = adaptive_avg_pool2d(x, size)
    assert out.shape[:2] == (0, 3)
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.shape == x.shape


def test_half_precision_means_are_summed_in_single() -> None:
    x = Tensor(np.ones((1, 1, 64, 64)), dtype=np.float16)
    assert avg_pool2d(x, 64).tolist() == [[[[1.0]]]]
    assert avg_pool2d(x, 64).dtype == np.float16
    assert adaptive_avg_pool2d(x, 1).tolist() == [[[[1.0]]]]
    assert max_pool2d(x, 2).dtype == np.float16


@settings(max_examples=40, deadline=None)
@given(height=st.integers(1, 9), width=st.integers(1, 9), down=st.integers(1, 9), across=st.integers(1, 9))
def test_adaptive_bins_cover_the_images(height: int, width: int, down: int, across: int) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, height, width))
    out = adaptive_avg_pool2d(double(x), (down, across)).data
    assert out.shape == (2, 3, down, across)
    for i, j in np.ndindex(down, across):
        rows = slice(int(np.floor(i * height / down)), int(np.ceil((i + 1) * height / down)))
        columns = slice(int(np.floor(j * width / across)), int(np.ceil((j + 1) * width / across)))
        np.testing.assert_allclose(out[:, :, i, j], x[:, :, rows, columns].mean(axis=(2, 3)), atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, (3, 1), (7, 8), (9, 2)])
def test_gradient_of_adaptive_pooling(size: Any) -> None:
    assert gradcheck(lambda x: adaptive_avg_pool2d(x, size), np.random.default_rng(0).standard_normal((2, 3, 7, 8)))


@pytest.mark.parametrize(
    "pool", [lambda x: max_pool2d(x, 2), lambda x: avg_pool2d(x, 2), lambda x: adaptive_avg_pool2d(x, 2)]
)
def test_empty_batches_and_any_memory_order(pool: Callable[[Tensor], Tensor]) -> None:
    empty = double(np.zeros((0, 2, 4, 4)), True)
    out = pool(empty)
    assert out.shape == (0, 2, 2, 2)
    out.sum().backward()
    assert empty.grad is not None
    assert empty.grad.shape == empty.shape
    x = distinct(2, 3, 6, 4)
    turned = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    before = turned.copy()
    np.testing.assert_allclose(pool(Tensor(turned, dtype=np.float64)).data, pool(double(x)).data, atol=1e-12)
    np.testing.assert_array_equal(turned, before)
    assert gradcheck(pool, turned)


def test_a_swapped_in_kernel_without_a_recording_one_keeps_the_gradient() -> None:
    x, found = distinct(1, 2, 4, 4), []
    primitive = primitive_of(max_pool2d)
    for context in (use_kernel(max_pool2d, primitive.kernel), use_kernel(max_pool2d, "reference")):
        with context:
            leaf = double(x, True)
            max_pool2d(leaf, 2).sum().backward()
        assert leaf.grad is not None
        found.append(leaf.grad.data)
    plain = double(x, True)
    max_pool2d(plain, 2).sum().backward()
    assert plain.grad is not None
    for gradient in found:
        np.testing.assert_array_equal(gradient, plain.grad.data)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda x: max_pool2d(x, 9), r"max_pool2d: a kernel that reaches over 9 x 9 does not fit.*4 x 5"),
        (lambda x: max_pool2d(x, 3, padding=2), r"max_pool2d: padding must be at most half.*2 for \(3, 3\)"),
        (lambda x: avg_pool2d(x, 2, padding=((0, 2), (0, 0))), "avg_pool2d: padding must be at most half"),
        (lambda x: max_pool2d(x, 0), "kernel_size must be a whole number of at least 1"),
        (lambda x: avg_pool2d(x, 2, stride=-1), "stride must be a whole number of at least 1"),
        (lambda x: avg_pool2d(x, 2, divisor_override=0), "divisor_override=0"),
        (lambda x: adaptive_avg_pool2d(x, 0), "output_size must be a whole number of at least 1"),
        (lambda x: adaptive_avg_pool2d(x[:, :, :0], 1), r"nothing to average in images of shape \(1, 1, 0, 5\)"),
        (lambda x: max_pool2d(x[0], 2), r"max_pool2d wants images.*\(1, 4, 5\)"),
    ],
)
def test_what_does_not_fit_is_said(call: Callable[[Tensor], Tensor], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call(Tensor(np.zeros((1, 1, 4, 5))))


def test_integers_are_refused() -> None:
    with pytest.raises(TypeError, match="max_pool2d needs floating-point numbers"):
        max_pool2d(Tensor(np.zeros((1, 1, 4, 4), np.int64)), 2)
