"""Losses of numbers against numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.testing as npt
import pytest
import tt_losses as loss
from hypothesis import given
from hypothesis import strategies as st
from tt_tensor import Array, Tensor

Loss = Callable[..., Tensor]
Oracle = Callable[[Array, Array], Array]


def huber_oracle(delta: float) -> Oracle:
    def oracle(x: Array, y: Array) -> Array:
        d = np.abs(x - y)
        return np.asarray(np.where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta)))

    return oracle


CASES: dict[str, tuple[Loss, Oracle]] = {
    "mse": (loss.mse_loss, lambda x, y: (x - y) ** 2),
    "l1": (loss.l1_loss, lambda x, y: np.abs(x - y)),
    "huber": (loss.huber_loss, huber_oracle(1.0)),
    "huber_wide": (lambda x, y, r="mean": loss.huber_loss(x, y, r, delta=2.5), huber_oracle(2.5)),
    "hinge": (loss.hinge_loss, lambda x, y: np.maximum(0, 1 - x * y)),
}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> tuple[Loss, Oracle]:
    return CASES[request.param]


def pair(shape: tuple[int, ...], seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 3, shape), rng.choice([-1.0, 1.0], shape)


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_agree_with_the_formula(
    case: tuple[Loss, Oracle], shape: tuple[int, ...], dtype: type[np.float32 | np.float64]
) -> None:
    function, oracle = case
    x, y = (a.astype(dtype) for a in map(np.asarray, pair(shape)))
    each = oracle(x.astype(np.float64), y.astype(np.float64))
    tolerance = 1e-5 if dtype is np.float32 else 1e-12
    for reduction, expected in (("none", each), ("sum", each.sum()), ("mean", each.mean())):
        out = function(Tensor(x, dtype=dtype), Tensor(y, dtype=dtype), reduction)
        assert out.dtype == dtype
        assert out.shape == expected.shape
        npt.assert_allclose(out.data, expected, rtol=tolerance, atol=tolerance)


def test_mean_is_the_default(case: tuple[Loss, Oracle]) -> None:
    x, y = pair((3, 4))
    assert case[0](Tensor(x), Tensor(y)).item() == case[0](Tensor(x), Tensor(y), "mean").item()


@pytest.mark.parametrize(("x", "y"), [((4, 1), (4,)), ((4,), (4, 1)), ((2, 3), (3,)), ((2, 3), (1, 3)), ((3,), (1,))])
def test_shapes_never_broadcast_by_accident(case: tuple[Loss, Oracle], x: tuple[int, ...], y: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"differ in shape.*Broadcasting would compare.*reshape"):
        case[0](Tensor(np.ones(x)), Tensor(np.ones(y)))


def test_the_error_of_a_column_against_a_row_shows_both_and_the_square() -> None:
    with pytest.raises(ValueError, match=r"mse_loss: input \(4, 1\) and target \(4,\).*\(4, 4\) pairs"):
        loss.mse_loss(Tensor(np.ones((4, 1))), Tensor(np.ones(4)))


def test_shapes_that_do_not_fit_at_all(case: tuple[Loss, Oracle]) -> None:
    with pytest.raises(ValueError, match=r"input \(4,\) and target \(3,\) differ in shape; every prediction needs one"):
        case[0](Tensor(np.ones(4)), Tensor(np.ones(3)))


def test_one_number_may_be_everybodys_target(case: tuple[Loss, Oracle]) -> None:
    x, _ = pair((3, 4))
    npt.assert_allclose(case[0](Tensor(x), 1.0, "none").data, case[1](x, np.ones_like(x)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("reduction", ["avg", "", "Mean", "batchmean"])
def test_unknown_reduction(case: tuple[Loss, Oracle], reduction: str) -> None:
    with pytest.raises(ValueError, match=f"reduction must be one of 'mean', 'sum', 'none', got '{reduction}'"):
        case[0](Tensor([1.0]), Tensor([1.0]), reduction)


def test_a_batch_of_nothing(case: tuple[Loss, Oracle]) -> None:
    nothing = Tensor(np.ones((0, 3)))
    assert case[0](nothing, nothing, "sum").item() == 0.0
    assert case[0](nothing, nothing, "none").shape == (0, 3)
    with pytest.raises(ValueError, match="mean of no losses"):
        case[0](nothing, nothing)


def test_inputs_are_left_alone(case: tuple[Loss, Oracle]) -> None:
    x, y = (Tensor(a) for a in pair((3, 4)))
    before = x.numpy().copy(), y.numpy().copy()
    for reduction in ("none", "sum", "mean"):
        case[0](x, y, reduction)
    npt.assert_array_equal(x.data, before[0])
    npt.assert_array_equal(y.data, before[1])


def test_strided_input(case: tuple[Loss, Oracle]) -> None:
    x, y = pair((4, 6))
    out = case[0](Tensor(x, dtype=np.float64).T, Tensor(y, dtype=np.float64).T)
    npt.assert_allclose(out.data, case[1](x, y).mean())


def test_integer_targets_do_not_bring_float64_in(case: tuple[Loss, Oracle]) -> None:
    out = case[0](Tensor([0.5, 2.0]), Tensor([1, -1]))
    assert out.dtype == np.float32
    npt.assert_allclose(out.item(), case[1](np.array([0.5, 2.0]), np.array([1, -1])).mean(), rtol=1e-6)
    assert case[0](Tensor([1, 1]), Tensor([1, -1])).dtype == np.float32
    assert case[0](Tensor([1, 1]), Tensor([1.0, -1.0])).dtype == np.float32


def test_half_precision_sums_in_float32() -> None:
    x = Tensor(np.full(70_000, 2.0), dtype=np.float16)
    y = Tensor(np.full(70_000, 1.0), dtype=np.float16)
    for function in (loss.mse_loss, loss.l1_loss):
        out = function(x, y)
        assert out.dtype == np.float16
        assert out.item() == 1.0


def test_long_means_keep_their_precision() -> None:
    x = Tensor(np.full(1_000_003, 0.1))
    assert loss.l1_loss(x, 0.0).item() == pytest.approx(float(np.float32(0.1)), rel=1e-6)


def test_huge_differences_overflow_to_infinity_in_silence() -> None:
    assert loss.mse_loss(Tensor([3e38]), Tensor([-3e38])).item() == np.inf
    assert loss.huber_loss(Tensor([3e38]), Tensor([0.0])).item() == pytest.approx(3e38, rel=1e-6)
    assert loss.mse_loss(Tensor([300.0], dtype=np.float16), Tensor([0.0], dtype=np.float16)).item() == np.inf


@pytest.mark.parametrize("delta", [0.0, -1.0, float("nan")])
def test_huber_needs_a_positive_delta(delta: float) -> None:
    with pytest.raises(ValueError, match="delta must be above 0"):
        loss.huber_loss([1.0], [2.0], delta=delta)
    with pytest.raises(ValueError, match="delta must be above 0"):
        loss.HuberLoss(delta=delta)


def test_hinge_refuses_targets_of_zero_and_one() -> None:
    with pytest.raises(ValueError, match=r"every target must be -1 or 1, got 0.*2 \* target - 1"):
        loss.hinge_loss([0.5, 0.5], [0, 1])


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=10), st.floats(-1e3, 1e3))
def test_losses_are_symmetric_and_never_negative(values: list[float], shift: float) -> None:
    x, y = Tensor(values), Tensor(np.array(values) + shift)
    for function in (loss.mse_loss, loss.l1_loss, loss.huber_loss):
        assert function(x, y).item() == function(y, x).item() >= 0
        assert function(x, x).item() == 0
