"""What is out of proportion is refused."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.landing import drop as drop_module
from komek.landing import received
from komek.landing.land import land
from komek.landing.snapshots import (
    newest_snapshots,
)
from landed_drop import (
    DAY,
    ENTITY,
    HEADER,
    members,
    parquet_bytes,
    put,
    refusal,
    write_small,
)


def test_a_gzip_that_unpacks_out_of_proportion_is_refused(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received, "MAX_UNPACKED_BYTES", 1 << 16)
    name = f"{ENTITY}/{DAY}.csv.gz"
    rows = (HEADER + "a,1\n" * (1 << 20)).encode()
    message = refusal(home, drop, name, gzip.compress(rows))
    assert f"{name}: unpacks to more than " in message
    monkeypatch.setattr(received, "MAX_UNPACKED_RATIO", 2_000)
    (snapshot,) = land(home, drop)
    assert snapshot.rows == 1 << 20


def test_a_file_of_more_rows_than_are_numbered_is_refused(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received, "MAX_ROWS", 2)
    whole, long = members(*[("a", "1")] * 2), members(*[("a", "1")] * 3)
    name = f"{ENTITY}/{DAY}.parquet"
    message = refusal(home, drop, name, parquet_bytes(long))
    assert f"{name}: has more than 2 rows" in message
    put(drop, name, parquet_bytes(whole))
    put(drop, f"{ENTITY}/2020-04-19.csv", HEADER + "a,1\n" * 3)
    with pytest.raises(StoppedError, match=r"2020-04-19\.csv: has more than 2 rows"):
        land(home, drop)
    assert [s.rows for s in newest_snapshots(home, ENTITY)] == [2]


def test_a_parquet_of_too_many_columns_is_refused(home: Home, drop: Path) -> None:
    table = pa.table({f"c{n}": ["x"] for n in range(1_001)})
    name = f"{ENTITY}/{DAY}.parquet"
    message = refusal(home, drop, name, parquet_bytes(table))
    assert "more than 1000 columns" in message


def test_a_column_name_out_of_proportion_is_refused(home: Home, drop: Path) -> None:
    long = "x" * 1_001
    reason = "has a name of more than 1000 characters for column 2"
    message = refusal(home, drop, f"{ENTITY}/{DAY}.csv", f"iin,{long}\n1,a\n")
    assert reason in message
    (drop / ENTITY / f"{DAY}.csv").unlink()
    table = pa.table({"iin": ["1"], long: ["a"]})
    name = f"{ENTITY}/{DAY}.parquet"
    assert reason in refusal(home, drop, name, parquet_bytes(table))


def test_a_field_out_of_proportion_is_refused_in_parquet_too(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received, "MAX_FIELD_BYTES", 1 << 20)
    monkeypatch.setattr(received, "_READ_ROWS", 2)
    fields = ["short", None, "x" * (1 << 20), "x" * ((1 << 20) + 1)]
    table = members(*(("a", field) for field in fields))
    name = f"{ENTITY}/{DAY}.parquet"
    message = refusal(home, drop, name, parquet_bytes(table))
    assert f"{name}: has a field longer than 1 MB: column 2 of row 4" in message
    put(drop, name, parquet_bytes(table.slice(0, 3)))
    (snapshot,) = land(home, drop)
    assert snapshot.rows == 3


def test_a_long_row_is_named_by_the_row_before_its_block(
    tmp_path: Path,
) -> None:
    lines = [f"a{n},{n}" if n % 10 else "lost" for n in range(100)]
    path = put(tmp_path, "long.csv", HEADER + "\n".join([*lines, "x" * 999 + ",1", ""]))
    with pytest.raises(received.Refused, match="after row") as refused:
        write_small(path, tmp_path / "p", block_bytes=128)
    # Whole blocks are read before it: the row lies in the next.
    after = int(str(refused.value).rpartition(" ")[2])
    assert 80 <= after <= 100


def test_a_folder_of_too_many_parts_or_names_is_refused(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        put(drop, f"{ENTITY}/{DAY}/{number}.csv", HEADER)
    monkeypatch.setattr(drop_module, "MAX_PARTS", 2)
    with pytest.raises(StoppedError, match=f"{DAY}: is a folder of more than 2 parts"):
        land(home, drop)
    monkeypatch.setattr(drop_module, "MAX_NAMES", 2)
    with pytest.raises(StoppedError, match=f"{DAY}: holds more than 2 names"):
        land(home, drop)
    monkeypatch.undo()
    (snapshot,) = land(home, drop)
    assert len(snapshot.files) == 3
