"""What is landed under KOMEK_KEY: the same rows and types, readable to nobody."""

import os
import uuid
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from komek.base import database
from komek.base.database import KEY, LANDING
from komek.base.errors import UnwritableError, UsageError
from komek.base.places import Home
from komek.landing import received
from komek.landing.land import land
from komek.landing.snapshots import Snapshot, newest_snapshots, verify_snapshot
from personal_data import open_to_others

SECRET = "correct-horse-battery"
ENTITY = "asp_members"
DAY = "2020-04-18"
SOMEBODY = "850101300123"
# Every type that is landed at all; of each a value and nothing.
TYPES = {
    "int8": pa.array([1, None], pa.int8()),
    "uint64": pa.array([2**63 + 1, None], pa.uint64()),
    "float16": pa.array([1.5, None], pa.float16()),
    "float32": pa.array([float("nan"), None], pa.float32()),
    "double": pa.array([-0.0, None], pa.float64()),
    "date": pa.array([date(1, 1, 1), None]),
    "time_ms": pa.array([1, None], pa.time32("ms")),
    "time_ns": pa.array([1_001, None], pa.time64("ns")),
    "ts_s": pa.array([1, None], pa.timestamp("s")),
    "ts_ms": pa.array([1, None], pa.timestamp("ms")),
    "ts_us": pa.array([1, None], pa.timestamp("us")),
    "ts_ns": pa.array([1_001, None], pa.timestamp("ns")),
    "tstz": pa.array([1, None], pa.timestamp("us", "Asia/Almaty")),
    "decimal_4": pa.array([Decimal("1.5"), None], pa.decimal128(4, 1)),
    "decimal_38": pa.array([Decimal("1.5"), None], pa.decimal128(38, 1)),
    "text": pa.array(["a\0b", None]),
    "empty": pa.array(["", None], pa.large_string()),
    "bytes": pa.array([b"\xff", None]),
    "fixed": pa.array([b"abcd", None], pa.binary(4)),
    "bool": pa.array([True, None]),
    "nothing": pa.nulls(2),
    "category": pa.array(["a", None]).dictionary_encode(),
    "list": pa.array([[1, None], None]),
    "struct": pa.array([{"a": 1, "b": "x"}, None]),
    "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())),
    "uuid": pa.array([uuid.UUID(int=118).bytes, None], pa.uuid()),
    "json": pa.array(['{"a": 1}', None], pa.json_()),
}


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop" / ENTITY
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, SECRET)


def landed_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Snapshot, Snapshot]:
    """Land the drop without a key and with one."""
    snapshots = []
    for secret in ("", SECRET):
        monkeypatch.setenv(KEY, secret)
        home = Home(tmp_path / f"home{secret}")
        snapshots += land(home, tmp_path / "drop")
    plain, encrypted = snapshots
    return plain, encrypted


def read(path: Path) -> tuple[list[tuple], list[tuple]]:
    """Return the types of a landed file's columns, and its numbered rows as text."""
    with database.connect() as connection:
        landed = database.scan_encrypted(
            path, LANDING, "file_row_number = true", bytes_as_text=False
        )
        types = connection.execute(f"describe from {landed}").fetchall()
        rows = connection.execute(
            f"select cast(columns(*) as varchar) from {landed} order by file_row_number"
        ).fetchall()
    return types, rows


def alike(plain: Snapshot, encrypted: Snapshot) -> bool:
    """Say whether two snapshots are the same but for the bytes that landed."""

    def shown(snapshot: Snapshot) -> str:
        files = (replace(file, landed_sha256="") for file in snapshot.files)
        return replace(snapshot.manifest, files=tuple(files)).text

    return shown(plain) == shown(encrypted) and all(
        read(here) == read(there)
        for here, there in zip(plain.paths, encrypted.paths, strict=True)
    )


def names_somebody(folder: Path) -> bool:
    return any(
        SOMEBODY.encode() in path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    )


