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
from typing import TYPE_CHECKING, Any, TextIO

from komek.base import interrupts
from komek.base.errors import KomekError, printable
from komek.base.places import PACKAGE

if TYPE_CHECKING:
    import click

INTERRUPTED = f"interrupted; {interrupts.BEFORE}"
_FAULT, _USAGE = 1, 2


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


def run(load: "Callable[[], click.Command]") -> int:
    """Run a command with the arguments of the process; return its exit status.

    An error is a line on standard error; with `--json` among the arguments it is one
    object on standard output too.

    Args:
        load: gives the command. Here, for its imports take long enough to be
            interrupted.
    """
    with interrupts.listening():
        try:
            speak_utf8()
            for stream in (sys.stdout, sys.stderr):
                # What the terminal's encoding lacks is replaced: data is not to blame.
                reconfigure = getattr(stream, "reconfigure", None)
                if reconfigure:
                    reconfigure(errors="replace")
            ending = _ended(lambda: load().main(standalone_mode=False))
        except KeyboardInterrupt:
            # Another one, while what was under way was ending.
            ending = _interrupted(interrupts.heard())
        interrupts.listen_no_more()
        if ending is None:
            return 0
        if "--json" in sys.argv[1:]:
            _say(ending.as_json(), sys.stdout)
        _say(f"komek: {ending.message}", sys.stderr)
        return ending.exit_status


def _say(line: str, stream: TextIO | None) -> None:
    """Print a line where somebody listens; where nobody can, that is no error."""
    if stream is None:
        return
    try:
        print(line, file=stream, flush=True)
    except OSError:
        # Or Python tries once more when it ends, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


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
    heard = interrupts.heard()
    return _interrupted(heard) if heard else None


def _ending_of(error: BaseException) -> Ending:
    # What tells an interrupt that comes early needs none of them.
    if number := interrupts.ends_it():
        return _interrupted(number)
    import click  # noqa: PLC0415
    import duckdb  # noqa: PLC0415

    from komek.base.messages import harmless  # noqa: PLC0415

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        ending = _told("a command is needed", _USAGE)
    elif isinstance(error, click.ClickException):
        status = error.exit_code if error.exit_code != _FAULT else _USAGE
        ending = _told(error.format_message(), status)
    elif isinstance(error, KomekError):
        ending = _told(str(error), error.exit_code, error.run_id)
    elif isinstance(error, click.Abort | KeyboardInterrupt | duckdb.InterruptException):
        ending = _interrupted(signal.SIGINT)
    elif isinstance(error, duckdb.Error):
        ending = _told(harmless(error), _FAULT)
    elif isinstance(error, OSError):
        said = f"{error.strerror or type(error).__name__}: {error.filename or ''}"
        ending = _told(said.rstrip(": "), _FAULT)
    else:
        ending = _told(
            f"a fault of komek itself: {type(error).__name__} {place_of(error)};"
            f" {interrupts.standing()}",
            _FAULT,
        )
    return ending


def _interrupted(number: int | None) -> Ending:
    said = f"interrupted; {interrupts.standing()}"
    return _told(said, 128 + (number or signal.SIGINT))


def _told(message: str, exit_status: int, run_id: str | None = None) -> Ending:
    return Ending(printable(" ".join(message.split())), exit_status, run_id)


def place_of(error: BaseException) -> str:
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
