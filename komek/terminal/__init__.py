"""What a command shows on a terminal while it works."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from komek.base.errors import printable

if TYPE_CHECKING:
    import rich.progress


class Progress:
    """What is going on: a bar per step on a terminal, plain lines elsewhere."""

    def __init__(self, quiet: bool) -> None:
        """Show nothing where it is to be quiet, bars where there is a terminal."""
        self._quiet = quiet
        self._bars: rich.progress.Progress | None = None
        if not quiet and sys.stdout.isatty():
            from rich.progress import (  # noqa: PLC0415  (only where it is shown)
                BarColumn,
                Progress,
                TextColumn,
                TimeElapsedColumn,
            )

            self._bars = Progress(
                TextColumn("{task.description:32}"), BarColumn(), TimeElapsedColumn()
            )

    def say(self, text: str) -> None:
        """Print a line for people."""
        text = printable(text)
        if self._bars:
            self._bars.console.print(text, markup=False, highlight=False)
        elif not self._quiet:
            click.echo(text)

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show a step while it lasts."""
        if not self._bars:
            self.say(f"{label} ...")
            yield
            return
        self._bars.start()
        task = self._bars.add_task(label, total=None)
        try:
            yield
            self._bars.update(task, total=1, completed=1)
        finally:
            self._bars.stop_task(task)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bars:
            self._bars.stop()


@contextmanager
def showing_progress(quiet: bool) -> Iterator[Progress]:
    """Show what is going on, unless it is to be quiet; leave the terminal as it was."""
    progress = Progress(quiet)
    try:
        yield progress
    finally:
        progress.close()
