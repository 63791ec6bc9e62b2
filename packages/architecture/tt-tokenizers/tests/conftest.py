from __future__ import annotations

import base64
import json
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from tt_tokenizers import BPETokenizer


class Make:
    """Small vocabularies in the layouts of others, spelled out here once more, and a look at what they cut."""

    # GPT-2's order of the bytes, and the characters that spell them.
    ORDER = (*range(33, 127), *range(161, 173), *range(174, 256), *range(33), *range(127, 161), 173)
    SPELLED: ClassVar = {byte: chr(byte) if place < 188 else chr(256 + place - 188) for place, byte in enumerate(ORDER)}

    @classmethod
    def spell(cls, token: bytes) -> str:
        return "".join(cls.SPELLED[byte] for byte in token)

    @classmethod
    def gpt2(
        cls, folder: Path, pairs: Sequence[tuple[bytes, bytes]], specials: Sequence[str] = ("<|endoftext|>",)
    ) -> tuple[Path, Path]:
        """The bytes, a token for each pair, the special tokens."""
        tokens = [cls.spell(bytes([byte])) for byte in cls.ORDER]
        tokens += [each for each in dict.fromkeys(cls.spell(a + b) for a, b in pairs) if each not in tokens]
        tokens += specials
        vocab, merges = folder / "vocab.json", folder / "merges.txt"
        vocab.write_text(json.dumps({token: number for number, token in enumerate(tokens)}), encoding="utf-8")
        lines = ["#version: 0.2", *(f"{cls.spell(a)} {cls.spell(b)}" for a, b in pairs)]
        merges.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return vocab, merges

    @classmethod
    def tiktoken(cls, folder: Path, tokens: Sequence[bytes]) -> Path:
        """The bytes in GPT-2's order, then the tokens."""
        everything = [bytes([byte]) for byte in cls.ORDER] + list(tokens)
        path = folder / "small.tiktoken"
        lines = [f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(everything)]
        path.write_text("".join(lines), encoding="ascii")
        return path

    @staticmethod
    def llama2c_bytes(pieces: Sequence[tuple[float, bytes]], longest: int | None = None) -> bytes:
        """Three special tokens, 256 bytes, then the pieces with their scores."""
        start = [(0.0, b"<unk>"), (0.0, b"\n<s>\n"), (0.0, b"\n</s>\n")]
        start += [(0.0, b"<0x%02X>" % byte) for byte in range(256)]
        everything = [*start, *pieces]
        greatest = max(len(piece) for _, piece in everything) if longest is None else longest
        entries = [struct.pack("<fi", score, len(piece)) + piece for score, piece in everything]
        return struct.pack("<i", greatest) + b"".join(entries)

    @classmethod
    def llama2c(cls, folder: Path, pieces: Sequence[tuple[float, bytes]]) -> Path:
        path = folder / "small.bin"
        path.write_bytes(cls.llama2c_bytes(pieces))
        return path

    @staticmethod
    def pieces(tokenizer: BPETokenizer, text: str) -> list[bytes]:
        """What a text is cut into."""
        return [tokenizer.id_to_bytes(each) for each in tokenizer.encode(text)]


@pytest.fixture
def make() -> type[Make]:
    return Make


@pytest.fixture
def stories() -> Path:
    """The tokenizer of the llama2.c model of 260,000 parameters."""
    path = Path(os.environ.get("TINYTORCH_DATA", "absent")) / "stories260k" / "tok512.bin"
    if not path.is_file():
        pytest.skip("no tok512.bin: set TINYTORCH_DATA")
    return path
