"""What a backward pass promises: order, accumulation, freeing, fresh memory, and errors that explain themselves."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_autograd import defvjp
from tt_tensor import Primitive, Tensor, from_numpy, increment_version


def leaf(*numbers: float) -> Tensor:
    return Tensor(list(numbers), requires_grad=True)


def gradient(x: Tensor) -> Any:
    assert x.grad is not None
    return x.grad.tolist()


def test_the_gradient_of_a_scalar_is_one() -> None:
    x = Tensor(3.0, requires_grad=True)
    (x * x).backward()
    assert gradient(x) == 6.0


def test_a_leaf_is_its_own_gradient() -> None:
    x = Tensor(3.0, requires_grad=True)
    x.backward()
    assert gradient(x) == 1.0


def test_gradients_flow_through_both_sides_of_a_diamond() -> None:
    x = leaf(2.0)
    y = x * 3.0
    (y * y + y).sum().backward()
    assert gradient(x) == [39.0]


def test_an_error_in_a_rule_leaves_no_half_made_gradients() -> None:
    broken = Primitive("test_backward_broken", lambda x: x * 1, elementwise=True)
    defvjp(broken, lambda g, _out, _x: np.ones((5, 7), np.float32))
    x, y = leaf(1.0, 3.0), leaf(2.0, 4.0)
    loss = (broken(x) * y).sum()
    with pytest.raises(ValueError, match=r".") as caught:
        loss.backward()
    assert any("test_backward_broken" in note for note in caught.value.__notes__)
    assert x.grad is None
    assert y.grad is None


def test_a_chain_of_diamonds_is_walked_once_each() -> None:
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(60):  # 2^60 paths
        y = y + y
    y.backward()
    assert gradient(x) == 2.0**60


def test_a_node_waits_for_all_its_users_however_far_they_are() -> None:
    x = leaf(2.0)
    y = x * 1.0
    far = y
    for _ in range(5):
        far = far * 1.0
    (far * y).sum().backward()
    assert gradient(x) == [4.0]


def test_two_backward_passes_accumulate() -> None:
    x = leaf(1.0, 2.0)
    (x * 2.0).sum().backward()
    (x * 3.0).sum().backward()
    assert gradient(x) == [5.0, 5.0]


def test_zero_grad_starts_again() -> None:
    x = leaf(1.0)
    (x * 2.0).sum().backward()
    x.zero_grad()
    assert x.grad is None
    (x * 3.0).sum().backward()
    assert gradient(x) == [3.0]


def test_intermediate_results_keep_no_gradient() -> None:
    x = leaf(1.0)
    y = x * 2.0
    y.sum().backward()
    assert y.grad is None


def test_constants_get_no_gradient_and_nothing_is_recorded_for_them() -> None:
    x, c = leaf(1.0), Tensor([2.0])
    assert not (c * c).requires_grad
    assert (c * c).is_leaf
    (x * c).sum().backward()
    assert c.grad is None


def test_detach_cuts() -> None:
    x = leaf(3.0)
    (x.detach() * x).sum().backward()
    assert gradient(x) == [3.0]


def test_a_gradient_may_be_given() -> None:
    x = leaf(1.0, 2.0)
    (x * 3.0).backward(Tensor([1.0, 10.0]))
    assert gradient(x) == [3.0, 30.0]


def test_backward_of_several_elements_needs_a_gradient() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)(scalar|one element|shape).*\(2,\)"):
        (leaf(1.0, 2.0) * 2.0).backward()


def test_a_given_gradient_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises((RuntimeError, ValueError), match=r"(?s)\(3,\).*\(2,\)|\(2,\).*\(3,\)"):
        (leaf(1.0, 2.0) * 2.0).backward(Tensor([1.0, 2.0, 3.0]))


def test_backward_of_what_needs_no_gradient_explains_itself() -> None:
    with pytest.raises(RuntimeError, match="require"):
        Tensor(1.0).backward()


def test_a_second_backward_explains_itself() -> None:
    loss = (leaf(1.0) * 2.0).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        loss.backward()


def test_a_second_backward_through_a_shared_part_explains_itself() -> None:
    y = leaf(1.0) * 2.0
    y.sum().backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        (y * 3.0).sum().backward()


def test_retain_graph_allows_a_second_pass() -> None:
    x = leaf(1.0)
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert gradient(x) == [4.0]


def test_changing_an_input_after_it_was_saved_names_it_and_the_operation() -> None:
    x, w = Tensor([2.0]), leaf(3.0)
    for position, product in enumerate((x * w, w * x)):
        x.assign_([5.0])
        with pytest.raises(RuntimeError, match=rf"the input {position} of multiply \(shape \(1,\)\) was written in"):
            product.sum().backward()


def test_changing_a_result_that_was_saved_names_it_and_the_operation() -> None:
    y = leaf(3.0).exp()
    loss = y.sum()
    y.detach().assign_([5.0])
    with pytest.raises(RuntimeError, match=r"the result of exp \(shape \(1,\)\) was written in place after exp ran"):
        loss.backward()


def test_changing_it_through_a_view_or_the_array_is_seen_too() -> None:
    x, w = Tensor([2.0, 3.0]), leaf(1.0, 1.0)
    loss = (x * w).sum()
    x[0:1].assign_([9.0])
    with pytest.raises(RuntimeError, match="multiply"):
        loss.backward()
    y = Tensor([2.0, 3.0])
    loss = (y * w).sum()
    y.data[0] = 7.0
    increment_version(y)
    with pytest.raises(RuntimeError, match="multiply"):
        loss.backward()


def test_changing_an_input_that_no_rule_needs_is_fine() -> None:
    x, w = Tensor([2.0]), leaf(3.0)
    loss = (x + w).sum()
    x.assign_([5.0])
    loss.backward()
    assert gradient(w) == [1.0]


def test_a_parameter_may_be_updated_after_backward() -> None:
    w = leaf(3.0)
    for _ in range(3):
        w.zero_grad()
        (w * w).sum().backward()
        assert w.grad is not None
        w.assign_(w.detach() - 0.25 * w.grad)
    assert w.tolist() == [0.375]


def test_integers_take_part_without_a_gradient() -> None:
    x, n = leaf(1.5), from_numpy(np.array([2]))
    (x * n).sum().backward()
    assert gradient(x) == [2.0]
    assert n.grad is None
    assert not (n * n).requires_grad


def test_comparisons_and_indices_end_the_graph() -> None:
    x = leaf(1.0, 2.0)
    assert not (x > 1.5).requires_grad
    assert not x.argmax().requires_grad


def test_a_hundred_thousand_steps_run_backward_and_are_freed() -> None:
    assert sys.getrecursionlimit() <= 10_000
    x = Tensor([1.0], requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.sum().backward()
    assert gradient(x) == [1.0]
    del y


def test_a_graph_of_a_hundred_thousand_steps_is_freed_without_a_backward_pass() -> None:
    y = Tensor([1.0], requires_grad=True) * 1.0
    for _ in range(100_000):
        y = y + 1.0
    del y


def test_gradients_share_no_memory() -> None:
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    given = Tensor([1.0, 1.0])
    out = x + y
    out.backward(given)
    assert x.grad is not None
    assert y.grad is not None
    arrays = [x.data, y.data, x.grad.data, y.grad.data, given.data, out.data]
    for i, one in enumerate(arrays):
        for other in arrays[i + 1 :]:
            assert not np.shares_memory(one, other)


@pytest.mark.parametrize("shape", [(1, 6), (6,), (2, 3)])
def test_gradients_of_views_share_no_memory_and_can_be_written(shape: tuple[int, ...]) -> None:
    x, y = Tensor(np.ones(shape), requires_grad=True), Tensor(np.ones(6), requires_grad=True)
    given = Tensor(np.ones(6))
    (x.reshape(6) + y).backward(given)
    assert x.grad is not None
    assert y.grad is not None
    assert not np.shares_memory(x.grad.data, given.data)
    assert not np.shares_memory(x.grad.data, y.grad.data)
    x.grad.data[...] = 5.0
    assert y.grad.tolist() == [1.0] * 6


def test_the_gradient_of_a_sum_can_be_written_element_by_element() -> None:
    x = Tensor(np.ones((100, 100)), requires_grad=True)
    x.sum().backward()
    assert x.grad is not None
    x.grad.data[0, 0] = 5.0
    assert x.grad.data.sum() == 10_004.0


def test_accumulating_does_not_change_a_gradient_taken_before() -> None:
    x = leaf(1.0)
    (x * 2.0).sum().backward()
    before = x.grad
    assert before is not None
    copy = before.tolist()
    (x * 3.0).sum().backward()
    assert gradient(x) == [5.0]
    assert before is x.grad or before.tolist() == copy


@settings(max_examples=50, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=12))
def test_random_graphs_agree_with_forward_differentiation(steps: list[tuple[int, int, int]]) -> None:
    """Every random program of sums, products and differences, against dual numbers."""
    x = Tensor(0.7, dtype=np.float64, requires_grad=True)
    values: list[tuple[Tensor, float]] = [(x, 1.0)]
    for kind, i, j in steps:
        (a, da), (b, db) = values[i % len(values)], values[j % len(values)]
        if kind == 0:
            values.append((a + b, da + db))
        elif kind == 1:
            values.append((a * b, da * b.item() + a.item() * db))
        else:
            values.append((a - b, da - db))
    out, slope = values[-1]
    out.backward()
    assert x.grad is not None
    assert x.grad.item() == pytest.approx(slope, rel=1e-9, abs=1e-9)
