"""The data sets, through `tinytorch.data`: which there are, which are here, fetching one."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs
import tinytorch as tt

from tito._errors import FAILED, TitoError


@dataclass(frozen=True)
class DataSet:
    """One data set: its name, its title, the bytes to download (0: it comes along), its terms, and if it is here."""

    name: str
    title: str
    bytes: int
    licence: str
    source: str
    here: bool

    @property
    def embedded(self) -> bool:
        """Whether it comes with tt-data or Python itself."""
        return self.bytes == 0

    def as_json(self) -> dict[str, str | int | bool]:
        """The row for programs."""
        return {**asdict(self), "embedded": self.embedded}


def cache_folder() -> Path:
    """Return the folder of the fetched data sets, also where tt-data is absent."""
    try:
        return tt.data.data_folder()
    except tt.MissingPackageError:
        return default_folder()


def default_folder() -> Path:
    """Return what tt-data calls the folder of the fetched data sets, without asking it."""
    named = os.environ.get("TINYTORCH_DATA")
    if named:
        return Path(named).expanduser().absolute()
    return platformdirs.user_cache_path("tinytorch", appauthor=False) / "data"


def _describe(name: str) -> DataSet:
    info = tt.data.dataset_info(name)
    return DataSet(name, info.title, info.bytes, info.licence, info.source, info.cached)


def available() -> list[DataSet]:
    """Return the data sets.

    Raises:
        TitoError: Without tt-data.
    """
    try:
        return [_describe(name) for name in tt.data.dataset_names()]
    except tt.MissingPackageError as error:
        raise TitoError("the data sets come with tt-data", "an installation without it", _install(error)) from None


def _install(error: tt.MissingPackageError) -> str:
    return str(error).rpartition(": ")[2]


def get(name: str, *, force: bool = False) -> DataSet:
    """Fetch a data set unless it is here; tt-data shows the bar, and checks the SHA-256.

    Args:
        name: Its name, as in `available()`.
        force: Whether to fetch again what is here.

    Raises:
        TitoError: If there is none of that name, no network, or something else at the address.
    """
    known = {each.name: each for each in available()}
    wanted = name.strip().lower().replace("-", "_")
    if wanted not in known:
        raise TitoError("there is no such data set", repr(name), f"use one of: {', '.join(known)}")
    # A loose copy of CIFAR-10 serves as well as the archive: what can be loaded is not fetched.
    if known[wanted].here and not force:
        return known[wanted]
    try:
        tt.data.download(wanted, force=force)
    except tt.data.DataError as error:
        do = f"look at the network and try again; or put the files into {cache_folder()} yourself"
        raise TitoError(f"{wanted} could not be fetched", str(error), do, FAILED) from None
    except OSError as error:
        do = f"look at the rights and the room of {cache_folder()}, or set TINYTORCH_DATA to another folder"
        raise TitoError(f"{wanted} could not be written", str(error), do, FAILED) from None
    return _describe(wanted)
