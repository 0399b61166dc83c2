"""Staging against the registries' rules, over rows nobody would have thought of."""

import os
from collections.abc import Iterator
from datetime import date, datetime
from itertools import cycle
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from komek.base import registries
from komek.base.places import Home
from komek.base.registries import Entity
from komek.landing.land import land
from komek.runs import build
from komek.runs.landed_views import ROWS_PER_FILE
from komek.runs.layout import begin
from komek.runs.run import Request
from random_registries import write_registries
from registry_rules import Place, Verdict, judge

# More of either: make fuzz SEEDS=20 KOMEK_ROWS=5000
SEEDS = range(int(os.environ.get("KOMEK_SEEDS", "2")))
ROWS = int(os.environ.get("KOMEK_ROWS", "1500"))
APRIL_10 = date(2020, 4, 10)
SHOWN = 5
# Every kind of reason must have been given, or the rows were too tame.
REASONS = {
    *("missing", "unparsable", "unknown_code", "invalid_iin", "inverted_interval"),
    "impossible_date",
    *("malformed_row", "duplicate_row", "duplicate_key"),
}


@pytest.fixture(scope="module", params=SEEDS)
def staged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[dict[str, Verdict], duckdb.DuckDBPyConnection]]:
    """What the rules make of a seed's rows, and the database staging made of them."""
    folder = tmp_path_factory.mktemp(f"seed_{request.param}")
    received = write_registries(folder / "drop", request.param, ROWS)
    expected = {
        entity.name: judge(entity, received[entity.name], APRIL_10)
        for entity in registries.entities()
    }
    home = Home(folder / "home")
    land(home, folder / "drop")
    run = begin(home, Request(APRIL_10, APRIL_10, {}))
    build.layer(run, "staging")
    with duckdb.connect(run.file, read_only=True) as connection:
        yield expected, connection


def _placed(connection: duckdb.DuckDBPyConnection, select: str) -> list[tuple]:
    """Return the rows of a select, the source row as a place in front."""
    rows = connection.execute(
        f"select files.file, staged.source_row % {ROWS_PER_FILE},"
        " staged.* exclude (source_row)"
        f" from ({select}) as staged inner join landing.landed_files as files"
        f" on files.file_no = staged.source_row // {ROWS_PER_FILE}"
    ).fetchall()
    return [(Place(file, number), *values) for file, number, *values in rows]


def _difference(expected: set, found: set) -> str:
    """Say which rows only one side has; a value may be very long."""
    only = {"expected": expected - found, "found": found - expected}
    return "\n".join(
        f"only {side}: {len(rows)}, such as {f'{row}':.300}"
        for side, rows in only.items()
        for row in sorted(rows, key=repr)[:SHOWN]
    )


@pytest.mark.parametrize("entity", registries.entities(), ids=lambda e: e.name)
def test_rows_are_judged_by_the_rules(
    staged: tuple[dict[str, Verdict], duckdb.DuckDBPyConnection], entity: Entity
) -> None:
    verdict, connection = staged[0][entity.name], staged[1]

    rejected = _placed(
        connection,
        f"select source_row, reason, key from staging.rejected_{entity.name}",
    )
    assert _difference(set(verdict.rejected), set(rejected)) == ""
    assert len(rejected) == len(verdict.rejected)

    columns = ", ".join(entity.column_names)
    accepted = _placed(
        connection, f"select source_row, {columns} from staging.stg_{entity.name}"
    )
    wanted = {(place, *values) for place, values in verdict.accepted.items()}
    assert _difference(wanted, set(accepted)) == ""
    assert len(accepted) == len(wanted)

    counts = connection.execute(
        "select rows_received, rows_accepted, rows_quarantined, rows_duplicate"
        " from staging.registry_profile where entity = ?",
        [entity.name],
    ).fetchone()
    assert counts == (
        verdict.received,
        len(verdict.accepted),
        verdict.quarantined,
        verdict.duplicates,
    )
    assert counts[0] == sum(counts[1:])
    assert min(counts) > 0


