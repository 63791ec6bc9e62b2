"""Byte-pair encoding: text to ids and back."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from tt_tokenizers import _layouts, _saved
from tt_tokenizers._byte_alphabet import BYTE_ORDER
from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._files import PathLike, parse_json, read_limited, write_json
from tt_tokenizers._merge import merge_word
from tt_tokenizers._model import Model
from tt_tokenizers._patterns import splitter
from tt_tokenizers._stream import StreamDecoder
from tt_tokenizers._text import Ids, check_ids, check_text
from tt_tokenizers._train import count_words, learn_merges

# A word this long comes once; and a cache that is full starts again.
_LONGEST_CACHED, _MOST_CACHED = 64, 1 << 16

Special = Collection[str] | Literal["all"]


class BPETokenizer:
    """A byte-pair tokenizer: it starts from the 256 bytes, so that no text is unknown.

    Make one with `train`, `load`, `from_gpt2`, `from_tiktoken` or `from_llama2c`. The ids 0 to 255 of a trained one
    are the bytes in GPT-2's order (`!` is 0), then come the merges in the order learnt, then the special tokens.

    Special tokens in a text are text, unless `allowed_special` names them: who types `<|endoftext|>` ends nothing.

    Example:
        >>> tokenizer = BPETokenizer.train("low lower lowest", 259, special_tokens=["<|end|>"])
        >>> ids = tokenizer.encode("low")
        >>> [tokenizer.id_to_bytes(each) for each in ids], tokenizer.decode(ids)
        ([b'low'], 'low')
        >>> tokenizer.special_ids["<|end|>"], tokenizer.encode("<|end|>", allowed_special="all")
        (258, [258])
        >>> tokenizer.decode(tokenizer.encode("größer 🙂"))
        'größer 🙂'
    """

    def __init__(self, model: Model) -> None:
        model.check()
        ordinary = model.ordinary()
        self._model = model
        self._tokens = tuple(model.tokens)
        self._specials = dict(model.special_ids)
        self._byte_ids = list(model.byte_ids)
        self._table = model.table(ordinary)
        self._split = splitter(model.pattern)
        # tiktoken takes a word that is a token as it is, even if no merges lead there.
        self._whole = ordinary if model.scores is not None and not model.characters else {}
        self._characters = ordinary if model.characters else None
        self._plain = not model.space_prefix and None not in self._tokens
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def train(
        cls,
        text: str | Iterable[str],
        vocab_size: int,
        *,
        special_tokens: Iterable[str] = (),
        pattern: str = "gpt2",
        min_frequency: int = 1,
    ) -> BPETokenizer:
        """Learn a vocabulary: the pair that occurs most often becomes a token, until there are enough.

        Of pairs that occur equally often, the one with the lowest ids goes first, as in HuggingFace's trainer. Counts
        are updated where a merge happened, never taken anew. Special tokens in the text are text here as well.

        Args:
            text: A text, or several; no word reaches from one into the next.
            vocab_size: How many ids there shall be, bytes and special tokens too; fewer if no pair is left.
            special_tokens: What gets the last ids.
            pattern: How text is split into words first: see `split_words`.
            min_frequency: A pair that occurs less often is not merged.

        Raises:
            TokenizerError: The size has no room for bytes and special tokens, a text has a lone surrogate, or a special
                token stands twice or is empty.

        Source:
            Sennrich, Haddow, Birch, "Neural Machine Translation of Rare Words with Subword Units", 2016.

        Example:
            >>> BPETokenizer.train(["aaab", "aab"], 257).encode("aab")
            [256, 65]
        """
        specials = [check_text(each, "a special token") for each in special_tokens]
        if isinstance(special_tokens, str):
            raise TokenizerError("special_tokens is one str; give a list of them")
        room = vocab_size - len(specials)
        if room < 256:
            raise TokenizerError(
                f"vocab_size is {vocab_size}; the 256 bytes and {len(specials)} special tokens need "
                f"{256 + len(specials)}"
            )
        counts = count_words([text] if isinstance(text, str) else text, splitter(pattern))
        byte_ids = [0] * 256
        for number, byte in enumerate(BYTE_ORDER):
            byte_ids[byte] = number
        words = [[byte_ids[byte] for byte in word.encode()] for word in counts]
        tokens: list[bytes] = [bytes([byte]) for byte in BYTE_ORDER]
        merges = learn_merges(words, list(counts.values()), tokens, room, min_frequency)
        special_ids = {special: len(tokens) + number for number, special in enumerate(specials)}
        if len(special_ids) != len(specials):
            raise TokenizerError(f"a special token stands twice in {specials}")
        everything = [*tokens, *(each.encode() for each in specials)]
        return cls(Model(everything, byte_ids, special_ids, merges=merges, pattern=pattern))

    @classmethod
    def from_gpt2(
        cls, vocab: PathLike, merges: PathLike, *, special_tokens: Iterable[str] | None = None
    ) -> BPETokenizer:
        """Read GPT-2's layout: `vocab.json` (token to id) and `merges.txt` (a pair a line, in order).

        Args:
            vocab: The vocabulary's file.
            merges: The merges' file.
            special_tokens: Which tokens are special. Without it: those that are no byte and that no merge makes.

        Raises:
            TokenizerError: A file is malformed, the two do not fit, or a byte has no token.
            OSError: A file cannot be read.
        """
        return cls(_layouts.read_gpt2(vocab, merges, special_tokens))

    @classmethod
    def from_tiktoken(
        cls, path: PathLike, *, special_tokens: Mapping[str, int] | None = None, pattern: str = "cl100k"
    ) -> BPETokenizer:
        """Read tiktoken's layout: a token in base64 and its rank on each line. The rank is the id.

        Args:
            path: The file.
            special_tokens: Special tokens and their ids, which the file does not hold.
            pattern: How text is split: see `split_words`. The file does not say; GPT-2's ranks want `"gpt2"`.

        Raises:
            TokenizerError: The file is malformed, an id is taken twice, or a byte has no token.
            OSError: It cannot be read.
        """
        return cls(_layouts.read_tiktoken(path, special_tokens or {}, pattern))

    @classmethod
    def from_llama2c(cls, path: PathLike) -> BPETokenizer:
        """Read llama2.c's layout: score, length and bytes of each token; 1 begins a text, 2 ends it.

        Such a tokenizer puts a space before the text and takes it away when it decodes, at the start and after id 1.
        A character that is no token becomes its bytes. The ids 0, 1 and 2 are special; 1 and 2 stand for no text.

        Args:
            path: The file, for instance `tok512.bin`.

        Raises:
            TokenizerError: The file is malformed, or a byte has no token.
            OSError: It cannot be read.

        Source:
            https://github.com/karpathy/llama2.c, `tokenizer.py` and `run.c`.
        """
        return cls(_layouts.read_llama2c(path))

    @property
    def vocab_size(self) -> int:
        """One more than the highest id: how many rows an embedding needs."""
        return len(self._tokens)

    @property
    def special_ids(self) -> Mapping[str, int]:
        """The id of each special token."""
        return MappingProxyType(self._specials)

    @property
    def bos_id(self) -> int | None:
        """The id that begins a text, if the vocabulary has one (llama2.c's)."""
        return self._model.bos_id

    @property
    def pattern(self) -> str:
        """How text is split into words: see `split_words`."""
        return self._model.pattern

    @property
    def vocabulary(self) -> dict[int, bytes]:
        """The bytes of every id."""
        return {number: token for number, token in enumerate(self._tokens) if token is not None}

    def id_to_bytes(self, number: int) -> bytes:
        """Return the bytes that an id stands for.

        Raises:
            TokenizerError: There is no such id.
        """
        return self._piece(number, False)[0]

    def encode(self, text: str, *, allowed_special: Special = ()) -> list[int]:
        """Return the ids of a text.

        Args:
            text: Any text without lone surrogates.
            allowed_special: Which special tokens are recognised in it, or `"all"`. The others are text.

        Raises:
            TokenizerError: The text has a lone surrogate, or an allowed special token does not exist.
        """
        check_text(text)
        out: list[int] = []
        fresh = self._model.space_prefix
        for part in self._split_special(text, allowed_special):
            if (special := self._specials.get(part)) is not None and self._is_allowed(part, allowed_special):
                out.append(special)
                fresh = self._model.space_prefix and special == self.bos_id
            elif part:
                self._encode_ordinary(" " + part if fresh else part, out)
                fresh = False
        return out

    def encode_array(self, text: str, *, allowed_special: Special = ()) -> npt.NDArray[np.int64]:
        """Return the ids of a text as an array: see `encode`."""
        return np.array(self.encode(text, allowed_special=allowed_special), dtype=np.int64)

    def encode_bytes(self, data: bytes) -> list[int]:
        r"""Return the ids of any bytes, whether they are UTF-8 or not; those of a text are its own (`encode`).

        Example:
            >>> tokenizer = BPETokenizer.train("", 256)
            >>> tokenizer.decode_bytes(tokenizer.encode_bytes(bytes([255, 0, 128])))
            b'\xff\x00\x80'
        """
        out: list[int] = []
        if data:
            text = data.decode("utf-8", "surrogateescape")
            self._encode_ordinary(" " + text if self._model.space_prefix else text, out)
        return out

    def decode_bytes(self, ids: Ids) -> bytes:
        """Return the bytes of the ids.

        Args:
            ids: Integers, or an array of them with one axis.

        Raises:
            TokenizerError: An id is out of range.
        """
        listed = check_ids(ids, self.vocab_size)
        if self._plain:
            tokens = self._tokens
            return b"".join([tokens[each] or b"" for each in listed])
        pieces, begins = [], True
        for each in listed:
            piece, begins = self._piece(each, begins)
            pieces.append(piece)
        return b"".join(pieces)

    def decode(self, ids: Ids, *, errors: Literal["replace", "strict", "ignore"] = "replace") -> str:
        """Return the text of the ids.

        Args:
            ids: Integers, or an array of them with one axis.
            errors: What to do where bytes are no UTF-8, as when a character is cut in two: put U+FFFD, fail, or skip.

        Raises:
            TokenizerError: An id is out of range; or, if `errors` is `"strict"`, the bytes are no UTF-8.
        """
        data = self.decode_bytes(ids)
        try:
            return data.decode("utf-8", errors)
        except UnicodeDecodeError as error:
            raise TokenizerError(f"the ids are no UTF-8 text: {error}; decode_bytes gives their bytes") from error

    def stream(self) -> StreamDecoder:
        """Return a decoder that takes one id at a time and gives the text as soon as its characters are whole."""
        return StreamDecoder(self._piece)

    def save(self, path: PathLike) -> None:
        """Write the tokenizer to a JSON file, whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        write_json(path, _saved.to_document(self._model))

    @classmethod
    def load(cls, path: PathLike) -> BPETokenizer:
        """Read a tokenizer that `save` wrote.

        Raises:
            TokenizerError: The file is malformed.
            OSError: It cannot be read.
        """
        document = parse_json(read_limited(path), path)
        try:
            return cls(_saved.from_document(document))
        except TokenizerError as error:
            raise TokenizerError(f"{path}: {error}") from error

    def _is_allowed(self, special: str, allowed: Special) -> bool:
        return allowed == "all" or special in allowed

    def _split_special(self, text: str, allowed: Special) -> list[str]:
        """Split a text at the special tokens that are allowed, the longest first, and keep them as parts."""
        if allowed == "all":
            chosen = list(self._specials)
        elif isinstance(allowed, str):
            raise TokenizerError(f"allowed_special is {allowed!r}; give a collection of special tokens, or 'all'")
        else:
            chosen = list(allowed)
        if unknown := [each for each in chosen if each not in self._specials]:
            raise TokenizerError(f"{unknown[0]!r} is no special token; there are {sorted(self._specials)}")
        if not chosen:
            return [text]
        ordered = sorted(chosen, key=len, reverse=True)
        return re.split("(" + "|".join(map(re.escape, ordered)) + ")", text)

    def _encode_ordinary(self, text: str, out: list[int]) -> None:
        """Append the ids of a text in which nothing is special."""
        cache, extend = self._cache, out.extend
        for word in self._split(text):
            ids = cache.get(word)
            if ids is None:
                ids = self._encode_word(word)
                if len(word) <= _LONGEST_CACHED:
                    if len(cache) >= _MOST_CACHED:
                        cache.clear()
                    cache[word] = ids
            extend(ids)

    def _encode_word(self, word: str) -> list[int]:
        """Return the ids of one word."""
        if self._characters is not None:
            return merge_word(start_with_characters(word, self._characters, self._byte_ids), self._table)
        data = word.encode("utf-8", "surrogateescape")
        if (whole := self._whole.get(data)) is not None:
            return [whole]
        return merge_word([self._byte_ids[byte] for byte in data], self._table)

    def _piece(self, number: int, begins: bool) -> tuple[bytes, bool]:
        """Return the bytes of an id, and whether a text begins after it, where the space of the prefix is dropped."""
        (checked,) = check_ids([number], self.vocab_size)
        token = self._tokens[checked]
        if token is None:
            raise TokenizerError(f"id {number} is not in the vocabulary, which has holes")
        begins = begins and self._model.space_prefix
        starts_again = number == self.bos_id or (begins and not token)
        return (token[1:] if begins and token.startswith(b" ") else token), starts_again

    def __repr__(self) -> str:
        return f"BPETokenizer({self.vocab_size} tokens, {len(self._specials)} special, pattern {self.pattern!r})"


def start_with_characters(word: str, characters: Mapping[bytes, int], byte_ids: list[int]) -> list[int]:
    """Return the id of every character, or the ids of its bytes where it is no token."""
    ids: list[int] = []
    for character in word:
        data = character.encode("utf-8", "surrogateescape")
        known = characters.get(data)
        if known is None:
            ids.extend(byte_ids[byte] for byte in data)
        else:
            ids.append(known)
    return ids
