"""CIFAR-10, from whatever form of it is there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ._dataset import TensorDataset
from ._embedded import Split, require_split
from ._errors import DataError
from ._formats import CIFAR_RECORD, Scale, cifar_bytes, scaled, split_records
from ._registry import dataset_info, download
from ._storage import data_folder, sha256_of

_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_FOLDER = "cifar-10-batches-bin"
_PYTHON_FOLDER = "cifar-10-batches-py"
_PYTHON_ARCHIVE = "cifar-10-python.tar.gz"
# SHA-256 of the records, decompressed: of the official files, and of two known excerpts.
_DIGESTS = {
    "data_batch_1": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
_EXCERPTS = {
    "0993cf8b8e43bc207603aef9787006995746513f5e3fa5a52e06d1b069926330": "CIFAR-10, first 4,000 of 50,000",
    "8314c96d7cd65618193bab23acdd5d4c4af15bf6dd00a1781d55beedf3be1ef5": "CIFAR-10, first 1,000 of 10,000",
}
_UNVERIFIED = "CIFAR-10, unverified copy"


def cifar10(
    split: Split = "train",
    *,
    dtype: Scale = "float32",
    folder: str | os.PathLike[str] | None = None,
    source: str | None = None,
) -> TensorDataset:
    """Load CIFAR-10: 50,000 training and 10,000 test colour images of ten classes; downloaded at first use.

    The folder may hold the official archive `cifar-10-binary.tar.gz` or the files out of it; else the Python version,
    `cifar-10-python.tar.gz` or the files out of it; else an excerpt such as `data_batch_1.first4000.bin.gz`. The files
    of the Python version are pickles, which could run any code: they are read as data, without the `pickle` module, and
    one that asks for anything but a dictionary, lists and an array is refused.

    Args:
        split: `"train"` or `"test"`.
        dtype: `"float32"` for 0 to 1, `"uint8"` for the file's own 0 to 255 in a quarter of the memory.
        folder: Where the files lie; `cifar10` in `data_folder()` if `None`.
        source: What to call the data in reports, such as `"CIFAR-10, JPEG copy"`. If `None`, what its checksums prove:
            the official data, a known excerpt, or an "unverified copy".

    Returns:
        Images `(N, 3, 32, 32)` and labels `(N,)`, int64.

    Raises:
        DataError: There is no such split, no network, nothing in the folder, or a file is malformed.

    Example:
        >>> cifar10("test").classes[3]  # doctest: +SKIP
        'cat'
    """
    require_split(split)
    place = data_folder() / "cifar10" if folder is None else Path(folder)
    parts, proven = _parts(place, split)
    if not parts:
        if folder is not None:
            raise DataError(f"holds no CIFAR-10 files of the {split} split", where=place)
        download("cifar10")
        parts, proven = _parts(place, split)
    images, labels = _joined(parts, place)
    return TensorDataset(scaled(images, dtype), labels, source=source or proven, classes=_CLASSES)


def _stems(split: Split) -> list[str]:
    return [stem for stem in _DIGESTS if stem.startswith("test" if split == "test" else "data")]


def _parts(place: Path, split: Split) -> tuple[dict[str, bytearray], str]:
    """Read the records of the best form that is there, and what their checksums prove; nothing if there is none."""
    official = dataset_info("cifar10").files[0]
    if paths := _loose(place, _FOLDER, split, ".bin") or _loose(place, _FOLDER, split, ".bin.gz"):
        parts = {stem: cifar_bytes(path) for stem, path in paths.items()}
    elif (archive := place / official.name).is_file():
        parts = _members(archive, _FOLDER, split, ".bin", 10_000 * CIFAR_RECORD)
        return parts, "CIFAR-10" if sha256_of(archive) == official.sha256 else _UNVERIFIED
    elif parts := _python_parts(place, split):
        pass
    else:
        excerpts = sorted(path for stem in _stems(split) for path in place.glob(f"{stem}.first*.bin*"))
        parts = {
            path.name.removesuffix(".gz").removesuffix(".bin"): cifar_bytes(path)
            for path in excerpts
            if path.suffix in (".bin", ".gz")
        }
    return parts, _proven_source(parts)


def _python_parts(place: Path, split: Split) -> dict[str, bytearray]:
    """Read the Python version, as records of the binary version; nothing if it is not there."""
    paths = _loose(place, _PYTHON_FOLDER, split, "")
    if not paths and not (place / _PYTHON_ARCHIVE).is_file():
        return {}
    from ._cifar_python import MAX_FILE_BYTES, python_bytes, python_records  # brings pickletools, which few need

    if paths:
        files = {stem: python_bytes(path) for stem, path in paths.items()}
    else:
        files = _members(place / _PYTHON_ARCHIVE, _PYTHON_FOLDER, split, "", MAX_FILE_BYTES)
    for stem, data in files.items():
        with _named(stem, place):
            files[stem] = python_records(data)
    return files


def _loose(place: Path, inside: str, split: Split, ending: str) -> dict[str, Path]:
    """Find all of the split's files with an ending, in the folder or the one inside it; nothing if one lacks."""
    for root in (place, place / inside):
        paths = {stem: root / (stem + ending) for stem in _stems(split)}
        if all(path.is_file() for path in paths.values()):
            return paths
    return {}


def _members(path: Path, inside: str, split: Split, ending: str, most: int) -> dict[str, bytearray]:
    """Read the split's files out of an archive; the official ones unpack to 184 and 186 MB."""
    from ._archive import read_members  # brings tarfile, which few programs need

    names = {f"{inside}/{stem}{ending}": stem for stem in _stems(split)}
    members = read_members(path, names, max_member_bytes=most, max_bytes=200_000_000)
    return {stem: members[name] for name, stem in names.items()}


def _proven_source(parts: dict[str, bytearray]) -> str:
    digests = {stem: hashlib.sha256(data).hexdigest() for stem, data in parts.items()}
    if all(_DIGESTS.get(stem) == digest for stem, digest in digests.items()):
        return "CIFAR-10"
    return _EXCERPTS.get(next(iter(digests.values())), _UNVERIFIED) if len(digests) == 1 else _UNVERIFIED


@contextmanager
def _named(stem: str, place: Path) -> Iterator[None]:
    """Let an error say which file it is about."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{stem}: {error.what}", where=place, hint="take the binary version of CIFAR-10") from error


def _joined(parts: dict[str, bytearray], place: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    images, labels = [], []
    for stem, data in parts.items():
        with _named(stem, place):
            pixels, classes = split_records(data)
        images.append(pixels)
        labels.append(classes)
    return np.concatenate(images), np.concatenate(labels)
