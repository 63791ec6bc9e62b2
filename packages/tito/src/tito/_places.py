"""Where things are: the checkout, the milestones, the results."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_HERE = Path(__file__).resolve().parent


def is_checkout(folder: Path) -> bool:
    """Say whether a folder is the root of the framework's repository."""
    return (folder / "milestones").is_dir() and (folder / "packages" / "tinytorch" / "pyproject.toml").is_file()


def checkout() -> Path | None:
    """Return the root of the checkout that one stands in or else that tito itself runs from, or None."""
    here = Path.cwd()
    candidates = [here, *here.parents, *_HERE.parents]
    return next((folder for folder in candidates if is_checkout(folder)), None)


def milestones_folder() -> Path:
    """Return the folder of the milestones: the checkout's, which one can edit, or else the copy installed with tito."""
    root = checkout()
    return _HERE / "_milestones" if root is None else root / "milestones"


def results_folder() -> Path:
    """Return the folder of the results.

    `TINYTORCH_RESULTS` if it is set; in a checkout `milestones/results`; `./tinytorch-results` if that exists; or else
    a folder among the user's data.
    """
    named = os.environ.get("TINYTORCH_RESULTS")
    if named:
        return Path(named).expanduser()
    root = checkout()
    if root is not None:
        return root / "milestones" / "results"
    local = Path.cwd() / "tinytorch-results"
    return local if local.is_dir() else platformdirs.user_data_path("tinytorch") / "results"


def why_not_writable(folder: Path) -> str | None:
    """Say why a folder, or the nearest of its parents that exists, cannot be written to, or None; make nothing."""
    existing = next((path for path in [folder, *folder.parents] if path.exists()), Path("/"))
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return None
    what = "cannot be written to" if existing.is_dir() else "is no folder"
    return f"{folder}, where {existing} {what}"
