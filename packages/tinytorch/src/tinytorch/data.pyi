# ruff: noqa
# Written by `python -m tinytorch.typed_names` from _table.py: change that.

from tt_data import (
    Batch as Batch,
    Compose as Compose,
    Cutout as Cutout,
    DataError as DataError,
    DataLoader as DataLoader,
    Dataset as Dataset,
    DatasetInfo as DatasetInfo,
    DownloadError as DownloadError,
    Normalize as Normalize,
    RandomCrop as RandomCrop,
    RandomHorizontalFlip as RandomHorizontalFlip,
    Subset as Subset,
    TensorDataset as TensorDataset,
    Transform as Transform,
    cifar10 as cifar10,
    collate as collate,
    data_folder as data_folder,
    dataset_info as dataset_info,
    dataset_names as dataset_names,
    digits as digits,
    download as download,
    fashion_mnist as fashion_mnist,
    mnist as mnist,
    python_topics as python_topics,
    random_split as random_split,
    read_cifar10 as read_cifar10,
    read_idx as read_idx,
    stories260k as stories260k,
    tiny_shakespeare as tiny_shakespeare,
)

__all__: list[str]
