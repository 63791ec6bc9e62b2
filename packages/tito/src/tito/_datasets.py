"""The data sets, through `tinytorch.data`: which there are, which are here, fetching one."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True)
class DataSet:
    """One data set: its name, what it is, whether it comes with tt-data, and whether it is here."""

    name: str
    about: str
    embedded: bool
    here: bool

    def as_json(self) -> dict[str, str | bool]:
        """The row for programs."""
        return asdict(self)


def cache_folder() -> Path:
    """Return the folder of the fetched data sets."""
    named = os.environ.get("TINYTORCH_DATA")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("tinytorch")


def available() -> list[DataSet]:
    """Return the data sets, or none without tt-data."""
    return []


def get(name: str) -> DataSet:
    """Fetch."""
    raise NotImplementedError
