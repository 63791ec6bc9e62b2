"""Linear, dropout, flattening, and layers made of layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_activations import ReLU, relu
from tt_layers import Dropout, Flatten, Identity, Linear, Residual, Sequential, dropout, functional, linear
from tt_tensor import Tensor, kernels, manual_seed, use_kernel

Array = npt.NDArray[Any]


@pytest.fixture(params=["reference", *[name for name in kernels(linear) if name != "reference"]])
def kernel(request: pytest.FixtureRequest) -> Any:
    with use_kernel(linear, request.param):
        yield request.param


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (5, 3), (2, 5, 3), (2, 1, 5, 3), (0, 3), (2, 0, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_a_product_and_a_sum(kernel: str, shape: tuple[int, ...], bias: bool) -> None:
    x, weight, offset = normal(*shape), normal(3, 4, seed=1), normal(4, seed=2)
    out = linear(
        Tensor(x, dtype=np.float64),
        Tensor(weight, dtype=np.float64),
        Tensor(offset, dtype=np.float64) if bias else None,
    )
    np.testing.assert_allclose(out.data, np.matmul(x, weight) + (offset if bias else 0.0), atol=1e-12)
    assert out.shape == (*shape[:-1], 4)


def test_linear_takes_strided_arrays_and_leaves_its_inputs_alone(kernel: str) -> None:
    x, weight, bias = normal(3, 8).T[::2], normal(8, 3)[::2].T[:, ::2], normal(4)[::2]
    copies = x.copy(), weight.copy(), bias.copy()
    out = linear(*[Tensor(a, dtype=np.float64) for a in (x, weight, bias)])
    np.testing.assert_allclose(out.data, x @ weight + bias)
    for now, before in zip((x, weight, bias), copies, strict=True):
        np.testing.assert_array_equal(now, before)


def test_linear_without_features_in_is_the_bias(kernel: str) -> None:
    out = linear(Tensor(np.zeros((2, 0))), Tensor(np.zeros((0, 3))), Tensor([1.0, 2.0, 3.0]))
    assert out.tolist() == [[1.0, 2.0, 3.0]] * 2


def test_linear_keeps_every_leading_axis_of_inputs_without_features() -> None:
    out = linear(Tensor(np.zeros((2, 4, 0))), Tensor(np.zeros((0, 3))), Tensor([1.0, 2.0, 3.0]))
    assert out.shape == (2, 4, 3)
    assert (out.data == [1.0, 2.0, 3.0]).all()


@pytest.mark.parametrize(
    ("x", "weight", "bias", "out"),
    [("f4", "f4", "f4", "f4"), ("f8", "f8", "f8", "f8"), ("f2", "f2", "f2", "f2"), ("f4", "f4", "f8", "f8")],
)
def test_linear_keeps_types(x: str, weight: str, bias: str, out: str) -> None:
    tensors = [
        Tensor(normal(*shape), dtype=np.dtype(kind)) for shape, kind in [((2, 3), x), ((3, 2), weight), ((2,), bias)]
    ]
    result = linear(*tensors)
    assert result.dtype == np.dtype(out)
    expected = tensors[0].data.astype(float) @ tensors[1].data.astype(float) + tensors[2].data
    np.testing.assert_allclose(result.data, expected, rtol=2e-3, atol=2e-3)


def test_linear_in_half_precision_sums_in_single() -> None:
    out = linear(Tensor(np.ones((1, 5000)), dtype=np.float16), Tensor(np.ones((5000, 1)), dtype=np.float16))
    assert out.tolist() == [[5000.0]]


def test_linear_takes_lists_and_arrays() -> None:
    assert linear([[1.0, 2.0]], Tensor([[1.0], [1.0]])).tolist() == [[3.0]]
    assert functional.linear(np.array([1.0, 2.0]), Tensor([[1.0], [1.0]])).tolist() == [3.0]


def test_linear_says_what_does_not_fit() -> None:
    weight = Tensor(np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"x of shape \(5, 4\) and weight of shape \(3, 2\)"):
        linear(Tensor(np.zeros((5, 4))), weight)
    with pytest.raises(ValueError, match=r"received x of shape \(\)"):
        linear(Tensor(1.0), weight)
    with pytest.raises(ValueError, match=r"weight of shape \(3,\)"):
        linear(Tensor(np.zeros(3)), Tensor(np.zeros(3)))
    with pytest.raises(ValueError, match=r"bias of shape \(1,\)"):
        linear(Tensor(np.zeros((5, 3))), weight, Tensor([0.0]))


def test_the_layer_says_what_it_expected_and_how_to_mend_it() -> None:
    layer = Linear(784, 10)
    with pytest.raises(
        ValueError, match=r"Linear\(in_features=784.*\(\.\.\., 784\), but received \(32, 28, 28\).*Flatten"
    ):
        layer(Tensor(np.zeros((32, 28, 28))))
    with pytest.raises(ValueError, match=r"received \(5, 3\).*in_features"):
        layer(Tensor(np.zeros((5, 3))))
    with pytest.raises(ValueError, match=r"received \(5,\)\. Give it a last axis: x\.reshape\(-1, 1\)"):
        Linear(1, 3)(Tensor(np.zeros(5)))  # Flatten keeps the first axis, and so would not help
    with pytest.raises(ValueError, match="in_features=0"):
        Linear(0, 3)


def test_the_layer_computes_with_its_parameters() -> None:
    layer = Linear(3, 2, dtype=np.float64)
    assert {parameter.dtype for parameter in layer.parameters()} == {np.dtype(np.float64)}
    assert layer.weight.shape == (3, 2)
    assert layer.bias is not None
    x = normal(4, 3)
    out = layer(Tensor(x, dtype=np.float64))
    np.testing.assert_allclose(out.data, x @ layer.weight.data + layer.bias.data)
    without = Linear(3, 2, bias=False)
    assert without.bias is None
    assert [name for name, _ in without.named_parameters()] == ["weight"]
    assert without(Tensor(x)).shape == (4, 2)
    assert without.weight.dtype == np.float32


def test_the_layer_starts_as_pytorchs_does() -> None:
    layer = Linear(400, 300, rng=np.random.default_rng(0))
    assert layer.bias is not None
    for array in (layer.weight.data, layer.bias.data):
        assert abs(array).max() <= 1 / 20
        assert abs(array).max() > 0.99 / 20
        assert array.std() == pytest.approx(1 / 20 / 3**0.5, rel=0.05)
        assert abs(array.mean()) < 0.005


def test_randomness_is_the_given_generators_or_the_seeded_one() -> None:
    first, second = (Linear(3, 3, rng=np.random.default_rng(5)).weight.data for _ in range(2))
    np.testing.assert_array_equal(first, second)
    manual_seed(1)
    first = Linear(3, 3).weight.data
    manual_seed(1)
    np.testing.assert_array_equal(first, Linear(3, 3).weight.data)
    assert not np.array_equal(first, Linear(3, 3).weight.data)
    x = Tensor(np.ones(50))
    once, again = (Dropout(0.5, rng=np.random.default_rng(5))(x).data for _ in range(2))
    np.testing.assert_array_equal(once, again)
    manual_seed(1)
    once = dropout(x).data
    manual_seed(1)
    np.testing.assert_array_equal(once, dropout(x).data)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.0, 1.0), st.integers(0, 1000))
def test_dropout_keeps_the_expected_value(p: float, seed: int) -> None:
    x = Tensor(np.full(4000, 3.0))
    out = dropout(x, p, rng=np.random.default_rng(seed)).data
    kept = out != 0.0
    np.testing.assert_allclose(out[kept], 3.0 / (1.0 - p) if p < 1.0 else 0.0, rtol=1e-6)
    assert kept.mean() == pytest.approx(1.0 - p, abs=0.05)
    assert out.dtype == np.float32


def test_dropout_does_nothing_in_eval_or_at_zero() -> None:
    x = Tensor([1.0, 2.0])
    assert Dropout(0.9).eval()(x) is x
    assert dropout(x, 0.9, training=False) is x
    assert dropout(x, 0.0) is x
    assert 0.0 in Dropout(0.9).train()(Tensor(np.ones(1000))).data


@pytest.mark.parametrize("value", [1.0, np.inf, -np.inf, np.nan])
def test_what_is_dropped_is_zero_whatever_it_was(value: float) -> None:
    assert dropout(Tensor([value] * 3), 1.0).tolist() == [0.0] * 3
    out = dropout(Tensor([value] * 200), 0.5, rng=np.random.default_rng(0)).data
    assert 60 < (out == 0.0).sum() < 140


def test_dropout_says_what_is_wrong() -> None:
    for p in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="from 0 to 1"):
            Dropout(p)
        with pytest.raises(ValueError, match="from 0 to 1"):
            dropout(Tensor([1.0]), p)
    with pytest.raises(TypeError, match="received int64"):
        dropout(Tensor([1, 2]), 0.5)
    assert repr(Dropout(0.25)) == "Dropout(p=0.25)"
    assert dropout(np.ones((2, 2)), 0.0).shape == (2, 2)
    assert dropout(Tensor(1.0), 0.5).shape == ()


@pytest.mark.parametrize(
    ("shape", "start", "out"),
    [
        ((2, 3, 4), 1, (2, 12)),
        ((2, 3, 4), 0, (24,)),
        ((2, 3, 4), -2, (2, 12)),
        ((0, 3, 4), 1, (0, 12)),
        ((5, 2), 1, (5, 2)),
    ],
)
def test_flatten_folds_axes(shape: tuple[int, ...], start: int, out: tuple[int, ...]) -> None:
    x = Tensor(normal(*shape))
    flat = Flatten(start)(x)
    assert flat.shape == out
    np.testing.assert_array_equal(flat.data.ravel(), x.data.ravel())


def test_flatten_says_that_the_axis_is_missing() -> None:
    with pytest.raises(ValueError, match=r"start_axis=1.*received the shape \(3,\)"):
        Flatten()(Tensor([1.0, 2.0, 3.0]))
    assert repr(Flatten()) == "Flatten(start_axis=1)"


def test_identity_returns_its_input() -> None:
    x = Tensor([1.0])
    assert Identity()(x) is x


def test_sequential_passes_through_in_order() -> None:
    first, last = Linear(2, 3), Linear(3, 1)
    x = Tensor(normal(4, 2))
    expected = last(relu(first(x)) * 2.0).data
    for model in (
        Sequential(first, relu, lambda x: x * 2.0, last),
        Sequential([first, ReLU(), lambda x: x * 2.0, last]),
        Sequential((first, ReLU(), lambda x: x * 2.0, last)),
        Sequential(Sequential(first, relu), Sequential(lambda x: x * 2.0, last)),
    ):
        np.testing.assert_array_equal(model(x).data, expected)
    assert Sequential()(x) is x


def test_sequential_is_a_list_of_its_layers() -> None:
    layers: list[Callable[[Tensor], Tensor]] = [Linear(2, 3), ReLU(), Linear(3, 1)]
    model = Sequential(layers)
    assert len(model) == 3
    assert list(model) == layers
    assert model[0] is layers[0]
    assert model[-1] is layers[2]
    part = model[:2]
    assert isinstance(part, Sequential)
    assert list(part) == layers[:2]
    assert model.append(Identity()) is model
    assert len(model) == 4
    assert len(layers) == 3
    model[1] = relu
    assert model[1] is relu
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    with pytest.raises(IndexError):
        model[9]


@pytest.mark.parametrize("wrong", [3, "relu", None])
def test_sequential_names_the_layer_that_cannot_be_called(wrong: Any) -> None:
    with pytest.raises(TypeError, match="layer 1 must be callable"):
        Sequential(Linear(2, 2), wrong)
    with pytest.raises(TypeError, match="layer 1 must be callable"):
        Sequential([Linear(2, 2), wrong])
    with pytest.raises(TypeError, match=r"layer 0 is the class ReLU, not an instance: write ReLU\(\)"):
        Sequential(ReLU)  # type: ignore[arg-type]  # that is the point


def test_sequential_shows_its_layers() -> None:
    text = repr(Sequential(Linear(2, 3), relu, Sequential(Identity())))
    assert "(0): Linear(in_features=2, out_features=3, bias=True)" in text
    assert "(1): relu" in text
    assert "(0): Identity()" in text


def test_residual_adds_the_input() -> None:
    layer = Linear(3, 3)
    x = Tensor(normal(2, 3))
    np.testing.assert_array_equal(Residual(layer)(x).data, x.data + layer(x).data)
    wide, short = Linear(3, 5), Linear(3, 5)
    np.testing.assert_array_equal(Residual(wide, short)(x).data, short(x).data + wide(x).data)
    assert [name for name, _ in Residual(wide, short).named_parameters()] == [
        "block.weight", "block.bias", "shortcut.weight", "shortcut.bias",
    ]  # fmt: skip


def test_residual_never_broadcasts() -> None:
    with pytest.raises(ValueError, match=r"of shape \(2, 3\).*\(2, 1\)"):
        Residual(Linear(3, 1))(Tensor(np.zeros((2, 3))))
    with pytest.raises(TypeError, match="must be callable"):
        Residual(None)  # type: ignore[arg-type]  # that is the point


def test_a_swapped_kernel_reaches_the_layer() -> None:
    layer = Linear(3, 2)
    with use_kernel(linear, lambda x, weight, bias=None: np.zeros((len(x), 2), np.float32)):
        assert layer(Tensor(np.ones((1, 3)))).tolist() == [[0.0, 0.0]]
    with use_kernel(dropout, lambda x, mask, *, scale: x):
        assert dropout(Tensor([1.0]), 0.999).tolist() == [1.0]
