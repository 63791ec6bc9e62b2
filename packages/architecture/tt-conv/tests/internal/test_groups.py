"""Several small groups taken as one, and parted again."""

from __future__ import annotations

import numpy as np
import pytest
from tt_conv._groups import join_groups, part_groups


@pytest.mark.parametrize(
    ("filters", "channels", "groups", "left"),
    [
        (32, 2, 16, 2),
        (32, 1, 16, 2),
        (12, 3, 4, 1),
        (64, 16, 4, 4),
        (64, 20, 2, 2),
        (7, 1, 7, 1),
        (34, 1, 17, 17),
        (26, 1, 26, 2),
    ],
)
def test_groups_are_joined_up_to_sixteen_channels_and_parted_again(
    filters: int, channels: int, groups: int, left: int
) -> None:
    weight = np.random.default_rng(0).standard_normal((filters, channels, 3, 2))
    joined, remaining = join_groups(weight, groups)
    assert remaining == left
    assert joined.shape == (filters, channels * groups // left, 3, 2)
    assert np.count_nonzero(joined) == weight.size
    np.testing.assert_array_equal(part_groups(joined, weight.shape, groups), weight)
