from __future__ import annotations

import hashlib
from importlib.resources import files


def test_the_file_is_the_one_that_its_readme_describes() -> None:
    folder = files("tt_data") / "_embedded_data"
    digest = hashlib.sha256((folder / "digits.npz").read_bytes()).hexdigest()
    assert digest in (folder / "README.md").read_text(encoding="utf-8")
