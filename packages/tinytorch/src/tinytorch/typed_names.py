"""Write the `.pyi` files beside the lazy modules from the table: `python -m tinytorch.typed_names`.

A type checker cannot follow `__getattr__`; these files tell it what the table tells Python.
"""

from __future__ import annotations

from pathlib import Path

from tinytorch._table import BUILT, SUBMODULES, sources_of

_HEADER = "# ruff: noqa\n# Written by `python -m tinytorch.typed_names` from _table.py: change that.\n"


def _imports(space: str) -> list[str]:
    """Return the lines that import the names of the packages that exist, module by module."""
    by_module: dict[str, list[str]] = {}
    for name, source in sources_of(space).items():
        if source.package in BUILT:
            by_module.setdefault(source.module, []).append(name)
    lines = []
    for module in sorted(by_module):
        names = "".join(f"    {name} as {name},\n" for name in sorted(by_module[module]))
        lines.append(f"from {module} import (\n{names})\n")
    return lines


def _submodules(space: str) -> str:
    names = "".join(f"    {name} as {name},\n" for name in sorted(SUBMODULES.get(space, ())))
    package = ".".join(part for part in ("tinytorch", space) if part)
    return f"from {package} import (\n{names})\n" if names else ""


__all__ = ["main", "stub", "stubs"]


def stub(space: str) -> str:
    """Return the text of a lazy module's `.pyi` file.

    Args:
        space: The module below `tinytorch`; `""` for `tinytorch` itself.
    """
    parts = [_HEADER, "\n", _submodules(space), *_imports(space)]
    if not space:
        parts += ["from tinytorch._lazy import MissingPackageError as MissingPackageError\n", "\n__version__: str\n"]
    return "".join([*parts, "\n__all__: list[str]\n"])


def stubs() -> dict[str, str]:
    """Return every `.pyi` file's text, by its path below the package's folder."""
    spaces = sorted({space for package in BUILT for space in package.names} | set(SUBMODULES))
    files = {}
    for space in spaces:
        parts = space.split(".") if space else []
        is_package = space in SUBMODULES
        path = "/".join([*parts, "__init__"] if is_package else parts)
        files[f"{path}.pyi"] = stub(space)
    for package in BUILT:
        files[f"core/{package.core}.pyi"] = f"{_HEADER}\nfrom {package.import_name} import *\n"
    return files


def main() -> None:
    """Write the files that differ."""
    folder = Path(__file__).parent
    for path, text in stubs().items():
        target = folder / path
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
