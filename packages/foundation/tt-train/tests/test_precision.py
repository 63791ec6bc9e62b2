"""float16: computed in half, kept in single, and an overflow costs one step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tt_data import DataLoader
from tt_layers import Linear, Module, Sequential
from tt_losses import CrossEntropyLoss, mse_loss
from tt_optim import SGD
from tt_tensor import Tensor, current, manual_seed, use_interpreter
from tt_train import Callback, HalfPrecision, LossScaler, Trainer, unscale_gradients

MakeTrainer = Callable[..., Trainer]
MakeLoader = Callable[..., DataLoader]


class Spy(Module):
    """Remember the dtypes that pass through."""

    def __init__(self, inside: Module) -> None:
        self.inside = inside
        self.seen: set[str] = set()

    def forward(self, x: Tensor) -> Tensor:
        y = self.inside(x)
        self.seen.add(str(y.dtype))
        return y * 1.0


def test_operations_inside_compute_in_half_and_gradients_arrive_in_single() -> None:
    weight = Tensor([1.0, 2.0], requires_grad=True)
    with use_interpreter(HalfPrecision(current())):
        y = (weight * weight).sum()
    assert y.dtype == np.float16
    y.backward()
    assert weight.dtype == np.float32
    assert weight.grad is not None
    assert weight.grad.dtype == np.float32
    np.testing.assert_array_equal(weight.grad.data, [2.0, 4.0])


def test_half_leaves_other_dtypes_and_explicit_casts_alone() -> None:
    with use_interpreter(HalfPrecision(current())):
        assert (Tensor([1, 2]) + Tensor([3, 4])).dtype == np.int64
        assert (Tensor([1.0], dtype=np.float64) * 2.0).dtype == np.float64
        assert Tensor([1.0]).astype(np.float32).dtype == np.float32


def test_the_scale_halves_on_overflow_and_doubles_after_a_while() -> None:
    scaler = LossScaler(8.0, growth_interval=2, largest=16.0)
    assert [scaler.update(True) for _ in range(6)] == [8.0, 16.0, 16.0, 16.0, 16.0, 16.0]
    assert scaler.update(False) == 8.0
    assert scaler.update(True) == 8.0
    assert scaler.update(False) == 4.0
    assert [scaler.update(True) for _ in range(2)] == [4.0, 8.0]


def test_a_scale_that_never_helps_is_an_error() -> None:
    scaler = LossScaler(2.0**-13)
    assert scaler.update(False) == 2.0**-14
    with pytest.raises(FloatingPointError, match="the model itself overflows"):
        scaler.update(False)


def test_the_scalers_state_comes_back() -> None:
    scaler, other = LossScaler(8.0, growth_interval=3), LossScaler(4.0, growth_interval=3)
    scaler.update(True)
    other.load_state_dict(scaler.state_dict())
    assert [other.update(True) for _ in range(2)] == [8.0, 16.0]
    with pytest.raises(ValueError, match="'scale' and 'good_steps'"):
        other.load_state_dict({"scale": -1.0, "good_steps": 0})
    with pytest.raises(ValueError, match="LossScaler needs"):
        LossScaler(0.0)


def test_unscale_divides_all_gradients_or_none() -> None:
    one, two, three = (Tensor([1.0, 1.0], requires_grad=True) for _ in range(3))
    one.grad, two.grad = Tensor([4.0, 8.0]), Tensor([2.0, 0.0])
    assert unscale_gradients([one, two, three], 4.0)
    np.testing.assert_array_equal(one.grad.data, [1.0, 2.0])
    np.testing.assert_array_equal(two.grad.data, [0.5, 0.0])
    for bad in (math.inf, math.nan):
        two.grad = Tensor([bad, 1.0])
        assert not unscale_gradients([one, two], 4.0)
        np.testing.assert_array_equal(one.grad.data, [1.0, 2.0])


def test_a_trainer_in_half_learns_with_single_masters(make_trainer: MakeTrainer, make_loader: MakeLoader) -> None:
    trainer = make_trainer(precision="float16", scaler=LossScaler(1024.0))
    spy = Spy(trainer.model)
    trainer.model = spy
    history = trainer.fit(make_loader(), epochs=5, validation=make_loader())
    assert spy.seen == {"float16"}
    assert {str(parameter.dtype) for parameter in spy.parameters()} == {"float32"}
    assert history.epochs[-1]["loss"] < 0.5 * history.epochs[0]["loss"]
    assert set(history.steps["loss_scale"]) == {1024.0}
    assert not history.steps["skipped"].any()
    assert trainer.predict(np.ones((2, 6), dtype=np.float32)).dtype == np.float32


def test_the_scale_does_not_show_in_the_step() -> None:
    """A power of two rounds nothing away: any scale gives the same weights, and nearly those of float32."""

    def run(scale: float | None) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        manual_seed(0)
        model = Linear(3, 1)
        scaler = None if scale is None else LossScaler(scale)
        precision = "float32" if scale is None else "float16"
        build: Callable[..., Trainer] = Trainer
        trainer = build(
            model, mse_loss, SGD(model.parameters(), lr=0.1), accumulate=2, precision=precision, scaler=scaler
        )
        x = Tensor(np.random.default_rng(0).normal(size=(4, 3)))
        trainer.fit([(x, x[:, :1]), (x[:2], x[:2, :1])] * 5)
        return np.array(model.weight.data)

    np.testing.assert_array_equal(run(8.0), run(64.0))
    np.testing.assert_allclose(run(8.0), run(None), atol=5e-3)


def test_small_gradients_survive_only_because_of_the_scale() -> None:
    """A gradient of 1e-8 is below float16's smallest number, 6e-8."""

    def moved(scale: float) -> bool:
        model = Linear(1, 1, bias=False)
        model.weight.assign_([[0.0]])
        trainer = Trainer(
            model, mse_loss, SGD(model.parameters(), lr=1.0), precision="float16", scaler=LossScaler(scale)
        )
        trainer.fit([(Tensor([[1.0]]), Tensor([[5e-9]]))])
        return model.weight.item() != 0.0

    assert not moved(1.0)
    assert moved(2.0**16)


