"""The one table of the framework's packages: a line each says its module, its tier and where its names appear.

`nn.functional` holds `softmax` because a line here says so; the `.pyi` files beside the lazy modules, which type
checkers read, are written from these lines by `python -m tinytorch._write_stubs`, and a test compares the two.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PACKAGES", "Package", "by_import_name"]


class Package(NamedTuple):
    """One package of the framework.

    Args:
        distribution: What pip calls it.
        module: Its number in the course.
        tier: The extra of `tinytorch` that installs it.
        core: Its name below `tinytorch.core`.
        names: For each lazy module of the facade (`""` is `tinytorch` itself) the names that it shows, between spaces.
            A prefix `part:` takes them from that submodule of the package: `"init:kaiming_normal xavier_normal"`.
    """

    distribution: str
    module: int
    tier: str
    core: str
    names: dict[str, str]

    @property
    def import_name(self) -> str:
        """What Python calls it."""
        return self.distribution.replace("-", "_")


class Source(NamedTuple):
    """Where one name of a lazy module comes from: a package, and the module of it that holds the name."""

    package: Package
    module: str


# fmt: off
PACKAGES: tuple[Package, ...] = (
    Package("tt-tensor", 1, "foundation", "tensor", {}),
    Package("tt-activations", 2, "foundation", "activations", {}),
    Package("tt-layers", 3, "foundation", "layers", {}),
    Package("tt-losses", 4, "foundation", "losses", {}),
    Package("tt-data", 5, "foundation", "data", {}),
    Package("tt-autograd", 6, "foundation", "autograd", {}),
    Package("tt-optim", 7, "foundation", "optim", {}),
    Package("tt-train", 8, "foundation", "train", {}),
)
# fmt: on


def by_import_name(name: str) -> Package | None:
    """Return the package that Python calls so, or None."""
    return next((package for package in PACKAGES if package.import_name == name), None)
