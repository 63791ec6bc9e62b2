"""`Trainer(parallel=...)`: batches in parts, where the model says that it pays."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from tt_data import DataLoader, TensorDataset
from tt_layers import Dropout, Linear, Module, Sequential
from tt_losses import cross_entropy
from tt_optim import SGD
from tt_tensor import Tensor, get_num_threads, manual_seed, set_num_threads
from tt_train import Trainer

Wish = bool | Literal["auto"]


class Alone(Module):
    """A layer whose examples are computed alone, which notes how many of them come at once."""

    parallel_batches = True

    def __init__(self) -> None:
        self.linear = Linear(4, 3, rng=np.random.default_rng(0))
        self.drop = Dropout(0.2)
        self.seen: list[int] = []
        self.threads: set[int] = set()

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(len(x))
        self.threads.add(threading.get_ident())
        return self.drop(self.linear(x))


class Silent(Alone):
    """The same layer, without an opinion."""

    parallel_batches = None  # type: ignore[assignment]  # what Module has


class Meeting(Module):
    """A layer whose examples meet."""

    parallel_batches = False

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(axis=0, keepdims=True)


@pytest.fixture(autouse=True)
def _two_threads() -> Any:
    before = get_num_threads()
    set_num_threads(2)
    yield
    set_num_threads(before)


def loader() -> DataLoader:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((20, 4)).astype(np.float32)
    return DataLoader(TensorDataset(x, rng.integers(0, 3, 20)), batch_size=8, shuffle=True)


def trained(model: Module, wish: Wish, **settings: Any) -> Trainer:
    manual_seed(1)
    trainer = Trainer(model, cross_entropy, SGD(model.parameters(), lr=0.1), parallel=wish)
    trainer.fit(loader(), epochs=2, progress=False, **settings)
    return trainer


@pytest.mark.parametrize("wish", [True, "auto"])
def test_a_model_of_examples_alone_gets_its_batches_in_parts(wish: Wish) -> None:
    model = Alone()
    trained(model, wish)
    assert sorted(set(model.seen)) == [2, 4]
    assert len(model.threads) > 1


@pytest.mark.parametrize(("wish", "parts"), [(True, True), ("auto", False), (False, False)])
def test_a_model_without_an_opinion_stays_whole_unless_it_is_wished(wish: Wish, parts: bool) -> None:
    model = Silent()
    trained(model, wish)
    assert sorted(set(model.seen)) == ([2, 4] if parts else [4, 8])


def test_the_training_is_that_of_whole_batches() -> None:
    ours, whole = Alone(), Alone()
    ours.drop.p = whole.drop.p = 0.0
    left, right = trained(ours, "auto"), trained(whole, False)
    np.testing.assert_allclose(left.history.steps["loss"], right.history.steps["loss"], rtol=1e-5)
    np.testing.assert_allclose(ours.linear.weight.data, whole.linear.weight.data, rtol=1e-4, atol=1e-6)
    assert left.evaluate(loader())["loss"] == pytest.approx(right.evaluate(loader())["loss"], rel=1e-5)
    x = np.ones((5, 4), np.float32)
    np.testing.assert_allclose(left.predict(x).data, right.predict(x).data, rtol=1e-5)


@pytest.mark.parametrize(
    ("model", "wish"),
    [
        (Sequential(Alone(), Meeting()), "auto"),
        (Sequential(Linear(4, 3)), "auto"),
        (Alone(), False),
    ],
)
def test_batches_stay_whole_where_examples_meet_or_nothing_is_said(model: Module, wish: Wish) -> None:
    seen: list[int] = []

    class Watch(Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(len(x))
            return x

    trained(Sequential(Watch(), model), wish)
    assert set(seen) == {8, 4}


def test_a_resumed_run_is_the_same_to_the_bit_dropout_included(tmp_path: Path) -> None:
    whole, parts = Alone(), Alone()
    trained(whole, "auto")
    manual_seed(1)
    path = tmp_path / "run.safetensors"
    Trainer(parts, cross_entropy, SGD(parts.parameters(), lr=0.1)).fit(
        loader(), epochs=1, checkpoint=path, progress=False
    )
    other = Alone()
    Trainer(other, cross_entropy, SGD(other.parameters(), lr=0.1)).fit(
        loader(), epochs=2, checkpoint=path, resume=True, progress=False
    )
    assert other.linear.weight.data.tobytes() == whole.linear.weight.data.tobytes()


def test_a_wish_that_cannot_be_is_refused() -> None:
    model = Sequential(Alone(), Meeting())
    optimizer = SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"examples meet in 1 \(batch norm\); use parallel='auto'"):
        Trainer(model, cross_entropy, optimizer, parallel=True)
    with pytest.raises(ValueError, match="does not go with precision='float16'"):
        Trainer(model, cross_entropy, optimizer, parallel=True, precision="float16")
    with pytest.raises(ValueError, match="must be True, False or 'auto', got 'yes'"):
        Trainer(model, cross_entropy, optimizer, parallel="yes")  # type: ignore[arg-type]  # the wrong use under test
