"""Names that load their package when they are first used, and say what to install where it is absent (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from types import ModuleType

from tinytorch._table import PACKAGES, PLANNED, SUBMODULES, Package, Source, by_import_name, homes, sources_of

__all__ = ["MissingPackageError", "core", "lazy"]

ENGINE = "tt_autograd"


class MissingPackageError(ImportError):
    """A name was asked for whose package is not installed; `name` is the package as Python calls it.

    It is an ImportError, and no AttributeError, because Python swallows the latter in `from tinytorch.nn import Conv2d`
    and would say no more than "cannot import name".

    Example:
        >>> from tinytorch._table import PACKAGES
        >>> print(MissingPackageError.of("tt.nn.Linear", PACKAGES[2]))
        tt.nn.Linear needs tt-layers (module 3), which is not installed: pip install "tinytorch[foundation]"
    """

    @classmethod
    def of(cls, wanted: str, package: Package, through: Package | None = None) -> MissingPackageError:
        """Return the error for a name, the package that is absent and, if it is another, the one that needs it."""
        path = "" if through is None or through is package else f"{through.distribution}, and that needs "
        needs = f"{wanted} needs {path}{package.distribution} (module {package.module}), which is"
        why = "planned and not written yet" if package in PLANNED else "not installed"
        do = (
            "use a package of that name of your own"
            if package in PLANNED
            else f'pip install "tinytorch[{package.tier}]"'
        )
        return cls(f"{needs} {why}: {do}", name=package.import_name)


def _import(module: str, wanted: str, package: Package) -> ModuleType:
    """Import a module of a package; an absent package of the framework becomes a `MissingPackageError`."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        absent = by_import_name(error.name or "")
        if absent is None:  # a third party's module, or a part of the package itself: its own message is the right one
            raise
        raise MissingPackageError.of(wanted, absent, through=package) from None


def _install_engine(wanted: str) -> None:
    """Import tt-autograd, if it is installed, so that whatever comes through the facade can be trained.

    Raises:
        MissingPackageError: If tt-autograd is there and a package that it needs is not.
    """
    engine = by_import_name(ENGINE)
    if engine is None:
        return
    try:
        _import(ENGINE, wanted, engine)
    except MissingPackageError as error:
        if error.name != ENGINE:
            raise


def _load(source: Source, wanted: str) -> ModuleType:
    _install_engine(wanted)
    return _import(source.module, wanted, source.package)


def _is_installed(package: Package) -> bool:
    from importlib.util import find_spec  # here, because only dir() and import * pay for it

    if package.import_name in sys.modules:
        return True
    try:
        return find_spec(package.import_name) is not None
    except ModuleNotFoundError:  # an import hook may refuse instead of not finding
        return False


def _spoken(space: str) -> str:
    """Return what a user types for a lazy module: `tt`, `tt.nn`."""
    return f"tt.{space}" if space else "tt"


def _unknown(space: str, name: str, module: ModuleType) -> AttributeError:
    message = f"{_spoken(space)} has no {name!r}"
    found = homes(name)
    if found:
        message += f"; did you mean {' or '.join(f'{_spoken(home)}.{name}' for home in found)}?"
    return AttributeError(message, name=name, obj=module)


def lazy(module_name: str) -> tuple[Callable[[str], object], Callable[[], Iterable[str]]]:
    """Return `__getattr__` and `__dir__` of a lazy module of the facade, as the table fills it.

    Args:
        module_name: The module's `__name__`, such as `tinytorch.nn`.
    """
    space = module_name.partition(".")[2]

    def available() -> list[str]:
        here = [name for name, source in sources_of(space).items() if _is_installed(source.package)]
        return sorted([*here, *SUBMODULES.get(space, ())])

    def get(name: str) -> object:
        module = sys.modules[module_name]
        if name == "__all__":
            return available()
        if name in SUBMODULES.get(space, ()):
            return import_module(f"{module_name}.{name}")
        source = None if name.startswith("_") else sources_of(space).get(name)
        if source is None:
            raise _unknown(space, name, module)
        value = getattr(_load(source, f"{_spoken(space)}.{name}"), name)
        setattr(module, name, value)  # the facade's own module: from now on Python finds the name without asking
        return value

    return get, available


def core(module_name: str) -> tuple[Callable[[str], object], Callable[[], Iterable[str]]]:
    """Return `__getattr__` and `__dir__` of `tinytorch.core.<module>`, which shows one package whole.

    Args:
        module_name: The module's `__name__`, such as `tinytorch.core.layers`.
    """
    name_here = module_name.rpartition(".")[2]
    package = next(package for package in PACKAGES if package.core == name_here)

    def public(wanted: str) -> list[str]:
        return list(_load(Source(package, package.import_name), wanted).__all__)

    def get(name: str) -> object:
        if name == "__all__":
            return public(module_name)
        if name.startswith("_"):
            raise AttributeError(f"{module_name} has no {name!r}", name=name, obj=sys.modules[module_name])
        wanted = f"{module_name}.{name}"
        try:
            return getattr(_load(Source(package, package.import_name), wanted), name)
        except MissingPackageError as error:
            if name in package.known:
                raise
            # Tools ask any module for names of their own ("pytest_plugins"): only an AttributeError means no to them.
            raise AttributeError(str(error), name=name, obj=sys.modules[module_name]) from None

    def names() -> list[str]:
        return public(module_name) if _is_installed(package) else []

    return get, names
