"""Which types of a Parquet are read, and how much of one is in memory at once."""

import io
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from komek.base import database
from komek.base.errors import KomekError, StoppedError
from komek.base.places import Home
from komek.explain.rows import Place, read_rows
from komek.landing import received, received_csv
from komek.landing.land import land
from komek.runs.layout import begin
from komek.runs.run import Request

DAY = date(2020, 4, 20)
GOLDEN = Path(__file__).parents[1] / "golden" / "drop"
NAMES = ("iin", "last_name", "first_name", "middle_name", "kato", "address", "sex")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def put(folder: Path, entity: str, table: pa.Table, **options: object) -> None:
    (folder / entity).mkdir(parents=True, exist_ok=True)
    # Without Arrow's own schema, which other writers do not leave.
    pq.write_table(
        table, folder / entity / f"{DAY}.parquet", store_schema=False, **options
    )


def refusal(home: Home, folder: Path) -> str:
    with pytest.raises(StoppedError) as stopped:
        land(home, folder)
    return str(stopped.value)


def persons(last_name: pa.Array, address: pa.Array | None = None) -> pa.Table:
    rows = len(last_name)
    return pa.table(
        {
            "iin": [f"{number:012}" for number in range(rows)],
            "last_name": last_name,
            "address": pa.nulls(rows, pa.string()) if address is None else address,
        }
    )


# Text that is not marked as text


def unmarked(table: pa.Table) -> pa.Table:
    """Return a table as Impala writes it: text is bytes."""
    schema = pa.schema(
        [
            pa.field(f.name, pa.binary() if pa.types.is_string(f.type) else f.type)
            for f in table.schema
        ]
    )
    return table.cast(schema)


def test_text_that_is_not_marked_as_text_is_text(tmp_path: Path) -> None:
    table = persons(pa.array(["Серік", None, ""]), pa.array(["Абай, 1", "қ\n", None]))
    read = []
    for name, written in (("marked", table), ("unmarked", unmarked(table))):
        home = Home(tmp_path / name)
        shutil.copytree(GOLDEN, tmp_path / f"{name}-drop")
        shutil.rmtree(tmp_path / f"{name}-drop" / "persons")
        put(tmp_path / f"{name}-drop", "persons", written)
        land(home, tmp_path / f"{name}-drop", until=DAY)
        read.append(landed_rows(home))

    marked, as_text = read
    assert as_text == marked
    assert len(marked) == table.num_rows + 1
    assert "Серік" in marked[0]
    assert ("last_name", "Серік") in marked[-1]


def landed_rows(home: Home) -> list[tuple]:
    """Return the persons that a run reads, and the first row as it is explained."""
    run = begin(home, Request(DAY, DAY, {}))
    with database.connect(run.file, read_only=True) as connection:
        rows = connection.execute("from landing.persons order by source_row").fetchall()
        place = Place("persons", f"persons/{DAY}.parquet", 1)
        (explained,) = read_rows(connection, home, [place]).values()
    return [*rows, tuple(explained.items())]


def test_bytes_that_are_no_utf_8_are_refused(home: Home, tmp_path: Path) -> None:
    names = pa.array(["Серик".encode(), "Серик".encode("cp1251")], pa.binary())
    put(tmp_path / "drop", "persons", persons(names))

    said = refusal(home, tmp_path / "drop")

    assert f"persons/{DAY}.parquet: has text that is not UTF-8" in said
    assert "\\x" not in said


def test_bytes_that_nobody_asked_for_may_be_anything(
    home: Home, tmp_path: Path
) -> None:
    photo = pa.array([b"\xff\xd8", None], pa.binary())
    table = persons(pa.array(["Серік", None])).append_column("photo", photo)
    put(tmp_path / "drop", "persons", table)

    (landed,) = land(home, tmp_path / "drop")

    assert landed.rows == 2


# Other types

