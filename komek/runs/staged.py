"""Staging that a run before has done: the same snapshots need not be read again.

What is rejected of a snapshot depends on its bytes, the registry table and the staging
code, on no day and no reading of the law. So where a run before had the same snapshot
at the same place, its tables of staging are copied, and dbt leaves them as they are.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb

from komek.base import database, registries
from komek.base.files import put
from komek.runs.run import TAKEN, Run

_STAGING = "staging"
# It also rests on when each snapshot is looked at.
_PROFILE = "registry_profile"


def take_staging(run: Run, filed_file: Path) -> list[str]:
    """Copy what staging the file of another run has of the same snapshots.

    Args:
        run: laid out, and nothing built in it.
        filed_file: the file of a run by the same code.

    Returns:
        The models that dbt need not build; noted with the run.

    Raises:
        UsageError: KOMEK_KEY does not open the file.
        duckdb.Error: it cannot be read.
    """
    with database.connect(run.file) as connection:
        database.attach(connection, filed_file, "other")
        connection.execute(f"create schema if not exists {_STAGING}")
        taken = list(_alike(connection))
        for table in taken:
            named = f"{_STAGING}.{table}"
            connection.execute(f"create or replace table {named} as from other.{named}")
    put(run.folder / TAKEN, json.dumps(taken).encode())
    return taken


def _alike(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield the tables of staging that are the same in both runs."""
    entities = [entity.name for entity in registries.every_entity()]
    ours, theirs = (_snapshots(connection, catalog) for catalog in ("", "other."))
    alike = [name for name in entities if ours.get(name) == theirs.get(name)]
    yield from (f"rejected_{name}" for name in alike)
    if alike == entities:
        # The others rest on several registries.
        yield from (
            table
            for (table,) in connection.execute(
                "select table_name from duckdb_tables()"
                " where (database_name, schema_name) = ('other', ?)"
                " and not starts_with(table_name, 'rejected_') and table_name <> ?"
                " order by table_name",
                [_STAGING, _PROFILE],
            ).fetchall()
        )
        if _looked_at(connection, "") == _looked_at(connection, "other."):
            yield _PROFILE


def _snapshots(
    connection: duckdb.DuckDBPyConnection, catalog: str
) -> dict[str, list[tuple[object, ...]]]:
    """Return the bytes and places of each entity's snapshot in a run."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for entity, *rest in connection.execute(
        f"""
        select snapshots.entity, snapshots.sha256, files.file_no, files.landed_path
        from {catalog}landing.landed_snapshots as snapshots
        inner join {catalog}landing.landed_files as files
            on snapshots.entity = files.entity
        order by all
        """
    ).fetchall():
        found.setdefault(entity, []).append(tuple(rest))
    return found


def _looked_at(
    connection: duckdb.DuckDBPyConnection, catalog: str
) -> list[tuple[object, ...]]:
    return connection.execute(
        f"select * from {catalog}landing.landed_snapshots order by all"
    ).fetchall()
