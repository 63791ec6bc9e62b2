"""MNIST, Fashion-MNIST, Tiny Shakespeare and a pretrained Llama, downloaded at first use."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ._dataset import TensorDataset
from ._embedded import Split, require_split
from ._errors import DataError
from ._formats import Scale, opened, read_idx, read_up_to, scaled
from ._registry import dataset_info, download
from ._storage import data_folder, sha256_of

_FASHION_CLASSES = "T-shirt/top trouser pullover dress coat sandal shirt sneaker bag ankle_boot"
_UNVERIFIED = "{}, unverified copy"


def mnist(split: Split = "train", *, dtype: Scale = "float32") -> TensorDataset:
    """Load MNIST: 60,000 training and 10,000 test images of handwritten digits; downloaded at first use.

    Args:
        split: `"train"` or `"test"`.
        dtype: `"float32"` for 0 to 1, `"uint8"` for the file's own 0 to 255 in a quarter of the memory.

    Returns:
        Images `(N, 1, 28, 28)` and labels `(N,)`, int64. Its `source` says "unverified copy" unless both files
        have the official checksum.

    Raises:
        DataError: There is no such split, no network, or a file is malformed.

    Example:
        >>> mnist("test").x.shape  # doctest: +SKIP
        (10000, 1, 28, 28)
    """
    return _idx_dataset("mnist", "MNIST", split, dtype, tuple("0123456789"))


def fashion_mnist(split: Split = "train", *, dtype: Scale = "float32") -> TensorDataset:
    """Load Fashion-MNIST: MNIST's shapes, with ten kinds of clothing; downloaded at first use.

    Args:
        split: `"train"` or `"test"`.
        dtype: `"float32"` for 0 to 1, `"uint8"` for the file's own 0 to 255 in a quarter of the memory.

    Returns:
        Images `(N, 1, 28, 28)` and labels `(N,)`, int64. Its `source` says "unverified copy" unless both files
        have the official checksum.

    Raises:
        DataError: There is no such split, no network, or a file is malformed.

    Example:
        >>> fashion_mnist("test").classes[9]  # doctest: +SKIP
        'ankle boot'
    """
    classes = tuple(name.replace("_", " ") for name in _FASHION_CLASSES.split())
    return _idx_dataset("fashion_mnist", "Fashion-MNIST", split, dtype, classes)


def _idx_dataset(name: str, title: str, split: Split, dtype: Scale, classes: tuple[str, ...]) -> TensorDataset:
    require_split(split)
    if not dataset_info(name).cached:
        download(name)
    prefix = "train" if split == "train" else "t10k"
    wanted = [file for file in dataset_info(name).files if file.name.startswith(prefix)]
    paths = [data_folder() / name / file.name for file in wanted]
    images, labels = (read_idx(path, max_bytes=60_000 * 784) for path in paths)
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise DataError(f"holds {images.dtype}{images.shape}; images are uint8(N, 28, 28)", where=paths[0])
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise DataError(
            f"images {images.dtype}{images.shape} and labels {labels.dtype}{labels.shape} do not belong together",
            where=paths[0].parent,
        )
    if labels.size and labels.max() > 9:
        raise DataError(f"labels go up to {labels.max()}; there are ten classes", where=paths[1])
    official = all(sha256_of(path) == file.sha256 for path, file in zip(paths, wanted, strict=True))
    source = title if official else _UNVERIFIED.format(title)
    return TensorDataset(scaled(images[:, None], dtype), labels.astype(np.int64), source=source, classes=classes)


def tiny_shakespeare() -> str:
    """Load Tiny Shakespeare: about a million characters out of his plays; downloaded at first use.

    Raises:
        DataError: There is no network, or the file is not ASCII text of at most 16 MB.

    Example:
        >>> tiny_shakespeare()[:14]  # doctest: +SKIP
        'First Citizen:'
    """
    if not dataset_info("tiny_shakespeare").cached:
        download("tiny_shakespeare")
    path = data_folder() / "tinyshakespeare" / "input.txt"
    with opened(path) as stream:
        data = read_up_to(stream, (16 << 20) + 1)
    if len(data) > 16 << 20:
        raise DataError("is larger than 16 MB", where=path)
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise DataError(f"is not ASCII text ({error})", where=path, hint="download it again") from error


def stories260k() -> tuple[Path, Path]:
    """Return the files of a pretrained Llama, its weights and its tokenizer; downloaded at first use.

    It was trained on TinyStories, and is what llama2.c is tested with. Whoever reads the files checks them: see
    `Llama.from_llama2c` and `BPETokenizer.from_llama2c`.

    Raises:
        DataError: There is no network.

    Example:
        >>> [path.name for path in stories260k()]  # doctest: +SKIP
        ['stories260K.bin', 'tok512.bin']
    """
    if not dataset_info("stories260k").cached:
        download("stories260k")
    weights, tokens = (data_folder() / "stories260k" / file.name for file in dataset_info("stories260k").files)
    return weights, tokens
