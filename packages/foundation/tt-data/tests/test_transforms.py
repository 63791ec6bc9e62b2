from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_data import Compose, Cutout, DataError, Normalize, RandomCrop, RandomHorizontalFlip, Transform
from tt_tensor import Tensor, from_numpy, manual_seed


def images(count: int = 7, channels: int = 3, height: int = 6, width: int = 5) -> Tensor:
    values = np.random.default_rng(0).random((count, channels, height, width), np.float32)
    return from_numpy(values + np.float32(0.1))


def test_normalize_channel_by_channel() -> None:
    x = images()
    y = Normalize([0.1, 0.2, 0.3], [1.0, 2.0, 4.0])(x)
    assert y.dtype == np.float32
    for channel, (mean, std) in enumerate([(0.1, 1), (0.2, 2), (0.3, 4)]):
        np.testing.assert_allclose(y.data[:, channel], (x.data[:, channel] - mean) / std, rtol=1e-5, atol=1e-6)
    assert Normalize([0.0], [255.0])(from_numpy(np.full((1, 1, 1, 1), 255, np.uint8))).tolist() == [[[[1.0]]]]


def test_normalize_rounds_half_precision_once() -> None:
    x = from_numpy((images().data * 100).astype(np.float16))
    y = Normalize([50.0] * 3, [0.3] * 3)(x)
    expected = (x.data.astype(np.float32) - np.float32(50)) / np.float32(0.3)
    assert y.dtype == np.float16
    np.testing.assert_array_equal(y.data, expected.astype(np.float16))


@settings(deadline=None)
@given(padding=st.integers(0, 3), reflect=st.booleans(), seed=st.integers(0, 20), small=st.booleans())
def test_each_crop_is_a_window_of_the_padded_image(padding: int, reflect: bool, seed: int, small: bool) -> None:
    x = images(4)
    size = (3, 4) if small else (6, 5)
    mode: Literal["reflect", "constant"] = "reflect" if reflect else "constant"
    y = RandomCrop(size, padding, mode)(x, rng=np.random.default_rng(seed)).data
    padded = np.pad(x.data, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode=mode)
    assert y.shape == (4, 3, *size)
    for before, after in zip(padded, y, strict=True):
        places = [
            (top, left)
            for top in range(before.shape[1] - size[0] + 1)
            for left in range(before.shape[2] - size[1] + 1)
            if (before[:, top : top + size[0], left : left + size[1]] == after).all()
        ]
        assert places


def test_crops_reach_every_place_and_differ_from_image_to_image() -> None:
    image = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    y = RandomCrop(2)(from_numpy(np.repeat(image, 200, axis=0)), rng=np.random.default_rng(0))
    assert {float(value) for value in y.data[:, 0, 0, 0]} == {0, 1, 3, 4}


def test_flip_mirrors_some_images_whole() -> None:
    x = images(200)
    y = RandomHorizontalFlip(0.3)(x, rng=np.random.default_rng(0)).data
    same = (y == x.data).all(axis=(1, 2, 3))
    mirrored = (y == x.data[..., ::-1]).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert 30 <= mirrored.sum() <= 90
    np.testing.assert_array_equal(RandomHorizontalFlip(1.0)(x).data, x.data[..., ::-1])
    np.testing.assert_array_equal(RandomHorizontalFlip(0.0)(x).data, x.data)


@settings(deadline=None)
@given(size=st.integers(1, 4), seed=st.integers(0, 20))
def test_cutout_zeroes_one_square_in_all_channels(size: int, seed: int) -> None:
    x = images(5)
    y = Cutout(size)(x, rng=np.random.default_rng(seed)).data
    for before, after in zip(x.data, y, strict=True):
        hole = (after == 0).all(axis=0)
        np.testing.assert_array_equal(after[:, ~hole], before[:, ~hole])
        rows, columns = hole.any(axis=1), hole.any(axis=0)
        assert hole.sum() == rows.sum() * columns.sum()
        assert 1 <= rows.sum() <= size
        assert 1 <= columns.sum() <= size
        assert np.diff(np.flatnonzero(rows)).max(initial=1) == 1


def test_cutout_is_whole_inside_and_cut_at_the_edge() -> None:
    y = Cutout(3)(images(300, 1), rng=np.random.default_rng(0)).data
    areas = {int(area) for area in (y == 0).sum(axis=(1, 2, 3))}
    assert max(areas) == 9
    assert min(areas) == 4


@pytest.mark.parametrize("transform", [RandomCrop(5, 2), RandomHorizontalFlip(), Cutout(2)])
def test_inputs_are_left_alone_and_the_seed_decides(transform: Transform) -> None:
    x = images(30)
    before = x.data.copy()
    first = transform(x, rng=np.random.default_rng(1)).data
    np.testing.assert_array_equal(x.data, before)
    np.testing.assert_array_equal(transform(x, rng=np.random.default_rng(1)).data, first)
    assert not np.array_equal(transform(x, rng=np.random.default_rng(2)).data, first)
    manual_seed(7)
    default = transform(x).data
    manual_seed(7)
    np.testing.assert_array_equal(transform(x).data, default)
    assert first.dtype == np.float32


def test_bytes_stay_bytes_and_empty_batches_pass() -> None:
    x = from_numpy(np.ones((3, 1, 4, 4), np.uint8))
    assert Compose([RandomCrop(4, 1), RandomHorizontalFlip(), Cutout(1)])(x).dtype == np.uint8
    empty = from_numpy(np.ones((0, 1, 4, 4), np.float32))
    assert Compose([RandomCrop(4, 1), RandomHorizontalFlip(), Cutout(1)])(empty).shape == (0, 1, 4, 4)


def test_compose_applies_in_order() -> None:
    x = from_numpy(np.ones((1, 1, 1, 1), np.float32))
    assert Compose([Normalize([1.0], [1.0]), Normalize([0.0], [0.5])])(x).item() == 0.0
    assert Compose([Normalize([0.0], [0.5]), Normalize([1.0], [1.0])])(x).item() == 1.0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Normalize([0.0], [0.0]), "for each channel"),
        (lambda: Normalize([0.0, 0.0], [1.0]), "for each channel"),
        (lambda: Normalize([0.0], [1.0])(images()), "1 means"),
        (lambda: RandomCrop(0), "size >= 1"),
        (lambda: RandomCrop(2, -1), "padding >= 0"),
        (lambda: RandomCrop(20, 1)(images()), "cannot crop"),
        (lambda: RandomCrop(5, 5, "reflect")(images()), "cannot reflect"),
        (lambda: RandomHorizontalFlip(1.5), "between 0 and 1"),
        (lambda: Cutout(0), "at least 1"),
        (lambda: Cutout(1)(Tensor([1.0])), "wants images"),
    ],
)
def test_wrong_use_is_explained(wrong: object, message: str) -> None:
    assert callable(wrong)
    with pytest.raises(DataError, match=message):
        wrong()
