from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType

import pytest

# Stands in for packages that are not installed: Python asks this finder before all others.
HIDE = """
import sys
class Hidden:
    names = frozenset({names!r})
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None
sys.meta_path.insert(0, Hidden())
"""

Python = Callable[..., str]


@pytest.fixture
def python() -> Python:
    """Runs code in a fresh interpreter, some packages hidden, and returns what it printed."""

    def run(code: str, hidden: tuple[str, ...] = ()) -> str:
        program = HIDE.format(names=hidden) + code
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


class Hidden:
    """Stands in, in this process, for packages that are not installed."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.fixture
def hide(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ModuleType]]:
    """Hides packages from this process and returns a fresh facade; afterwards everything is as it was."""
    before = dict(sys.modules)
    affected = {"tinytorch"}

    def run(*names: str) -> ModuleType:
        affected.update(names)
        forget()
        monkeypatch.setattr(sys, "meta_path", [Hidden(names), *sys.meta_path])
        return importlib.import_module("tinytorch")

    def forget() -> None:
        for module in list(sys.modules):
            if module.partition(".")[0] in affected:
                del sys.modules[module]

    yield run
    forget()
    sys.modules.update({name: module for name, module in before.items() if name.partition(".")[0] in affected})
