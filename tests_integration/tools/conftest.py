from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.packages import ROOT
from tools.rules import check
from tools.rules._files import MARKER
from tools.rules._pyproject import render_template

TIERS = {1: "foundation", 2: "foundation", 3: "foundation", 9: "architecture"}


class Tree:
    """A small repository in a temporary folder, whose packages keep every rule until a test breaks one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copy(ROOT / "LICENSE", root / "LICENSE")

    def add(self, name: str, module: int, source: str = "", needs: tuple[str, ...] = ()) -> Path:
        folder = self.root / "packages" / TIERS[module] / name
        package = folder / "src" / name.replace("-", "_")
        (folder / "tests").mkdir(parents=True)
        package.mkdir(parents=True)
        text = render_template(name, package.name, module)
        declared = ", ".join(f'"{line}"' for line in ("numpy>=2.0", *needs))
        text = text.replace('dependencies = ["numpy>=2.0", "tt-tensor~=0.1"]', f"dependencies = [{declared}]")
        self.write(folder / "pyproject.toml", text)
        self.write(package / "__init__.py", source)
        self.write(package / "py.typed", "")
        self.write(folder / "README.md", f"# {name}\n")
        self.write(folder / "CHANGELOG.md", f"# Changelog\n\n{MARKER}\n")
        self.write(folder / "exercises.toml", "")
        shutil.copy(ROOT / "LICENSE", folder / "LICENSE")
        return folder

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def replace(self, path: Path, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text
        self.write(path, text.replace(old, new))

    def violations(self) -> list[str]:
        return [violation.describe(self.root) for violation in check(self.root)]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)
