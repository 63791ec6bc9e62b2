"""The contract runs with every kernel that is registered: these are."""

from __future__ import annotations

from tt_conv import conv2d
from tt_tensor import kernels


def test_every_way_to_convolve_has_a_name() -> None:
    assert set(kernels(conv2d)) >= {"reference", "blocks", "im2col", "loops"}