def test_every_type_of_a_parquet_stays_what_it_is(
    tmp_path: Path, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pa.table(TYPES | {"iin": pa.array([SOMEBODY, None])})
    pq.write_table(table, drop / f"{DAY}.parquet", compression="none")

    plain, encrypted = landed_twice(tmp_path, monkeypatch)

    assert alike(plain, encrypted)
    assert names_somebody(plain.folder)
    assert not names_somebody(encrypted.folder)
    assert verify_snapshot(encrypted) == []
    assert open_to_others(encrypted.folder) == []
    with pytest.raises(duckdb.Error, match="is encrypted"):
        duckdb.execute(f"from {database.scan(encrypted.paths[0])}")


def test_rows_of_many_groups_keep_their_numbers(
    tmp_path: Path, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    iins = pa.array([f"{number * 7_919:012}" for number in range(300_000)])
    table = pa.table({"award_id": iins, "iin": iins})
    pq.write_table(table, drop / f"{DAY}.parquet", row_group_size=5_000)

    _, encrypted = landed_twice(tmp_path, monkeypatch)

    with database.connect() as connection:
        landed = database.scan_encrypted(
            encrypted.paths[0], LANDING, "file_row_number = true"
        )
        assert connection.execute(
            "select count(*), count(*) filter (where cast(iin as bigint)"
            f" = file_row_number * 7919) from {landed}"
        ).fetchone() == (300_000, 300_000)


def test_parts_and_lines_that_do_not_split_are_kept_as_they_are(
    tmp_path: Path, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = drop / DAY
    parts.mkdir()
    lines = "".join(
        f"a{n},{SOMEBODY}\n" if n % 7 else f"lost {n}\n" for n in range(200)
    )
    (parts / "a.csv").write_text(f"award_id,iin\n{lines}")
    (parts / "b.csv").write_text("iin,award_id\n")

    plain, encrypted = landed_twice(tmp_path, monkeypatch)

    assert alike(plain, encrypted)
    assert encrypted.manifest.malformed_rows == 29
    assert not names_somebody(encrypted.folder)


def test_the_same_bytes_are_not_landed_again_whatever_the_key(
    tmp_path: Path, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (drop / f"{DAY}.csv").write_text(f"award_id,iin\na1,{SOMEBODY}\n")
    plain, encrypted = landed_twice(tmp_path, monkeypatch)

    for snapshot in (plain, encrypted):
        home = Home(snapshot.folder.parents[3])
        assert land(home, tmp_path / "drop") == []
        # What was landed in the open stays so, and is read.
        assert read(snapshot.paths[0])[1] == [("a1", SOMEBODY, None, "0")]
    assert plain.paths[0].read_bytes().startswith(b"PAR1")


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("", "is encrypted: set KOMEK_KEY"),
        ("wrong-horse-battery", "KOMEK_KEY does not open"),
    ],
)
def test_nothing_is_landed_beside_what_another_key_encrypts(
    tmp_path: Path,
    drop: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: None,
    secret: str,
    said: str,
) -> None:
    home = Home(tmp_path / "home")
    (drop / f"{DAY}.csv").write_text("award_id,iin\n")
    land(home, tmp_path / "drop")
    (drop / "2020-04-19.csv").write_text(f"award_id,iin\na1,{SOMEBODY}\n")
    monkeypatch.setenv(KEY, secret)

    with pytest.raises(UsageError, match=said):
        land(home, tmp_path / "drop")

    assert len(newest_snapshots(home, ENTITY)) == 1
    assert not names_somebody(home.root)


def test_a_damaged_landed_file_is_no_other_key(
    tmp_path: Path, drop: Path, key: None
) -> None:
    home = Home(tmp_path / "home")
    (drop / f"{DAY}.csv").write_text("award_id,iin\n")
    (snapshot,) = land(home, tmp_path / "drop")
    os.truncate(snapshot.paths[0], 20)
    (drop / "2020-04-19.csv").write_text("award_id,iin\n")

    assert len(land(home, tmp_path / "drop")) == 1


def test_what_cannot_be_encrypted_is_not_left_in_the_open(
    tmp_path: Path, drop: Path, monkeypatch: pytest.MonkeyPatch, key: None
) -> None:
    def full_disk(parquet: Path) -> None:
        assert names_somebody(parquet.parent)
        raise UnwritableError("no room")

    monkeypatch.setattr(received, "encrypt", full_disk)
    home = Home(tmp_path / "home")
    table = pa.table({"award_id": ["a1"], "iin": [SOMEBODY]})
    pq.write_table(table, drop / f"{DAY}.parquet", compression="none")

    with pytest.raises(UnwritableError):
        land(home, tmp_path / "drop")

    assert not names_somebody(home.root)
