"""The floor's staging: which received rows stay, which do not, and why."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from floor_values import (
    IIN_TOP,
    NUMERIC,
    PARSED_TYPES,
    as_text,
    faults_of,
    literal,
    parsed,
    quoted,
)
from komek.base import database
from komek.base.registries import Entity

ROWS_PER_FILE = 10**10


@dataclass(frozen=True)
class Snapshot:
    """The snapshot of an entity that a run uses: its folder and its manifest."""

    entity: Entity
    folder: Path
    manifest: dict[str, Any]

    @property
    def files(self) -> list[dict[str, Any]]:
        """The received files, in order of file name."""
        return sorted(self.manifest["files"], key=lambda file: file["landed"])


def newest_snapshot(home: Path, entity: Entity, known_at: dt.date) -> Snapshot:
    """Return the newest revision of the latest snapshot dated on or before a day.

    Raises:
        LookupError: the entity has no snapshot.
    """
    dated = [
        path.parent
        for path in (home / "landing" / entity.name).glob("*/r*/manifest.json")
        if path.parent.parent.name <= known_at.isoformat()
    ]
    if not dated:
        raise LookupError(f"{entity.name}: no snapshot on or before {known_at}")
    folder = max(dated, key=lambda path: (path.parent.name, int(path.name[1:])))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return Snapshot(entity, folder, manifest)


def _landed(paths: Path | Sequence[Path], *options: str) -> str:
    """Return SQL that reads landed files, under a key or not."""
    return database.scan_encrypted(paths, database.LANDING, *options)


@dataclass(frozen=True)
class Source:
    """The received rows of a snapshot as SQL: one select per shape of its files.

    Each gives source_row, malformed, and per declared column t_ (text), v_ (parsed
    value of dates, amounts, integers) and p_ (packed digits of an IIN).
    """

    snapshot: Snapshot
    selects: tuple[str, ...]

    @property
    def entity(self) -> Entity:
        """The entity of the snapshot."""
        return self.snapshot.entity

    def rows(self, columns: str, condition: str = "true") -> str:
        """Return the select of some columns over all files."""
        return " union all ".join(
            f"select {columns} from ({select}) as received where {condition}"
            for select in self.selects
        )


def _shape_select(
    snapshot: Snapshot, files: Sequence[tuple[int, Path]], shape: dict[str, str]
) -> str:
    """Return the select over files of one shape, numbered within their snapshot."""
    numbers = ", ".join(str(number) for number, _ in files)
    landed = _landed([path for _, path in files], "file_row_number = true")
    malformed = (
        "__malformed__ is not null" if "__malformed__" in shape else "false"
    ) + " as malformed"
    source_row = (
        f"([{numbers}])[file_index::bigint + 1] * {ROWS_PER_FILE}"
        " + file_row_number + 1 as source_row"
    )
    received = ", ".join(
        [
            source_row,
            malformed,
            *(quoted(column.name) for column in snapshot.entity.columns),
            *(
                f"{as_text(column, shape[column.name])} as t_{column.name}"
                for column in snapshot.entity.columns
            ),
        ]
    )
    values = [
        f"{parsed(column, shape[column.name])} as v_{column.name}"
        for column in snapshot.entity.columns
        if column.type in PARSED_TYPES
    ] + [
        f"try_cast('0x1' || t_{column.name} as bigint) - {IIN_TOP} as p_{column.name}"
        for column in snapshot.entity.columns
        if column.type == "iin"
    ]
    return f"select {', '.join(['*', *values])} from (select {received} from {landed})"


def _source(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> Source:
    """Group a snapshot's files by the names and types of their columns.

    Raises:
        ValueError: a declared column is missing, or an identifier came as a number.
    """
    shapes: dict[tuple[tuple[str, str], ...], list[tuple[int, Path]]] = {}
    for number, file in enumerate(snapshot.files):
        path = snapshot.folder / file["landed"]
        described = connection.execute(
            f"describe select * from {_landed(path)}"
        ).fetchall()
        shape = tuple((row[0], row[1]) for row in described)
        shapes.setdefault(shape, []).append((number, path))
    for shape, files in shapes.items():
        _check_shape(connection, snapshot.entity, dict(shape), files)
    return Source(
        snapshot,
        tuple(
            _shape_select(snapshot, files, dict(shape))
            for shape, files in shapes.items()
        ),
    )


def _check_shape(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    shape: dict[str, str],
    files: Sequence[tuple[int, Path]],
) -> None:
    missing = [name for name in entity.column_names if name not in shape]
    if missing:
        raise ValueError(f"{entity.name}: missing column {', '.join(missing)}")
    landed = _landed([path for _, path in files])
    for column in entity.columns:
        if column.is_identifier and NUMERIC.match(shape[column.name]):
            (given,) = connection.execute(
                f"select count({quoted(column.name)}) from {landed}"
            ).fetchone()
            if given:
                raise ValueError(f"{entity.name}: {column.name} is numeric")


def _key_text(entity: Entity) -> str:
    return " || '|' || ".join(f"coalesce(t_{name}, '')" for name in entity.key)


def _rejections(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Add an entity's rejected rows to temp.rejected: one row per reason."""
    entity = source.entity
    faults = faults_of(entity, source.snapshot.manifest["snapshot_date"])
    reasons = ", ".join(
        f"case when {bad} then {literal(why)} end" for why, bad in faults
    )
    any_fault = " or ".join(["malformed", *(f"({bad})" for _, bad in faults)])
    faulty = source.rows(
        "source_row, case when malformed then ['malformed_row']"
        f" else [{reasons}] end as reasons,"
        f" case when malformed then '' else {_key_text(entity)} end as key",
        any_fault,
    )
    connection.execute(
        f"create or replace temp table faulty as {faulty};"
        # Which keys may repeat: a hash is enough to clear the many that do not.
        f"create or replace temp table repeated as select key_hash from ("
        f"{source.rows(f'{_key_hash(entity)} as key_hash', _key_complete(entity))}"
        ") group by key_hash having count(*) > 1"
    )
    key = ", ".join(f"t_{name}" for name in entity.key)
    content = ", ".join(f"t_{name}" for name in entity.column_names)
    suspects = source.rows(
        f"source_row, {content}, {_key_text(entity)} as key",
        f"{_key_complete(entity)} and {_key_hash(entity)} in (from repeated)",
    )
    connection.execute(
        "create or replace temp table equal_rows as"
        f" select source_row, key, {key},"
        f" min(source_row) over (partition by {content}) as first_row"
        f" from ({suspects})"
        if _any(connection, "repeated")
        else "create or replace temp table equal_rows as select null::bigint as"
        " source_row, '' as key, null::bigint as first_row,"
        f" {', '.join(f'null::varchar as t_{name}' for name in entity.key)} limit 0"
    )
    connection.execute(
        f"""
        insert into rejected
        select {literal(entity.name)}, source_row, reason, key
        from (select source_row, unnest(reasons) as reason, key from faulty)
        where reason is not null and source_row not in (
            select source_row from equal_rows where source_row <> first_row
        )
        union all
        select {literal(entity.name)}, source_row, 'duplicate_row', key
        from equal_rows
        where source_row <> first_row
        union all
        select {literal(entity.name)}, source_row, 'duplicate_key', key
        from (
            select
                source_row, first_row, key,
                min(first_row) over (partition by {key}) as lowest,
                max(first_row) over (partition by {key}) as highest
            from equal_rows
        )
        where source_row = first_row and lowest < highest
        """
    )


