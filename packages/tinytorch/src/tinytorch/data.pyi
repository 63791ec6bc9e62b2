# ruff: noqa
# Written by `python -m tinytorch._stubs` from _table.py: change that.

from tt_data import (
    Batch as Batch,
    DataLoader as DataLoader,
    Dataset as Dataset,
    Subset as Subset,
    TensorDataset as TensorDataset,
    cifar10 as cifar10,
    digits as digits,
    fashion_mnist as fashion_mnist,
    mnist as mnist,
    python_topics as python_topics,
    random_split as random_split,
    tiny_shakespeare as tiny_shakespeare,
)
from tt_data.transforms import (
    Compose as Compose,
    Cutout as Cutout,
    Normalize as Normalize,
    RandomCrop as RandomCrop,
    RandomHorizontalFlip as RandomHorizontalFlip,
)

__all__: list[str]
