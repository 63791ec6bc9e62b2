"""Which data sets there are, where they come from, and whether they are here."""

from __future__ import annotations

from dataclasses import dataclass

from ._download import download_file
from ._errors import DataError
from ._storage import data_folder, sha256_of


@dataclass(frozen=True)
class RemoteFile:
    """A file as its publisher distributes it.

    Attributes:
        name: Its file name.
        url: Its https address.
        sha256: Its SHA-256, in hexadecimal.
        size: Its size in bytes.
    """

    name: str
    url: str
    sha256: str
    size: int


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set before it is loaded.

    Attributes:
        name: Its name here; also the name of the function that loads it.
        title: Its name in words.
        files: What is downloaded; nothing if it is embedded.
        bytes: How much that is.
        licence: Its terms, as far as they are stated.
        source: Who publishes it.
        cached: Whether it can be loaded without a network.
    """

    name: str
    title: str
    files: tuple[RemoteFile, ...]
    bytes: int
    licence: str
    source: str
    cached: bool


@dataclass(frozen=True)
class _Entry:
    title: str
    licence: str
    source: str
    folder: str = ""
    files: tuple[RemoteFile, ...] = ()


def _files(base: str, *rows: tuple[str, int, str]) -> tuple[RemoteFile, ...]:
    return tuple(RemoteFile(name, base + name, sha256, size) for name, size, sha256 in rows)


# The original page (yann.lecun.com) no longer serves the files, and never did over https: this is the copy that
# PyTorch's own loader uses; the checksums are the original's.
_MNIST = _files(
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    (
        "train-images-idx3-ubyte.gz",
        9912422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    ("train-labels-idx1-ubyte.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    ("t10k-images-idx3-ubyte.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    ("t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
)
_FASHION = _files(
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    (
        "train-images-idx3-ubyte.gz",
        26421880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    ("train-labels-idx1-ubyte.gz", 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    ("t10k-images-idx3-ubyte.gz", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    ("t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
)
_CIFAR = _files(
    "https://www.cs.toronto.edu/~kriz/",
    ("cifar-10-binary.tar.gz", 170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
)
_SHAKESPEARE = _files(
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/",
    ("input.txt", 1115394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"),
)
_STORIES = _files(
    "https://huggingface.co/karpathy/tinyllamas/resolve/main/stories260K/",
    ("stories260K.bin", 1056540, "b0a507e7ad0f626624f17112325e66691f9076d622e1d3274d103d00299f2696"),
    ("tok512.bin", 6227, "037cb335abb25d1fa9e8ecae30ed2a3a8ace9302862ebcdc05d51a6bbb10c312"),
)

_ENTRIES = {
    "digits": _Entry("UCI handwritten digits, 8x8", "CC BY 4.0", "UCI Machine Learning Repository, by scikit-learn"),
    "python_topics": _Entry("Python's help topics", "PSF-2.0", "CPython's own pydoc_data.topics"),
    "mnist": _Entry(
        "MNIST",
        "commonly stated as CC BY-SA 3.0; the original page names none",
        "Y. LeCun, C. Cortes, C. Burges (http://yann.lecun.com/exdb/mnist/)",
        "mnist",
        _MNIST,
    ),
    "fashion_mnist": _Entry(
        "Fashion-MNIST",
        "MIT",
        "Zalando SE (https://github.com/zalandoresearch/fashion-mnist)",
        "fashion_mnist",
        _FASHION,
    ),
    "cifar10": _Entry(
        "CIFAR-10",
        "none stated; free for research by custom, citing A. Krizhevsky 2009",
        "A. Krizhevsky (https://www.cs.toronto.edu/~kriz/cifar.html)",
        "cifar10",
        _CIFAR,
    ),
    "tiny_shakespeare": _Entry(
        "Tiny Shakespeare",
        "public domain (the repository: MIT)",
        "A. Karpathy (https://github.com/karpathy/char-rnn)",
        "tinyshakespeare",
        _SHAKESPEARE,
    ),
    "stories260k": _Entry(
        "A pretrained Llama of 260K parameters, and its tokenizer",
        "MIT",
        "A. Karpathy (https://huggingface.co/karpathy/tinyllamas)",
        "stories260k",
        _STORIES,
    ),
}


def _entry(name: str) -> _Entry:
    if name not in _ENTRIES:
        raise DataError(f"there is no data set {name!r}", hint=f"choose one of {', '.join(_ENTRIES)}")
    return _ENTRIES[name]


def dataset_names() -> tuple[str, ...]:
    """Return the names of all data sets, the embedded ones first.

    Example:
        >>> dataset_names()
        ('digits', 'python_topics', 'mnist', 'fashion_mnist', 'cifar10', 'tiny_shakespeare', 'stories260k')
    """
    return tuple(_ENTRIES)


def dataset_info(name: str) -> DatasetInfo:
    """Return what is known of a data set; nothing is downloaded.

    Args:
        name: One of `dataset_names()`.

    Raises:
        DataError: There is none of that name.

    Example:
        >>> dataset_info("mnist").bytes
        11594722
    """
    entry = _entry(name)
    folder = data_folder() / entry.folder
    here = all((folder / file.name).is_file() for file in entry.files)
    size = sum(file.size for file in entry.files)
    # A loose copy of CIFAR-10 serves as well as the archive, and so does the Python version.
    others = ("**/data_batch_1*.bin*", "**/data_batch_1", "cifar-10-python.tar.gz") if name == "cifar10" else ()
    here = here or any(any(folder.glob(pattern)) for pattern in others)
    return DatasetInfo(name, entry.title, entry.files, size, entry.licence, entry.source, here)


def download(name: str, *, force: bool = False, progress: bool = True) -> DatasetInfo:
    """Download a data set into `data_folder()`, except what lies there whole.

    Args:
        name: One of `dataset_names()`; those that are embedded need nothing.
        force: Whether to download also what is there.
        progress: Whether to show a bar, if rich is installed and standard error is a terminal.

    Raises:
        DataError: There is none of that name.
        DownloadError: There is no network, something else at the address, or no room.

    Example:
        >>> download("digits").cached
        True
    """
    entry = _entry(name)
    for file in entry.files:
        path = data_folder() / entry.folder / file.name
        if force or not path.is_file() or sha256_of(path) != file.sha256:
            download_file(file.url, path, sha256=file.sha256, size=file.size, progress=progress)
    return dataset_info(name)