def _key_complete(entity: Entity) -> str:
    return " and ".join(f"t_{name} is not null" for name in entity.key)


def _key_hash(entity: Entity) -> str:
    return f"hash({', '.join(f't_{name}' for name in entity.key)})"


def _any(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return connection.execute(f"select 1 from {table} limit 1").fetchone() is not None


def stage(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    """Judge an entity's rows; leave the view stg_<entity> of the accepted ones.

    Raises:
        ValueError: a declared column is missing, or an identifier came as a number.
    """
    source = _source(connection, snapshot)
    entity = source.entity
    _rejections(connection, source)
    connection.execute(
        f"create temp table out_{entity.name} as select distinct source_row"
        f" from rejected where entity = {literal(entity.name)}"
    )
    typed = ", ".join(
        f"{'v' if column.type in PARSED_TYPES else 't'}_{column.name} as {column.name}"
        for column in entity.columns
    )
    accepted = (
        f"source_row not in (from out_{entity.name})"
        if _any(connection, f"out_{entity.name}")
        else "true"
    )
    connection.execute(
        f"create temp view stg_{entity.name} as"
        f" {source.rows(f'source_row, {typed}', accepted)}"
    )
    manifest = source.snapshot.manifest
    values = ", ".join(
        [
            literal(entity.name),
            f"date {literal(manifest['snapshot_date'])}",
            str(int(manifest["revision"])),
            literal(manifest["sha256"]),
        ]
    )
    connection.execute(
        f"insert into floor.snapshot_use select {values}, received,"
        " received - quarantined - duplicates, quarantined, duplicates from ("
        f"select (select count(*) from ({source.rows('1')})) as received,"
        " count(distinct source_row) filter (reason <> 'duplicate_row')"
        " as quarantined, count(*) filter (reason = 'duplicate_row') as duplicates"
        f" from rejected where entity = {literal(entity.name)})"
    )
    connection.execute(
        "insert into landed_file values "
        + ", ".join(
            f"({literal(entity.name)}, {number}, {literal(file['file'])})"
            for number, file in enumerate(source.snapshot.files)
        )
    )
