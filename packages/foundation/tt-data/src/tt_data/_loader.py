"""The loader: a data set, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Protocol

import numpy as np
import numpy.typing as npt
from tt_tensor import Tensor, default_rng

from ._batch import Batch, Sample, collate
from ._dataset import Dataset, Samples, name_of
from ._errors import DataError
from ._parallel import ordered_map
from ._sampling import batch_indices, epoch_order


class Transform(Protocol):
    """A change made to a whole batch of inputs, such as `RandomCrop`."""

    def __call__(self, x: Tensor, /, *, rng: np.random.Generator | None = None) -> Tensor:
        """Return the changed inputs `(N, ...)`, drawing what is random from `rng`."""
        ...


@dataclass
class _Epoch:
    """Where an epoch stands. All that is random in it follows from its seed, whichever thread does the work."""

    number: int = 0
    seed: int = 0
    batch: int = 0
    running: bool = False


class DataLoader:
    """Goes over a data set in batches, anew each time it is iterated.

    A `TensorDataset` is batched by one indexing for each batch; any other data set sample by sample. What is random in
    an epoch is drawn from one seed that the epoch takes from `rng` at its start, so that `state_dict` is small and a
    run resumed in the middle of an epoch sees exactly the batches that it would have seen.

    Args:
        dataset: A `Dataset`, or anything with a length and samples by number.
        batch_size: Samples of a batch.
        shuffle: Whether each epoch has a new random order.
        drop_last: Whether a smaller last batch is left out.
        rng: Source of the epochs' seeds; the default generator if `None`.
        prefetch: How many batches a background thread (or the workers) may prepare in advance.
        workers: How many threads prepare batches; they help where that releases the GIL (NumPy, files), and batches
            still come in order.
        collate: Makes a batch of a list of samples; without it `Dataset.batch`, or `tt_data.collate`.
        transform: Changes the inputs of each batch, such as `Compose([RandomCrop(32, 4), RandomHorizontalFlip()])`.

    Raises:
        DataError: A number is out of range, or no whole number.

    Example:
        >>> from tt_data import TensorDataset
        >>> loader = DataLoader(TensorDataset([[1.0], [2.0], [3.0]], [0, 1, 0]), batch_size=2)
        >>> [(x.shape, y.tolist()) for x, y in loader]
        [((2, 1), [0, 1]), ((1, 1), [0])]
    """

    def __init__(
        self,
        dataset: Samples,
        batch_size: int = 1,
        *,
        shuffle: bool = False,
        drop_last: bool = False,
        rng: np.random.Generator | None = None,
        prefetch: int = 0,
        workers: int = 0,
        collate: Callable[[Sequence[Sample]], Batch] | None = None,
        transform: Transform | None = None,
    ) -> None:
        self.dataset, self.batch_size = dataset, _whole("batch_size", batch_size, 1)
        self.shuffle, self.drop_last = shuffle, drop_last
        self.prefetch, self.workers = _whole("prefetch", prefetch, 0), _whole("workers", workers, 0)
        self.collate, self.transform = collate, transform
        self.rng = rng
        self._epoch = _Epoch()
        self._resuming = False

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __repr__(self) -> str:
        shuffled = ", shuffle=True" if self.shuffle else ""
        return f"DataLoader({name_of(self.dataset)}, batch_size={self.batch_size}{shuffled}: {len(self)} batches)"

    def __iter__(self) -> Iterator[Batch]:
        """Begin an epoch, or go on with the one that `load_state_dict` brought."""
        if not self._resuming:
            random = self.shuffle or self.transform is not None
            seed = int(default_rng(self.rng).integers(2**63)) if random else 0
            self._epoch = _Epoch(self._epoch.number, seed, running=True)
        self._resuming = False
        return self._run(self._epoch)

    def _run(self, epoch: _Epoch) -> Iterator[Batch]:
        order = epoch_order(len(self.dataset), shuffle=self.shuffle, rng=np.random.default_rng((epoch.seed, 0)))
        cut = batch_indices(order, self.batch_size, drop_last=self.drop_last)
        jobs = ((epoch.seed, number, indices) for number, indices in islice(enumerate(cut), epoch.batch, None))
        threads = self.workers or min(self.prefetch, 1)
        if threads:
            batches = ordered_map(self._prepare, jobs, threads=threads, ahead=max(self.prefetch, threads))
        else:
            batches = map(self._prepare, jobs)
        for batch in batches:
            # Counted before it is handed out: a state saved while the consumer works on it goes on behind it.
            epoch.batch += 1
            yield batch
        epoch.number, epoch.batch, epoch.running = epoch.number + 1, 0, False

    def _prepare(self, job: tuple[int, int, npt.NDArray[np.int64]]) -> Batch:
        seed, number, indices = job
        batch = fetch(self.dataset, indices, self.collate)
        if self.transform is None:
            return batch
        x = self.transform(batch.x, rng=np.random.default_rng((seed, number + 1)))
        return Batch(x, *batch[1:])

    def state_dict(self) -> dict[str, object]:
        """Return where the loader stands, as plain numbers and text; the data is not in it.

        The state of `rng` is in it if the loader was given one; the default generator's is not the loader's to keep.
        """
        state = None if self.rng is None else _plain(self.rng.bit_generator.state)
        return asdict(self._epoch) | {
            "length": len(self.dataset),
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "drop_last": self.drop_last,
            "rng": state,
        }

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Stand where another loader stood: its next batch is this one's next batch.

        Args:
            state: What `state_dict` returned.

        Raises:
            DataError: The state is malformed, or of a loader with other settings or another length of data.
        """
        mine = self.state_dict()
        for name in ("length", "batch_size", "shuffle", "drop_last"):
            if state.get(name) != mine[name]:
                raise DataError(
                    f"the state is of a loader with {name}={state.get(name)}, this one has {mine[name]}",
                    hint="make the loader as it was when the state was saved",
                )
        epoch = _epoch_of(state, len(self))
        generator = state.get("rng")
        if isinstance(generator, Mapping) and self.rng is not None:
            before = self.rng.bit_generator.state
            try:
                self.rng.bit_generator.state = dict(generator)
            except (LookupError, OverflowError, TypeError, ValueError) as error:
                self.rng.bit_generator.state = before  # some generators take half of a state before they refuse it
                raise DataError(f"the state's rng does not fit this loader's: {error}") from error
        elif generator is not None or self.rng is not None:
            raise DataError("the state and the loader must both have an rng of their own, or neither")
        self._epoch, self._resuming = epoch, epoch.running


