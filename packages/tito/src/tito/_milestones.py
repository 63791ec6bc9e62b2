"""The milestones: finding them, reading their front page, running their script."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tinytorch.milestone import COULD_NOT_RUN

from tito._errors import CRASHED, FAILED, TitoError
from tito._places import milestones_folder, why_not_writable
from tito._results import missed

_FOLDER = re.compile(r"(\d\d)_(\d{4})_(\w+)")
_HEADING = re.compile(r"^#\s+(.+?)\s*$", re.MULTILINE)
_GATE = re.compile(r"^[\s>*_-]*Gate\b([^:\n]*):[*_]*\s*(.+?)\s*$", re.MULTILINE)
_GRACE = 5.0  # seconds for a script to end by itself after Ctrl-C


@dataclass(frozen=True)
class Milestone:
    """One milestone.

    Args:
        folder: Its folder, `NN_YEAR_name`.
        number: Its number.
        year: The year of what it re-enacts.
        name: Its short name, such as `perceptron`.
    """

    folder: Path
    number: int
    year: int
    name: str

    @property
    def script(self) -> Path:
        """The script that runs it."""
        return self.folder / "run.py"

    @property
    def text(self) -> str:
        """Its README."""
        path = self.folder / "README.md"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    @property
    def title(self) -> str:
        """The README's first heading, or else the folder's name."""
        heading = _HEADING.search(self.text)
        return heading[1] if heading else self.folder.name

    @property
    def gates(self) -> list[str]:
        """The README's `Gate:` lines, with what stands between the word and the colon."""
        return [f"{kind.strip(' *_')} {text}".strip() for kind, text in _GATE.findall(self.text)]


def find_all() -> list[Milestone]:
    """Return every milestone that has a script, in order."""
    found = []
    for path in sorted(milestones_folder().glob("*/run.py")):
        match = _FOLDER.fullmatch(path.parent.name)
        if match:
            found.append(Milestone(path.parent, int(match[1]), int(match[2]), match[3]))
    return found


def find(wanted: str) -> Milestone:
    """Return the milestone of a number (`1`, `01`), a name (`perceptron`), a year or a folder's name.

    Raises:
        TitoError: If there is none, or several.
    """
    milestones = find_all()
    if not milestones:
        do = "run tito inside a checkout of the repository, or install tt-tito again"
        raise TitoError("there are no milestones here", f"an empty {milestones_folder()}", do)
    text = wanted.strip().lower()
    if text.isdecimal():
        found = [each for each in milestones if int(text) in (each.number, each.year)]
    else:
        exact = [each for each in milestones if text in (each.name.lower(), each.folder.name.lower())]
        found = exact or [each for each in milestones if text and each.name.lower().startswith(text)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{each.number:02d} {each.name}" for each in (found or milestones))
    what = "several milestones answer to this name" if found else "there is no such milestone"
    raise TitoError(what, repr(wanted), f"use one of: {known}")


def run(milestone: Milestone, results: Path, *, full: bool, seed: int, as_json: bool) -> tuple[int, set[str]]:
    """Run a milestone's script in a process of its own, so that a crash in it cannot take tito down.

    Args:
        milestone: Which.
        results: The folder of its results.
        full: Whether to use the real data set.
        seed: The seed.
        as_json: Whether stdout is reserved for JSON; the script's text then goes to stderr.

    Returns:
        0 if the gate held, 1 if it was missed; and the names of the results that it wrote.

    Raises:
        TitoError: If its results could not be kept, or if the script ended in any other way.
        KeyboardInterrupt: After the script has ended too.
    """
    if wrong := why_not_writable(results):  # told now, not when the training is over
        do = "look with `tito doctor`, or set TINYTORCH_RESULTS to another folder"
        raise TitoError("the results cannot be kept", wrong, do, CRASHED)
    options = ["--seed", str(seed), "--out", str(results), *(["--full"] if full else [])]
    command = [sys.executable, "-X", "faulthandler", str(milestone.script), *options]
    before = _written(milestone, results)
    # What a model writes may hold a letter that the terminal cannot show: no reason to lose its training.
    encoding = os.environ.get("PYTHONIOENCODING", "").partition(":")[0]
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:replace"}
    with subprocess.Popen(command, stdout=2 if as_json else None, env=environment) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            _stop(process)
            raise
    written = {name for name, stamp in _written(milestone, results).items() if before.get(name) != stamp}
    # An uncaught exception also ends Python with 1: only a missed gate that this run has written is one.
    if code == 0 or (code == FAILED and any(missed(results / name) for name in written)):
        return code, written
    raise _ended(milestone, code, command, written)


def _written(milestone: Milestone, results: Path) -> dict[str, tuple[int, int]]:
    """Return what tells one writing of a result file from the next: a rename always makes a new inode."""
    stats = {path.name: path.stat() for path in results.glob(f"{milestone.folder.name}*.json")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Let the script, which got the same Ctrl-C, end by itself; end it if it does not."""
    try:
        process.wait(timeout=_GRACE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()


def _ended(milestone: Milestone, code: int, command: list[str], written: set[str]) -> TitoError:
    got = f"the signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    kept = f"only {', '.join(sorted(written))}" if written else "no result"
    replay = f"read the traceback above; replay it with: {shlex.join(command)}"
    do = "do as the line above says, and run it again" if code == COULD_NOT_RUN else replay
    what = f"milestone {milestone.number:02d} stopped before it had {'every' if written else 'a'} result"
    return TitoError(what, f"{got} and {kept}", do, CRASHED)
