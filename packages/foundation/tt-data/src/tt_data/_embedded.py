"""Data sets that need no network: they come with this package, or with Python itself."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

import numpy as np

from ._dataset import TensorDataset
from ._errors import DataError

Split = Literal["train", "test"]


def require_split(split: str) -> None:
    """Refuse a split that no data set has.

    Raises:
        DataError: It is neither "train" nor "test".
    """
    if split not in ("train", "test"):
        raise DataError(f"there is no split {split!r}", hint="choose 'train' or 'test'")


def digits(split: Split = "train") -> TensorDataset:
    """Load the UCI handwritten digits: small grey images, embedded in this package.

    Of each class every fifth image, in the order of the original file, is a test image: 1,442 for training, 355 for
    testing, with the same share of every class.

    Args:
        split: `"train"` or `"test"`.

    Returns:
        Images `(N, 1, 8, 8)`, float32 from 0 to 1, and labels `(N,)`, int64.

    Raises:
        DataError: There is no such split.

    Example:
        >>> data = digits("test")
        >>> data.x.shape[1:], data.x.dtype.name, data.y.dtype.name
        ((1, 8, 8), 'float32', 'int64')
    """
    require_split(split)
    file = files(__package__) / "_embedded_data" / "digits.npz"
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    rank = np.zeros(len(labels), np.int64)
    for label in range(10):
        members = labels == label
        rank[members] = np.arange(members.sum())
    chosen = (rank % 5 == 4) == (split == "test")
    x = images[chosen, None].astype(np.float32) / np.float32(16)  # (N, 1, 8, 8)
    return TensorDataset(
        x, labels[chosen].astype(np.int64), source=f"UCI digits ({split})", classes=tuple("0123456789")
    )


def python_topics() -> str:
    """Return the text of Python's `help()` topics, about 460,000 characters of English that every CPython carries.

    It differs a little from one version of Python to the next.

    Example:
        >>> "function" in python_topics()
        True
    """
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))
