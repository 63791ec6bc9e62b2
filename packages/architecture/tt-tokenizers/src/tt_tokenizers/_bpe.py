"""The byte-pair tokenizer that the world sees: made, used, saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from tt_tokenizers import _layouts, _saved
from tt_tokenizers._decoder import Decoder
from tt_tokenizers._encoder import Encoder, Special
from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._files import PathLike, naming, parse_json, read_limited, write_json
from tt_tokenizers._model import Model
from tt_tokenizers._patterns import splitter
from tt_tokenizers._stream import StreamDecoder
from tt_tokenizers._text import Ids
from tt_tokenizers._train import train_model


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
        self._model = model
        self._encoder = Encoder(model)
        self._decoder = Decoder(model)

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
            TokenizerError: The size has no room for bytes and special tokens, a number is no integer, there is no such
                pattern, a text has a lone surrogate, or a special token stands twice or is empty.

        Source:
            Sennrich, Haddow, Birch, "Neural Machine Translation of Rare Words with Subword Units", 2016.

        Example:
            >>> BPETokenizer.train(["aaab", "aab"], 257).encode("aab")
            [256, 65]
        """
        return cls(train_model(text, vocab_size, special_tokens, pattern, min_frequency))

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
        model = _layouts.read_gpt2(vocab, merges, special_tokens)
        with naming(vocab, merges):
            return cls(model)

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
            TokenizerError: The file is malformed, an id is taken twice, a byte has no token, or there is no such
                pattern.
            OSError: It cannot be read.
        """
        splitter(pattern)  # It is not the file's fault if there is none.
        with naming(path):
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
        with naming(path):
            return cls(_layouts.read_llama2c(path))

    @property
    def vocab_size(self) -> int:
        """One more than the highest id: how many rows an embedding needs."""
        return len(self._model.tokens)

    @property
    def special_ids(self) -> Mapping[str, int]:
        """The id of each special token."""
        return MappingProxyType(self._model.special_ids)

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
        return {number: token for number, token in enumerate(self._model.tokens) if token is not None}

    def id_to_bytes(self, number: int) -> bytes:
        """Return the bytes that an id stands for.

        Raises:
            TokenizerError: There is no such id.
        """
        return self._decoder.piece(number, False)[0]

    def encode(self, text: str, *, allowed_special: Special = ()) -> list[int]:
        """Return the ids of a text.

        Args:
            text: Any text without lone surrogates.
            allowed_special: Which special tokens are recognised in it, or `"all"`. The others are text.

        Raises:
            TokenizerError: The text is no string or has a lone surrogate, or an allowed special token does not exist.
        """
        return self._encoder.encode(text, allowed_special)

    def encode_array(self, text: str, *, allowed_special: Special = ()) -> npt.NDArray[np.int64]:
        """Return the ids of a text as an array: see `encode`.

        Args:
            text: As for `encode`.
            allowed_special: As for `encode`.

        Raises:
            TokenizerError: As by `encode`.
        """
        return np.array(self.encode(text, allowed_special=allowed_special), dtype=np.int64)

    def encode_bytes(self, data: bytes | bytearray | memoryview) -> list[int]:
        r"""Return the ids of any bytes, whether they are UTF-8 or not; those of a text are its own (`encode`).

        Raises:
            TokenizerError: They are no bytes.

        Example:
            >>> tokenizer = BPETokenizer.train("", 256)
            >>> tokenizer.decode_bytes(tokenizer.encode_bytes(bytes([255, 0, 128])))
            b'\xff\x00\x80'
        """
        return self._encoder.encode_bytes(data)

    def decode_bytes(self, ids: Ids) -> bytes:
        """Return the bytes of the ids.

        Args:
            ids: Integers, or an array of them with one axis.

        Raises:
            TokenizerError: An id is out of range or no integer.
        """
        return self._decoder.decode_bytes(ids)

    def decode(self, ids: Ids, *, errors: Literal["replace", "strict", "ignore"] = "replace") -> str:
        """Return the text of the ids.

        Args:
            ids: Integers, or an array of them with one axis.
            errors: What to do where bytes are no UTF-8, as when a character is cut in two: put U+FFFD, fail, or skip.

        Raises:
            TokenizerError: An id is out of range or no integer; `errors` is none of the three; or, if it is
                `"strict"`, the bytes are no UTF-8.
        """
        if errors not in ("replace", "strict", "ignore"):
            raise TokenizerError(f"errors is {errors!r}; give 'replace', 'strict' or 'ignore'")
        data = self.decode_bytes(ids)
        try:
            return data.decode("utf-8", errors)
        except UnicodeDecodeError as error:
            raise TokenizerError(f"the ids are no UTF-8 text: {error}; decode_bytes gives their bytes") from error

    def stream(self) -> StreamDecoder:
        """Return a decoder that takes one id at a time and gives the text as soon as its characters are whole."""
        return StreamDecoder(self._decoder.piece)

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
        with naming(path):
            return cls(_saved.from_document(parse_json(read_limited(path))))

    def __repr__(self) -> str:
        special = len(self._model.special_ids)
        return f"BPETokenizer({self.vocab_size} tokens, {special} special, pattern {self.pattern!r})"
