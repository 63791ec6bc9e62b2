"""GPT-2's spelling of bytes: each of the 256 as a visible character, so that vocabularies are readable text."""

from __future__ import annotations


def byte_characters() -> dict[int, str]:
    """Return the character that spells each byte in GPT-2's files, in the order of GPT-2's ids.

    Visible characters of Latin-1 spell themselves; the 68 other bytes, in order, the characters from U+0100 on.

    Source:
        Radford et al., 2019; `bytes_to_unicode` in `encoder.py` of https://github.com/openai/gpt-2.

    Example:
        >>> spelled = byte_characters()
        >>> spelled[ord("a")], spelled[ord(" ")], len(set(spelled.values()))
        ('a', 'Ġ', 256)
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    characters = {byte: chr(byte) for byte in visible}
    for byte in range(256):
        if byte not in characters:
            characters[byte] = chr(256 + len(characters) - len(visible))
    return characters


# Written out, since a learner's `byte_characters` may not be there yet.
BYTE_ORDER = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100), *range(0x21), *range(0x7F, 0xA1), 0xAD)
