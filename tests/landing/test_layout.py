"""What is a snapshot of a drop, and what is told and left alone."""

import gzip
import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from komek.base.errors import StoppedError, UsageError
from komek.base.places import Home
from komek.landing.land import land
from komek.landing.manifest import LandedColumn
from komek.landing.snapshots import (
    newest_snapshots,
)
from landed_drop import (
    DAY,
    ENTITY,
    HEADER,
    assert_no_leftovers,
    members,
    parquet_bytes,
    put,
    rows_of,
    sha256_of,
)


def test_a_csv_and_its_manifest(home: Home, drop: Path) -> None:
    content = HEADER + "a1,000000000001\na2,\nlost\n"
    put(drop, f"{ENTITY}/{DAY}.csv", content)
    (snapshot,) = land(home, drop)
    assert rows_of(snapshot) == [
        ("a1", "000000000001", None),
        ("a2", None, None),
        (None, None, "lost"),
    ]
    assert snapshot.folder == home.landing / ENTITY / DAY / "r0001"
    sha256 = sha256_of(content.encode())
    landed_sha256 = sha256_of((snapshot.folder / "00000.parquet").read_bytes())
    size = len(content)
    written = json.loads((snapshot.folder / "manifest.json").read_text())
    assert snapshot.manifest == newest_snapshots(home, ENTITY)[0].manifest
    assert written == {
        "entity": ENTITY,
        "snapshot_date": DAY,
        "revision": 1,
        "source": f"{drop}/{ENTITY}/{DAY}.csv",
        "sha256": sha256,
        "bytes": size,
        "rows": 3,
        "malformed_rows": 1,
        "files": [
            {
                "file": f"{ENTITY}/{DAY}.csv",
                "landed": "00000.parquet",
                "sha256": sha256,
                "landed_sha256": landed_sha256,
                "bytes": size,
                "rows": 3,
                "malformed_rows": 1,
                "format": "csv",
                "columns": [
                    {"name": "award_id", "type": "VARCHAR"},
                    {"name": "iin", "type": "VARCHAR"},
                ],
            }
        ],
    }


def test_a_parquet_is_landed_unchanged(home: Home, drop: Path) -> None:
    table = members(("a1", "000000000001"), ("", None))
    table = table.append_column("paid_on", pa.array([date(2020, 4, 1), None]))
    content = parquet_bytes(table)
    put(drop, f"{ENTITY}/{DAY}.parquet", content)
    (snapshot,) = land(home, drop)
    assert snapshot.paths[0].read_bytes() == content
    assert rows_of(snapshot) == [
        ("a1", "000000000001", date(2020, 4, 1)),
        ("", None, None),
    ]
    file = snapshot.files[0]
    assert file.format == "parquet"
    assert file.sha256 == file.landed_sha256 == snapshot.sha256
    assert (file.rows, file.malformed_rows) == (2, 0)
    assert file.columns[2] == LandedColumn("paid_on", "DATE")


def test_an_empty_parquet_is_legal(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}.parquet", parquet_bytes(members()))
    (snapshot,) = land(home, drop)
    assert snapshot.rows == 0


def test_parts_are_landed_in_order_of_name(home: Home, drop: Path) -> None:
    folder = f"{ENTITY}/{DAY}"
    put(drop, f"{folder}/part-2.csv.gz", gzip.compress(f"{HEADER}c,3\nd,4\n".encode()))
    put(drop, f"{folder}/part-10.csv", "iin;award_id\n1;a\n")
    put(drop, f"{folder}/part-3.parquet", parquet_bytes(members(("e", "5"))))
    put(drop, f"{folder}/_SUCCESS", "")
    put(drop, f"{folder}/.part-2.csv.crc", "x")
    put(drop, f"{folder}/readme.txt", "x")
    told: list[str] = []
    (snapshot,) = land(home, drop, say=told.append)
    assert [file.file for file in snapshot.files] == [
        f"{folder}/part-10.csv",
        f"{folder}/part-2.csv.gz",
        f"{folder}/part-3.parquet",
    ]
    assert [path.name for path in snapshot.paths] == [
        "00000.parquet",
        "00001.parquet",
        "00002.parquet",
    ]
    assert [file.rows for file in snapshot.files] == [1, 2, 1]
    assert snapshot.rows == 4
    assert rows_of(snapshot, 0) == [("1", "a", None)]
    assert rows_of(snapshot, 1) == [("c", "3", None), ("d", "4", None)]
    assert rows_of(snapshot, 2) == [("e", "5")]
    lines = [f"{Path(f.file).name} {f.sha256}\n" for f in snapshot.files]
    sha256 = sha256_of("".join(sorted(lines)).encode())
    assert snapshot.sha256 == sha256
    assert f"{folder}/readme.txt: not a part, ignored" in told
    assert not any("_SUCCESS" in line or "crc" in line for line in told)


