"""Scripts as modules: a milestone's folder begins with a digit, which no package may."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load(path: Path, name: str) -> ModuleType:
    """Run a script, but for its `if __name__ == "__main__"`, and return it as a module.

    Args:
        path: The script.
        name: What Python is to call the module: no other's name, so that neither stands in for the other.

    Raises:
        ImportError: There is no such file, or it is no Python.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ImportError(f"{path} cannot be loaded; name a Python file that is there")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    return module
