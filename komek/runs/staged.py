"""Staging that a run before has done: the same snapshots need not be read again.

What is accepted and rejected of a snapshot depends on its bytes, the registry table and
the staging code, on no day and no reading of the law.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from komek.base import database
from komek.base.database import quoted
from komek.runs import filed
from komek.runs.inputs import inputs_from_json
from komek.runs.run import Run

STAGING = "staging"


def is_staged_alike(run: Run, receipt: Mapping[str, Any]) -> bool:
    """Say whether a filed run was staged from the same snapshots by the same code."""
    return (
        receipt["code_version"] == run.code_version
        and inputs_from_json(receipt["inputs"]) == run.inputs
    )


def take_staging(run: Run, filed_file: Path) -> None:
    """Put the staging of a filed run into the file of one that was just laid out.

    Its tables are copied; its views are those of the same landed files.

    Args:
        run: laid out, and of the same snapshots and code.
        filed_file: the other run's file.

    Raises:
        UsageError: KOMEK_KEY does not open the file.
        duckdb.Error: it cannot be read.
    """
    with database.connect(run.file) as connection:
        database.attach(connection, filed_file, "other")
        connection.execute(f"create schema if not exists {STAGING}")
        tables = connection.execute(
            "select table_name from duckdb_tables()"
            " where (database_name, schema_name) = ('other', ?) order by table_name",
            [STAGING],
        ).fetchall()
        for (table,) in tables:
            named = f"{STAGING}.{quoted(table)}"
            connection.execute(f"create table {named} as from other.{named}")
        filed.create_views(connection, _views(connection))


def _views(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the SQL of the other run's views of staging, put away or not."""
    kept = connection.execute(
        "select sql from duckdb_views()"
        " where (database_name, schema_name) = ('other', ?) order by view_name",
        [STAGING],
    ).fetchall()
    put_away = connection.execute(
        f"select sql from other.{filed.PUT_AWAY} where schema_name = ?"
        " order by view_name",
        [STAGING],
    ).fetchall()
    return [sql for (sql,) in (*kept, *put_away)]
