"""Drops by hand: put a file there, land it, read what has landed."""

import hashlib
import io
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from komek.base.database import scan
from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.landing import received_csv
from komek.landing.land import land
from komek.landing.snapshots import (
    Snapshot,
    newest_snapshots,
)

ENTITY = "asp_members"
HEADER = "award_id,iin\n"
DAY = "2020-04-18"


def put(drop: Path, name: str, content: str | bytes) -> Path:
    path = drop / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def parquet_bytes(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def members(*rows: tuple[str | None, str | None]) -> pa.Table:
    schema = pa.schema([("award_id", pa.string()), ("iin", pa.string())])
    return pa.Table.from_pylist(
        [{"award_id": award, "iin": iin} for award, iin in rows], schema=schema
    )


def many_members() -> pa.Table:
    return members(*((f"a{n}", f"{n * 7919:012}") for n in range(5_000)))


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def rows_of(snapshot: Snapshot, file: int = 0) -> list[tuple]:
    """Return a landed file's rows in the order of their row numbers."""
    landed = scan(snapshot.paths[file], "file_row_number = true")
    query = f"select * exclude (file_row_number) from {landed} order by file_row_number"
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def land_csv(home: Home, drop: Path, content: str | bytes) -> list[tuple]:
    put(drop, f"{ENTITY}/{DAY}.csv", content)
    (snapshot,) = land(home, drop)
    return rows_of(snapshot)


def refusal(home: Home, drop: Path, name: str, content: str | bytes) -> str:
    """Return why a file is refused, having seen that nothing of it has landed."""
    put(drop, name, content)
    with pytest.raises(StoppedError) as stopped:
        land(home, drop)
    assert name in str(stopped.value)
    assert newest_snapshots(home, ENTITY) == []
    assert_no_leftovers(home)
    return str(stopped.value)


def assert_no_leftovers(home: Home) -> None:
    entity = home.entity(ENTITY)
    days = [path for path in entity.iterdir() if path.name != ".lock"]
    assert all(date.fromisoformat(path.name) for path in days)
    revisions = [revision for day in days for revision in day.iterdir()]
    assert all((revision / "manifest.json").is_file() for revision in revisions)


# Small blocks and row groups: more of them than any file of a test would fill.
def write_small(
    path: Path, target: Path, file_format: str = "csv", block_bytes: int = 64
) -> list[tuple]:
    with target.open("wb") as file:
        counts = received_csv.write_csv(
            path, file, file_format, ("award_id", "iin"), block_bytes=block_bytes
        )
    rows = pq.read_table(target).to_pylist()
    malformed = sum(row["__malformed__"] is not None for row in rows)
    assert counts == (len(rows), malformed)
    return [tuple(row.values()) for row in rows]
