"""A run's file once it is filed: it stands alone, wherever somebody takes it.

While a run is built its registries are views over the landed Parquet, by the paths they
have in this home and under its key. A reader elsewhere has neither, and a view that
fails is worse than none: so such views are put away when the run is filed. Their SQL
stays in the file, and whoever has the home as well opens the file with them again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from komek.base import database, registries
from komek.base.database import quoted
from komek.base.places import Home
from komek.landing.snapshots import revision_of
from komek.runs.landed_views import landed_views

# The SQL of what was put away.
PUT_AWAY = "landing.put_away"
# Laid out anew from the manifests: the home may have moved.
_LAID_OUT = "landing"
_FILED = "filed_run"


def put_away(run_file: Path) -> None:
    """Take from a run's file the views that read landed files, however far off.

    Raises:
        UsageError: KOMEK_KEY does not open the file.
        duckdb.Error: it cannot be written.
    """
    with database.connect(run_file) as connection:
        connection.execute(
            f"create table if not exists {PUT_AWAY}"
            " (schema_name varchar, view_name varchar, sql varchar)"
        )
        read_files = connection.execute(
            "select schema_name, view_name, sql from duckdb_views()"
            " where database_name = current_database() and not internal"
            " and contains(sql, 'read_parquet(')"
        ).fetchall()
        _take(connection, read_files)
        _take(connection, _broken_views(connection))


@contextmanager
def attached(
    connection: duckdb.DuckDBPyConnection, run_file: Path, name: str = "run"
) -> Iterator[None]:
    """Attach a run's file under a name, with the views that were put away.

    Args:
        connection: of an open database.
        run_file: a run's file where it was built or filed.
        name: the file's name in queries; its tables can only be read.

    Raises:
        StoppedError: the manifest of a landed snapshot cannot be read.
        UsageError: KOMEK_KEY does not open the file, or a landed one.
        duckdb.Error: the file cannot be opened.
    """
    database.attach(connection, run_file, name)
    names = [name]
    try:
        if _is_put_away(connection, name):
            connection.execute(f"detach {name}")
            names.clear()
            database.attach(connection, run_file, _FILED)
            names.append(_FILED)
            database.attach_empty(connection, name)
            names.append(name)
            _open_anew(connection, Home.of_run_file(run_file), name)
        yield
    finally:
        for attached_name in reversed(names):
            connection.execute(f"detach {attached_name}")


def _take(
    connection: duckdb.DuckDBPyConnection, views: Sequence[tuple[str, str, str]]
) -> None:
    """Take views from the file, schema, name and SQL, and keep their SQL."""
    for schema, name, sql in views:
        if schema != _LAID_OUT:
            connection.execute(
                f"insert into {PUT_AWAY} values (?, ?, ?)", [schema, name, sql]
            )
        connection.execute(f"drop view {quoted(schema)}.{quoted(name)}")


def _broken_views(
    connection: duckdb.DuckDBPyConnection,
) -> list[tuple[str, str, str]]:
    """Return the views, schema, name and SQL, that name what is not there any more."""
    broken = []
    for schema, name, sql in connection.execute(
        "select schema_name, view_name, sql from duckdb_views()"
        " where database_name = current_database() and not internal"
    ).fetchall():
        try:
            connection.execute(f"describe from {quoted(schema)}.{quoted(name)}")
        except duckdb.CatalogException:
            broken.append((schema, name, sql))
    return broken


def _is_put_away(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    found = connection.execute(
        "select 1 from duckdb_tables() where database_name = ?"
        " and concat(schema_name, '.', table_name) = ?",
        [name, PUT_AWAY],
    ).fetchone()
    return found is not None


def _open_anew(connection: duckdb.DuckDBPyConnection, home: Home, name: str) -> None:
    """Write the views of a filed run into an empty database: its own, and all others.

    What a view names is looked for where the view is, so each table has one too.
    """
    (before,) = connection.execute("select current_database()").fetchone() or ("",)
    connection.execute(f"use {name}")
    try:
        relations = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_catalog = ? order by all",
            [_FILED],
        ).fetchall()
        for schema in sorted({schema for schema, _ in relations}):
            connection.execute(f"create schema if not exists {quoted(schema)}")
        for schema, relation in relations:
            named = f"{quoted(schema)}.{quoted(relation)}"
            connection.execute(f"create view {named} as from {_FILED}.{named}")
        for sql in _landing(connection, home):
            connection.execute(sql)
        _create(
            connection,
            [
                sql
                for (sql,) in connection.execute(
                    f"select sql from {PUT_AWAY} order by schema_name, view_name"
                ).fetchall()
            ],
        )
    finally:
        connection.execute(f"use {quoted(before)}")


def _create(connection: duckdb.DuckDBPyConnection, views: Sequence[str]) -> None:
    """Create views, each once those that it stands on are there."""
    while views:
        waiting = []
        for sql in views:
            try:
                connection.execute(sql)
            except duckdb.CatalogException:
                waiting.append(sql)
        if len(waiting) == len(views):
            # Now with the error.
            connection.execute(waiting[0])
        views = waiting


def _landing(connection: duckdb.DuckDBPyConnection, home: Home) -> Iterator[str]:
    """Yield the SQL of the views over the landed snapshots of a run."""
    for entity, day, revision, file_no in connection.execute(
        "select entity, snapshot_date, revision, min(file_no)"
        " from landing.landed_files group by all order by all"
    ).fetchall():
        snapshot = revision_of(home, entity, day, revision)
        for view in landed_views(registries.entity(entity), snapshot, file_no):
            yield f"create view landing.{view.name} as {view.sql}"
