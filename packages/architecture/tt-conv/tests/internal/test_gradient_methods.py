"""Which columns a convolution's gradient is made of: those of the gradient, or those of the input."""

from __future__ import annotations

import numpy as np
import pytest
from tt_conv._conv_gradient import gradient_by_columns, gradient_by_turning, turning_pays
from tt_conv._window import Window


@pytest.mark.parametrize(
    ("channels", "filters", "side", "kernel", "padding", "turning"),
    [
        (64, 64, 16, 3, 1, True),  # as many places either way: adding back would cost more
        (64, 128, 8, 3, 1, True),
        (16, 120, 5, 5, 0, False),  # LeNet's C5: one place, where the gradient's columns would stand at 25
        (64, 64, 8, 5, 0, False),
        (16, 120, 32, 3, 1, False),  # columns of many filters
        (3, 64, 16, 3, 1, False),  # products of three columns
    ],
)
def test_the_method_with_less_work_is_chosen(
    channels: int, filters: int, side: int, kernel: int, padding: int, turning: bool
) -> None:
    window = Window(kernel, 1, 1, padding, padding)
    places = window.positions(side)
    g, x = (2, places, places, filters), (2, side, side, channels)
    weight = (filters, channels, kernel, kernel)
    assert turning_pays(g, x, weight, window, window, groups=1) is turning


@pytest.mark.parametrize("window", [Window(3, 2, 1, 1, 1), Window(3, 1, 1, 3, 0)], ids=["stride", "padding"])
def test_turned_filters_want_windows_that_move_by_one_and_see_something(window: Window) -> None:
    places = window.positions(16)
    shapes = (2, places, places, 64), (2, 16, 16, 64), (64, 64, 3, 3)
    assert not turning_pays(*shapes, window, window, groups=1)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(("side", "kernel", "padding"), [(5, 5, 0), (6, 3, 1), (7, 3, 2), (6, 2, 0)])
def test_both_methods_give_the_same(side: int, kernel: int, padding: int, groups: int) -> None:
    rng = np.random.default_rng(0)
    window = Window(kernel, 1, 1, padding, padding)
    places = window.positions(side)
    g, x = rng.standard_normal((3, places, places, 4)), rng.standard_normal((3, side, side, 6))
    weight = rng.standard_normal((4, 6 // groups, kernel, kernel))
    found = [
        method(g, x, weight, window, window, groups, (True, True))
        for method in (gradient_by_turning, gradient_by_columns)
    ]
    for one, other in zip(*found, strict=True):
        assert one is not None
        assert other is not None
        np.testing.assert_allclose(one, other, atol=1e-12)
