"""TinyTorch module 05: data sets, batches, loaders and transforms."""

from __future__ import annotations

from ._batch import Batch, Field, Sample, collate
from ._cifar import cifar10
from ._dataset import Dataset, Samples, Subset, TensorDataset, random_split
from ._download import download_file
from ._embedded import digits, python_topics
from ._errors import DataError, DownloadError
from ._formats import read_cifar10, read_idx
from ._loader import DataLoader
from ._official import fashion_mnist, mnist, stories260k, tiny_shakespeare
from ._registry import DatasetInfo, RemoteFile, dataset_info, dataset_names, download
from ._storage import data_folder
from .transforms import Compose, Cutout, Normalize, RandomCrop, RandomHorizontalFlip, Transform

__all__ = [
    "Batch",
    "Compose",
    "Cutout",
    "DataError",
    "DataLoader",
    "Dataset",
    "DatasetInfo",
    "DownloadError",
    "Field",
    "Normalize",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RemoteFile",
    "Sample",
    "Samples",
    "Subset",
    "TensorDataset",
    "Transform",
    "cifar10",
    "collate",
    "data_folder",
    "dataset_info",
    "dataset_names",
    "digits",
    "download",
    "download_file",
    "fashion_mnist",
    "mnist",
    "python_topics",
    "random_split",
    "read_cifar10",
    "read_idx",
    "stories260k",
    "tiny_shakespeare",
]
