"""Figures of the law, other than they are: `--parameter NAME=VALUE`."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from komek.base import database, places, policies
from komek.base.errors import UsageError

_TABLE = "parameters"


def parameter_values(assignments: Iterable[str]) -> dict[str, Decimal]:
    """Read `NAME=VALUE` assignments.

    Raises:
        UsageError: not an assignment, an unknown name, no number, or two of them.
    """
    names = policies.parameter_names()
    values: dict[str, Decimal] = {}
    for assignment in assignments:
        name, separator, text = assignment.partition("=")
        if not separator:
            raise UsageError(f"--parameter takes NAME=VALUE, not {assignment!r}")
        if name not in names:
            raise UsageError(f"unknown parameter {name!r}: one of {', '.join(names)}")
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            raise UsageError(f"parameter {name} is a number, not {text!r}")
        if values.get(name, value) != value:
            raise UsageError(f"parameter {name} is set twice, to different values")
        values[name] = value
    return values


def law_tables(
    target: Path, run_file: Path, values: Mapping[str, Decimal], known: tuple[str, str]
) -> None:
    """Write a file with the table of parameters in which some have other values.

    Changed is the value that is in force on the day: those of other days stay.

    Args:
        target: the file, to be read as another run's law tables.
        run_file: a run by the same code: its table has the columns.
        values: by name.
        known: as_of and known_at, as text.

    Raises:
        UsageError: a parameter has no value on the day.
    """
    with database.connect(target) as connection:
        database.attach(connection, run_file, "run")
        connection.execute("create schema law")
        connection.execute(
            f"create table law.{_TABLE} as from run.law.{_TABLE} limit 0"
        )
        # Today's, whatever those of the other run were.
        connection.execute(
            f"insert into law.{_TABLE} by name select * from read_csv("
            f"{database.literal(places.LAW_SEEDS / f'{_TABLE}.csv')},"
            " all_varchar = true, header = true)"
        )
        for name, value in values.items():
            changed = connection.execute(
                f"""
                update law.{_TABLE} set value = $value
                where name = $name and (valid_from, recorded_on) = (
                    select (valid_from, recorded_on)
                    from law.{_TABLE}
                    where
                        name = $name
                        and valid_from <= cast($as_of as date)
                        and recorded_on <= cast($known_at as date)
                    order by valid_from desc, recorded_on desc
                    limit 1
                )
                returning name
                """,
                {
                    "name": name,
                    "value": value,
                    "as_of": known[0],
                    "known_at": known[1],
                },
            ).fetchall()
            if not changed:
                raise UsageError(f"parameter {name} has no value on {known[0]}")
