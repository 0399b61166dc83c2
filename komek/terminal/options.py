"""What commands have in common: options, dates, and how they show what they found."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click

from komek.base.errors import printable
from komek.base.places import Home, default_home


class Day(click.ParamType[date]):
    """A date written YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> date:
        """Return the date that somebody wrote."""
        if isinstance(value, date):
            return value
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            day = None
        if day is None or day.isoformat() != value:
            self.fail(f"{value!r} is not a date of the form YYYY-MM-DD", param, ctx)
        return day


home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is written (default: data/ in the project).",
)
drop_option = click.option(
    "--drop", help="A drop folder, in place of the configured sources."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object."
)


def home_at(path: Path | None) -> Home:
    """Return the home at a path, or the default one."""
    return Home(path.resolve()) if path else default_home()


def show(
    result: dict[str, Any], lines: Callable[[dict[str, Any]], list[str]], as_json: bool
) -> None:
    """Print what was found: as one JSON object, or as lines for people."""
    if as_json:
        click.echo(printable(json.dumps(result, ensure_ascii=False)))
    else:
        for line in lines(result):
            click.echo(printable(line))
