"""Small models, data and loaders, made alike each time they are asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tt_data import DataLoader, TensorDataset
from tt_layers import Dropout, Linear, Sequential
from tt_losses import CrossEntropyLoss
from tt_optim import Adam, Cosine
from tt_tensor import Array, manual_seed
from tt_train import Trainer

MakeTrainer = Callable[..., Trainer]
MakeLoader = Callable[..., DataLoader]


def examples(count: int = 44, features: int = 6, classes: int = 3) -> tuple[Array, Array]:
    """Points around a centre for each class."""
    rng = np.random.default_rng(5)
    y = np.arange(count) % classes
    centres = rng.normal(size=(classes, features))
    x = centres[y] + 0.3 * rng.normal(size=(count, features))
    return x.astype(np.float32), y.astype(np.int64)


@pytest.fixture
def make_loader() -> MakeLoader:
    """A shuffled loader over 44 examples in batches of 8: six batches, the last one short."""

    def make(*, shuffle: bool = True, batch_size: int = 8, prefetch: int = 0) -> DataLoader:
        x, y = examples()
        return DataLoader(TensorDataset(x, y), batch_size=batch_size, shuffle=shuffle, prefetch=prefetch)

    return make


@pytest.fixture
def make_trainer() -> MakeTrainer:
    """A network with dropout (with a generator of its own and with the shared one), Adam and a cosine."""

    def make(seed: int = 0, *, schedule: bool = True, **settings: object) -> Trainer:
        manual_seed(seed)
        own = np.random.default_rng(seed)
        model = Sequential(Linear(6, 16), Dropout(0.2), Linear(16, 8), Dropout(0.2, rng=own), Linear(8, 3))
        optimizer = Adam(model.parameters(), lr=0.02)
        cosine = Cosine(optimizer, total_steps=40) if schedule else None
        build: Callable[..., Trainer] = Trainer
        return build(model, CrossEntropyLoss(), optimizer, cosine, **settings)

    return make
