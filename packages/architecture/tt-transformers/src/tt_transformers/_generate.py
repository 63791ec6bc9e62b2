"""Writing: one token after another, each seeing all before it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from threading import RLock
from typing import TypeAlias

import numpy as np
from tt_autograd import no_grad
from tt_layers import Module
from tt_tensor import Array, Tensor, as_tensor

from tt_transformers._sampling import check_settings, is_whole, sample

Stop: TypeAlias = int | np.integer | Collection[int] | Array | Tensor | None
Prompt: TypeAlias = Sequence[int] | Sequence[Sequence[int]] | Array | Tensor
NextLogits: TypeAlias = Callable[[Array], Array]

# Held while a model in training is switched off: a thread that found it off would see it switched on again half way.
SWITCHING = RLock()


def generate_tokens(
    next_logits: NextLogits,
    tokens: Prompt,
    max_new_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    stop: Stop = None,
    *,
    rng: np.random.Generator | None = None,
) -> Iterator[Array]:
    """Yield one token for each row after another, as `next_logits` makes them likely.

    This is all of generating that does not depend on the model: `GPT.stream` gives it the model's own logits, and
    module 18 the same logits from a cache.

    Args:
        next_logits: From all ids so far (B, T) to the logits of what follows them (B, V).
        tokens: The ids to go on from, (T,) or (B, T), T at least 1.
        max_new_tokens: How many to add at most.
        temperature: See `sample`.
        top_k: See `sample`.
        top_p: See `sample`.
        stop: An id, or several, after which a row ends; a row that has ended repeats its last id until all have.
        rng: Where the random numbers come from; tt-tensor's `default_rng()` without it.

    Yields:
        The new ids (B,), until all rows have ended.

    Raises:
        ValueError: If a setting is out of its range or `tokens` are no ids; at once, not at the first token.

    Example:
        >>> def counting(ids):
        ...     return np.eye(5)[(ids[:, -1] + 1) % 5]
        >>> [int(ids[0]) for ids in generate_tokens(counting, [0], 9, temperature=0, stop=4)]
        [1, 2, 3, 4]
    """
    check_settings(temperature, top_k, top_p)
    if not is_whole(max_new_tokens) or max_new_tokens < 0:
        raise ValueError(f"max_new_tokens is the number of tokens to add, at least 0, but received {max_new_tokens}.")
    ids, ends = prompt_ids(tokens), stop_ids(stop)

    def choose(logits: Array) -> Array:
        return sample(logits, temperature, top_k, top_p, rng=rng)

    return _continue(next_logits, np.atleast_2d(ids), max_new_tokens, choose, ends)


def _continue(
    next_logits: NextLogits, ids: Array, count: int, choose: Callable[[Array], Array], ends: Array
) -> Iterator[Array]:
    ended = np.zeros(len(ids), np.bool_)
    for _ in range(count):
        chosen = np.where(ended, ids[:, -1], choose(next_logits(ids)))  # (B,)
        ids = np.concatenate([ids, chosen[:, np.newaxis]], axis=1)  # (B, T + 1)
        yield chosen
        ended |= np.isin(chosen, ends)
        if ended.all():
            return


def stop_ids(stop: Stop) -> Array:
    """Return the ids that end a row as an array of int64, perhaps empty."""
    if stop is None:
        return np.empty(0, np.int64)
    given = stop.data if isinstance(stop, Tensor) else stop
    if isinstance(given, Collection) and not isinstance(given, (np.ndarray, str)):
        given = list(given)  # of a set NumPy would make one object
    ids = np.asarray(given)
    if ids.size == 0:
        return np.empty(0, np.int64)
    if ids.ndim > 1 or ids.dtype.kind not in "iu":
        raise ValueError(f"stop is an id or several, after which a row ends, but received {stop!r}.")
    return np.atleast_1d(ids).astype(np.int64)


def prompt_ids(tokens: Prompt) -> Array:
    """Return ids as an array of int64, (T,) or (B, T)."""
    try:
        ids = tokens.data if isinstance(tokens, Tensor) else np.asarray(tokens)
    except ValueError as error:
        raise ValueError(
            "generate goes on from ids (T,) or (B, T): the prompts of a batch must have the same length. Generate "
            "from each alone, or from prompts of one length at a time."
        ) from error
    if ids.ndim not in (1, 2) or ids.size == 0 or ids.dtype.kind not in "iu":
        raise ValueError(
            f"generate goes on from ids (T,) or (B, T) with T at least 1, but received {ids.dtype} of shape "
            f"{ids.shape}. Encode the text first; without one, begin with the id of a beginning or of a newline."
        )
    return ids.astype(np.int64)


class LanguageModel(Module):
    """What GPT and Llama have in common: logits for every place, and text from them.

    A subclass has `max_seq_len` and two halves of `forward`: `features` and `logits`.

    Attributes:
        vocab_size: How many ids there are (V).
        max_seq_len: How many places the model can see (T).
    """

    # Examples are independent: a training step may split its batch over threads, and gains by it.
    parallel_batches = True

    vocab_size: int
    max_seq_len: int

    def features(self, ids: Tensor, offset: int = 0) -> Tensor:
        """Return what the blocks make of ids (B, T) that stand from place `offset` on: (B, T, C), normed."""
        raise NotImplementedError(f"{type(self).__name__} has no features(): write it, and logits().")

    def logits(self, x: Tensor) -> Tensor:
        """Return the logits of what follows each place: (B, T, C) -> (B, T, V)."""
        raise NotImplementedError(f"{type(self).__name__} has no logits(): write it, and features().")

    def forward(self, ids: Tensor | Array) -> Tensor:
        """Return for every place the logits of the id that follows.

        Shapes: ids (B, T) of integers -> (B, T, V).

        Raises:
            ValueError: If the ids are no integers (B, T), or T is longer than `max_seq_len`.
            IndexError: If an id is not in the vocabulary.
        """
        return self.logits(self.features(self.check_ids(ids)))

    def check_ids(self, ids: Tensor | Array) -> Tensor:
        """Refuse what is no batch of ids, or too long."""
        ids = as_tensor(ids)  # arrays are copied: whoever overwrites theirs changes no gradient
        if ids.ndim != 2 or ids.shape[1] == 0 or ids.dtype.kind not in "iu":
            raise ValueError(
                f"{type(self).__name__} takes ids (B, T), integers with T at least 1, but received {ids.dtype} of "
                f"shape {ids.shape}. Encode text first, and give a single sequence a batch axis: ids[None]."
            )
        if ids.shape[1] > self.max_seq_len:
            raise ValueError(
                f"{type(self).__name__} sees at most max_seq_len={self.max_seq_len} places, but received "
                f"{ids.shape[1]}. Cut the text into shorter pieces, or make a model with a larger max_seq_len."
            )
        return ids

    def next_logits(self, ids: Array) -> Array:
        """Return the logits of what follows ids (B, T), as the model in use computes them: (B, V).

        No gradient is recorded, dropout is off, and of more than `max_seq_len` ids the last are seen.
        """
        seen = self.check_ids(ids[:, -self.max_seq_len :])
        with SWITCHING:
            modules = [module for module in self.modules() if module.training]
            if modules:
                for module in modules:
                    module.training = False
                try:
                    return self._last_logits(seen)
                finally:
                    for module in modules:
                        module.training = True
        return self._last_logits(seen)

    def _last_logits(self, ids: Tensor) -> Array:
        with no_grad():
            x = self.features(ids)  # (B, T, C)
            return self.logits(x[:, -1:]).data[:, 0]  # only the last place is asked for

    def stream(
        self,
        tokens: Prompt,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: Stop = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> Iterator[int] | Iterator[Array]:
        """Yield new ids as they are made: numbers for a prompt (T,), arrays (B,) for a batch (B, T).

        The arguments and errors are those of `generate`.
        """
        rows = generate_tokens(self.next_logits, tokens, max_new_tokens, temperature, top_k, top_p, stop, rng=rng)
        return rows if prompt_ids(tokens).ndim == 2 else (int(row[0]) for row in rows)

    def generate(
        self,
        tokens: Prompt,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: Stop = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> Array:
        """Return the ids given and those that the model adds.

        The model is used as it is in `eval()`, and left in the mode in which it was. Once there are more ids than
        `max_seq_len`, it sees the last of them.

        Args:
            tokens: The ids to go on from, (T,) or (B, T), T at least 1.
            max_new_tokens: How many to add at most.
            temperature: Below 1 sharpens, above 1 flattens; 0 takes the most likely id each time.
            top_k: Draw from so many of the most likely; None from all.
            top_p: Draw from the fewest that reach this probability together; None from all.
            stop: An id, or several, after which a row ends; it is kept. A row that has ended repeats it until all have.
            rng: Where the random numbers come from; tt-tensor's `default_rng()` without it.

        Returns:
            All ids, (T + n,) or (B, T + n), n at most `max_new_tokens`.

        Raises:
            ValueError: If a setting is out of its range, or `tokens` are no ids.
            IndexError: If an id that the model sees is not in the vocabulary.
        """
        ids = prompt_ids(tokens)
        rows = list(generate_tokens(self.next_logits, ids, max_new_tokens, temperature, top_k, top_p, stop, rng=rng))
        new = np.stack(rows, axis=-1) if rows else np.empty((len(np.atleast_2d(ids)), 0), np.int64)  # (B, n)
        return np.concatenate([ids, new[0] if ids.ndim == 1 else new], axis=-1)
