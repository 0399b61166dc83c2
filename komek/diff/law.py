"""The law in force on two days: whether it is other, and one day's on the other.

A row of the law tables holds from its `valid_from` on, some to their `valid_to`.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from komek.base import database, places


def law_moves(law_tables: Path, one: date, other: date) -> bool:
    """Say whether the law tables of a run have other law in force on two days."""
    earlier, later = sorted((one, other))
    with database.connect(law_tables, read_only=True) as run:
        return any(
            run.execute(
                f"select 1 from law.{table} where {_between(columns)} limit 1",
                [earlier, later] * len(columns),
            ).fetchone()
            for table, columns in _dated(run).items()
        )


def law_as_on(law_tables: Path, target: Path, law_on: date, as_of: date) -> Path:
    """Copy a run's law tables without what came into force between two days.

    Args:
        law_tables: the run's file.
        target: the copy; it is written anew.
        law_on: the day whose law stays.
        as_of: a later day, on which it is read.
    """
    target.unlink(missing_ok=True)
    with database.connect(target) as copy:
        database.attach(copy, law_tables, "run")
        copy.execute("create schema law")
        for table in (path.stem for path in places.LAW_SEEDS.glob("*.csv")):
            if copy.execute(
                "select 1 from information_schema.tables where"
                " (table_catalog, table_schema, table_name) = ('run', 'law', ?)",
                [table],
            ).fetchone():
                copy.execute(f"create table law.{table} as from run.law.{table}")
        copy.execute("detach run")
        for table, columns in _dated(copy).items():
            copy.execute(
                f"delete from law.{table} where {_between(('valid_from',))}",
                [law_on, as_of],
            )
            if "valid_to" in columns:
                copy.execute(
                    f"update law.{table} set valid_to = null"
                    f" where {_between(('valid_to',))}",
                    [law_on, as_of],
                )
    return target


def _dated(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    """Return the law tables whose rows are in force from a day, and their days."""
    rows = connection.execute(
        "select table_name, list(column_name order by column_name)"
        " from information_schema.columns"
        " where table_schema = 'law' and column_name in ('valid_from', 'valid_to')"
        " group by table_name having bool_or(column_name = 'valid_from')"
    ).fetchall()
    seeds = {path.stem for path in places.LAW_SEEDS.glob("*.csv")}
    return {table: tuple(columns) for table, columns in rows if table in seeds}


def _between(columns: Sequence[str]) -> str:
    """Return SQL that a row begins to hold after a day, or ends before another."""
    conditions = {
        "valid_from": "(valid_from > ? and valid_from <= ?)",
        "valid_to": "(valid_to >= ? and valid_to < ?)",
    }
    return " or ".join(conditions[column] for column in columns)
