"""What all readers of vocabulary files do with files that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tt_tokenizers import BPETokenizer, TokenizerError

READERS: list[Callable[[Path], object]] = [
    BPETokenizer.from_llama2c,
    BPETokenizer.from_tiktoken,
    BPETokenizer.load,
    lambda path: BPETokenizer.from_gpt2(path, path),
]


@given(data=st.binary(max_size=200))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_refused_with_the_same_error(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "any"
    path.write_bytes(data)
    for read in READERS:
        # The file is named once, whoever found the fault.
        with pytest.raises(TokenizerError, match="any") as caught:
            read(path)
        assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("read", READERS)
def test_a_file_larger_than_any_vocabulary_is_not_read(read: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as stream:
        stream.truncate((1 << 28) + 1)
    with pytest.raises(TokenizerError, match="large: larger than 268,435,456 bytes"):
        read(path)


@pytest.mark.parametrize("read", READERS)
def test_a_missing_file_is_an_os_error(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "absent")
