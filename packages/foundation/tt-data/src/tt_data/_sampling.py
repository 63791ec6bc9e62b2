"""Which samples come when: the order of an epoch, its cutting into batches, the lengths of a split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ._errors import DataError

Indices = npt.NDArray[np.int64]


def epoch_order(length: int, *, shuffle: bool, rng: np.random.Generator) -> Indices:
    """Return the order in which an epoch visits `length` samples: each exactly once.

    Args:
        length: How many samples there are.
        shuffle: Whether the order is random, drawn from `rng`; otherwise it is 0, 1, 2, ...
        rng: Source of the random order.

    Example:
        >>> epoch_order(4, shuffle=False, rng=np.random.default_rng(0))
        array([0, 1, 2, 3])
    """
    order = np.arange(length, dtype=np.int64)
    if shuffle:
        rng.shuffle(order)
    return order


def batch_indices(order: Indices, batch_size: int, *, drop_last: bool = False) -> Iterator[Indices]:
    """Cut an order into consecutive batches; the last may be smaller, and is left out with `drop_last`.

    Args:
        order: Sample numbers `(N,)`.
        batch_size: Samples of a batch.
        drop_last: Whether a smaller last batch is left out.

    Example:
        >>> [batch.tolist() for batch in batch_indices(np.arange(5), 2)]
        [[0, 1], [2, 3], [4]]
    """
    end = len(order) - len(order) % batch_size if drop_last else len(order)
    for start in range(0, end, batch_size):
        yield order[start : start + batch_size]


def split_lengths(length: int, parts: Sequence[int | float]) -> list[int]:
    """Turn the parts of a split into whole lengths that add up to `length`.

    Fractions are rounded down; the samples left over go one each to the first parts.

    Args:
        length: How many samples there are.
        parts: Whole lengths that add up to `length`, or fractions that add up to 1.

    Raises:
        DataError: They do not add up, or one is negative.

    Example:
        >>> split_lengths(10, [0.75, 0.25])
        [8, 2]
    """
    if any(part < 0 for part in parts):
        raise DataError(f"a part of a split cannot be negative; got {list(parts)}")
    if all(isinstance(part, (int, np.integer)) for part in parts) and sum(parts) == length:
        return [int(part) for part in parts]
    if not parts or not abs(sum(parts) - 1) <= 1e-6:  # written so, NaN is refused too
        raise DataError(
            f"the parts {list(parts)} add up to {sum(parts)}",
            hint=f"give whole numbers that add up to {length}, or fractions that add up to 1",
        )
    # A part of 0.29 of 100 is 28.999... in binary: the small term keeps it at 29.
    lengths = [int(length * part + 1e-9) for part in parts]
    for i in range(length - sum(lengths)):
        lengths[i % len(lengths)] += 1
    return lengths
