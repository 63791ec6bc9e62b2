"""What convolution refuses, and what it says then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tt_conv import Conv1d, conv1d, conv2d
from tt_tensor import Tensor


@pytest.mark.parametrize(
    ("x", "w", "b", "words", "says"),
    [
        ((2, 3, 4), (1, 3, 2, 2), None, {}, r"\(N, C, H, W\).*\(2, 3, 4\).*expand_dims"),
        ((2, 3), (1, 3, 2, 2), None, {}, r"\(N, C, H, W\).*\(2, 3\)"),
        ((2, 3, 4, 4), (1, 3, 2), None, {}, r"weight of shape \(out, in / groups, KH, KW\).*\(1, 3, 2\)"),
        ((2, 3, 4, 4), (0, 3, 2, 2), None, {}, r"nothing empty.*\(0, 3, 2, 2\)"),
        ((2, 3, 4, 4), (1, 2, 2, 2), None, {}, r"wants 2 channels.*has 3"),
        ((2, 4, 4, 4), (3, 2, 2, 2), None, {"groups": 2}, r"groups must divide.*groups=2 for 4 in and 3 out"),
        ((2, 4, 4, 4), (4, 2, 2, 2), None, {"groups": 0}, r"groups must divide.*groups=0"),
        ((2, 3, 4, 4), (2, 3, 2, 2), (3,), {}, r"each of 2 filters.*\(3,\).*\(2,\)"),
        ((2, 3, 4, 4), (2, 3, 5, 2), None, {}, r"5 x 2 does not fit.*4 x 4.*smaller kernel"),
        ((2, 3, 4, 4), (2, 3, 3, 3), None, {"dilation": 2}, r"5 x 5 does not fit"),
        ((2, 3, 4, 4), (2, 3, 3, 3), None, {"stride": 0}, r"stride must be a whole number of at least 1.*got 0"),
        ((2, 3, 4, 4), (2, 3, 3, 3), None, {"stride": (1, 2, 3)}, r"stride.*\(height, width\); got \(1, 2, 3\)"),
        ((2, 3, 4, 4), (2, 3, 3, 3), None, {"padding": -1}, r"padding.*at least 0.*got -1"),
        ((2, 3, 4, 4), (2, 3, 3, 3), None, {"padding": ((1, 2), (3, -1))}, r"padding.*got \(3, -1\)"),
        ((2, 3, 4, 4), (2, 3, 3, 3), None, {"padding": "full"}, r'"same" or "valid"; got \'full\''),
        ((2, 3, 4, 4), (2, 3, 3, 3), None, {"padding": "same", "stride": 2}, r"stride of \(2, 2\)"),
        ((2, 3, 4, 4), (2, 3, 3, 3), None, {"stride": 1.5}, r"stride must be a whole number.*got 1.5"),
        ((2, 3, 4, 4), (2, 3, 3, 3), None, {"dilation": "12"}, r"dilation must be a whole number.*got '12'"),
        ((2, 3, 4, 4), (2, 3, 3, 3), None, {"padding": ()}, r"padding must be a whole number.*got \(\)"),
        ((2, 3, 4, 4), (2, 3, 3, 3), None, {"padding": ((1, 1),) * 3}, r"padding must be .*got \(\(1, 1\), \(1, 1\), "),
        ((2, 3, 4, 4), (2, 3, 3, 3), None, {"padding": None}, r"padding must be a whole number.*got None"),
    ],
)
def test_what_does_not_fit_is_said(x: Any, w: Any, b: Any, words: dict[str, Any], says: str) -> None:
    bias = None if b is None else Tensor(np.zeros(b))
    with pytest.raises(ValueError, match=says):
        conv2d(Tensor(np.zeros(x)), Tensor(np.zeros(w)), bias, **words)


def test_integers_and_wrong_sequences_are_refused() -> None:
    with pytest.raises(TypeError, match=r"conv2d needs floating-point numbers.*int64"):
        conv2d(Tensor(np.zeros((1, 1, 3, 3), np.int64)), Tensor(np.zeros((1, 1, 2, 2))))
    with pytest.raises(TypeError, match="conv1d needs floating-point"):
        conv1d(Tensor(np.zeros((1, 1, 3), np.int64)), Tensor(np.zeros((1, 1, 2))))
    with pytest.raises(ValueError, match=r"conv1d wants sequences of shape \(N, C, L\).*\(1, 1, 3, 3\)"):
        conv1d(Tensor(np.zeros((1, 1, 3, 3))), Tensor(np.zeros((1, 1, 2))))
    with pytest.raises(ValueError, match=r"\(out, in / groups, K\)"):
        conv1d(Tensor(np.zeros((1, 1, 3))), Tensor(np.zeros((1, 1, 2, 2))))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"padding": (1, 1, 1)}, r"padding must be .*got \(1, 1, 1\)"),
        ({"padding": "full"}, r'"same" or "valid"; got \'full\''),
        ({"padding": "same", "stride": 2}, "keeps the size, which a stride of"),
        ({"stride": 0}, r"stride must be .*got \(1, 0\)"),
        ({"dilation": 1.0}, r"dilation must be .*got \(1, 1.0\)"),
    ],
)
def test_a_line_refuses_what_an_image_would(words: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        conv1d(Tensor(np.zeros((1, 2, 9))), Tensor(np.zeros((1, 2, 3))), **words)
    with pytest.raises(ValueError, match=says):
        Conv1d(2, 1, 3, **words)


def test_a_filter_longer_than_the_line_is_said_of_conv1d() -> None:
    with pytest.raises(
        ValueError, match="conv1d: a kernel that reaches over 1 x 3 does not fit the padded input of 1 x 2"
    ):
        conv1d(Tensor(np.zeros((1, 2, 2))), Tensor(np.zeros((1, 2, 3))))
