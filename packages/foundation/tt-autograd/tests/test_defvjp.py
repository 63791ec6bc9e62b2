"""Own rules: what they receive, when they run, and what the engine says of wrong or missing ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pytest
import tt_autograd
from tt_autograd import defvjp
from tt_tensor import Interpreter, Primitive, Tensor, current, use_interpreter, use_kernel

Array = npt.NDArray[Any]
T = TypeVar("T")


def leaf(*numbers: float) -> Tensor:
    return Tensor(list(numbers), requires_grad=True)


def gradient(x: Tensor) -> Any:
    assert x.grad is not None
    return x.grad.tolist()


def test_a_primitive_without_rules_is_named() -> None:
    cube = Primitive("test_cube_without_rules", lambda x: x**3, elementwise=True)
    x = leaf(2.0)
    with pytest.raises((RuntimeError, NotImplementedError, TypeError, LookupError), match="test_cube_without_rules"):
        cube(x).sum().backward()


def test_a_gradient_of_the_wrong_shape_names_the_primitive() -> None:
    total = Primitive("test_total_wrong_shape", lambda x: np.asarray(x.sum()))
    defvjp(total, lambda g, _out, _x: g)
    with pytest.raises((RuntimeError, ValueError), match="test_total_wrong_shape"):
        total(leaf(1.0, 2.0)).backward()


def test_an_elementwise_gradient_that_cannot_be_summed_into_shape_names_the_primitive() -> None:
    odd = Primitive("test_odd_elementwise", lambda x: x * 2, elementwise=True)
    defvjp(odd, lambda g, _out, _x: np.ones((5, 7), np.float32))
    with pytest.raises((RuntimeError, ValueError), match="test_odd_elementwise"):
        odd(leaf(1.0, 2.0)).sum().backward()


def test_rules_are_run_only_for_inputs_that_want_a_gradient() -> None:
    called: list[str] = []

    def left(g: Array, _out: object, _x: object, _y: object) -> Array:
        called.append("left")
        return g

    def right(g: Array, _out: object, _x: object, _y: object) -> Array:
        called.append("right")
        return g

    pair = Primitive("test_pair", lambda x, y: x + y, elementwise=True)
    defvjp(pair, left, right)
    pair(leaf(1.0), Tensor([1.0])).sum().backward()
    assert called == ["left"]


def test_an_argument_with_an_underscore_arrives_as_a_spec() -> None:
    seen: list[Any] = []

    def rule(g: Array, _out: Any, _x: Any) -> Array:
        seen.append(_x)
        return g

    same = Primitive("test_spec", lambda x: x + 0, elementwise=True)
    defvjp(same, rule)
    same(leaf(1.0, 2.0)).sum().backward()
    (spec,) = seen
    assert isinstance(spec, tt_autograd.Spec)
    assert (spec.shape, spec.ndim, spec.size) == ((2,), 1, 2)
    assert spec.dtype == np.float32


def residual_pair(name: str) -> Primitive:
    primitive = Primitive(name, lambda x: x * x, elementwise=True, recording=lambda x: (x * x, "kept"))

    def rule(g: Array, _out: object, x: Array, *, residuals: object) -> Array:
        return g * x * (2 if residuals == "kept" else 20)

    defvjp(primitive, rule)
    return primitive


def test_residuals_of_the_recording_kernel_reach_the_rule() -> None:
    square = residual_pair("test_residuals")
    x = leaf(3.0)
    square(x).sum().backward()
    assert gradient(x) == [6.0]


@pytest.mark.parametrize("pack", [lambda kept: kept, lambda kept: (kept,)])
def test_a_residual_that_a_rule_returns_is_not_written_into(pack: Callable[[Array], object]) -> None:
    kept = np.ones(1, np.float32)
    name = f"test_residual_returned_in_a_{type(pack(kept)).__name__}"
    same = Primitive(name, lambda x: x + 0, elementwise=True, recording=lambda x: (x + 0, pack(kept)))
    defvjp(same, lambda _g, _out, _x, *, residuals: residuals[0] if isinstance(residuals, tuple) else residuals)
    x = leaf(3.0)
    (same(x) + same(x) + same(x)).sum().backward()
    same(x).sum().backward()
    assert gradient(x) == [4.0]
    assert kept.tolist() == [1.0]


def test_a_swapped_kernel_without_recording_gives_residuals_none() -> None:
    square = residual_pair("test_residuals_swapped")
    x = leaf(3.0)
    with use_kernel(square, lambda a: a * a):
        y = square(x)
    y.sum().backward()
    assert gradient(x) == [60.0]


def test_defvjp_refuses_a_second_row_and_a_row_of_nothing() -> None:
    once = Primitive("test_defvjp_once", lambda x: x, elementwise=True)
    with pytest.raises(ValueError, match="test_defvjp_once"):
        defvjp(once)
    defvjp(once, lambda g, _out, _x: g)
    with pytest.raises(ValueError, match="already"):
        defvjp(once, lambda g, _out, _x: g)


def test_an_elementwise_gradient_larger_than_the_output_is_refused_though_it_could_be_summed() -> None:
    swollen = Primitive("test_swollen_gradient", lambda x: x * 1, elementwise=True)
    defvjp(swollen, lambda g, _out, _x: np.ones((5, 7), np.float32))
    x = leaf(1.0)
    with pytest.raises(ValueError, match="test_swollen_gradient"):
        swollen(x).backward()
    assert x.grad is None


class Watch(Interpreter):
    """Notes the rules that run, and leaves running them to the interpreter below."""

    def __init__(self, inner: Interpreter) -> None:
        super().__init__(inner)
        self.seen: list[str] = []

    def pull(
        self, primitive: Primitive, rule: Callable[..., T], arguments: Sequence[object], params: Mapping[str, object]
    ) -> T:
        self.seen.append(primitive.name)
        return self.inner.pull(primitive, rule, arguments, params)


class Bystander(Interpreter):
    """Changes nothing."""


def test_an_interpreter_that_watches_rules_sees_them_under_one_that_does_not() -> None:
    watch = Watch(current())
    with use_interpreter(Bystander(watch)):
        x = leaf(1.0, 2.0)
        (x * x).sum().backward()
    assert watch.seen == ["sum", "multiply", "multiply"]
    assert gradient(x) == [2.0, 4.0]
