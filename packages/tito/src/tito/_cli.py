"""The commands: each reads its options, asks the module that knows, and shows the answer to people or to programs."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from tito import _datasets, _doctor, _lessons, _milestones, _modules, _results, _status, _tests
from tito._errors import FAILED, TitoError
from tito._output import Json, emit, guarded, never_refuse_a_letter, say, show, table
from tito._places import results_folder

app = typer.Typer(
    help="tito: where you are, what to do next, the milestones, the data sets.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    add_completion=False,
)
milestone_app = typer.Typer(help="The historical milestones.", no_args_is_help=True)
data_app = typer.Typer(help="The data sets.", no_args_is_help=True)
app.add_typer(milestone_app, name="milestone")
app.add_typer(data_app, name="data")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
_COLOURS = {
    "ok": "green",
    "passed": "green",
    "installed": "green",
    "stale": "yellow",
    "warn": "yellow",
    "not run": "yellow",
    "missing": "yellow",
    "missed": "red",
    "failed": "red",
    "fail": "red",
}


def _coloured(word: str) -> str:
    colour = _COLOURS.get(word)
    return f"[{colour}]{word}[/{colour}]" if colour else f"[dim]{word}[/dim]"


@app.callback(invoke_without_command=True)
def where(context: typer.Context, as_json: AsJson = False) -> None:
    """Say where you are and what to do next."""
    with guarded(as_json):
        if (command := context.invoked_subcommand) is not None:
            if as_json:
                raise TitoError(
                    "--json belongs behind the command", f"--json {command}", f"write: tito {command} ... --json"
                )
            return
        rows, runs = _status.modules(), _status.milestones()
        command, why = _status.next_step(rows, runs)
        installed = sum(row.state == "installed" for row in rows)
        passed = sum(run.state == "passed" for run in runs)
        if as_json:
            document: dict[str, Json] = {
                "modules_installed": installed,
                "milestones": len(runs),
                "milestones_passed": passed,
                "next": {"command": command, "why": why},
            }
            emit(document)
            return
        say(f"You have {installed} of {len(rows)} modules, and {passed} of {len(runs)} milestones pass.")
        say(f"Next:  [bold]{escape(command)}[/bold]   ({escape(why)})")
        say("[dim]All of it: tito status. What it can do: tito --help.[/dim]")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show the modules by tier, and the milestones with their results."""
    with guarded(as_json):
        rows, runs = _status.modules(), _status.milestones()
        if as_json:
            emit({"modules": [row.as_json() for row in rows], "milestones": [run.as_json() for run in runs]})
            return
        for tier in _status.TIERS:
            drawn = table("", "package", "version", "state", "tests")
            for row in rows:
                if row.package.tier == tier:
                    name, version = row.package.distribution, escape(row.version or "-")
                    number = f"{row.package.module:02d}"
                    drawn.add_row(number, name, version, _coloured(row.state), _coloured(row.tested))
            show(tier.capitalize(), drawn)
            say()
        _show_milestones(runs)
        command, why = _status.next_step(rows, runs)
        say(f"\nNext:  [bold]{escape(command)}[/bold]   ({escape(why)})")


def _show_milestones(runs: list[_status.MilestoneState]) -> None:
    drawn = table("", "year", "title", "state", "measured")
    for run in runs:
        first = [f"{run.milestone.number:02d}", str(run.milestone.year), escape(run.milestone.title)]
        for result in run.results:
            because = f" ({', '.join(result.stale)} changed)" if result.stale else ""
            data = escape(str(result.document.get("data_set")))
            drawn.add_row(*first, _coloured(result.state) + because, f"{data}: {escape(result.summary)}")
            first = ["", "", ""]
        if not run.results:
            drawn.add_row(*first, _coloured(run.state), "")
    show("Milestones", drawn)


@app.command("test")
def run_tests(
    module: Annotated[str, typer.Argument(help="A number or a name: 6, tt-autograd.")], as_json: AsJson = False
) -> None:
    """Run the contract tests of one module, and remember the outcome."""
    with guarded(as_json):
        package = _modules.find(module)
        outcome = _tests.run(package, results_folder(), as_json=as_json)
        if as_json:
            emit(outcome)
        if outcome["passed"] is not True:
            raise typer.Exit(FAILED)