def test_a_folder_without_a_part_is_refused(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}/_SUCCESS", "")
    with pytest.raises(StoppedError, match=f"{ENTITY}/{DAY}: is empty"):
        land(home, drop)
    assert newest_snapshots(home, ENTITY) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{DAY}.csv", f"{DAY}.parquet"),
        (f"{DAY}.csv", f"{DAY}.csv.gz"),
        (f"{DAY}.csv", f"{DAY}/part.csv"),
        (f"{DAY}.CSV", f"{DAY}.csv"),
    ],
)
def test_one_date_in_two_shapes_is_refused(
    home: Home, drop: Path, one: str, other: str
) -> None:
    put(drop, f"{ENTITY}/{one}", HEADER)
    put(drop, f"{ENTITY}/{other}", HEADER)
    put(drop, f"{ENTITY}/2020-04-17.csv", HEADER)
    with pytest.raises(StoppedError) as stopped:
        land(home, drop)
    for name in (one, other):
        assert f"{ENTITY}/{Path(name).parts[0]}" in str(stopped.value)
    assert [str(s.snapshot_date) for s in newest_snapshots(home, ENTITY)] == [
        "2020-04-17"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "2020-13-40.csv",
        "asp_members.csv",
        "20200418.csv",
        "2020-4-18.parquet",
        "x.csv.gz",
    ],
)
def test_a_data_file_whose_name_is_no_date_is_refused(
    home: Home, drop: Path, name: str
) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER)
    put(drop, f"{ENTITY}/{name}", HEADER)
    with pytest.raises(StoppedError, match=f"{ENTITY}/{name}: its name is not a date"):
        land(home, drop)
    assert len(newest_snapshots(home, ENTITY)) == 1


def test_a_folder_whose_name_is_no_date_that_exists_is_refused(
    home: Home, drop: Path
) -> None:
    put(drop, f"{ENTITY}/2020-02-30/part.csv", HEADER)
    with pytest.raises(StoppedError, match=f"{ENTITY}/2020-02-30: its name is not"):
        land(home, drop)


def test_a_folder_named_like_a_file_is_refused(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}.parquet/part-0.parquet", "x")
    with pytest.raises(StoppedError, match=f"{DAY}.parquet: is not a regular file"):
        land(home, drop)


def test_other_names_are_told_and_ignored(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER)
    put(drop, f"{ENTITY}/{DAY}.csv.part", "half")
    put(drop, f"{ENTITY}/notes.txt", "x")
    put(drop, f"{ENTITY}/old/{DAY}.csv", "x")
    put(drop, f"{ENTITY}/_tmp.csv", "x")
    put(drop, f"{ENTITY}/.hidden.csv", "x")
    put(drop, f"pensions/{DAY}.csv", "x")
    put(drop, "planted.json", "{}")
    told: list[str] = []
    assert len(land(home, drop, say=told.append)) == 1
    assert f"{ENTITY}/{DAY}.csv.part: not a snapshot, ignored" in told
    assert f"{ENTITY}/notes.txt: not a snapshot, ignored" in told
    assert f"{ENTITY}/old: not a snapshot, ignored" in told
    assert "pensions: not an entity, ignored" in told
    assert "persons: nothing delivered" in told
    assert not any(name in " ".join(told) for name in ("planted", "_tmp", "hidden"))
    assert sorted(path.name for path in home.landing.iterdir()) == [ENTITY]


def test_no_drop_folder_is_wrong_usage(home: Home, drop: Path) -> None:
    file = put(drop, "file", "x")
    for source in (drop / "none", file, str(drop / "none"), "nonsense://x/y"):
        with pytest.raises(UsageError, match="drop folder"):
            land(home, source)


def test_an_unknown_entity_is_wrong_usage(home: Home, drop: Path) -> None:
    with pytest.raises(UsageError, match="pensions"):
        land(home, drop, ["pensions"])


def test_only_the_entities_asked_for_are_landed(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER)
    put(drop, f"kato/{DAY}.csv", "kato,name_ru\n")
    assert [s.entity for s in land(home, drop, ["kato"])] == ["kato"]
    assert [s.entity for s in land(home, drop, [])] == []
    assert [s.entity for s in land(home, drop)] == [ENTITY]


def test_later_snapshots_are_not_touched(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/2020-04-17.csv", HEADER)
    put(drop, f"{ENTITY}/2020-04-18.csv", HEADER)
    put(drop, f"{ENTITY}/2020-04-19.csv", b"")
    put(drop, f"{ENTITY}/2020-04-20.csv", HEADER)
    put(drop, f"{ENTITY}/2020-04-20.parquet", b"")
    landed = land(home, drop, until=date(2020, 4, 18))
    assert [s.snapshot_date.day for s in landed] == [17, 18]
    with pytest.raises(StoppedError, match="2020-04-19"):
        land(home, drop, until=date(2020, 4, 19))


def test_a_refusal_does_not_stop_the_others(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/2020-04-16.csv", HEADER)
    put(drop, f"{ENTITY}/2020-04-17.csv", "")
    put(drop, f"{ENTITY}/2020-04-18/a.csv", HEADER)
    put(drop, f"{ENTITY}/2020-04-18/b.csv", HEADER + 'a,"b')
    put(drop, f"{ENTITY}/2020-04-19.csv", HEADER)
    put(drop, f"kato/{DAY}.csv", "kato,name_ru\n")
    with pytest.raises(StoppedError) as stopped:
        land(home, drop)
    message = str(stopped.value)
    assert message.count("; ") == 1
    assert "\n" not in message
    assert f"{ENTITY}/2020-04-17.csv: is empty" in message
    assert f"{ENTITY}/2020-04-18/b.csv: ends inside quotes" in message
    landed = newest_snapshots(home, ENTITY)
    assert [s.snapshot_date.day for s in landed] == [16, 19]
    assert len(newest_snapshots(home, "kato")) == 1
    assert_no_leftovers(home)


def test_a_type_that_cannot_be_proven_whole_is_refused(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: object) -> None:
        raise pa.ArrowNotImplementedError("nested")

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", lacking)
    put(drop, f"{ENTITY}/{DAY}.parquet", parquet_bytes(members(("a", "1"))))

    with pytest.raises(StoppedError, match="of a type that is not read here"):
        land(home, drop)
    assert_no_leftovers(home)
