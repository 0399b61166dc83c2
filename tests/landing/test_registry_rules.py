"""Staging against the registries' rules, over rows nobody would have thought of."""

import os
from collections.abc import Iterator
from datetime import date
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
from komek.runs.layout import ROWS_PER_FILE, _numeric_identifiers, begin
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
        entity.name: judge(entity, received[entity.name])
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


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16()),
        *(pa.uint32(), pa.uint64(), pa.float32(), pa.float64()),
        *(pa.decimal128(12, 0), pa.decimal128(38, 0), pa.decimal32(9, 0)),
    ],
    ids=str,
)
def test_an_identifier_that_came_as_a_number_is_seen(
    tmp_path: Path, kind: pa.DataType
) -> None:
    table = pa.table(
        {
            "kato": pa.array([11], kind),
            "name_ru": ["область"],
            "valid_from": pa.array([None], kind),
        }
    )
    assert _found_numeric(tmp_path, table) == {"kato"}


def test_an_identifier_of_nulls_is_no_number(tmp_path: Path) -> None:
    table = pa.table({"kato": pa.array([None], pa.int64()), "name_ru": ["область"]})
    assert _found_numeric(tmp_path, table) == set()


def _found_numeric(folder: Path, table: pa.Table) -> set[str]:
    path = folder / "drop" / "kato" / "2020-04-10.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(table, path)
    (snapshot,) = land(Home(folder / "home"), folder / "drop")
    with duckdb.connect() as connection:
        return _numeric_identifiers(connection, registries.entity("kato"), snapshot)
