"""Hold every package to the rules of the house: ``python3 tools/check_packages.py``.

The rules are in ``tools/rules``; this file starts them from the repository's root, whatever the current folder.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the rules and give their exit code."""
    root = Path(__file__).resolve().parent.parent
    arguments = [str(Path(each).resolve()) if not each.startswith("-") else each for each in sys.argv[1:]]
    return subprocess.call([sys.executable, "-m", "tools.rules", *arguments], cwd=root)


if __name__ == "__main__":
    raise SystemExit(main())
