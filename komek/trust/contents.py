"""What the tables of a run hold: rows and one hash each, in whatever order.

The lineage is a view that copies nothing. What it shows are the rows of the evidence of
every mart, views too, found in the landed files: both are held like tables.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from komek.base import database

# Read from the machine's clock, not from the inputs.
CLOCK = {"run": ("started_at", "finished_at")}
MARTS = ("marts",)
EVIDENCE = "evidence_"
LANDED_FILES = "landing.landed_files"
_HALF = 2**64


@dataclass(frozen=True)
class Content:
    """What a table holds, in whatever order: its number of rows, and one hash."""

    rows: int
    md5: str


def tables_of(
    run_file: Path, schemas: Sequence[str] = MARTS
) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return the tables of a run's file: schema and name to columns and their types.

    Those of the schemas, the evidence among those of the marts, and the landed files.

    Raises:
        duckdb.Error: the file cannot be read.
    """
    with database.connect(run_file, read_only=True) as connection:
        found = connection.execute(
            "select table_schema, table_name,"
            " list((column_name, data_type) order by ordinal_position)"
            " from information_schema.columns join information_schema.tables"
            " using (table_schema, table_name)"
            " where list_contains($schemas, table_schema) and ("
            "table_type = 'BASE TABLE'"
            " or (table_schema = 'marts' and starts_with(table_name, $evidence)))"
            " or concat(table_schema, '.', table_name) = $landed_files"
            " group by all order by all",
            {
                "schemas": list(schemas),
                "evidence": EVIDENCE,
                "landed_files": LANDED_FILES,
            },
        ).fetchall()
    return {(schema, table): columns for schema, table, columns in found}


def content_of(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    columns: Sequence[tuple[str, str]],
) -> Content:
    """Return the content of a table of an opened run's file, clock columns left out.

    A row's hash is the MD5 of its values as text, each with its length before it (so
    that no text passes for two); the hashes are added up, in two halves, so that the
    order of rows does not matter and the same row twice does. The names and types of
    the columns are added as one row more.

    Raises:
        duckdb.Error: the table cannot be read.
    """
    kept = [(name, kind) for name, kind in columns if name not in CLOCK.get(table, ())]
    # Null is `-`, for what concat() is given of it is nothing.
    row = ", ".join(
        f"length({text}), case when {text} is null then '-' else ':' end, {text}"
        for text in (f'cast("{name}" as varchar)' for name, _ in kept)
    )
    rows, upper, lower = connection.execute(
        "select count(*),"
        f" coalesce(sum((number & {_HALF - 1}::uhugeint)::ubigint), 0),"
        " coalesce(sum((number >> 64)::ubigint), 0)"
        f" from (select md5_number(concat({row})) as number"
        f' from "{schema}"."{table}")'
    ).fetchone() or (0, 0, 0)
    head = hashlib.md5(json.dumps(kept).encode(), usedforsecurity=False).digest()
    upper += int.from_bytes(head[:8])
    lower += int.from_bytes(head[8:])
    return Content(rows, f"{upper % _HALF:016x}{lower % _HALF:016x}")


def contents_of(run_file: Path) -> dict[str, Content]:
    """Return the content of every mart of a finished run, and of its landed files.

    Raises:
        duckdb.Error: the file cannot be read.
    """
    tables = tables_of(run_file)
    with database.connect(run_file, read_only=True) as connection:
        return {
            name_of(schema, table): content_of(connection, schema, table, columns)
            for (schema, table), columns in tables.items()
        }


def readable_contents(
    run_file: Path, tables: Mapping[tuple[str, str], Sequence[tuple[str, str]]]
) -> Iterator[tuple[tuple[str, str], Content | None]]:
    """Yield the content of tables of a file that may be damaged; None: not to be read.

    Behind a damaged table the file is opened anew: DuckDB may have given it up.
    """
    connection: duckdb.DuckDBPyConnection | None = None
    try:
        for (schema, table), columns in tables.items():
            content = None
            try:
                connection = connection or database.connect(run_file, read_only=True)
                content = content_of(connection, schema, table, columns)
            except duckdb.Error:
                if connection:
                    connection.close()
                connection = None
            yield (schema, table), content
    finally:
        if connection:
            connection.close()


def name_of(schema: str, table: str) -> str:
    """Return a table's name in receipts: a mart has its own, others their schema's."""
    return table if schema in MARTS else f"{schema}.{table}"


def relation_of(name: str) -> str:
    """Return schema and table of a name in a receipt."""
    return name if "." in name else f"{MARTS[0]}.{name}"


def views_of(run_file: Path, schemas: Sequence[str]) -> dict[str, str]:
    """Return the views of a run's file, schema and name to their SQL.

    As DuckDB writes it: another version may write the same view otherwise.

    Raises:
        duckdb.Error: the file cannot be read.
    """
    with database.connect(run_file, read_only=True) as connection:
        found = connection.execute(
            "select concat(schema_name, '.', view_name), sql from duckdb_views()"
            " where database_name = current_database()"
            " and list_contains(?, schema_name)",
            [list(schemas)],
        ).fetchall()
    return dict(found)
