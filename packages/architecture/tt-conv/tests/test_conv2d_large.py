"""Convolution of many and large images, where the kernel cuts its work up: no seam may show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tt_autograd import gradcheck
from tt_conv import conv2d, unfold
from tt_tensor import Array, Tensor, use_kernel

Sides = tuple[tuple[int, int], tuple[int, int]]


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def double(array: Array, requires_grad: bool = False) -> Tensor:
    return Tensor(array, dtype=np.float64, requires_grad=requires_grad)


@pytest.mark.parametrize(("shape", "filters"), [((9, 16, 20, 24), 24), ((2, 3, 260, 250), 8), ((40, 16, 16, 16), 16)])
def test_large_images_are_cut_into_blocks_without_a_seam(shape: tuple[int, ...], filters: int) -> None:
    x, w = normal(*shape), normal(filters, shape[1], 3, 3, seed=1)
    cotangent: Array | None = None
    found = []
    for name in ("reference", "im2col"):
        with use_kernel(conv2d, name):
            images, weight = Tensor(x, requires_grad=True), Tensor(w, requires_grad=True)
            out = conv2d(images, weight, padding=((2, 1), (1, 1)))
            cotangent = normal(*out.shape, seed=3) if cotangent is None else cotangent
            out.backward(Tensor(cotangent))
        found.append(out.data)
    assert images.grad is not None
    assert weight.grad is not None
    np.testing.assert_allclose(found[0], found[1], atol=2e-4)
    # Against the columns written out: the gradient of a product with them.
    columns = unfold(double(x), 3, padding=((2, 1), (1, 1))).data
    assert cotangent is not None
    back = cotangent.reshape(len(x), filters, -1)
    expected = np.einsum("nol,nkl->ok", back, columns).reshape(w.shape)
    np.testing.assert_allclose(weight.grad.data, expected, rtol=1e-3, atol=5e-3)
    leaf = double(x, True)
    unfold(leaf, 3, padding=((2, 1), (1, 1))).backward(
        double(np.einsum("nol,ok->nkl", back, w.reshape(filters, -1), optimize=True))
    )
    assert leaf.grad is not None
    np.testing.assert_allclose(images.grad.data, leaf.grad.data, atol=1e-3)


# Few filters over many rows are convolved by parts of rows.
ROWS: list[tuple[tuple[int, ...], tuple[int, ...], Any, Sides, Any]] = [
    ((19, 1, 9, 8), (6, 1, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)),
    ((40, 2, 6, 26), (6, 2, 3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1)),  # parts of 12 in rows of 24
    ((33, 3, 9, 17), (5, 3, 2, 4), (2, 1), ((2, 1), (0, 3)), (1, 2)),
    ((30, 2, 8, 35), (16, 2, 3, 2), (1, 3), ((1, 0), (4, 1)), (2, 3)),
    ((130, 2, 1, 7), (3, 2, 1, 5), (1, 2), ((0, 0), (2, 2)), (1, 1)),
]


@pytest.mark.parametrize(("images", "filters", "stride", "padding", "dilation"), ROWS)
def test_few_filters_over_many_rows_are_the_definition(
    images: tuple[int, ...], filters: tuple[int, ...], stride: Any, padding: Sides, dilation: Any
) -> None:
    x, w, b = double(normal(*images)), double(normal(*filters, seed=1)), double(normal(filters[0], seed=2))
    for bias in (b, None):
        out = conv2d(x, w, bias, stride, padding, dilation)
        with use_kernel(conv2d, "loops"):
            expected = conv2d(x, w, bias, stride, padding, dilation)
        np.testing.assert_allclose(out.data, expected.data, atol=1e-12)


@pytest.mark.parametrize(("images", "filters", "stride", "padding", "dilation"), ROWS)
def test_gradients_of_few_filters_over_many_rows(
    images: tuple[int, ...], filters: tuple[int, ...], stride: Any, padding: Sides, dilation: Any
) -> None:
    leaves = [double(normal(*shape, seed=i), True) for i, shape in enumerate([images, filters, filters[:1]])]
    out = conv2d(leaves[0], leaves[1], leaves[2], stride, padding, dilation)
    g = normal(*out.shape, seed=3)
    out.backward(double(g))
    # Convolution is linear in each: its derivative along any direction is its value there.
    for leaf, name in zip(leaves, "xwb", strict=True):
        direction = normal(*leaf.shape, seed=4)
        inputs = {"x": leaves[0].data, "w": leaves[1].data, "b": np.zeros(filters[0])} | {name: direction}
        if name == "b":
            inputs["x"] = np.zeros(images)
        with use_kernel(conv2d, "loops"):
            x, w, b = (double(inputs[each]) for each in "xwb")
            along = conv2d(x, w, b, stride, padding, dilation).data
        assert leaf.grad is not None
        np.testing.assert_allclose(np.sum(leaf.grad.data * direction), np.sum(g * along), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("frozen", [0, 1])
def test_only_what_is_needed_of_few_filters_gets_a_gradient(frozen: int) -> None:
    arrays, g = [normal(20, 2, 8, 9), normal(4, 2, 3, 3, seed=1)], normal(20, 4, 6, 7, seed=2)
    leaves, every = ([double(a, i != kept) for i, a in enumerate(arrays)] for kept in (frozen, None))
    conv2d(leaves[0], leaves[1]).backward(double(g))
    conv2d(every[0], every[1]).backward(double(g))
    wanted, whole = leaves[1 - frozen].grad, every[1 - frozen].grad
    assert leaves[frozen].grad is None
    assert wanted is not None
    assert whole is not None
    np.testing.assert_allclose(wanted.data, whole.data, atol=1e-12)


def test_numeric_gradients_of_few_filters_over_many_rows() -> None:
    x, w = normal(26, 1, 7, 6), normal(3, 1, 3, 2, seed=1)
    assert gradcheck(lambda x, w: conv2d(x, w, padding=((1, 0), (0, 1))), x, w)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_reaches_those_who_see_it_and_no_others(value: float) -> None:
    x, w = normal(32, 1, 8, 8), np.ones((2, 1, 3, 3))
    x[5, 0, 0, 0] = value
    out = conv2d(double(x), double(w), padding=1).data
    assert np.argwhere(~np.isfinite(out)).tolist() == [[5, o, i, j] for o in (0, 1) for i in (0, 1) for j in (0, 1)]
    leaf, weight = double(normal(32, 1, 8, 8), True), double(w, True)
    g = np.zeros((32, 2, 8, 8))
    g[7, 1, 7, 7] = value
    conv2d(leaf, weight, padding=1).backward(double(g))
    assert leaf.grad is not None
    assert weight.grad is not None
    assert np.argwhere(~np.isfinite(leaf.grad.data)).tolist() == [[7, 0, i, j] for i in (6, 7) for j in (6, 7)]
    assert np.isfinite(weight.grad.data[0]).all()


def test_images_in_any_memory_order_give_the_same() -> None:
    x, w = normal(20, 3, 8, 9), normal(4, 3, 3, 3, seed=1)
    expected = conv2d(double(x), double(w)).data
    for order in [(0, 2, 3, 1), (3, 2, 1, 0)]:
        turned = np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))
        np.testing.assert_allclose(conv2d(double(turned), double(w)).data, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("channels", "filters", "groups"), [(24, 24, 12), (12, 36, 6), (36, 12, 12), (16, 32, 16), (21, 7, 7)]
)
@pytest.mark.parametrize("frozen", [None, 0, 1], ids=["both", "weights", "images"])
def test_many_small_groups(channels: int, filters: int, groups: int, frozen: int | None) -> None:
    x, w = normal(2, channels, 5, 6), normal(filters, channels // groups, 3, 2, seed=1)
    settings: dict[str, Any] = {"padding": (1, 0), "stride": (1, 2), "groups": groups}
    leaves = [double(array, number != frozen) for number, array in enumerate((x, w))]
    out = conv2d(leaves[0], leaves[1], **settings)
    with use_kernel(conv2d, "loops"):
        np.testing.assert_allclose(out.data, conv2d(double(x), double(w), **settings).data, atol=1e-12)
    g = normal(*out.shape, seed=2)
    out.backward(double(g))
    # Each group by itself, as a convolution without groups.
    every = [double(x, True), double(w, True)]
    for i in range(groups):
        seen = slice(i * channels // groups, (i + 1) * channels // groups)
        own = slice(i * filters // groups, (i + 1) * filters // groups)
        conv2d(every[0][:, seen], every[1][own], padding=(1, 0), stride=(1, 2)).backward(double(g[:, own]))
    for number, (leaf, expected) in enumerate(zip(leaves, every, strict=True)):
        assert (leaf.grad is None) == (number == frozen)
        if leaf.grad is not None:
            assert expected.grad is not None
            np.testing.assert_allclose(leaf.grad.data, expected.grad.data, atol=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_group(value: float) -> None:
    x, w = normal(2, 8, 5, 5), np.ones((8, 2, 3, 3))
    x[0, 3] = value
    leaf, weight = double(x, True), double(w, True)
    out = conv2d(leaf, weight, groups=4)
    assert sorted({tuple(place) for place in np.argwhere(~np.isfinite(out.data))[:, :2].tolist()}) == [(0, 2), (0, 3)]
    g = np.ones(out.shape)
    g[1, 7] = value
    out.backward(double(g))
    assert leaf.grad is not None
    assert weight.grad is not None
    assert sorted({tuple(place) for place in np.argwhere(~np.isfinite(leaf.grad.data))[:, :2].tolist()}) == [
        (1, 6),
        (1, 7),
    ]
    assert sorted(set(np.argwhere(~np.isfinite(weight.grad.data))[:, 0].tolist())) == [2, 3, 7]
