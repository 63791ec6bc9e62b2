"""The modules of the framework as people name them."""

from __future__ import annotations

from tinytorch.packages import PACKAGES, Package, version_of

from tito._errors import TitoError


def find(wanted: str) -> Package:
    """Return the package of a module's number (`6`, `06`) or name (`tt-autograd`, `autograd`).

    Raises:
        TitoError: If there is none.
    """
    text = wanted.strip().lower().replace("_", "-")
    for package in PACKAGES:
        if text.isdecimal() and int(text) == package.module:
            return package
        if text in (package.distribution, package.core):
            return package
    raise TitoError("there is no such module", repr(wanted), "use a number from 1 to 20, or a name such as tt-tensor")


def require(package: Package) -> None:
    """Make sure that a package is installed.

    Raises:
        TitoError: If it is not.
    """
    if version_of(package) is None:
        do = f'install it: pip install "tinytorch[{package.tier}]"'
        raise TitoError(f"{package.distribution} is not installed", f"module {package.module}", do)
