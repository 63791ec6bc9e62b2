"""From logits to a token: keep the likely ones, and draw."""

from __future__ import annotations

import numpy as np
from tt_tensor import Array, default_rng


def top_k_filter(logits: Array, k: int) -> Array:
    """Keep the `k` largest logits of each row, and put minus infinity for the others.

    Shapes: logits (..., V) -> the same.

    Those equal to the `k`-th stay too. A `k` of V or more keeps all.

    Args:
        logits: One row for each sequence.
        k: How many to keep, at least 1.

    Raises:
        ValueError: If `k` is less than 1.

    Source: Fan et al., "Hierarchical neural story generation", 2018.

    Example:
        >>> top_k_filter(np.array([1.0, 3.0, 2.0]), 2).tolist()
        [-inf, 3.0, 2.0]
    """
    if k < 1:
        raise ValueError(f"top_k keeps the k most likely tokens and must be at least 1, but received {k}.")
    vocabulary = logits.shape[-1]
    if k >= vocabulary:
        return logits
    smallest = np.partition(logits, vocabulary - k, axis=-1)[..., vocabulary - k, np.newaxis]
    return np.where(logits < smallest, logits.dtype.type(-np.inf), logits)


def top_p_filter(logits: Array, p: float) -> Array:
    """Keep of each row the fewest tokens whose probabilities reach `p` together, and put minus infinity for the others.

    Shapes: logits (..., V) -> the same.

    The most likely token always stays; so does the one with which `p` is reached.

    Args:
        logits: One row for each sequence.
        p: The probability to reach, above 0 and at most 1; 1 keeps all.

    Raises:
        ValueError: If `p` is not above 0 and at most 1.

    Source: Holtzman et al., "The curious case of neural text degeneration", 2020.

    Example:
        >>> top_p_filter(np.log(np.array([0.1, 0.6, 0.3])), 0.8).round(2).tolist()
        [-inf, -0.51, -1.2]
    """
    if not 0.0 < p <= 1.0:
        raise ValueError(f"top_p is the probability to reach, above 0 and at most 1, but received {p!r}.")
    if p == 1.0:
        return logits
    order = np.argsort(-logits, axis=-1, kind="stable")
    chances = np.take_along_axis(probabilities(logits), order, axis=-1)
    before = np.cumsum(chances, axis=-1) - chances  # what the more likely ones have together
    keep = np.empty(logits.shape, np.bool_)
    np.put_along_axis(keep, order, before < p, axis=-1)
    return np.where(keep, logits, logits.dtype.type(-np.inf))


def probabilities(logits: Array) -> Array:
    """Return the softmax of each row, in float64.

    Example:
        >>> probabilities(np.array([0.0, -np.inf, 0.0])).tolist()
        [0.5, 0.0, 0.5]
    """
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=-1, keepdims=True)
    np.exp(wide, out=wide)
    wide /= wide.sum(axis=-1, keepdims=True)
    return np.asarray(wide)


def draw(chances: Array, rng: np.random.Generator) -> Array:
    """Draw one index of each row with the given probabilities, (B, V) -> (B,), from one random number each.

    The probabilities are laid end to end; the number falls into one of them, never into one of length 0.
    """
    edges = np.cumsum(chances, axis=-1)
    fallen = rng.random(len(chances)) * edges[:, -1]  # (B,), the sum is 1 to rounding
    chosen = np.sum(edges <= fallen[:, np.newaxis], axis=-1)
    return np.asarray(chosen, np.int64)


def sample(
    logits: Array,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    *,
    rng: np.random.Generator | None = None,
) -> Array:
    """Choose a token for each row of logits.

    Shapes: logits (B, V) -> (B,) of int64.

    The logits are divided by the temperature, filtered by `top_k`, then by `top_p`, and what is left is drawn from.

    Args:
        logits: One row for each sequence.
        temperature: Below 1 sharpens, above 1 flattens; 0 takes the most likely (the first, of equals).
        top_k: Draw from so many of the most likely; None from all.
        top_p: Draw from the fewest that reach this probability together; None from all.
        rng: Where the random numbers come from; tt-tensor's `default_rng()` without it.

    Raises:
        ValueError: If a setting is out of its range, the logits are not (B, V), or a row holds NaN or no finite logit.

    Example:
        >>> sample(np.array([[1.0, 3.0, 2.0]]), temperature=0).tolist()
        [1]
        >>> sample(np.array([[1.0, 3.0, 2.0]]), top_k=1).tolist()
        [1]
    """
    check_settings(temperature, top_k, top_p)
    if logits.ndim != 2 or logits.shape[1] == 0:
        raise ValueError(f"sample chooses a token for each row of logits (B, V), but received {logits.shape}.")
    if not np.isfinite(logits.max(axis=-1)).all():
        raise ValueError("a row of logits holds NaN, infinity, or nothing but minus infinity: no token can be chosen.")
    if temperature == 0.0:
        return np.asarray(np.argmax(logits, axis=-1), np.int64)
    logits = logits.astype(np.float64)
    logits -= logits.max(axis=-1, keepdims=True)  # the largest is 0, and stays it: at low temperatures others overflow
    with np.errstate(over="ignore"):
        logits /= temperature
    if top_k is not None:
        logits = top_k_filter(logits, top_k)
    if top_p is not None:
        logits = top_p_filter(logits, top_p)
    return draw(probabilities(logits), default_rng(rng))


def is_whole(number: object) -> bool:
    """Return whether a number is of an integer type, Python's or NumPy's."""
    return isinstance(number, (int, np.integer))


def check_settings(temperature: float, top_k: int | None, top_p: float | None) -> None:
    """Refuse settings out of their range, before anything is computed."""
    if not 0.0 <= temperature < float("inf"):
        raise ValueError(
            f"temperature divides the logits and is at least 0 (0 takes the most likely token), but received "
            f"{temperature!r}."
        )
    if top_k is not None and (not is_whole(top_k) or top_k < 1):
        raise ValueError(f"top_k keeps the k most likely tokens and must be at least 1, but received {top_k}.")
    if top_p is not None and not 0.0 < top_p <= 1.0:
        raise ValueError(f"top_p is the probability to reach, above 0 and at most 1, but received {top_p!r}.")
