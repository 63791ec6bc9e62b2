"""The masks."""

from __future__ import annotations

import numpy as np
import pytest
from tt_attention import causal_mask, padding_mask, sliding_window_mask


@pytest.mark.parametrize(("queries", "keys"), [(4, 4), (2, 5), (5, 2), (0, 3), (1, 1)])
def test_causal(queries: int, keys: int) -> None:
    expected = [[j <= i + keys - queries for j in range(keys)] for i in range(queries)]
    mask = causal_mask(queries, keys)
    assert mask.dtype == np.bool_
    assert mask.shape == (queries, keys)
    assert mask.tolist() == expected
    assert causal_mask(keys).tolist() == causal_mask(keys, keys).tolist()


@pytest.mark.parametrize(("queries", "keys"), [(5, 5), (2, 5), (5, 3)])
@pytest.mark.parametrize("window", [1, 2, 10])
def test_sliding_window(queries: int, keys: int, window: int) -> None:
    reach = keys - queries
    expected = [[i + reach - window < j <= i + reach for j in range(keys)] for i in range(queries)]
    assert sliding_window_mask(queries, window, keys).tolist() == expected
    assert sliding_window_mask(keys, window).tolist() == sliding_window_mask(keys, window, keys).tolist()


def test_padding() -> None:
    mask = padding_mask([0, 2, 3], 4)
    assert mask.shape == (3, 1, 1, 4)
    assert mask.data[:, 0, 0].tolist() == [[False] * 4, [True, True, False, False], [True, True, True, False]]
    assert padding_mask(np.array([1, 3])).shape == (2, 1, 1, 3)
    assert padding_mask([]).shape == (0, 1, 1, 0)


def test_wrong_use_explains_itself() -> None:
    with pytest.raises(ValueError, match="window of at least 1 key, but received 0"):
        sliding_window_mask(3, 0)
    with pytest.raises(ValueError, match=r"causal_mask .* received -1 and 3"):
        causal_mask(-1, 3)
    with pytest.raises(ValueError, match=r"sliding_window_mask .* received 3 and -1"):
        sliding_window_mask(3, 2, -1)
    with pytest.raises(ValueError, match=r"0 to max_len=2 .*\[3\]"):
        padding_mask([3], 2)
    with pytest.raises(ValueError, match=r"\[-1\]"):
        padding_mask([-1], 2)
    with pytest.raises(ValueError, match="float64"):
        padding_mask([0.5], 2)
