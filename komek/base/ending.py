"""The one door of the command line: how a command may end, in one line and a status.

Whatever happens inside, nobody sees a traceback, and no message has a value of a row:
what nobody foresaw is told by its kind and its place in the code.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import click
import duckdb

from komek.base.errors import KomekError, printable
from komek.base.messages import harmless
from komek.base.places import PACKAGE

INTERRUPTED = "interrupted; what was published before still stands"
_FAULT, _USAGE = 1, 2


class Terminated(KeyboardInterrupt):
    """SIGTERM: what is under way ends as it does when somebody interrupts it."""


@dataclass(frozen=True)
class Ending:
    """How a command ended other than well."""

    message: str
    exit_status: int
    run_id: str | None = None

    def as_json(self) -> str:
        """Return it as one JSON object; `run_id` only where a run was filed."""
        told: dict[str, Any] = {
            "message": self.message,
            "exit_status": self.exit_status,
        }
        if self.run_id is not None:
            told["run_id"] = self.run_id
        return json.dumps(told)


def run(command: click.Command) -> int:
    """Run a command with the arguments of the process; return its exit status.

    An error is a line on standard error; with `--json` among the arguments it is one
    object on standard output too.
    """
    speak_utf8()
    as_json = "--json" in sys.argv[1:]
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        # What the terminal's encoding lacks is replaced: data is not to blame for it.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
    ending = _ended(lambda: command.main(standalone_mode=False))
    if ending is None:
        return 0
    if as_json:
        click.echo(ending.as_json())
    click.echo(f"komek: {ending.message}", err=True)
    return ending.exit_status


def speak_utf8() -> None:
    """Start anew where the locale cannot name every path: paths here are UTF-8."""
    if sys.getfilesystemencoding().lower() != "utf-8":
        again = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
        os.execv(sys.executable, again)  # noqa: S606


def _ended(act: Callable[[], object]) -> Ending | None:
    """Do something; return how it ended, None if well."""
    try:
        act()
    except (Exception, KeyboardInterrupt) as error:
        return _ending_of(error)
    return None


def _ending_of(error: BaseException) -> Ending:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        ending = _told("a command is needed", _USAGE)
    elif isinstance(error, click.ClickException):
        status = error.exit_code if error.exit_code != _FAULT else _USAGE
        ending = _told(error.format_message(), status)
    elif isinstance(error, KomekError):
        ending = _told(str(error), error.exit_code, error.run_id)
    elif _is_interrupt(error):
        is_told_to = isinstance(error.__cause__ or error, Terminated)
        sent = signal.SIGTERM if is_told_to else signal.SIGINT
        ending = _told(INTERRUPTED, 128 + sent)
    elif isinstance(error, duckdb.Error):
        ending = _told(harmless(error), _FAULT)
    elif isinstance(error, OSError):
        said = f"{error.strerror or type(error).__name__}: {error.filename or ''}"
        ending = _told(said.rstrip(": "), _FAULT)
    else:
        ending = _told(
            f"a fault of komek itself: {type(error).__name__} {_place(error)};"
            " what was published before still stands",
            _FAULT,
        )
    return ending


def _is_interrupt(error: BaseException) -> bool:
    """Say whether somebody interrupted: click and DuckDB make their own of it."""
    interrupts = (click.Abort, KeyboardInterrupt)
    return isinstance(error, interrupts) or isinstance(error.__cause__, interrupts)


def _told(message: str, exit_status: int, run_id: str | None = None) -> Ending:
    return Ending(printable(" ".join(message.split())), exit_status, run_id)


def _place(error: BaseException) -> str:
    """Return the innermost line of ours that an error passed."""
    ours = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(PACKAGE)
    ]
    if not ours:
        return "outside its code"
    where = Path(ours[-1].filename).relative_to(PACKAGE.parent).as_posix()
    return f"at {where}:{ours[-1].lineno}"


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated
