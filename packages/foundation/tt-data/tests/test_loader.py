from __future__ import annotations

import threading
from collections.abc import Sequence
from contextvars import ContextVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_data import (
    Batch,
    DataError,
    DataLoader,
    Dataset,
    RandomCrop,
    Sample,
    Subset,
    TensorDataset,
    collate,
)
from tt_tensor import Tensor, manual_seed, rng_state


def numbers(loader: DataLoader) -> list[list[int]]:
    return [[int(value) for value in batch.x.data.reshape(-1)] for batch in loader]


def our_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("tt-data")]


class OneByOne(Dataset):
    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Sample:
        return index


@settings(deadline=None)
@given(
    length=st.integers(0, 40),
    batch_size=st.integers(1, 12),
    drop_last=st.booleans(),
    shuffle=st.booleans(),
    threads=st.sampled_from([(0, 0), (3, 0), (0, 2), (4, 2)]),
    arrays=st.booleans(),
    seed=st.integers(0, 9),
)
def test_every_sample_exactly_once(
    length: int, batch_size: int, drop_last: bool, shuffle: bool, threads: tuple[int, int], arrays: bool, seed: int
) -> None:
    dataset = TensorDataset(np.arange(length)) if arrays else OneByOne(length)
    loader = DataLoader(
        dataset,
        batch_size,
        shuffle=shuffle,
        drop_last=drop_last,
        rng=np.random.default_rng(seed),
        prefetch=threads[0],
        workers=threads[1],
    )
    batches = numbers(loader)
    assert len(batches) == len(loader)
    assert all(len(batch) == batch_size for batch in batches[: length // batch_size])
    seen = [number for batch in batches for number in batch]
    expected = length - length % batch_size if drop_last else length
    assert len(seen) == len(set(seen)) == expected
    assert set(seen) <= set(range(length))
    if not shuffle:
        assert seen == list(range(expected))


def test_epochs_differ_and_a_seed_repeats_them() -> None:
    def two_epochs(prefetch: int, workers: int) -> list[list[list[int]]]:
        rng = np.random.default_rng(3)
        loader = DataLoader(TensorDataset(np.arange(50)), 8, shuffle=True, rng=rng, prefetch=prefetch, workers=workers)
        return [numbers(loader), numbers(loader)]

    first, second = two_epochs(0, 0)
    assert first != second
    assert two_epochs(2, 0) == two_epochs(0, 3) == [first, second]


def test_epochs_go_on_differing() -> None:
    loader = DataLoader(TensorDataset(np.arange(20)), 20, shuffle=True, rng=np.random.default_rng(0))
    orders = {batch.x.data.tobytes() for _ in range(300) for batch in loader}
    assert len(orders) == 300


def test_default_generator_is_used_only_for_what_is_random() -> None:
    data = TensorDataset(np.arange(20))
    manual_seed(1)
    first = numbers(DataLoader(data, 5, shuffle=True))
    manual_seed(1)
    assert numbers(DataLoader(data, 5, shuffle=True)) == first
    before = rng_state()
    numbers(DataLoader(data, 5))
    assert rng_state() == before


def test_loading_an_array_data_set_never_asks_for_a_sample() -> None:
    class Watched(TensorDataset):
        def __getitem__(self, index: int) -> tuple[Tensor, ...]:
            raise AssertionError("sample by sample")

    x, y = next(iter(DataLoader(Watched(np.zeros((6, 2), np.float32), np.arange(6)), 4)))
    assert (x.shape, y.tolist()) == ((4, 2), [0, 1, 2, 3])


def test_lists_and_own_collate() -> None:
    assert numbers(DataLoader([10, 20, 30], 2)) == [[10, 20], [30]]

    def sums(samples: Sequence[Sample]) -> Batch:
        return Batch(Tensor([float(np.sum(collate(samples).x.data))]))

    assert numbers(DataLoader(TensorDataset([1, 2, 3]), 2, collate=sums)) == [[3], [3]]


@pytest.mark.parametrize(
    "setting", [{"batch_size": 0}, {"prefetch": -1}, {"workers": -1}, {"batch_size": 2.0}, {"batch_size": None}]
)
def test_settings_out_of_range(setting: dict[str, int]) -> None:
    ((name, value),) = setting.items()
    with pytest.raises(DataError, match=f"{name} must be a whole number, at least .; got {value}"):
        DataLoader([1], **setting)  # type: ignore[arg-type] # the names are checked above, one by one


class Failing(OneByOne):
    def __getitem__(self, index: int) -> Sample:
        if index == 7:
            raise RuntimeError("sample 7 is broken")
        return index


@pytest.mark.parametrize(("prefetch", "workers"), [(0, 0), (2, 0), (0, 2), (3, 2)])
def test_exceptions_surface_where_the_batch_would_come(prefetch: int, workers: int) -> None:
    seen = []
    with pytest.raises(RuntimeError, match="sample 7"):  # noqa: PT012 # how far it came is the point
        for batch in DataLoader(Failing(20), 3, prefetch=prefetch, workers=workers):
            seen.append(batch.x.tolist())
    assert seen == [[0, 1, 2], [3, 4, 5]]
    assert our_threads() == []


@pytest.mark.parametrize(("prefetch", "workers"), [(2, 0), (0, 3), (8, 2)])
def test_threads_end_with_the_consumer(prefetch: int, workers: int) -> None:
    loader = DataLoader(OneByOne(100), 1, prefetch=prefetch, workers=workers)
    for batch in loader:
        assert 1 <= len(our_threads()) <= max(workers, 1)
        if batch.x.tolist() == [3]:
            break
    del batch
    assert our_threads() == []
    iterator = iter(loader)
    next(iterator)

    def consume() -> None:
        for _ in loader:
            raise KeyboardInterrupt

    del iterator
    with pytest.raises(KeyboardInterrupt):
        consume()
    assert our_threads() == []


def test_workers_work_at_the_same_time_and_no_further_than_asked() -> None:
    met = threading.Barrier(3, timeout=10)
    asked: list[int] = []

    class Meeting(OneByOne):
        def __getitem__(self, index: int) -> Sample:
            asked.append(index)
            if index < 3:
                met.wait()  # passes only if three threads are here at once
            return index

    iterator = iter(DataLoader(Meeting(50), 1, workers=3))
    assert next(iterator).x.tolist() == [0]
    assert next(iterator).x.tolist() == [1]
    del iterator
    assert max(asked) <= 5


def test_prefetch_prepares_while_the_consumer_works() -> None:
    ready = threading.Event()

    class Signalling(OneByOne):
        def __getitem__(self, index: int) -> Sample:
            if index == 1:
                ready.set()
            return index

    iterator = iter(DataLoader(Signalling(3), 1, prefetch=1))
    next(iterator)
    assert ready.wait(10)
    del iterator


def test_workers_see_the_consumers_context() -> None:
    flag: ContextVar[int] = ContextVar("flag", default=0)

    class Reading(OneByOne):
        def __getitem__(self, index: int) -> Sample:
            return flag.get()

    token = flag.set(5)
    assert numbers(DataLoader(Reading(3), 1, workers=2)) == [[5], [5], [5]]
    flag.reset(token)


def test_what_a_transform_draws_is_new_in_each_epoch() -> None:
    x = np.random.default_rng(0).random((8, 1, 6, 6), np.float32)
    loader = DataLoader(TensorDataset(x), 4, rng=np.random.default_rng(0), transform=RandomCrop(3))
    first, second = (np.concatenate([batch.x.data for batch in loader]) for _ in range(2))
    assert not np.array_equal(first, second)


def test_a_broken_off_epoch_is_not_continued() -> None:
    loader = DataLoader([1, 2, 3], 1)
    for _ in loader:
        break
    assert numbers(loader) == [[1], [2], [3]]


def test_loaders_and_subsets_say_what_they_hold() -> None:
    data = TensorDataset(np.zeros((5, 2), np.float32), np.arange(5), source="mine")
    half = Subset(data, [0, 2])
    whole = "TensorDataset(float32(5, 2), int64(5,), source='mine')"
    assert repr(half) == f"Subset(2 of 5 samples of {whole})"
    assert repr(DataLoader(data, 2, shuffle=True)) == f"DataLoader({whole}, batch_size=2, shuffle=True: 3 batches)"
    assert repr(DataLoader([1.0] * 1000, 10)) == "DataLoader(list, batch_size=10: 100 batches)"
