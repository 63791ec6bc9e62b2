"""Byte-pair encoding of one word: the pair of the lowest rank is merged, again and again."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping, Sequence

Pair = tuple[int, int]
# For every pair that merges: its rank (the lowest goes first) and the id that takes its place.
MergeTable = Mapping[Pair, tuple[int, int]]

# Up to here looking at every pair again after each merge is faster than a heap.
SHORT = 24


def merge_pair(ids: Sequence[int], pair: Pair, new: int) -> list[int]:
    """Put a new id in the place of every occurrence of a pair, from left to right, without overlap.

    Args:
        ids: The sequence.
        pair: The two ids that stand side by side.
        new: The id that takes their place.

    Returns:
        The shorter sequence.

    Example:
        >>> merge_pair([1, 1, 1, 2], (1, 1), 9)
        [9, 1, 2]
    """
    left, right = pair
    merged = []
    position = 0
    while position < len(ids):
        if position + 1 < len(ids) and ids[position] == left and ids[position + 1] == right:
            merged.append(new)
            position += 2
        else:
            merged.append(ids[position])
            position += 1
    return merged


def merge_word(ids: Sequence[int], table: MergeTable) -> list[int]:
    """Merge until no pair of a word is in the table: the lowest rank first, the leftmost of equal ranks."""
    return merge_short(ids, table) if len(ids) <= SHORT else merge_long(ids, table)


def merge_short(ids: Sequence[int], table: MergeTable) -> list[int]:
    """Merge a word by looking at all of its pairs after every merge: simple, and quadratic in its length."""
    word = list(ids)
    while len(word) > 1:
        best, where = None, 0
        for position, pair in enumerate(itertools.pairwise(word)):
            found = table.get(pair)
            if found is not None and (best is None or found[0] < best[0]):
                best, where = found, position
        if best is None:
            break
        word[where : where + 2] = [best[1]]
    return word


def merge_long(ids: Sequence[int], table: MergeTable) -> list[int]:
    """Merge a word of n ids in n log n steps: a heap of (rank, position) over a doubly linked list.

    A merge touches two pairs only: the new id with its left and its right neighbour. They are pushed; what the heap
    still holds of pairs that are gone is recognised when it comes up: the pair at that position has another rank then.
    """
    word, size = list(ids), len(ids)
    after, before = list(range(1, size + 1)), list(range(-1, size - 1))
    # (rank, position) as one number, which compares faster than a tuple.
    heap = [found[0] * size + i for i, pair in enumerate(itertools.pairwise(word)) if (found := table.get(pair))]
    heapq.heapify(heap)
    while heap:
        rank, here = divmod(heapq.heappop(heap), size)
        there = after[here]
        if word[here] < 0 or there == size:
            continue
        found = table.get((word[here], word[there]))
        if found is None or found[0] != rank:
            continue
        word[here], word[there] = found[1], -1
        after[here] = following = after[there]
        if following < size:
            before[following] = here
            if (right := table.get((word[here], word[following]))) is not None:
                heapq.heappush(heap, right[0] * size + here)
        if (leading := before[here]) >= 0 and (left := table.get((word[leading], word[here]))) is not None:
            heapq.heappush(heap, left[0] * size + leading)
    return [each for each in word if each >= 0]