OTHERS = {
    "LIST": pa.array([["a"]]),
    "STRUCT": pa.array([{"Серик": 1}]),
    "MAP": pa.array([[("a", "b")]], pa.map_(pa.string(), pa.string())),
    "TIME": pa.array([time(1)], pa.time64("us")),
    "UUID": pa.array([UUID(int=1).bytes], pa.uuid()),
    "JSON": pa.array(["{}"], pa.json_()),
}
READ = {
    "text": pa.array(["a"], pa.large_string()),
    "dictionary": pa.array(["a"]).dictionary_encode(),
    "date": pa.array([DAY]),
    "moment": pa.array([datetime(2020, 4, 20, tzinfo=UTC)], pa.timestamp("ms", "UTC")),
    "nanoseconds": pa.array([1], pa.timestamp("ns")),
    "integer": pa.array([1], pa.uint64()),
    "decimal": pa.array([Decimal("1.10")], pa.decimal128(38, 2)),
    "number": pa.array([1.5], pa.float32()),
    "truth": pa.array([True]),
    "nothing": pa.nulls(1),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_any_other_type_of_a_declared_column_is_refused_by_name(
    home: Home, tmp_path: Path, kind: str
) -> None:
    put(tmp_path / "drop", "persons", persons(OTHERS[kind]))

    assert refusal(home, tmp_path / "drop") == (
        f"refused at landing: persons/{DAY}.parquet: has a column of a type that is not"
        f" read here: last_name is {kind}"
    )


@pytest.mark.parametrize("kind", READ)
def test_text_dates_moments_numbers_and_truths_are_read(
    home: Home, tmp_path: Path, kind: str
) -> None:
    put(tmp_path / "drop", "persons", persons(READ[kind]))

    (landed,) = land(home, tmp_path / "drop")

    assert landed.rows == 1


@pytest.mark.parametrize("kind", OTHERS)
def test_a_column_that_nobody_asked_for_may_be_anything(
    home: Home, tmp_path: Path, kind: str
) -> None:
    table = persons(pa.array(["a"])).append_column("surplus", OTHERS[kind])
    put(tmp_path / "drop", "persons", table)

    (landed,) = land(home, tmp_path / "drop")

    assert landed.rows == 1


# Memory


@pytest.fixture
def pool() -> Iterator[pa.MemoryPool]:
    before = pa.default_memory_pool()
    counted = pa.proxy_memory_pool(before)
    pa.set_memory_pool(counted)
    yield counted
    pa.set_memory_pool(before)


def test_what_repeats_is_not_all_in_memory_at_once(
    home: Home, tmp_path: Path, pool: pa.MemoryPool
) -> None:
    rows = 20_000
    same = pa.DictionaryArray.from_arrays(
        pa.nulls(rows, pa.int32()).fill_null(0), ["улица " * 1_800]
    )
    put(tmp_path / "drop", "persons", persons(pa.array(["a"] * rows), same))
    size = (tmp_path / "drop" / "persons" / f"{DAY}.parquet").stat().st_size
    assert size < 1 << 20

    (landed,) = land(home, tmp_path / "drop")

    assert landed.rows == rows
    # Of 400 MB.
    assert pool.max_memory() < 2 * received._READ_BYTES + (16 << 20)


def test_a_parquet_that_unpacks_out_of_proportion_is_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received, "MAX_UNPACKED_BYTES", 1 << 16)
    same = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000), ["x" * 2_000])
    put(tmp_path / "drop", "persons", persons(pa.array(["a"] * 5_000), same))

    assert "unpacks to more than " in refusal(home, tmp_path / "drop")

    monkeypatch.setattr(received, "MAX_UNPACKED_RATIO", 10_000)
    (landed,) = land(home, tmp_path / "drop")
    assert landed.rows == 5_000


def test_too_little_memory_is_no_fault_of_the_file(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise pa.ArrowMemoryError("malloc of size 9 failed")

    put(tmp_path / "drop", "persons", persons(pa.array(["a"])))
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", exhausted)

    with pytest.raises(KomekError, match="out of memory") as raised:
        land(home, tmp_path / "drop")
    assert not isinstance(raised.value, StoppedError)


def test_long_rows_of_a_csv_are_written_in_small_groups(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received_csv, "ROW_GROUP_BYTES", 1 << 20)
    monkeypatch.setitem(received_csv.write_csv.__kwdefaults__, "block_bytes", 1 << 18)
    (tmp_path / "drop" / "persons").mkdir(parents=True)
    text = io.StringIO()
    text.write("iin,address\n")
    for number in range(100):
        text.write(f"{number:012},{'x' * 40_000}\n")
    file = tmp_path / "drop" / "persons" / f"{DAY}.csv"
    file.write_text(text.getvalue(), encoding="utf-8")

    (landed,) = land(home, tmp_path / "drop")

    metadata = pq.read_metadata(landed.paths[0])
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert sum(groups) == 100
    assert max(groups) < 50
