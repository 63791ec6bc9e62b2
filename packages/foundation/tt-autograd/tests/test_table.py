"""The table of gradients is complete: a gradient that is missing is never silent."""

from __future__ import annotations

import numpy as np
import pytest
import tt_activations  # noqa: F401
import tt_layers  # noqa: F401
import tt_losses  # noqa: F401
from tt_autograd import NONDIFFERENTIABLE, checkpoint, defvjp, explain_missing, has_rules, unbroadcast
from tt_tensor import Primitive, Tensor, primitives

PUBLIC = {name: p for name, p in primitives().items() if not name.startswith(("test_", "doc_"))}


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_primitive_has_rules_or_is_said_to_have_none(name: str) -> None:
    assert has_rules(PUBLIC[name]) != (PUBLIC[name] in NONDIFFERENTIABLE)


def test_the_table_is_not_empty() -> None:
    assert len(PUBLIC) > 80
    assert sum(has_rules(p) for p in PUBLIC.values()) > 60
    assert checkpoint is not None


def test_results_without_a_gradient_by_nature_require_none() -> None:
    x = Tensor([1.5, -2.5], requires_grad=True)
    for name in ("floor", "sign"):
        assert not PUBLIC[name](x).requires_grad


def test_what_cut_a_leaf_off_is_remembered() -> None:
    x = Tensor([1.5, -2.5], requires_grad=True)
    PUBLIC["floor"](x * 2.0)
    reason = explain_missing(x)
    assert reason is not None
    assert "floor" in reason
    assert explain_missing(Tensor([1.0], requires_grad=True)) is None
    assert explain_missing(Tensor([1.0])) == "it does not require a gradient"


@pytest.mark.parametrize(
    ("gradient", "shape", "expected"),
    [
        ((2, 3), (2, 3), [[1, 1, 1], [1, 1, 1]]),
        ((2, 3), (3,), [2, 2, 2]),
        ((2, 3), (2, 1), [[3], [3]]),
        ((2, 3), (1, 1), [[6]]),
        ((2, 3), (), 6),
        ((4, 2, 3), (2, 1), [[12], [12]]),
        ((0, 3), (3,), [0, 0, 0]),
        ((0, 3), (1, 3), [[0, 0, 0]]),
        ((0, 3), (), 0),
    ],
)
def test_unbroadcast(gradient: tuple[int, ...], shape: tuple[int, ...], expected: object) -> None:
    found = unbroadcast(np.ones(gradient), shape)
    assert found.shape == shape
    assert found.tolist() == expected


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (3, 1, 0, 2)], ids=["plain", "channels last", "mixed"])
@pytest.mark.parametrize("shape", [(6, 1, 1), (1, 6, 1, 1), (5,), (32, 1, 1, 1), (1, 6, 20, 1), ()])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_unbroadcast_sums_large_gradients_however_they_lie(
    order: tuple[int, ...], shape: tuple[int, ...], kind: type[np.floating]
) -> None:
    full = (32, 6, 20, 5)
    values = np.random.default_rng(0).standard_normal([full[axis] for axis in order]).astype(kind)
    gradient = values.transpose(np.argsort(order))  # of the shape `full`, its axes in memory as `order` says
    padded = (1,) * (4 - len(shape)) + shape
    axes = tuple(axis for axis in range(4) if padded[axis] != full[axis])
    wide = gradient.astype(np.float64)
    found = unbroadcast(gradient, shape)
    assert found.dtype == kind
    bound = float(np.finfo(kind).eps * np.abs(wide).sum(axis=axes).max())
    np.testing.assert_allclose(found, wide.sum(axis=axes).reshape(shape), rtol=0, atol=bound)


@pytest.mark.parametrize(("gradient", "shape"), [((2, 3), (2,)), ((3,), (2, 3)), ((2, 3), (2, 2))])
def test_unbroadcast_never_sums_a_wrong_shape_into_place(gradient: tuple[int, ...], shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"(?s)\(.*\).*\(.*\)"):
        unbroadcast(np.ones(gradient), shape)


def test_a_joint_rule_must_return_what_is_needed() -> None:
    short = Primitive("test_joint_short", lambda x, y: x + y, elementwise=True)
    defvjp(short, joint=lambda g, _out, _x, _y, *, needs: (g,))
    empty = Primitive("test_joint_none", lambda x, y: x + y, elementwise=True)
    defvjp(empty, joint=lambda g, _out, _x, _y, *, needs: (g, None))
    for primitive in (short, empty):
        x, y = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
        with pytest.raises(ValueError, match=primitive.name):
            primitive(x, y).sum().backward()
    x = Tensor([1.0], requires_grad=True)
    empty(x, Tensor([1.0])).sum().backward()
    assert x.grad is not None


def test_more_inputs_than_rules_is_an_error() -> None:
    pair = Primitive("test_too_few_rules", lambda x, y: x + y, elementwise=True)
    defvjp(pair, lambda g, _out, _x, _y: g)
    with pytest.raises(TypeError, match="test_too_few_rules"):
        pair(Tensor([1.0]), Tensor([1.0], requires_grad=True)).sum().backward()