def test_every_kind_of_reason_was_given(
    staged: tuple[dict[str, Verdict], duckdb.DuckDBPyConnection],
) -> None:
    given = {
        reason.partition(":")[0]
        for verdict in staged[0].values()
        for _, reason, _ in verdict.rejected
    }
    assert given == REASONS


# An identifier that came as a number, whatever the number, has lost its zeros.
KINDS = (
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16()),
    *(pa.uint32(), pa.uint64(), pa.float32(), pa.float64()),
    *(pa.decimal128(12, 0), pa.decimal128(38, 0), pa.decimal32(9, 0)),
)
IDENTIFIERS = [
    (entity.name, column.name)
    for entity in registries.entities()
    for column in entity.columns
    if column.is_identifier and entity.name not in ("kato", "persons")
]


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's file of registries whose identifiers came as every kind of number.

    In `persons` they are nulls of a numeric type; `kato` came in parts that type its
    days otherwise, and the last of them has a number for the code.
    """
    folder = tmp_path_factory.mktemp("typed")
    tables = {"persons": pa.table({"iin": pa.array([None], pa.int64())})}
    for (entity, column), kind in zip(IDENTIFIERS, cycle(KINDS), strict=False):
        table = tables.setdefault(entity, pa.table({"unknown": ["x"]}))
        tables[entity] = table.append_column(column, pa.array([11], kind))
    for entity, table in tables.items():
        _deliver(folder, f"{entity}/{APRIL_10}.parquet", table)
    day = date(2020, 1, 2)
    units = {"kato": ["710000000"], "name_ru": ["Нур-Султан"], "name_kk": ["Н"]}
    for part, days in (
        (1, pa.array([f"{day}"])),
        (2, pa.array([datetime(2020, 1, 2)], pa.timestamp("us"))),  # noqa: DTZ001
        (3, pa.array([day])),
    ):
        table = pa.table({**units, "valid_from": days})
        _deliver(folder, f"kato/{APRIL_10}/part-{part}.parquet", table)
    number = pa.table({**units, "kato": [71], "valid_from": [f"{day}"]})
    _deliver(folder, f"kato/{APRIL_10}/part-4.parquet", number)
    home = Home(folder / "home")
    land(home, folder / "drop")
    run = begin(home, Request(APRIL_10, APRIL_10, {}))
    build.layer(run, "staging")
    return run.file


def _deliver(folder: Path, name: str, table: pa.Table) -> None:
    path = folder / "drop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_an_identifier_that_came_as_a_number_is_seen(
    typed: Path, kind: pa.DataType
) -> None:
    came_so = {
        identifier
        for identifier, came in zip(IDENTIFIERS, cycle(KINDS), strict=False)
        if came == kind
    }
    found = {
        (entity, column)
        for entity, columns in _rows(
            typed, "select entity, numeric_identifiers from staging.registry_profile"
        )
        for column in columns.split("|")
    }
    assert came_so
    assert came_so <= found


def test_an_identifier_of_nulls_is_no_number(typed: Path) -> None:
    assert _numeric_identifiers(typed, "persons") == ""


def test_an_identifier_that_came_as_a_number_in_one_part_is_seen(typed: Path) -> None:
    assert _numeric_identifiers(typed, "kato") == "kato"


def test_equal_rows_of_parts_typed_otherwise_are_copies(typed: Path) -> None:
    rejected = _rows(typed, "select reason from staging.rejected_kato")
    accepted = _rows(typed, "select kato, valid_from from staging.stg_kato")

    assert rejected == [("duplicate_row",), ("duplicate_row",)]
    assert sorted(accepted) == [
        ("71", date(2020, 1, 2)),
        ("710000000", date(2020, 1, 2)),
    ]


def _numeric_identifiers(run_file: Path, entity: str) -> str:
    ((found,),) = _rows(
        run_file,
        "select numeric_identifiers from staging.registry_profile"
        f" where entity = '{entity}'",
    )
    return found


def _rows(run_file: Path, query: str) -> list[tuple]:
    with duckdb.connect(run_file, read_only=True) as connection:
        return connection.execute(query).fetchall()
