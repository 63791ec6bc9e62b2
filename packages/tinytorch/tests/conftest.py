from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

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
