"""Every registered kernel of attention, in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tt_attention import scaled_dot_product_attention
from tt_tensor import kernels, use_kernel


@pytest.fixture(params=sorted(kernels(scaled_dot_product_attention)))
def kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    """Attention runs by this kernel while the test does."""
    with use_kernel(scaled_dot_product_attention, request.param):
        yield request.param
