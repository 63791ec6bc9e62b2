"""Learning merges: the pair that stands side by side most often becomes a token, again and again."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from tt_tokenizers._byte_alphabet import BYTE_ORDER
from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._merge import Pair
from tt_tokenizers._model import Model
from tt_tokenizers._patterns import splitter
from tt_tokenizers._text import check_integer, check_special_tokens, check_text

Change = tuple[Pair, int]


def train_model(
    text: str | Iterable[str], vocab_size: int, special_tokens: Iterable[str], pattern: str, min_frequency: int
) -> Model:
    """Learn a vocabulary: see `BPETokenizer.train`."""
    specials = check_special_tokens(special_tokens)
    size = check_integer(vocab_size, "vocab_size") - len(specials)
    if size < 256:
        raise TokenizerError(
            f"vocab_size is {vocab_size}; the 256 bytes and {len(specials)} special tokens need {256 + len(specials)}"
        )
    least = check_integer(min_frequency, "min_frequency")
    # One text is a list of one; bytes would be a sequence of integers, none of which is a text.
    counts = count_words([text] if isinstance(text, (str, bytes)) else text, splitter(pattern))
    byte_ids = [BYTE_ORDER.index(byte) for byte in range(256)]
    words = [[byte_ids[byte] for byte in word.encode()] for word in counts]
    tokens = [bytes([byte]) for byte in BYTE_ORDER]
    merges = learn_merges(words, list(counts.values()), tokens, size, least)
    special_ids = {special: len(tokens) + number for number, special in enumerate(specials)}
    everything = [*tokens, *(each.encode() for each in specials)]
    return Model(everything, byte_ids, special_ids, merges=merges, pattern=pattern)


def count_words(texts: Iterable[str], split: Callable[[str], list[str]]) -> Counter[str]:
    """Count every word of the texts, so that what is frequent need be looked at only once."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split(check_text(text)))
    return counts


def count_pairs(words: Iterable[Sequence[int]], frequencies: Iterable[int]) -> dict[Pair, int]:
    """Count how often every pair of ids stands side by side, in words that each occur a number of times.

    Args:
        words: The ids of each different word.
        frequencies: How often each of these words occurs.

    Returns:
        The number of occurrences of each pair that occurs; overlapping ones count (`1 1 1` has two).

    Raises:
        ValueError: There are not as many words as frequencies.

    Example:
        >>> count_pairs([[1, 2, 3], [2, 3]], [10, 1])
        {(1, 2): 10, (2, 3): 11}
    """
    counts: dict[Pair, int] = {}
    for word, frequency in zip(words, frequencies, strict=True):
        for pair in itertools.pairwise(word):
            counts[pair] = counts.get(pair, 0) + frequency
    return counts


def merge_and_compare(ids: Sequence[int], pair: Pair, new: int) -> tuple[list[int], list[Change]]:
    """Merge a pair in one word, and say which pairs are lost (-1) and made (+1) beside each merge.

    The merged pair itself is left out: its count ends with the merge. Everything else in the word stays as it was,
    which is why training need not count again.
    """
    left, right = pair
    merged: list[int] = []
    changes: list[Change] = []
    position, last = 0, len(ids) - 1
    while position <= last:
        current = ids[position]
        if current == left and position < last and ids[position + 1] == right:
            if merged:
                changes += ((merged[-1], left), -1), ((merged[-1], new), 1)
            position += 2
            if position <= last:
                changes += ((right, ids[position]), -1), ((new, ids[position]), 1)
            merged.append(new)
        else:
            merged.append(current)
            position += 1
    return merged, changes


class PairQueue:
    """The counts of all pairs, where they are, and a heap that yields the most frequent.

    The heap is lazy: a count that falls leaves its entry where it is, too high, and is put right when it comes up.

    Args:
        words: The ids of each word; merged in place.
        frequencies: How often each occurs.
    """

    def __init__(self, words: list[list[int]], frequencies: list[int]) -> None:
        self.words, self.frequencies = words, frequencies
        self.counts = count_pairs(words, frequencies)
        self.places: defaultdict[Pair, set[int]] = defaultdict(set)
        for number, word in enumerate(words):
            for pair in itertools.pairwise(word):
                self.places[pair].add(number)
        self.heap = [(-count, pair) for pair, count in self.counts.items()]
        heapq.heapify(self.heap)

    def pop(self) -> tuple[Pair, int] | None:
        """Take the most frequent pair and its count: of several the one with the lowest ids."""
        while self.heap:
            negative, pair = heapq.heappop(self.heap)
            count = self.counts.get(pair, 0)
            if count == -negative:
                return pair, count
            if 0 < count < -negative:
                heapq.heappush(self.heap, (-count, pair))
        return None

    def merge(self, pair: Pair, new: int) -> None:
        """Merge a pair wherever it is, and bring counts, places and heap up to date."""
        counts, words, places = self.counts, self.words, self.places
        made = set()
        for number in places.pop(pair):
            merged, changes = merge_and_compare(words[number], pair, new)
            words[number] = merged
            frequency = self.frequencies[number]
            for neighbours, sign in changes:
                counts[neighbours] = counts.get(neighbours, 0) + sign * frequency
                if sign > 0:
                    places[neighbours].add(number)
                    made.add(neighbours)
        counts.pop(pair, None)
        for neighbours in made:
            if count := counts.get(neighbours, 0):
                heapq.heappush(self.heap, (-count, neighbours))


def learn_merges(
    words: list[list[int]], frequencies: list[int], tokens: list[bytes], size: int, min_frequency: int
) -> list[Pair]:
    """Append merged tokens to the list until it has a size or no pair is frequent enough; return the merges.

    No token comes about twice: equal bytes are merged in the same way wherever nothing merges across their ends.
    """
    queue = PairQueue(words, frequencies)
    merges: list[Pair] = []
    while len(tokens) < size and (best := queue.pop()) is not None and best[1] >= min_frequency:
        pair = best[0]
        queue.merge(pair, len(tokens))
        tokens.append(tokens[pair[0]] + tokens[pair[1]])
        merges.append(pair)
    return merges