@app.command()
def lesson(
    module: Annotated[str, typer.Argument(help="A number or a name: 7, tt-optim.")], as_json: AsJson = False
) -> None:
    """Measure what a module costs, on this machine, and draw it."""
    with guarded(as_json):
        package = _modules.find(module)
        lessons, chosen = _lessons.of(package)
        document: dict[str, Json] = {}
        for number, each in enumerate(chosen, start=1):
            measured = each.measure(lessons)
            rows = _lessons.rows(measured)
            document[each.title] = [dict(row) for row in rows]
            picture = _lessons.draw(
                lessons, each, measured, results_folder() / "lessons" / f"{package.distribution}-{number}.png"
            )
            if as_json:
                continue
            drawn = table(*(name.replace("_", " ") for name in rows[0]))
            for row in rows:
                drawn.add_row(*(escape(_lessons.shown(name, value)) for name, value in row.items()))
            show(each.title, drawn)
            if picture is not None:
                say(f"[dim]{escape(str(picture))}[/dim]")
            elif each.draw is not None:
                say(f"[dim]not drawn, since matplotlib is not installed: {escape(_doctor.GET_MATPLOTLIB)}[/dim]")
        if as_json:
            emit(document)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look whether Python, NumPy, the packages, the folders and the disk are as they should be."""
    with guarded(as_json):
        checks = _doctor.examine()
        if as_json:
            emit([check.as_json() for check in checks])
        else:
            drawn = table("", "what", "found", "do")
            for check in checks:
                drawn.add_row(_coloured(check.state), check.name, escape(check.found), escape(check.do))
            show("Doctor", drawn)
        if any(check.state == "fail" for check in checks):
            raise typer.Exit(FAILED)


@milestone_app.command("list")
def milestone_list(as_json: AsJson = False) -> None:
    """List the milestones and how their last runs went."""
    with guarded(as_json):
        runs = _status.milestones()
        if as_json:
            emit([run.as_json() for run in runs])
        else:
            _show_milestones(runs)


@milestone_app.command("info")
def milestone_info(
    milestone: Annotated[str, typer.Argument(help="A number or a name: 1, 01, perceptron.")], as_json: AsJson = False
) -> None:
    """Show what a milestone is about, its gate and its results."""
    with guarded(as_json):
        found = _milestones.find(milestone)
        results = _results.of_milestone(found.folder, results_folder())
        if as_json:
            row = _status.MilestoneState(found, tuple(results)).as_json()
            emit({**row, "gates": found.gates, "text": found.text})
            return
        from rich.console import Console  # here, with markdown: half of rich, for this command alone
        from rich.markdown import Markdown

        Console().print(Markdown(found.text or f"# {found.title}"))
        say()
        for result in results:
            say(f"{_coloured(result.state)}  {escape(result.summary)}  [dim]{escape(str(result.path))}[/dim]")
        say(f"Run it:  [bold]tito milestone run {found.number:02d}[/bold]   ({escape(str(found.script))})")


@milestone_app.command("run")
def milestone_run(
    milestone: Annotated[str, typer.Argument(help="A number or a name: 1, 01, perceptron.")],
    full: Annotated[bool, typer.Option("--full", help="Run on the real data set.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The seed of every random choice.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Run a milestone in a process of its own; exits with 0 if its gate holds and 1 if it is missed."""
    with guarded(as_json):
        found = _milestones.find(milestone)
        results = results_folder()
        code, written = _milestones.run(found, results, full=full, seed=seed, as_json=as_json)
        if as_json:
            found_now = _results.of_milestone(found.folder, results)
            document: dict[str, Json] = {
                "milestone": found.folder.name,
                "passed": code == 0,
                "results_folder": str(results),
                "results": [result.as_json() for result in found_now if result.path.name in written],
            }
            emit(document)
        if code:
            raise typer.Exit(code)


@data_app.command("list")
def data_list(as_json: AsJson = False) -> None:
    """List the data sets and whether they are here."""
    with guarded(as_json):
        rows = _datasets.available()
        folder = _datasets.cache_folder()
        if as_json:
            emit({"folder": str(folder), "data_sets": [row.as_json() for row in rows]})
            return
        drawn = table("name", "here", "download", "title", "terms")
        for row in rows:
            size = "" if row.embedded else f"{row.bytes / 1e6:.1f} MB"
            here = "comes along" if row.embedded else "yes" if row.here else "no"
            drawn.add_row(row.name, here, size, escape(row.title), escape(row.licence))
        show(f"Data sets in {escape(str(folder))}", drawn)


@data_app.command("get")
def data_get(
    name: Annotated[str, typer.Argument(help="A data set's name, as in `tito data list`.")],
    force: Annotated[bool, typer.Option("--force", help="Fetch it again even if it is here.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch a data set, checked against its SHA-256; what is here already is not fetched again."""
    with guarded(as_json):
        row = _datasets.get(name, force=force)
        if as_json:
            emit(row.as_json())
        else:
            say(f"{escape(row.name)} is here" + ("" if row.embedded else f": {escape(str(_datasets.cache_folder()))}"))


def main() -> None:
    """Run the command line."""
    never_refuse_a_letter()
    app()
