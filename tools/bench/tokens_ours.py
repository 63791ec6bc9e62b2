"""Our tokenizer."""

from __future__ import annotations

from tools.bench.job import Job


def tokens(name: str, size: int) -> Job:
    """Prepare training or encoding; tokens for each byte are what both sides must agree on."""
    raise NotImplementedError
