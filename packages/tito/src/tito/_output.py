"""How tito speaks: text for people, JSON for programs, errors that end in what to do."""

from __future__ import annotations

import io
import json
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tito._errors import CRASHED, INTERRUPTED, TitoError
from tito._modules import absent

Json = float | int | str | bool | None | Sequence["Json"] | Mapping[str, "Json"]


def never_refuse_a_letter() -> None:
    """Let a terminal or a pipe that cannot show a letter, a frame say, show `?` in its place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def emit(document: Json) -> None:
    """Write a document to stdout as JSON, which knows no NaN and no infinity: those must be text by now."""
    typer.echo(json.dumps(document, indent=2, allow_nan=False))


def say(text: str = "", *, error: bool = False) -> None:
    """Write a line for people, with rich's markup; paths and other foreign text go through `escape`."""
    Console(stderr=error, soft_wrap=True, highlight=False).print(text)


def show(title: str, drawn: Table) -> None:
    """Draw a table as wide as the terminal, under its title, which may be wider than the table."""
    say(f"[bold]{title}[/bold]")
    Console(highlight=False).print(drawn)


def table(*columns: str) -> Table:
    """Return an empty table whose cells fold instead of losing their ends."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        drawn.add_column(column, overflow="fold")
    return drawn


@contextmanager
def guarded(as_json: bool) -> Iterator[None]:
    """Turn what the user can put right into a message and an exit code, and Ctrl-C into 130."""
    try:
        yield
    except typer.Exit:
        raise
    except TitoError as error:
        raise _explained(error, as_json) from None
    except NotImplementedError as error:
        do = "write it; `tito test` with the module's number says when it is right"
        raise _explained(TitoError("an exercise is not written yet", str(error), do, CRASHED), as_json) from None
    except BrokenPipeError:  # whoever read along has seen enough: click ends quietly
        raise
    except OSError as error:
        do = "look with `tito doctor` whether the folders are as they should be; TINYTORCH_RESULTS names another"
        trouble = TitoError("a file or folder cannot be used", str(error), do, CRASHED)
        raise _explained(trouble, as_json) from None
    except KeyboardInterrupt:
        say("stopped; nothing is half written", error=True)
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        # Whatever a learner's package raises, a program reads JSON and 3; people read the traceback as well.
        known = absent(error) if isinstance(error, ImportError) else None
        raise _explained(known or _crashed(error), as_json) from error


def _crashed(error: Exception) -> TitoError:
    traceback.print_exception(error)
    got = traceback.format_exception_only(error)[-1].strip()
    do = "read the traceback above, whose last lines name the file; `tito doctor` looks at every package"
    return TitoError("something that tito called has failed", got, do, CRASHED)


def _explained(error: TitoError, as_json: bool) -> typer.Exit:
    """Say what is wrong, to programs too if they asked, and return how to end."""
    if as_json:
        with suppress(OSError):  # a full disk below stdout may be what there is to explain
            emit({"error": {"what": error.what, "got": error.got, "do": error.do}})
    say(f"[red]{escape(error.what)}[/red]", error=True)
    say(f"  got: {escape(error.got)}", error=True)
    say(f"  do:  {escape(error.do)}", error=True)
    return typer.Exit(error.code)
