"""What every milestone's script needs besides the framework: its options, its result on disk, its picture.

A milestone imports `tinytorch` and nothing else. Its script is a plain file that runs on its own
(`python milestones/01_1958_perceptron/run.py`) and under `tito milestone run 1`, and looks like this:

    from __future__ import annotations

    import sys
    from collections.abc import Sequence

    import tinytorch as tt
    from tinytorch import milestone


    def main(argv: Sequence[str] | None = None) -> int:
        report = milestone.start(__file__, "Perceptron, 1958", argv)    # parses argv, seeds tt.manual_seed
        report.uses("blobs")                                            # the data set's name, kept in the result
        report.say("Two clouds of points, one line between them.")      # for people; on stderr under --json
        for epoch in report.progress(range(100), "learning"):           # a bar with ETA, on a terminal only
            ...
        report.metric("epochs", epoch + 1)
        report.gate("separable data is learnt in full", value=accuracy, threshold=1.0)          # value >= threshold
        report.gate("... in finite steps", value=epoch + 1, threshold=100, at_most=True)        # value <= threshold
        report.picture(                                                 # a matplotlib Figure, or text without it
            lambda figure: draw(figure.subplots(), points),
            text=lambda: milestone.text_scatter(points, marks),
        )
        return report.finish()                                          # writes the files; 0 if every gate held, else 1


    if __name__ == "__main__":
        sys.exit(milestone.exit_code(main))                            # a line, no traceback, for Ctrl-C or no network

`start` understands `--full`, `--seed N` (0), `--json` and `--out DIR` (without it `milestones/results` of the checkout
that the script lies in, or else `./tinytorch-results`). `report.full`, `report.seed` and `report.out` hold them.

Files: `DIR/<name>.json` and `DIR/<name>.png` (`.txt` without matplotlib), where `<name>` is the script's folder, and
under `--full` the folder, `-full-` and the data set: `03_1986_mlp.json`, `03_1986_mlp-full-cifar10-jpeg.json`. A script
that measures two data sets calls `start(..., title, argv)` once and `report.next("cifar10-jpeg")` after the first
`finish()`: each data set has a result of its own. Every file appears whole or not at all.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, SupportsFloat, TypeVar

from tinytorch._exit_code import COULD_NOT_RUN, exit_code
from tinytorch._files import write_atomically
from tinytorch._machine import Plain, machine, plain, sources, versions
from tinytorch._progress import bar, progress
from tinytorch._text_plots import text_curves, text_grid, text_scatter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "COULD_NOT_RUN",
    "Report",
    "bar",
    "exit_code",
    "machine",
    "progress",
    "results_folder",
    "sources",
    "start",
    "text_curves",
    "text_grid",
    "text_scatter",
    "versions",
    "write_atomically",
]

T = TypeVar("T")


def results_folder(script: str | Path) -> Path:
    """Return where the results of a milestone's script go when nobody says otherwise.

    Args:
        script: The script's path, `milestones/NN_YEAR_name/run.py` in a checkout.

    Example:
        >>> results_folder("/elsewhere/run.py").name
        'tinytorch-results'
    """
    milestones = Path(script).resolve().parent.parent
    # An installed copy lies in site-packages, where nothing must be written; a checkout has the packages beside it.
    is_checkout = (milestones.parent / "packages" / "tinytorch" / "pyproject.toml").is_file()
    if milestones.name == "milestones" and is_checkout:
        return milestones / "results"
    return Path.cwd() / "tinytorch-results"


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a seed is an integer of at least 0; got {text!r}")
    return int(text)


def _parser(title: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--full", action="store_true", help="run on the real data set instead of the embedded one")
    parser.add_argument("--seed", type=_natural, default=0, help="seed of every random choice (default: 0)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON; text for people goes to stderr")
    parser.add_argument("--out", type=Path, default=None, metavar="DIR", help="folder of the result and the picture")
    return parser


def start(script: str | Path, title: str, argv: Sequence[str] | None = None, *, data_set: str = "embedded") -> Report:
    """Parse a milestone's options, seed the framework and start the clock.

    Args:
        script: The script's `__file__`; its folder names the milestone.
        title: What people call the milestone, with its year.
        argv: The options, or None for those of the command line.
        data_set: The data set's name, if it is known already; see `Report.uses`.

    Example:
        >>> report = start("01_1958_perceptron/run.py", "Perceptron, 1958", ["--seed", "7"])
        >>> report.name, report.seed, report.full
        ('01_1958_perceptron', 7, False)
    """
    options = _parser(title).parse_args(argv)
    out: Path | None = options.out
    from tinytorch import manual_seed

    manual_seed(int(options.seed))
    return Report(
        script,
        title,
        seed=int(options.seed),
        full=bool(options.full),
        as_json=bool(options.json),
        out=results_folder(script) if out is None else out,
        data_set=data_set,
    )


class Report:
    """One run of a milestone: what it says, measured, drew and whether its gates held. Made by `start`.

    Args:
        script: The script's `__file__`.
        title: What people call the milestone.
        seed: The seed in use.
        full: Whether this run is on the real data set.
        as_json: Whether stdout belongs to the JSON result.
        out: The folder to write to; made when the first file is written.
        data_set: The data set's name.
    """

    def __init__(
        self, script: str | Path, title: str, *, seed: int, full: bool, as_json: bool, out: Path, data_set: str
    ) -> None:
        self.script = Path(script).resolve()
        self.title = title
        self.seed = seed
        self.full = full
        self.as_json = as_json
        self.out = out
        self.data_set = data_set
        self._metrics: dict[str, Plain] = {}
        self._gates: list[dict[str, Plain]] = []
        self._picture: Path | None = None
        self._sources = sources(self.script)  # now: what is edited while it runs has not been measured
        self._started = time.perf_counter()

    @property
    def milestone(self) -> str:
        """The milestone's folder name, such as `01_1958_perceptron`."""
        return self.script.parent.name

    @property
    def name(self) -> str:
        """The stem of this run's files; a result on a real data set names it."""
        return f"{self.milestone}-full-{self.data_set}" if self.full else self.milestone

    def uses(self, data_set: str) -> None:
        """Say which data set the run is on; the JPEG copy of CIFAR-10 is `cifar10-jpeg`."""
        self.data_set = data_set

    def next(self, data_set: str) -> Report:
        """Return a fresh report of the same run's options for a further data set, with the clock started again."""
        return Report(
            self.script,
            self.title,
            seed=self.seed,
            full=self.full,
            as_json=self.as_json,
            out=self.out,
            data_set=data_set,
        )

    def say(self, text: str = "") -> None:
        """Write a line for people: to stdout, or to stderr when stdout belongs to `--json`."""
        stream = sys.stderr if self.as_json else sys.stdout
        stream.write(text + "\n")
        stream.flush()

    def progress(self, items: Iterable[T], label: str = "", total: int | None = None) -> Iterator[T]:
        """Yield the items while drawing a bar with the time left on stderr, if that is a terminal.

        Args:
            items: What to go through.
            label: What is being done.
            total: How many there are, where `len(items)` does not say.
        """
        return progress(items, label, total)

    def metric(self, name: str, value: object) -> None:
        """Keep what was measured under a name: a number, Python's or NumPy's, text, or lists and dicts of these.

        Raises:
            ValueError: If the name is taken: two numbers under one name would hide each other.
            TypeError: If JSON cannot hold the value.
        """
        if name in self._metrics:
            raise ValueError(
                f"the metric {name!r} is already {self._metrics[name]!r}: give {value!r} a name of its own"
            )
        self._metrics[name] = plain(value)

    def gate(self, text: str, value: SupportsFloat, threshold: SupportsFloat, *, at_most: bool = False) -> bool:
        """Hold a measured value against its threshold, say the outcome, and return it.

        Args:
            text: What must hold, in words.
            value: What was measured; NaN never passes.
            threshold: The least value that passes (the greatest, with `at_most`).
            at_most: Whether small is good.
        """
        measured, limit = float(value), float(threshold)
        passed = measured <= limit if at_most else measured >= limit
        held: dict[str, Plain] = {"text": text, "value": plain(measured), "threshold": plain(limit)}
        self._gates.append({**held, "at_most": at_most, "passed": passed})
        sign = "<=" if at_most else ">="
        self.say(f"{'PASS' if passed else 'MISS'}  {text}: {measured:.6g} (needed {sign} {limit:.6g})")
        return passed

    def picture(self, draw: Callable[[Figure], object], text: Callable[[], str]) -> Path:
        """Draw the run's picture with matplotlib, or as text where matplotlib is not installed.

        Args:
            draw: Gets an empty matplotlib `Figure` (no window, no global state) and draws into it.
            text: Returns the picture as text; see `text_scatter`, `text_curves` and `text_grid`.
        """
        try:
            from matplotlib.figure import Figure as MatplotlibFigure
        except ImportError:
            self._picture = self.out / f"{self.name}.txt"
            drawn = text()
            self.say(drawn)
            write_atomically(self._picture, (drawn + "\n").encode())
        else:
            figure = MatplotlibFigure(figsize=(8, 5), layout="constrained")
            draw(figure)
            self._picture = self.out / f"{self.name}.png"
            write_atomically(self._picture, lambda stream: figure.savefig(stream, format="png", dpi=120))
        return self._picture

    def result(self) -> dict[str, Plain]:
        """Return the result as it is written: plain values only.

        Raises:
            ValueError: If the run has no gate: a milestone that cannot fail proves nothing.
        """
        if not self._gates:
            raise ValueError(f"{self.milestone} has no gate: call report.gate(text, value, threshold) before finish()")
        missed = [gate for gate in self._gates if not gate["passed"]]
        shown = (missed or self._gates)[0]
        used = sources(self.script, loaded=True)
        return {
            "milestone": self.milestone,
            "title": self.title,
            "passed": not missed,
            "gate": {key: shown[key] for key in ("text", "value", "threshold")},
            "gates": self._gates,
            "metrics": self._metrics,
            "seconds": round(time.perf_counter() - self._started, 3),
            "seed": self.seed,
            "full": self.full,
            "data_set": self.data_set,
            "picture": None if self._picture is None else self._picture.name,
            "machine": machine(),
            "versions": versions(),
            "sources": {name: mark for name, mark in self._sources.items() if name in used},
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def finish(self) -> int:
        """Write `<name>.json`, say where it went, and return the exit code: 0 if every gate held, else 1."""
        result = self.result()
        document = json.dumps(result, indent=2, allow_nan=False)
        path = self.out / f"{self.name}.json"
        write_atomically(path, (document + "\n").encode())
        if self.as_json:
            sys.stdout.write(document + "\n")
        self.say(f"{self.title}: {'passed' if result['passed'] else 'missed'} in {result['seconds']} s -> {path}")
        return 0 if result["passed"] else 1