def fetch(
    dataset: Samples, indices: npt.NDArray[np.int64], collate_with: Callable[[Sequence[Sample]], Batch] | None = None
) -> Batch:
    """Return the samples of these numbers as one batch: by the data set's own `batch` where it has one.

    Args:
        dataset: A `Dataset`, or anything with a length and samples by number.
        indices: Sample numbers `(B,)`.
        collate_with: Makes the batch of a list of samples instead.
    """
    if collate_with is None and isinstance(dataset, Dataset):
        return dataset.batch(indices)
    return (collate_with or collate)([dataset[int(index)] for index in indices])


def _whole(name: str, value: object, least: int) -> int:
    """Return a setting as Python's own integer, which JSON can hold."""
    if not isinstance(value, int | np.integer) or value < least:
        raise DataError(f"{name} must be a whole number, at least {least}; got {value!r}")
    return int(value)


def _plain(state: object) -> object:
    """Return a generator's state with lists in place of arrays, which Philox, SFC64 and MT19937 have in theirs."""
    if isinstance(state, Mapping):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray) else state


def _epoch_of(state: Mapping[str, object], batches: int) -> _Epoch:
    number, seed, batch, running = (state.get(name) for name in ("number", "seed", "batch", "running"))
    if (
        not isinstance(number, int)
        or not isinstance(seed, int)
        or not isinstance(batch, int)
        or not isinstance(running, bool)
        or min(number, seed, batch) < 0
        or batch > batches
    ):
        raise DataError(
            f"the loader's state is malformed: number={number}, seed={seed}, batch={batch}, running={running}",
            hint="pass what state_dict() returned",
        )
    return _Epoch(number, seed, batch, running)
