"""How a milestone's script ends where no code is wrong: with a line that says what to do, and no traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tinytorch._lazy import MissingPackageError

COULD_NOT_RUN = 3
INTERRUPTED = 130  # as shells count: 128 and the signal's number


def exit_code(main: Callable[[], int]) -> int:
    """Run a milestone's `main` and return the exit code of its script.

    Ctrl-C, a package that is not installed and a file that cannot be downloaded end it with one line on stderr.
    Anything else that is raised is somebody's mistake, and goes on with its traceback.

    Args:
        main: Runs the milestone; returns 0 if its gates held, 1 if not.

    Returns:
        What `main` returned; 3 if it could not run, 130 after Ctrl-C.

    Example:
        >>> exit_code(lambda: 1)
        1
    """
    try:
        return main()
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except (MissingPackageError, ValueError) as error:
        if not isinstance(error, (MissingPackageError, _download_error())):
            raise
        _say(f"this milestone could not run: {error}")
        return COULD_NOT_RUN


def _download_error() -> type[Exception] | tuple[()]:
    """Return tt-data's error, if that package is loaded: who has not loaded it has downloaded nothing."""
    return getattr(sys.modules.get("tt_data"), "DownloadError", ())


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
