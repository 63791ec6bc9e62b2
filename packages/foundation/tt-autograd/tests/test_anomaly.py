"""`detect_anomaly`: which operation, of what, at which line."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from tt_autograd import AnomalyError, defvjp, detect_anomaly
from tt_tensor import Primitive, Tensor, masked_fill


def here() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_the_forward_line_that_made_a_nan_is_named() -> None:
    x = Tensor([-1.0, 4.0], requires_grad=True)
    with detect_anomaly():
        y = x * 2.0
        line = here() + 2
        with pytest.raises(AnomalyError) as caught:
            y.log()
    message = str(caught.value)
    assert "log made NaN" in message
    assert f"{__file__}:{line}" in message
    assert "[-2, 8]" in message


def test_an_infinity_made_of_finite_numbers_is_found() -> None:
    with pytest.raises(AnomalyError, match="divide made infinity"), detect_anomaly():
        _ = Tensor([1.0]) / Tensor([0.0])


def test_an_infinity_that_came_in_on_purpose_passes() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    with detect_anomaly():
        scores = masked_fill(x, Tensor([True, False]), -math.inf)
        (scores + 1.0).exp().sum().backward()
    assert x.grad is not None
    assert x.grad.data[0] == 0


def test_a_nan_made_of_infinities_is_found() -> None:
    with pytest.raises(AnomalyError, match="divide made NaN"), detect_anomaly():
        _ = Tensor([math.inf]) / Tensor([math.inf])


def test_a_nan_in_the_data_is_told_apart() -> None:
    with pytest.raises(AnomalyError, match="input 1 of add holds NaN already"), detect_anomaly():
        _ = Tensor([1.0]) + Tensor([math.nan])


def test_a_nan_of_the_backward_pass_names_the_forward_line() -> None:
    x = Tensor([0.0], requires_grad=True)
    with detect_anomaly():
        line = here() + 1
        total = x.sqrt().sum()
        with pytest.raises(AnomalyError) as caught:
            total.backward()
    message = str(caught.value)
    assert "sqrt" in message
    assert "infinity" in message
    assert f"{__file__}:{line}" in message


def test_a_forward_pass_outside_the_block_is_asked_for() -> None:
    loss = Tensor([0.0], requires_grad=True).sqrt().sum()
    with pytest.raises(AnomalyError, match="run the forward pass inside"), detect_anomaly():
        loss.backward()


def test_a_joint_rule_is_watched_too() -> None:
    pair = Primitive("test_anomaly_joint", lambda x, y: x + y, elementwise=True)
    defvjp(pair, joint=lambda g, _out, _x, _y, *, needs: (g, g * math.nan))
    x, y = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    with pytest.raises(AnomalyError, match="test_anomaly_joint"), detect_anomaly():
        pair(x, y).sum().backward()


def test_a_gradient_that_was_bad_before_is_not_blamed_on_the_next_rule() -> None:
    x = Tensor([1.0], requires_grad=True)
    with detect_anomaly():
        (x * 2.0).backward(Tensor([math.nan]))
    assert x.grad is not None
    assert math.isnan(x.grad.item())


def test_healthy_training_passes_and_integers_and_empty_tensors_too() -> None:
    x = Tensor(np.ones((0, 3)), requires_grad=True)
    with detect_anomaly():
        (x.tanh() * Tensor([1, 2, 3])).sum().backward()
        assert Tensor([3, 4]).sum().item() == 7
    assert x.grad is not None


def test_nothing_is_checked_outside_the_block() -> None:
    assert math.isnan(Tensor([-1.0]).log().item())
