"""A loader's state: another loader goes on from it with exactly the batches that would have come."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from tt_data import Batch, Compose, Cutout, DataError, DataLoader, RandomCrop, RandomHorizontalFlip, TensorDataset
from tt_tensor import manual_seed


def numbers(loader: DataLoader) -> list[list[int]]:
    return [[int(value) for value in batch.x.data] for batch in loader]


def images_loader(seed: int, *, own: bool = True, workers: int = 0) -> DataLoader:
    x = np.random.default_rng(0).random((23, 1, 6, 6), np.float32)
    augment = Compose([RandomCrop(6, 2), RandomHorizontalFlip(), Cutout(2)])
    rng = np.random.default_rng(seed) if own else None
    return DataLoader(TensorDataset(x, np.arange(23)), 4, shuffle=True, rng=rng, transform=augment, workers=workers)


def contents(batches: Sequence[Batch]) -> list[tuple[bytes, list[int]]]:
    return [(x.data.tobytes(), y.data.tolist()) for x, y in batches]


@pytest.mark.parametrize("taken", [0, 1, 3, 5, 6])
@pytest.mark.parametrize("workers", [0, 2])
def test_resume_in_the_middle_is_exact(taken: int, workers: int) -> None:
    whole = images_loader(1)
    expected = contents([*whole]), contents([*whole]), contents([*whole])

    loader = images_loader(1, workers=workers)
    assert contents([*loader]) == expected[0]
    iterator = iter(loader)
    first = contents([next(iterator) for _ in range(taken)])
    state = json.loads(json.dumps(loader.state_dict()))
    del iterator

    resumed = images_loader(99, workers=workers)
    resumed.load_state_dict(state)
    assert first + contents([*resumed]) == expected[1]
    assert contents([*resumed]) == expected[2]


def test_resume_between_epochs() -> None:
    loader = images_loader(1)
    list(loader)
    state = loader.state_dict()
    assert (state["number"], state["batch"], state["running"]) == (1, 0, False)
    expected = contents([*loader])
    resumed = images_loader(2)
    resumed.load_state_dict(state)
    assert contents([*resumed]) == expected


def test_resume_with_the_default_generator() -> None:
    manual_seed(4)
    loader = images_loader(0, own=False)
    iterator = iter(loader)
    next(iterator)
    state = loader.state_dict()
    expected = contents([*iterator])
    assert state["rng"] is None
    manual_seed(5)
    resumed = images_loader(0, own=False)
    resumed.load_state_dict(state)
    assert contents([*resumed]) == expected


@pytest.mark.parametrize("kind", [np.random.MT19937, np.random.Philox, np.random.SFC64, np.random.PCG64DXSM])
def test_resume_with_other_kinds_of_generators(kind: type[np.random.BitGenerator]) -> None:
    def loader(seed: int) -> DataLoader:
        return DataLoader(TensorDataset(np.arange(20)), 3, shuffle=True, rng=np.random.Generator(kind(seed)))

    saved, resumed = loader(1), loader(2)
    iterator = iter(saved)
    next(iterator)
    resumed.load_state_dict(json.loads(json.dumps(saved.state_dict())))
    assert numbers(resumed) == [[int(value) for value in batch.x.data] for batch in iterator]
    assert numbers(resumed) == numbers(saved)


def test_a_state_is_json_whatever_the_numbers_that_the_loader_was_made_with() -> None:
    loader = DataLoader([1, 2, 3], int(np.int64(2)))
    other = DataLoader([1, 2, 3], np.int64(2))  # type: ignore[arg-type] # as arithmetic with arrays gives it
    other.load_state_dict(json.loads(json.dumps(other.state_dict())))
    assert other.state_dict() == loader.state_dict()


def test_half_a_state_of_a_generator_changes_nothing() -> None:
    loader = DataLoader([1, 2], rng=np.random.Generator(np.random.MT19937(1)))
    state = loader.state_dict()
    half = {"bit_generator": "MT19937", "state": {"key": [1, 2, 3], "pos": 0}}
    with pytest.raises(DataError, match="rng does not fit"):
        loader.load_state_dict(state | {"rng": half})
    assert loader.state_dict() == state


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": 5}, "length=5"),
        ({"batch_size": 9}, "batch_size=9"),
        ({"shuffle": False}, "shuffle=False, this one has True"),
        ({"drop_last": True}, "drop_last=True, this one has False"),
        ({"batch": 7}, "malformed"),
        ({"seed": -1}, "malformed"),
        ({"seed": "1"}, "malformed"),
        ({"number": None}, "malformed"),
        ({"batch": 1.5}, "malformed"),
        ({"running": 1}, "malformed"),
        ({"rng": None}, "or neither"),
        ({"rng": {"bit_generator": "PCG64"}}, "rng does not fit"),
        ({"rng": {"bit_generator": "Philox"}}, "rng does not fit"),
        ({"rng": {"bit_generator": "PCG64", "state": {"state": -1, "inc": 1}}}, "rng does not fit"),
        ({"rng": {"bit_generator": "PCG64", "state": {"state": 2**200, "inc": 1}}}, "rng does not fit"),
    ],
)
def test_malformed_states_are_refused(change: dict[str, object], message: str) -> None:
    loader = images_loader(1)
    list(loader)
    state = loader.state_dict()
    with pytest.raises(DataError, match=message):
        loader.load_state_dict(state | change)
    assert loader.state_dict() == state
