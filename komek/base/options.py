"""The options that commands share, and how a day is written on the command line."""

from datetime import date
from pathlib import Path

import click

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
        """Return the day that a text is.

        Raises:
            BadParameter: it is none.
        """
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
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object."
)


def home_at(path: Path | None) -> Home:
    """Return the home that `--home` names, else the one that is configured."""
    return Home(path.resolve()) if path else default_home()
