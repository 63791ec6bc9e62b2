"""The contract runs with every kernel that is registered: these are."""

from __future__ import annotations

from tt_attention import scaled_dot_product_attention
from tt_tensor import kernels


def test_every_way_to_attend_has_a_name() -> None:
    assert set(kernels(scaled_dot_product_attention)) >= {"reference", "plain", "blockwise"}