def test_an_overflow_skips_the_step_halves_the_scale_and_leaves_the_schedule(make_loader: MakeLoader) -> None:
    weights: list[float] = []

    class Watch(Callback):
        def on_step_end(self, trainer: Trainer) -> None:
            weights.append(next(iter(trainer.model.parameters())).item())

    model = Linear(1, 1, bias=False)
    model.weight.assign_([[1.0]])
    trainer = Trainer(
        model,
        mse_loss,
        SGD(model.parameters(), lr=0.01),
        precision="float16",
        scaler=LossScaler(2.0**16),
        callbacks=[Watch()],
    )
    batch = (Tensor([[2.0]]), Tensor([[0.0]]))  # the gradient is 8, so 8 * 2**16 overflows float16
    history = trainer.fit([batch] * 8)
    skipped = history.steps["skipped"].astype(bool)
    assert skipped[:3].all()
    assert not skipped[-1]
    np.testing.assert_array_equal(history.steps["loss_scale"][:4], [2.0**16, 2.0**15, 2.0**14, 2.0**13])
    assert weights[0] == weights[1] == 1.0
    assert weights[-1] < 1.0


def test_a_scale_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="LossScaler needs"):
        LossScaler(math.nan)
    with pytest.raises(ValueError, match="'scale' and 'good_steps'"):
        LossScaler().load_state_dict({"scale": math.nan, "good_steps": 0})


def test_a_shorter_interval_after_a_resume_lets_the_scale_grow() -> None:
    patient, eager = LossScaler(8.0, growth_interval=100), LossScaler(8.0, growth_interval=2)
    for _ in range(5):
        patient.update(True)
    eager.load_state_dict(patient.state_dict())
    assert eager.update(True) == 16.0


@pytest.mark.parametrize("settings", [{"precision": "float16"}, {"clip": 1e-6}])
def test_parameters_that_join_the_optimizer_later_are_unscaled_and_clipped(
    settings: dict[str, Any], make_loader: MakeLoader
) -> None:
    manual_seed(0)
    early, late = Linear(6, 5), Linear(5, 3)
    early.requires_grad_(False)
    optimizer = SGD(late.parameters(), lr=1e-3)
    trainer = Trainer(Sequential(early, late), CrossEntropyLoss(), optimizer, **settings)
    early.requires_grad_(True)
    optimizer.add_param_group({"params": list(early.parameters())})
    before = early.weight.data.copy()
    trainer.fit(make_loader(), epochs=1)
    moved = np.abs(early.weight.data - before).max()
    assert moved < 1e-2 * settings.get("clip", 1.0)
