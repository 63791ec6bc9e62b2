"""Take the milestones along, so that `tito milestone run` works where there is no checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class MilestonesHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling leaves its own parameter open
    """Put `milestones/NN_YEAR_name/` of the repository into the wheel and the sdist, sources and texts only."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add each file; an editable install uses the live folder, a build from the sdist finds its copy in src."""
        repository = Path(self.root).parent.parent
        if version == "editable" or not (repository / "packages" / "tinytorch" / "pyproject.toml").is_file():
            return
        target = "src/tito/_milestones" if self.target_name == "sdist" else "tito/_milestones"
        for path in sorted((repository / "milestones").glob("[0-9][0-9]_*/**/*")):
            if path.suffix in {".py", ".md"}:
                inside = path.relative_to(repository / "milestones").as_posix()
                build_data["force_include"][str(path)] = f"{target}/{inside}"
