from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tt_data import Batch, DataError, Dataset, Sample, Subset, TensorDataset, collate, random_split
from tt_tensor import Tensor


class Loose(Dataset):
    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Sample:
        return np.full((2,), index, np.float32), index


def test_batch_unpacks_and_has_names() -> None:
    x, y = batch = Batch(Tensor([[1.0], [2.0]]), Tensor([3, 4]))
    assert x is batch.x
    assert y is batch.y
    assert batch.size == 2
    again = pickle.loads(pickle.dumps(batch))
    assert isinstance(again, Batch)
    assert again.y.tolist() == [3, 4]


def test_batch_without_targets_says_so() -> None:
    with pytest.raises(DataError, match="no y"):
        _ = Batch(Tensor([1.0])).y


@pytest.mark.parametrize("fields", [(), (Tensor(1.0),), (Tensor([1.0]), Tensor([1.0, 2.0]))])
def test_batch_wants_one_length(fields: tuple[Tensor, ...]) -> None:
    with pytest.raises(DataError, match="one length"):
        Batch(*fields)


def test_collate_stacks_field_by_field() -> None:
    batch = collate([(np.array([1.0, 2.0]), 3), (Tensor([4.0, 5.0]), 6)])
    assert batch.x.tolist() == [[1.0, 2.0], [4.0, 5.0]]
    assert batch.x.dtype == np.float32
    assert batch.y.tolist() == [3, 6]
    assert batch.y.dtype.kind == "i"
    assert collate([1.5, 2.5]).x.tolist() == [1.5, 2.5]


@pytest.mark.parametrize("other", [2.5, np.float16(2.5), np.float32(2.5), np.array(2.5)])
def test_collate_makes_no_float64_of_numbers_of_two_kinds(other: Sample) -> None:
    for samples in ([1, other], [other, 1]):
        x = collate(samples).x
        assert x.dtype == np.float32
        assert sorted(x.data.tolist()) == [1, 2.5]
    assert collate([1, Tensor(2.5, dtype=np.float64)]).x.dtype == np.float64


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "at least one"),
        ([(1, 2), (1,)], "equally many"),
        ([np.zeros(2), np.zeros(3)], "field 0 has different shapes"),
        ([np.array(["text"])], "must hold numbers"),
        ([[[1], [2, 3]]], "must hold numbers in one shape; got list"),
    ],
)
def test_collate_explains(samples: list[Sample], message: str) -> None:
    with pytest.raises(DataError, match=message):
        collate(samples)


def test_tensor_dataset_shares_arrays_and_makes_fresh_batches() -> None:
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    data = TensorDataset(x, np.arange(4), source="mine", classes=["a", "b"])
    assert np.shares_memory(data.x.data, x)
    batch = data.batch(np.array([2, 0]))
    assert batch.x.tolist() == [[6, 7, 8], [0, 1, 2]]
    assert batch.y.tolist() == [2, 0]
    assert not np.shares_memory(batch.x.data, x)
    assert len(data) == 4
    assert [field.tolist() for field in data[-1]] == [[9, 10, 11], 3]
    assert (data.source, data.classes) == ("mine", ("a", "b"))
    assert "mine" in repr(data)
    with pytest.raises(IndexError):
        data[4]


def test_tensor_dataset_keeps_float64_only_if_asked() -> None:
    doubles = np.zeros((2, 1))
    assert TensorDataset(doubles).x.dtype == np.float32
    assert TensorDataset(Tensor(doubles, dtype=np.float64)).x.dtype == np.float64
    assert TensorDataset([1, 2]).x.dtype.kind == "i"


def test_tensor_dataset_explains() -> None:
    with pytest.raises(DataError, match="one length"):
        TensorDataset([1, 2], [1])
    with pytest.raises(DataError, match="one length"):
        TensorDataset()
    with pytest.raises(DataError, match="no y"):
        _ = TensorDataset([1]).y


def test_subset_goes_through_the_data_sets_own_batch() -> None:
    subset = Subset(TensorDataset([10, 20, 30]), [2, 0])
    assert len(subset) == 2
    assert subset.batch(np.array([1, 0])).x.tolist() == [10, 30]
    sample = subset[0]
    assert isinstance(sample, tuple)
    assert isinstance(sample[0], Tensor)
    assert sample[0].tolist() == 30
    assert Subset([5, 6, 7], [1]).batch(np.array([0])).x.tolist() == [6]
    assert Loose().batch(np.array([1, 5])).y.tolist() == [1, 5]
    assert len(Subset([1], [])) == 0


@pytest.mark.parametrize("index", [-1, 3])
def test_subset_refuses_what_is_no_sample(index: int) -> None:
    with pytest.raises(DataError, match="numbered 0 to 2"):
        Subset([1, 2, 3], [index])


@pytest.mark.parametrize(
    ("indices", "message"),
    [([True, False, True], "whole numbers; got bool; np.flatnonzero"), ([0.7, 1.9], "whole numbers; got float64")],
)
def test_subset_refuses_what_is_no_number_of_a_sample(indices: list[int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Subset([1, 2, 3], np.array(indices))


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=5), st.integers(0, 100))
def test_random_split_deals_every_sample_once(parts: list[int], seed: int) -> None:
    total = sum(parts)
    subsets = random_split(list(range(total)), parts, rng=np.random.default_rng(seed))
    assert [len(subset) for subset in subsets] == parts
    assert sorted(int(i) for subset in subsets for i in subset.indices) == list(range(total))


@settings(deadline=None)
@given(st.integers(1, 50), st.integers(1, 6))
def test_random_split_by_fractions_uses_all(length: int, parts: int) -> None:
    subsets = random_split(list(range(length)), [1 / parts] * parts)
    sizes = [len(subset) for subset in subsets]
    assert sum(sizes) == length
    assert max(sizes) - min(sizes) <= 1


def test_a_fraction_is_not_rounded_down_by_what_binary_cannot_hold() -> None:
    assert 0.29 * 100 < 29
    assert [len(part) for part in random_split(list(range(100)), [0.71, 0.29])] == [71, 29]


def test_random_split_is_random_exact_and_repeatable() -> None:
    data = list(range(100))
    first, second = (random_split(data, [0.7, 0.3], rng=np.random.default_rng(5)) for _ in range(2))
    assert [len(part) for part in first] == [70, 30]
    assert first[0].indices.tolist() == second[0].indices.tolist()
    assert first[0].indices.tolist() != sorted(first[0].indices.tolist())


@pytest.mark.parametrize("parts", [[3, 3], [0.5, 0.4], [-1, 11], [], [float("nan"), 1]])
def test_random_split_explains(parts: list[int | float]) -> None:
    with pytest.raises(DataError):
        random_split(list(range(10)), parts)
