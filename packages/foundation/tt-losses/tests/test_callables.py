"""Losses as objects."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest
import tt_losses as loss
from tt_tensor import Tensor

Function = Callable[..., Tensor]
PAIRS: list[tuple[Function, Function, str]] = [
    (loss.MSELoss(), loss.mse_loss, "MSELoss(reduction='mean')"),
    (loss.L1Loss(), loss.l1_loss, "L1Loss(reduction='mean')"),
    (loss.HuberLoss(), loss.huber_loss, "HuberLoss(reduction='mean', delta=1.0)"),
    (loss.HingeLoss(), loss.hinge_loss, "HingeLoss(reduction='mean')"),
    (loss.BCELoss(), loss.binary_cross_entropy, "BCELoss(reduction='mean')"),
    (loss.BCEWithLogitsLoss(), loss.binary_cross_entropy_with_logits, "BCEWithLogitsLoss(reduction='mean')"),
    (loss.KLDivLoss(), loss.kl_div, "KLDivLoss(reduction='mean')"),
    (loss.MSELoss("sum"), lambda x, y: loss.mse_loss(x, y, "sum"), "MSELoss(reduction='sum')"),
    (loss.L1Loss("sum"), lambda x, y: loss.l1_loss(x, y, "sum"), "L1Loss(reduction='sum')"),
    (loss.HuberLoss("sum", 0.1), lambda x, y: loss.huber_loss(x, y, "sum", delta=0.1),
        "HuberLoss(reduction='sum', delta=0.1)"),
    (loss.HingeLoss("sum"), lambda x, y: loss.hinge_loss(x, y, "sum"), "HingeLoss(reduction='sum')"),
    (loss.BCELoss("sum"), lambda x, y: loss.binary_cross_entropy(x, y, "sum"), "BCELoss(reduction='sum')"),
    (
        loss.BCEWithLogitsLoss("sum"),
        lambda x, y: loss.binary_cross_entropy_with_logits(x, y, "sum"),
        "BCEWithLogitsLoss(reduction='sum')",
    ),
    (loss.KLDivLoss("batchmean"), lambda x, y: loss.kl_div(x, y, "batchmean"), "KLDivLoss(reduction='batchmean')"),
]  # fmt: skip


@pytest.mark.parametrize(("callable_", "function", "text"), PAIRS, ids=[text for _, _, text in PAIRS])
def test_a_callable_is_its_function(callable_: Function, function: Function, text: str) -> None:
    x, y = Tensor([[0.2, 0.9], [0.5, 0.4]]), Tensor([[1.0, 1.0], [1.0, 1.0]])
    assert callable_(x, y).item() == function(x, y).item()
    assert repr(callable_) == text
    assert pickle.loads(pickle.dumps(callable_)) == callable_


def test_cross_entropy_takes_all_its_settings() -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(2, 4, 3)))
    labels = Tensor(np.array([[0, 1, 2, 1], [2, 2, 1, 0]]))
    weight = Tensor([1.0, 2.0, 3.0])
    made = loss.CrossEntropyLoss("sum", weight=weight, ignore_index=1, label_smoothing=0.2, axis=-1)
    direct = loss.cross_entropy(x, labels, "sum", weight=weight, ignore_index=1, label_smoothing=0.2, axis=-1)
    assert made(x, labels).item() == direct.item()
    assert "label_smoothing=0.2" in repr(made)
    labels.data[0, 0] = -100
    assert loss.CrossEntropyLoss(axis=-1)(x, labels).item() == loss.cross_entropy(x, labels, axis=-1).item()
    assert loss.CrossEntropyLoss()(x, labels.data[:, :3]).item() == loss.cross_entropy(x, labels.data[:, :3]).item()


def test_nll_takes_all_its_settings() -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(2, 4, 3)))
    labels = Tensor(np.array([[0, 1, 2, 1], [2, 2, 1, 0]]))
    made = loss.NLLLoss("sum", weight=[1.0, 2.0, 3.0], ignore_index=1, axis=-1)
    direct = loss.nll_loss(x, labels, "sum", weight=[1.0, 2.0, 3.0], ignore_index=1, axis=-1)
    assert made(x, labels).item() == direct.item()
    assert loss.NLLLoss()(x[:, :, 0], [0, -100]).item() == loss.nll_loss(x[:, :, 0], [0, -100]).item()


@pytest.mark.parametrize(
    "make",
    [
        loss.MSELoss, loss.L1Loss, loss.HuberLoss, loss.HingeLoss, loss.BCELoss, loss.BCEWithLogitsLoss, loss.KLDivLoss,
        loss.CrossEntropyLoss, loss.NLLLoss,
    ],
)  # fmt: skip
def test_settings_are_checked_when_made_and_then_fixed(make: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match="reduction must be one of"):
        make("avg")
    with pytest.raises(AttributeError):
        make().reduction = "sum"  # type: ignore[attr-defined]  # frozen: that is what is tested


def test_smoothing_is_checked_when_made() -> None:
    with pytest.raises(ValueError, match="label_smoothing"):
        loss.CrossEntropyLoss(label_smoothing=2.0)
