"""Data sets: anything with a length whose samples have numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from tt_tensor import Array, Tensor, TensorLike, default_rng, from_numpy, wrap

from ._batch import Batch, Sample, collate
from ._errors import DataError
from ._sampling import split_lengths


class Samples(Protocol):
    """What a loader needs of a data set: a length, and samples by number. A list will do."""

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def __getitem__(self, index: int, /) -> Sample:
        """Return one sample."""
        ...


class Dataset(ABC):
    """A data set that you write yourself: give it a length and samples, and a loader makes batches of it.

    Override `batch` too when many samples can be had at once faster than one by one.

    Example:
        >>> class Squares(Dataset):
        ...     def __len__(self) -> int:
        ...         return 10
        ...     def __getitem__(self, index: int) -> Sample:
        ...         return float(index), float(index**2)
        >>> Squares().batch(np.array([2, 3])).y.tolist()
        [4.0, 9.0]
    """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples."""

    @abstractmethod
    def __getitem__(self, index: int) -> Sample:
        """Return one sample: a tuple of fields, or one field alone."""

    def batch(self, indices: npt.NDArray[np.int64]) -> Batch:
        """Return the samples of these numbers as one batch.

        Args:
            indices: Sample numbers `(B,)`.
        """
        return collate([self[int(index)] for index in indices])


class TensorDataset(Dataset):
    """Samples that lie in arrays of equal length; a batch is one indexing of each array.

    A NumPy array is shared, not copied (float64, which only comes by accident, becomes float32); a Tensor stays
    exactly what it is.

    Args:
        arrays: Tensors, arrays or nested lists whose first axis counts the samples.
        source: What the data is and where it is from, in words for a report.
        classes: Names of the classes that `y` numbers.

    Raises:
        DataError: There are no arrays, or their lengths differ.

    Example:
        >>> data = TensorDataset([[1.0, 2.0], [3.0, 4.0]], [0, 1])
        >>> len(data), data.x.shape, data.y.tolist()
        (2, (2, 2), [0, 1])
    """

    def __init__(self, *arrays: TensorLike, source: str = "", classes: Sequence[str] = ()) -> None:
        self.tensors = tuple(_as_tensor(array) for array in arrays)
        self.source, self.classes = source, tuple(classes)
        lengths = [tensor.shape[0] if tensor.ndim else None for tensor in self.tensors]
        if not lengths or None in lengths or len(set(lengths)) > 1:
            raise DataError(
                f"the arrays of a data set must have one length along axis 0; got {lengths}",
                hint="check that x and y hold as many samples",
            )

    @property
    def x(self) -> Tensor:
        """The first array: the inputs."""
        return self.tensors[0]

    @property
    def y(self) -> Tensor:
        """The second array: the targets.

        Raises:
            DataError: There is no second array.
        """
        if len(self.tensors) < 2:
            raise DataError("this data set has no y: it was made from one array")
        return self.tensors[1]

    def __len__(self) -> int:
        return self.tensors[0].shape[0]

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of a data set of {len(self)}")
        return tuple(wrap(np.asarray(tensor.data[index])) for tensor in self.tensors)

    def batch(self, indices: npt.NDArray[np.int64]) -> Batch:
        """Return the samples of these numbers as one batch of fresh tensors, without a loop over samples.

        Args:
            indices: Sample numbers `(B,)`.
        """
        # Their lengths were compared when the data set was made: tuple's own constructor does not ask again.
        return tuple.__new__(Batch, [wrap(tensor.data.take(indices, axis=0)) for tensor in self.tensors])

    def __repr__(self) -> str:
        shapes = ", ".join(f"{tensor.dtype.name}{tensor.shape}" for tensor in self.tensors)
        return f"TensorDataset({shapes}{f', source={self.source!r}' if self.source else ''})"


def name_of(dataset: Samples) -> str:
    """Return what to call a data set in a description: a list of all its samples would be too long."""
    return repr(dataset) if isinstance(dataset, Dataset) else type(dataset).__name__


def _as_tensor(data: TensorLike) -> Tensor:
    if isinstance(data, Tensor):
        return data
    if isinstance(data, np.ndarray) and data.dtype != np.float64:
        return from_numpy(data)
    return Tensor(data)


class Subset(Dataset):
    """Some samples of another data set, in an order of your choice.

    Args:
        dataset: The other data set.
        indices: Numbers of the samples `(M,)`.

    Raises:
        DataError: A number is no whole number, or no sample of the data set.

    Example:
        >>> Subset(TensorDataset([10, 20, 30]), [2, 0]).batch(np.array([0, 1])).x.tolist()
        [30, 10]
    """

    def __init__(self, dataset: Samples, indices: Sequence[int] | Array) -> None:
        self.dataset = dataset
        numbers = np.asarray(indices).reshape(-1)
        if numbers.size and numbers.dtype.kind not in "iu":
            raise DataError(
                f"the indices must be whole numbers; got {numbers.dtype}",
                hint="np.flatnonzero(mask) makes numbers of a mask" if numbers.dtype == np.bool_ else None,
            )
        self.indices = numbers.astype(np.int64)
        if self.indices.size and not 0 <= self.indices.min() <= self.indices.max() < len(dataset):
            raise DataError(
                f"the indices go from {self.indices.min()} to {self.indices.max()}",
                hint=f"samples of this data set are numbered 0 to {len(dataset) - 1}",
            )

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Sample:
        return self.dataset[int(self.indices[index])]

    def batch(self, indices: npt.NDArray[np.int64]) -> Batch:
        """Return the samples of these numbers (of the subset) as one batch, the way the data set makes its own.

        Args:
            indices: Sample numbers of the subset `(B,)`.
        """
        chosen = self.indices[indices]
        if isinstance(self.dataset, Dataset):
            return self.dataset.batch(chosen)
        return collate([self.dataset[int(index)] for index in chosen])

    def __repr__(self) -> str:
        return f"Subset({len(self)} of {len(self.dataset)} samples of {name_of(self.dataset)})"


def random_split(
    dataset: Samples, parts: Sequence[int | float], *, rng: np.random.Generator | None = None
) -> list[Subset]:
    """Deal the samples at random into disjoint subsets that together are the whole.

    Args:
        dataset: What to split.
        parts: Whole lengths that add up to the data set's, or fractions that add up to 1.
        rng: Source of the random order; the default generator if `None`.

    Raises:
        DataError: The parts do not add up.

    Example:
        >>> train, held_out = random_split(list(range(10)), [0.8, 0.2])
        >>> len(train), len(held_out)
        (8, 2)
    """
    lengths = split_lengths(len(dataset), parts)
    order = default_rng(rng).permutation(len(dataset))
    stops = np.cumsum(lengths)
    return [Subset(dataset, order[stop - length : stop]) for length, stop in zip(lengths, stops, strict=True)]
