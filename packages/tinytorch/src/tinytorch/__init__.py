"""TinyTorch: a machine-learning framework that its users build themselves, one small package at a time.

`import tinytorch as tt` shows whatever of the twenty packages is installed: `tt.Tensor`, `tt.nn.Linear`,
`tt.optim.Adam`. Nothing is loaded before it is used, and a name whose package is absent says which one to install.
`tinytorch.core.<module>` (`tinytorch.core.layers`) shows one package whole. With tt-autograd installed, whatever comes
through here can be trained.
"""

from __future__ import annotations

from tinytorch import _lazy

MissingPackageError = _lazy.MissingPackageError

_get, __dir__ = _lazy.lazy(__name__)


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib import metadata  # here, because it costs more than all the rest of this module

        try:
            return metadata.version("tinytorch")
        except metadata.PackageNotFoundError:
            raise AttributeError("tinytorch is on the path without being installed: no version is known") from None
    return _get(name)
