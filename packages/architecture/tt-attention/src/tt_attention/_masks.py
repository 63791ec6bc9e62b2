"""Who may look at whom: boolean masks, true where a query may attend to a key."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from tt_tensor import Tensor, from_numpy


def _check_lengths(name: str, queries: int, keys: int) -> None:
    if queries < 0 or keys < 0:
        raise ValueError(f"{name} needs lengths of at least 0, but received {queries} and {keys}.")


def causal_mask(queries: int, keys: int | None = None) -> Tensor:
    """Return the mask that hides the future: query i may attend to keys up to `i + keys - queries`.

    Shapes: (T, S), boolean.

    The last query sees every key: where there are more keys than queries (a cache), the queries are the newest.

    Args:
        queries: How many queries (T).
        keys: How many keys (S); T without it.

    Example:
        >>> causal_mask(2, 3).tolist()
        [[True, True, False], [True, True, True]]
    """
    keys = queries if keys is None else keys
    _check_lengths("causal_mask", queries, keys)
    return from_numpy(np.tri(queries, keys, keys - queries, dtype=np.bool_))


def sliding_window_mask(queries: int, window: int, keys: int | None = None) -> Tensor:
    """Return the causal mask of which each query sees only the last `window` keys, its own included.

    Shapes: (T, S), boolean.

    Args:
        queries: How many queries (T).
        window: How many keys a query sees at most.
        keys: How many keys (S); T without it.

    Raises:
        ValueError: `window` is not positive.

    Source: Beltagy et al., "Longformer: the long-document transformer", 2020.

    Example:
        >>> sliding_window_mask(3, 2).tolist()
        [[True, False, False], [True, True, False], [False, True, True]]
    """
    keys = queries if keys is None else keys
    _check_lengths("sliding_window_mask", queries, keys)
    if window < 1:
        raise ValueError(f"sliding_window_mask needs a window of at least 1 key, but received {window}.")
    reach = keys - queries
    seen = np.tri(queries, keys, reach, dtype=np.bool_)
    return from_numpy(seen & ~np.tri(queries, keys, reach - window, dtype=np.bool_))


def padding_mask(lengths: npt.ArrayLike, max_len: int | None = None) -> Tensor:
    """Return the mask that hides what was appended to shorter sequences.

    Shapes: lengths (B,) -> (B, 1, 1, max_len), boolean, for scores (B, H, T, S).

    Args:
        lengths: How many real entries each sequence has.
        max_len: To how many they were padded; the longest without it.

    Raises:
        ValueError: The lengths are no integers from 0 to `max_len`, or not of one axis.

    Example:
        >>> padding_mask([1, 2])[:, 0, 0].tolist()
        [[True, False], [True, True]]
    """
    counts = np.asarray(lengths.data if isinstance(lengths, Tensor) else lengths)
    if counts.size == 0 and counts.ndim == 1:
        counts = counts.astype(np.int64)
    longest = int(counts.max(initial=0)) if max_len is None else max_len
    if (
        counts.ndim != 1
        or counts.dtype.kind not in "iu"
        or (counts.size and not 0 <= counts.min() <= counts.max() <= longest)
    ):
        raise ValueError(
            f"padding_mask needs one integer from 0 to max_len={longest} for each sequence, but received "
            f"{counts.tolist()} of type {counts.dtype}."
        )
    return from_numpy(np.arange(longest) < counts[:, np.newaxis, np.newaxis, np.newaxis])
