"""TinyTorch module 10: text as numbers, by characters and by byte-pair encoding.

Example:
    >>> CharTokenizer.from_text("banana").encode("ban")
    [1, 0, 2]
    >>> tokenizer = BPETokenizer.train("banana banana", 258)
    >>> [tokenizer.id_to_bytes(each) for each in tokenizer.encode("banana")]
    [b'ban', b'an', b'a']
"""

from tt_tokenizers._bpe import BPETokenizer
from tt_tokenizers._char import CharTokenizer
from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._merge import merge_pair
from tt_tokenizers._patterns import PATTERNS, split_words
from tt_tokenizers._stream import StreamDecoder
from tt_tokenizers._train import count_pairs

__all__ = [
    "PATTERNS",
    "BPETokenizer",
    "CharTokenizer",
    "StreamDecoder",
    "TokenizerError",
    "count_pairs",
    "merge_pair",
    "split_words",
]
