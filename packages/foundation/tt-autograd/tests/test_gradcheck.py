"""`gradcheck`: agrees with right rules, and says where a wrong one is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tt_autograd import GradcheckError, defvjp, gradcheck
from tt_tensor import Primitive, Tensor, default_rng, from_numpy, manual_seed

Array = npt.NDArray[Any]


def wrong_in_its_second_input(name: str) -> Primitive:
    primitive = Primitive(name, lambda x, y: x * y, elementwise=True)
    defvjp(primitive, lambda g, _out, _x, y: g * y, lambda g, _out, x, _y: g * x * (x < 2.5))
    return primitive


def test_a_right_rule_passes() -> None:
    assert gradcheck(lambda x, y: (x * y).tanh(), np.array([[1.0], [2.0]]), np.array([0.5, 0.25]))


def test_a_wrong_rule_is_told_by_input_index_and_both_values() -> None:
    product = wrong_in_its_second_input("test_gradcheck_wrong")
    with pytest.raises(GradcheckError) as caught:
        gradcheck(product, np.array([1.0, 3.0]), np.array([5.0, 7.0]))
    message = str(caught.value)
    assert "input 1" in message
    assert "(1,)" in message
    assert "analytic 0," in message or "analytic -0," in message
    assert "numeric" in message
    assert "1 of 2" in message


def test_errors_that_cancel_in_a_plain_sum_are_found() -> None:
    swapped = Primitive("test_gradcheck_swapped", lambda x: x + 0, elementwise=True)
    defvjp(swapped, lambda g, _out, _x: g[::-1])
    with pytest.raises(GradcheckError, match="input 0"):
        gradcheck(swapped, np.array([1.0, 2.0]))


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_the_relative_tolerance_grows_with_the_gradient(size: float) -> None:
    name = f"test_gradcheck_off_by_a_thousandth_of_{size}"
    off = Primitive(name, lambda x: x * size, elementwise=True)
    defvjp(off, lambda g, _out, _x: g * size * 1.001)
    assert gradcheck(off, np.array([1.0]), atol=0.0, rtol=2e-3)
    with pytest.raises(GradcheckError):
        gradcheck(off, np.array([1.0]), atol=0.0, rtol=5e-4)


def test_a_gradient_of_nan_is_wrong() -> None:
    bad = Primitive("test_gradcheck_nan", lambda x: x + 0, elementwise=True)
    defvjp(bad, lambda g, _out, _x: g * np.nan)
    with pytest.raises(GradcheckError, match="nan"):
        gradcheck(bad, np.array([1.0]))


def test_float32_inputs_are_checked_in_float64_and_left_alone() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    assert gradcheck(lambda t: t * t, x)
    assert x.grad is None
    assert x.tolist() == [1.0, 2.0]


def test_integers_and_booleans_are_passed_on() -> None:
    mask = np.array([True, False])
    assert gradcheck(lambda x, m, i: (x * m)[i], np.array([1.0, 2.0]), mask, from_numpy(np.array([0, 0])))


def test_scalars_and_empty_arrays() -> None:
    assert gradcheck(lambda x: x * x, 3.0)
    assert gradcheck(lambda x: x * x, np.zeros((0, 2)))


def test_a_kink_is_found() -> None:
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: x.abs(), np.array([0.0]), eps=1e-3, rng=np.random.default_rng(1)) and gradcheck(
            lambda x: (x + 5e-4).abs(), np.array([0.0]), eps=1e-3
        )


def test_random_numbers_are_replayed() -> None:
    manual_seed(0)

    def noisy(x: Tensor) -> Tensor:
        return x * Tensor(default_rng().random(x.shape), dtype=np.float64)

    assert gradcheck(noisy, np.array([1.0, 2.0, 3.0]))


def test_a_function_that_leaves_float64_is_told_so() -> None:
    with pytest.raises(GradcheckError, match="float32"):
        gradcheck(lambda x: x.astype("float32"), np.array([1.0]))


def test_a_result_that_depends_on_nothing_is_a_wrong_gradient_only_if_it_moves() -> None:
    assert gradcheck(lambda x: Tensor([1.0], dtype=np.float64), np.array([1.0]))
    with pytest.raises(GradcheckError, match="input 0"):
        gradcheck(lambda x: x.detach() * 2.0, np.array([1.0]))
