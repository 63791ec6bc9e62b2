"""What a byte-pair tokenizer knows, checked: tokens, merges, special tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._merge import MergeTable, Pair

# Eight times the longest of any published vocabulary (128 spaces): all splits of a token are looked at.
LONGEST_TOKEN = 1024


@dataclass(frozen=True)
class Model:
    """All that tells one byte-pair tokenizer from another.

    Either `merges` are listed (GPT-2), or every token has a score and any two tokens that spell a third may merge, the
    best score first (tiktoken, llama2.c).

    Args:
        tokens: The bytes of each id; None where the vocabulary has a hole.
        byte_ids: The ids of the 256 bytes.
        special_ids: Each special token's id.
        merges: Pairs in the order in which they merge.
        scores: The score of each token, None where nothing merges into it.
        pattern: Where text is split first.
        characters: A word starts as characters; its bytes are used only for those that are no token (llama2.c).
        space_prefix: A space is put before the text, and taken away again (llama2.c).
        bos_id: The id that begins a text, after which a new text begins.
    """

    tokens: Sequence[bytes | None]
    byte_ids: Sequence[int]
    special_ids: Mapping[str, int] = field(default_factory=dict)
    merges: Sequence[Pair] | None = None
    scores: Sequence[float | None] | None = None
    pattern: str = "gpt2"
    characters: bool = False
    space_prefix: bool = False
    bos_id: int | None = None

    def ordinary(self) -> dict[bytes, int]:
        """Return the id of every token that text can become; in a model of characters, byte tokens stand apart."""
        special = set(self.special_ids.values())
        apart = special | set(self.byte_ids) if self.characters else special
        found: dict[bytes, int] = {}
        for number, token in enumerate(self.tokens):
            if token is not None and number not in apart and found.setdefault(token, number) != number:
                raise TokenizerError(f"the token {token!r} stands twice, as id {found[token]} and as id {number}")
        if b"" in found:
            raise TokenizerError(f"the token with id {found[b'']} is empty")
        return found

    def check(self) -> None:
        """Refuse ids of bytes, of special tokens and of the beginning that cannot be.

        Raises:
            TokenizerError: A byte has no token; a special token is empty, or has an id that stands for no bytes or is
                another's; the id that begins a text is no special token's.
        """
        if len(self.byte_ids) != 256:
            raise TokenizerError(f"{len(self.byte_ids)} bytes have a token; all 256 must have one")
        for byte, number in enumerate(self.byte_ids):
            if not 0 <= number < len(self.tokens) or self.tokens[number] != bytes([byte]):
                raise TokenizerError(f"the byte 0x{byte:02x} has no token; all 256 must have one")
        taken = set(self.byte_ids)
        for special, number in self.special_ids.items():
            if not special:
                raise TokenizerError(f"the special token with id {number} is empty; it needs a text")
            if not 0 <= number < len(self.tokens) or self.tokens[number] is None:
                raise TokenizerError(
                    f"the special token {special!r} has the id {number}, which stands for no bytes; "
                    f"ids go from 0 to {len(self.tokens) - 1}"
                )
            if number in taken:
                raise TokenizerError(
                    f"the special token {special!r} has the id {number}, as another has; give it its own"
                )
            taken.add(number)
        if self.bos_id is not None and self.bos_id not in self.special_ids.values():
            raise TokenizerError(f"the id that begins a text is {self.bos_id}, which is no special token's")

    def table(self, ordinary: Mapping[bytes, int]) -> MergeTable:
        """Build the table of merges."""
        if self.scores is not None:
            return table_of_scores(self.scores, ordinary)
        return table_of_merges(self.merges or (), self.tokens, ordinary)


def table_of_merges(
    merges: Sequence[Pair], tokens: Sequence[bytes | None], ordinary: Mapping[bytes, int]
) -> dict[Pair, tuple[int, int]]:
    """Give every listed pair its place in the list as its rank.

    Raises:
        TokenizerError: A pair stands twice, or names or spells a token that is not in the vocabulary.
    """
    table: dict[Pair, tuple[int, int]] = {}
    for rank, pair in enumerate(merges):
        left, right = (tokens[each] if 0 <= each < len(tokens) else None for each in pair)
        if left is None or right is None or ordinary.get(left) != pair[0] or ordinary.get(right) != pair[1]:
            raise TokenizerError(
                f"merge {rank}, {pair}, names an id that is no token of text; special ones do not merge"
            )
        if left + right not in ordinary:
            raise TokenizerError(f"merge {rank}, {pair}, makes {left + right!r}, which is not in the vocabulary")
        if pair in table:
            raise TokenizerError(f"merge {rank}, {pair}, stands twice: it is merge {table[pair][0]} already")
        table[pair] = rank, ordinary[left + right]
    return table


def table_of_scores(scores: Sequence[float | None], ordinary: Mapping[bytes, int]) -> dict[Pair, tuple[int, int]]:
    """Let any two tokens that spell a third merge into it: the better its score, the lower their rank.

    Raises:
        TokenizerError: A token is too long to look at all of its splits.
    """
    longest = max(map(len, ordinary), default=0)
    if longest > LONGEST_TOKEN:
        raise TokenizerError(f"a token has {longest:,} bytes; at most {LONGEST_TOKEN:,} can be")
    different = {each for each in scores if each is not None}
    ranks = {score: rank for rank, score in enumerate(sorted(different, reverse=True))}
    table: dict[Pair, tuple[int, int]] = {}
    for token, number in ordinary.items():
        score = scores[number]
        if score is None:
            continue
        for cut in range(1, len(token)):
            left = ordinary.get(token[:cut])
            if left is not None and (right := ordinary.get(token[cut:])) is not None:
                table[left, right] = ranks[score], number
    return table
