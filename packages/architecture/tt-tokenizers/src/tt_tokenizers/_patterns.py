r"""Where text is split before any merge: GPT-2's pattern and its successors, for the standard library's `re`.

Their Unicode categories, ``\p{L}`` and ``\p{N}``, are not known to `re`. So they are written out as ranges, once, from
`unicodedata`. Ranges above U+FFFF are slow in `re`: a text gets the smallest pattern that covers its characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache, partial

from tt_tokenizers._errors import TokenizerError
from tt_tokenizers._text import check_string

# White_Space as Unicode defines it: `\s` of `re` has four control characters more (U+001C to U+001F).
_SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
_ASCII, _PLANE, _UNICODE = 0x80, 0x10000, 0x110000
_BEYOND_PLANE = re.compile("[\U00010000-\U0010ffff]")

_TEMPLATES = {
    # Radford et al., 2019: contractions; words, numbers, anything else, each with the space before; white space.
    "gpt2": r"'(?:[stmd]|re|ve|ll)| ?[{L}]+| ?[{N}]+| ?[^{S}{L}{N}]+|[{S}]+(?![^{S}])|[{S}]+",
    # cl100k_base: capitals too (U+017F is an s to case-blind Unicode); three digits at most; line ends apart.
    "cl100k": (
        r"'(?:[sS\u017ftTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])|[^\r\n{L}{N}]?[{L}]+|[{N}]{1,3}| ?[^{S}{L}{N}]+[\r\n]*"
        r"|[{S}]++\Z|[{S}]*[\r\n]+|[{S}]+(?![^{S}])|[{S}]+"
    ),
    # For vocabularies in which no token has a space after something else: a word takes the spaces before it.
    "spaces": r" *[^ ]+| +",
}
PATTERNS = (*_TEMPLATES, "none")


def split_words(text: str, pattern: str = "gpt2") -> list[str]:
    r"""Split a text into the words within which merges happen; together they are the text.

    Characters that this Python's Unicode tables (`unicodedata.unidata_version`) do not know yet count as punctuation.

    Args:
        text: Any text.
        pattern: `"gpt2"`, `"cl100k"`, `"spaces"` (before every run of spaces) or `"none"` (not at all).

    Returns:
        The words, in order.

    Raises:
        TokenizerError: There is no such pattern, or the text is no string.

    Source:
        Radford et al., "Language Models are Unsupervised Multitask Learners", 2019; the pattern is in `encoder.py` of
        https://github.com/openai/gpt-2.

    Example:
        >>> split_words("Don't  stop at 1984!")
        ['Don', "'t", ' ', ' stop', ' at', ' 1984', '!']
    """
    return splitter(pattern)(check_string(text))


def splitter(pattern: str) -> Callable[[str], list[str]]:
    """Return the function that splits by the named pattern.

    Raises:
        TokenizerError: There is no such pattern.
    """
    if pattern not in PATTERNS:
        raise TokenizerError(f"there is no pattern {pattern!r}; choose one of {', '.join(PATTERNS)}")
    return partial(_split, pattern)  # which a tokenizer can be pickled with, as it could not with a lambda


def _split(pattern: str, text: str) -> list[str]:
    if pattern == "none":
        return [text] if text else []
    return _compiled(pattern, _limit(text)).findall(text)


def _limit(text: str) -> int:
    """Return the smallest of three bounds that is above every character of the text."""
    if text.isascii():
        return _ASCII
    return _UNICODE if _BEYOND_PLANE.search(text) else _PLANE


@cache
def _compiled(pattern: str, limit: int) -> re.Pattern[str]:
    """Compile a pattern for texts whose characters are below a limit."""
    source = _TEMPLATES[pattern].replace("{S}", _SPACE)
    for category in "LN":
        if (hole := "{" + category + "}") in source:
            source = source.replace(hole, unicode_class(category, limit))
    return re.compile(source)


@cache
def unicode_class(category: str, limit: int) -> str:
    r"""Write the characters below a limit that are of a category, `L` or `N`, as the inside of a `[...]`."""
    ranges: list[tuple[int, int]] = []
    for code in range(limit):
        if unicodedata.category(chr(code))[0] == category:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1] = (ranges[-1][0], code)
            else:
                ranges.append((code, code))
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
