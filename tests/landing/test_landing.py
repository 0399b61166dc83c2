"""What is delivered is landed whole and numbered right, or refused and named."""

import codecs
import csv
import errno
import fcntl
import gzip
import hashlib
import io
import json
import os
import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from komek.base import places, registries
from komek.base.database import scan
from komek.base.errors import StoppedError, UsageError
from komek.base.places import Home
from komek.landing import drop as drop_module
from komek.landing import land as land_module
from komek.landing import received, received_csv, received_text
from komek.landing.land import land
from komek.landing.manifest import MANIFEST, LandedColumn
from komek.landing.snapshots import (
    Snapshot,
    latest_snapshot,
    newest_snapshots,
    previous_snapshot,
    verify_snapshot,
)

ENTITY = "asp_members"
HEADER = "award_id,iin\n"
DAY = "2020-04-18"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


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


# The layout of a drop


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


# The grammar of a CSV


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("award_id,iin\na,1\n", [("a", "1", None)]),
        ("award_id,iin\r\na,1\r\n", [("a", "1", None)]),
        ("award_id,iin\ra,1\r", [("a", "1", None)]),
        ("award_id;iin\na,b;1\n", [("a,b", "1", None)]),
        ("award_id\tiin\na\t1\n", [("a", "1", None)]),
        ("iin,award_id\n1,a\n", [("1", "a", None)]),
        ('"award_id","iin"\n"a","1"\n', [("a", "1", None)]),
        ("\n\r\naward_id,iin\n\n\na,1\n\n", [("a", "1", None)]),
        ("award_id,iin\na,1", [("a", "1", None)]),
        ('award_id,iin\na,"1"', [("a", "1", None)]),
        ("award_id,iin\n", []),
        ("award_id,iin", []),
        ("award_id,iin\n ,\t\n", [(" ", "\t", None)]),
        ("award_id,iin\n,\n", [(None, None, None)]),
        ('award_id,iin\n"",""\n', [(None, None, None)]),
        ("award_id,iin\nNA,NULL\n", [("NA", "NULL", None)]),
        ("award_id,iin\nnull,nan\n", [("null", "nan", None)]),
        ("award_id,iin\n001,1e5\n", [("001", "1e5", None)]),
        ("award_id,iin\ntrue,2020-01-01\n", [("true", "2020-01-01", None)]),
        ('award_id,iin\n"a ""b"" c",1\n', [('a "b" c', "1", None)]),
        ('award_id,iin\na "b" c,1\n', [('a "b" c', "1", None)]),
        ('award_id,iin\n5" pipe,1\n', [('5" pipe', "1", None)]),
        ('award_id,iin\n"a\n\nb","1\r\n2"\n', [("a\n\nb", "1\r\n2", None)]),
        ("award_id,iin\nФамилия,қазақ\n", [("Фамилия", "қазақ", None)]),
    ],
)
def test_values_are_taken_as_written(
    home: Home, drop: Path, content: str, rows: list[tuple]
) -> None:
    assert land_csv(home, drop, content) == rows


def test_a_byte_order_mark_is_stripped(home: Home, drop: Path) -> None:
    content = codecs.BOM_UTF8 + b'"award_id";iin\na;1\n'
    assert land_csv(home, drop, content) == [("a", "1", None)]
    (snapshot,) = newest_snapshots(home, ENTITY)
    assert [c.name for c in snapshot.files[0].columns] == ["award_id", "iin"]


def test_the_delimiter_is_the_one_that_yields_declared_names(
    home: Home, drop: Path
) -> None:
    content = "award_id;x,y,z;iin\na;b,c;1\n"
    assert land_csv(home, drop, content) == [("a", "b,c", "1", None)]


def test_missing_and_extra_columns_are_not_the_landing_s_business(
    home: Home, drop: Path
) -> None:
    assert land_csv(home, drop, "iin,surplus\n1,x\n") == [("1", "x", None)]


def test_a_single_column(home: Home, drop: Path) -> None:
    rows = [("1", None), (None, None), (None, "2,3"), ("4", None)]
    assert land_csv(home, drop, 'iin\n1\n""\n\n2,3\n4\n') == rows


def test_malformed_lines_keep_their_place_and_text(home: Home, drop: Path) -> None:
    content = HEADER + ('lost\n\na,1\n\nb,2,3\nc,4\n \n"two\nlines"\nd,"5\n5"\nlast\n')
    assert land_csv(home, drop, content) == [
        (None, None, "lost"),
        ("a", "1", None),
        (None, None, "b,2,3"),
        ("c", "4", None),
        (None, None, " "),
        (None, None, '"two\nlines"'),
        ("d", "5\n5", None),
        (None, None, "last"),
    ]
    (snapshot,) = newest_snapshots(home, ENTITY)
    assert (snapshot.rows, snapshot.manifest.malformed_rows) == (8, 5)


def test_every_line_may_be_malformed(home: Home, drop: Path) -> None:
    rows = [(None, None, str(n)) for n in range(100)]
    content = HEADER + "".join(f"{n}\n" for n in range(100))
    assert land_csv(home, drop, content) == rows


# More small blocks and row groups than any file of a test would fill.
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


def test_many_blocks_and_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received_csv, "ROW_GROUP_ROWS", 1_000)
    expected = [
        (None, None, f"bad {n}")
        if n % 7 == 3 or n > 19_000
        else (f"a{n}", f"{n}", None)
        for n in range(20_000)
    ]
    lines = [bad or f"{award},{iin}" for award, iin, bad in expected]
    path = put(tmp_path, "many.csv", HEADER + "\n".join(lines) + "\n")
    target = tmp_path / "many.parquet"
    assert write_small(path, target, block_bytes=4_096) == expected
    assert pq.read_metadata(target).num_row_groups > 10


def test_a_line_feed_is_kept_where_blocks_meet(tmp_path: Path) -> None:
    for shift in range(140):
        value = "x" * shift + "\r\ny"
        path = put(tmp_path, "cr.csv", f'{HEADER}a,"{value}"\r\nb,2\r\n')
        rows = write_small(path, tmp_path / f"{shift}.parquet", block_bytes=128)
        assert rows == [("a", value, None), ("b", "2", None)]


TEXT = st.lists(
    st.one_of(
        st.sampled_from([*'",;\t \n\r', "\r\n", "ә", "я", "\ufeff", "😀"]),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=12,
).map("".join)
ROW = st.tuples(TEXT, TEXT)
MALFORMED = st.sampled_from(
    ["lost", "a,b,c", ",,,", " ", '"x\ny"', '"a""b"', 'q"', "ө"]
)


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.one_of(ROW, MALFORMED), max_size=25),
    block_bytes=st.integers(120, 400),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    empty_lines=st.booleans(),
    zipped=st.booleans(),
)
def test_any_table_keeps_its_values_and_row_numbers(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    rows: list[tuple[str, str] | str],
    block_bytes: int,
    line_end: str,
    empty_lines: bool,
    zipped: bool,
) -> None:
    text = io.StringIO(newline="")
    plain = csv.writer(text, lineterminator=line_end)
    quoted = csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    plain.writerow(["award_id", "iin"])
    for row in rows:
        if isinstance(row, str):
            text.write(row + line_end)
        else:
            # This Python's writer leaves a lone carriage return unquoted.
            has_lines = any(c in value for value in row for c in "\r\n")
            (quoted if has_lines else plain).writerow(row)
        text.write(line_end * 2 if empty_lines else "")
    expected = [
        (None, None, row) if isinstance(row, str) else (*(v or None for v in row), None)
        for row in rows
    ]
    folder = tmp_path_factory.mktemp("any")
    content = text.getvalue().encode()
    file_format = "csv.gz" if zipped else "csv"
    path = put(folder, "any", gzip.compress(content) if zipped else content)
    assert write_small(path, folder / "p", file_format, block_bytes) == expected


# What is refused


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_zero_bytes_are_refused(home: Home, drop: Path, suffix: str) -> None:
    assert "empty" in refusal(home, drop, f"{ENTITY}/{DAY}.{suffix}", b"")


@pytest.mark.parametrize("content", [b"\n\r\n", codecs.BOM_UTF8, b"\r"])
def test_a_csv_without_a_header_is_refused(
    home: Home, drop: Path, content: bytes
) -> None:
    assert "empty" in refusal(home, drop, f"{ENTITY}/{DAY}.csv", content)


def test_nothing_zipped_is_refused(home: Home, drop: Path) -> None:
    message = refusal(home, drop, f"{ENTITY}/{DAY}.csv.gz", gzip.compress(b""))
    assert "empty" in message


@pytest.mark.parametrize("header", ["iin,award_id,iin", "iin,award_id,IIN", "iin,,"])
def test_a_column_named_twice_is_refused(home: Home, drop: Path, header: str) -> None:
    message = refusal(home, drop, f"{ENTITY}/{DAY}.csv", f"{header}\n1,a,2\n")
    assert "twice" in message


def test_a_column_named_twice_is_refused_in_parquet_too(home: Home, drop: Path) -> None:
    table = members(("a", "1")).append_column("IIN", pa.array(["2"]))
    name = f"{ENTITY}/{DAY}.parquet"
    assert "twice" in refusal(home, drop, name, parquet_bytes(table))


@pytest.mark.parametrize("name", ["__malformed__", "__filename__", "FILE_ROW_NUMBER"])
def test_a_reserved_column_name_is_refused(home: Home, drop: Path, name: str) -> None:
    message = refusal(home, drop, f"{ENTITY}/{DAY}.csv", f"iin,{name}\n1,a\n")
    assert "reserved" in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ((HEADER + "a,1\n").encode("utf-16"), "UTF-16"),
        ((HEADER + "a,1\n").encode("utf-16-le"), "NUL"),
        ((HEADER + "Серик,1\n").encode("windows-1251"), "not utf-8 text: byte 13"),
        (HEADER.encode() + b"a,\xc3", "not utf-8 text"),
        (HEADER.encode() + b"a,\xed\xa0\x80\n", "not utf-8 text"),
        (HEADER.encode() + b"a,1\0\n", "NUL"),
    ],
)
def test_a_wrong_encoding_is_refused(
    home: Home, drop: Path, content: bytes, reason: str
) -> None:
    assert reason in refusal(home, drop, f"{ENTITY}/{DAY}.csv", content)
    name = f"{ENTITY}/{DAY}.csv"
    (drop / name).unlink()
    assert reason in refusal(home, drop, f"{name}.gz", gzip.compress(content))


def test_the_byte_at_fault_is_named_far_into_the_file(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received_text, "_RAW_CHUNK", 7)
    content = (HEADER + "я,1\n" * 50).encode()
    message = refusal(home, drop, f"{ENTITY}/{DAY}.csv", content + b"\xd1,1\n")
    assert f"byte {len(content)}" in message


@pytest.mark.parametrize("encoding", ["windows-1251", "utf-16"])
def test_a_declared_encoding_is_decoded(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    declare_encoding(monkeypatch, encoding)
    monkeypatch.setattr(received_text, "_RAW_CHUNK", 7)
    content = (HEADER + "Серик,1\nпотеряно\n").encode(encoding)
    rows = [("Серик", "1", None), (None, None, "потеряно")]
    assert land_csv(home, drop, content) == rows


def declare_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    real = registries.entity
    monkeypatch.setattr(
        registries, "entity", lambda name: replace(real(name), encoding=encoding)
    )


def test_a_byte_order_mark_outweighs_the_declared_encoding(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare_encoding(monkeypatch, "windows-1251")
    content = (HEADER + "Серик,1\n").encode("utf-8-sig")
    assert land_csv(home, drop, content) == [("Серик", "1", None)]


def test_an_undeclared_byte_of_a_declared_encoding_is_refused(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare_encoding(monkeypatch, "windows-1251")
    name = f"{ENTITY}/{DAY}.csv"
    message = refusal(home, drop, name, HEADER.encode() + b"a,\x98\n")
    assert "not windows-1251 text: byte 15" in message


def test_an_entity_s_encoding_defaults_to_utf_8() -> None:
    assert {entity.encoding for entity in registries.entities()} == {"utf-8"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (HEADER + 'a,"1', "inside quotes"),
        (HEADER + 'a,"1\n', "inside quotes"),
        (HEADER + 'a,"1\r', "inside quotes"),
        (HEADER + 'a,1\n"b,2\nc,3\n', "inside quotes"),
        (HEADER + 'a,"1""', "inside quotes"),
        (HEADER + '"', "inside quotes"),
        ('award_id,"iin\na,1\n', "inside quotes"),
        (HEADER + "a,1\nb", "last line"),
        (HEADER + "b", "last line"),
        (HEADER + "a,1\nb,2,3", "last line"),
    ],
)
def test_a_csv_that_was_cut_off_is_refused(
    home: Home, drop: Path, content: str, reason: str
) -> None:
    assert reason in refusal(home, drop, f"{ENTITY}/{DAY}.csv", content)


def test_a_cut_off_line_is_seen_where_blocks_meet(tmp_path: Path) -> None:
    for length in range(1, 140):
        path = put(tmp_path, "cut.csv", f"{HEADER}{'x' * length},1\ncut")
        with pytest.raises(received.Refused, match="last line"):
            write_small(path, tmp_path / f"{length}.parquet", block_bytes=128)


def test_a_gzip_that_was_cut_off_is_refused(home: Home, drop: Path) -> None:
    content = gzip.compress((HEADER + "a,1\n" * 1_000).encode())
    for end in (len(content) // 2, len(content) - 8, len(content) - 1):
        message = refusal(home, drop, f"{ENTITY}/{DAY}.csv.gz", content[:end])
        assert "gzip ends early" in message


def test_a_damaged_gzip_is_refused(home: Home, drop: Path) -> None:
    content = bytearray(gzip.compress((HEADER + "a,1\n" * 1_000).encode()))
    for place in (0, 12, len(content) - 8, len(content) - 1):
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        message = refusal(home, drop, f"{ENTITY}/{DAY}.csv.gz", bytes(damaged))
        assert "gzip does not check" in message


def test_a_gzip_of_several_members_is_read_whole(home: Home, drop: Path) -> None:
    content = gzip.compress((HEADER + "a,").encode()) + gzip.compress(b"1\nb,2\n")
    put(drop, f"{ENTITY}/{DAY}.csv.gz", content)
    (snapshot,) = land(home, drop)
    assert rows_of(snapshot) == [("a", "1", None), ("b", "2", None)]


def test_a_parquet_that_was_cut_off_is_refused(home: Home, drop: Path) -> None:
    content = parquet_bytes(many_members())
    for part in (content[:-1], content[:100], content[:3], content[50:], b"PAR1"):
        message = refusal(home, drop, f"{ENTITY}/{DAY}.parquet", part)
        assert "no whole Parquet" in message


def test_a_parquet_with_a_damaged_page_is_refused(home: Home, drop: Path) -> None:
    content = parquet_bytes(
        many_members(),
        compression="none",
        use_dictionary=False,
        write_page_checksum=True,
    )
    damaged = content.replace(b"a2500", b"a2600")
    message = refusal(home, drop, f"{ENTITY}/{DAY}.parquet", damaged)
    assert "no whole Parquet" in message


def test_a_parquet_whose_pages_do_not_decode_is_refused(home: Home, drop: Path) -> None:
    """Also without checksums, in a column that the pipeline never reads."""
    table = many_members().append_column("surplus", pa.array(["x" * 50] * 5_000))
    content = bytearray(parquet_bytes(table, compression="zstd"))
    chunk = pq.read_metadata(io.BytesIO(content)).row_group(0).column(2)
    start = chunk.dictionary_page_offset
    content[start : start + chunk.total_compressed_size] = b"\xff" * (
        chunk.total_compressed_size
    )
    message = refusal(home, drop, f"{ENTITY}/{DAY}.parquet", bytes(content))
    assert "no whole Parquet" in message


def test_text_that_is_not_utf_8_in_a_parquet_is_refused(home: Home, drop: Path) -> None:
    binary = pa.array([b"\xd1\xe5"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 1, binary.buffers())
    content = parquet_bytes(pa.table({"award_id": ["a"], "iin": text}))
    message = refusal(home, drop, f"{ENTITY}/{DAY}.parquet", content)
    assert "has text that is not UTF-8" in message


def test_a_long_row_is_refused(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(received_csv.write_csv.__kwdefaults__, "block_bytes", 1 << 20)
    for row in ("x" * (3 << 20) + ",1\n", 'a,"never closed\n' + "a,1\n" * (1 << 20)):
        message = refusal(home, drop, f"{ENTITY}/{DAY}.csv", HEADER + row)
        assert "row longer than 1 MB" in message


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (",".join(f"c{n}" for n in range(1_001)), "more than 1000 columns"),
        ("iin" + "," * 200_000, "more than 1000 columns"),
        ("," * 500_000, "header without end"),
        ("x" * 200_000, "header without end"),
        ('iin,"' + "\n" * (2 << 20), "header without end"),
        (
            "iin," + ",".join(f"{n}{'x' * 100_000}" for n in range(20)),
            "header without end",
        ),
    ],
)
def test_a_header_out_of_proportion_is_refused(
    home: Home, drop: Path, header: str, reason: str
) -> None:
    assert reason in refusal(home, drop, f"{ENTITY}/{DAY}.csv", f"{header}\n1\n")


def test_a_file_that_begins_with_too_many_malformed_lines_is_refused(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received_csv, "MAX_WAITING_CHARACTERS", 99)
    name = f"{ENTITY}/{DAY}.csv"
    message = refusal(home, drop, name, HEADER + "0123456789\n" * 10)
    assert "too many lines that do not split" in message


def test_a_refusal_quotes_no_row(home: Home, drop: Path) -> None:
    contents = [
        'Серикова,1\n"Айгуль',
        "Серикова,1\nАйгуль",
        "Серикова,Айгуль\n".encode() + b"\xff",
        "Айгуль,Серикова,Айгуль\n",
    ]
    for content in contents:
        message = refusal(home, drop, f"{ENTITY}/{DAY}.csv", content)
        assert "Айгуль" not in message
        assert "Серикова" not in message


CSV_LIKE = st.lists(
    st.sampled_from(
        [
            *(b"award_id,iin\n", b"a,1\n", b'"', b"\r", b"\n", b",", b";", b"\0"),
            *(b"\xff", b"\xd1", b"\xef\xbb\xbf", "я".encode(), b"x" * 300),
        ]
    ),
    max_size=30,
).map(b"".join)
WHOLE_PARQUET = parquet_bytes(many_members().slice(0, 50))
DAMAGED_PARQUET = st.lists(
    st.tuples(st.integers(0, len(WHOLE_PARQUET) - 1), st.integers(0, 255)),
    min_size=1,
    max_size=5,
).map(lambda changes: changed(WHOLE_PARQUET, changes))
WHOLE_GZIP = gzip.compress(b"award_id,iin\na,1\nb,2\n")
DAMAGED_GZIP = st.lists(
    st.tuples(st.integers(0, len(WHOLE_GZIP) - 1), st.integers(0, 255)), max_size=3
).map(lambda changes: changed(WHOLE_GZIP, changes))


def changed(content: bytes, changes: list[tuple[int, int]]) -> bytes:
    result = bytearray(content)
    for place, value in changes:
        result[place] = value
    return bytes(result)


@settings(max_examples=100, deadline=None)
@given(
    content=st.one_of(st.binary(), CSV_LIKE, DAMAGED_PARQUET, DAMAGED_GZIP),
    suffix=st.sampled_from(["csv", "csv.gz", "parquet"]),
)
def test_any_bytes_are_landed_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    home = Home(folder / "home")
    put(folder, f"drop/{ENTITY}/{DAY}.{suffix}", content)
    try:
        (snapshot,) = land(home, folder / "drop")
    except StoppedError as stopped:
        assert f"{ENTITY}/{DAY}.{suffix}: " in str(stopped)
        assert newest_snapshots(home, ENTITY) == []
    else:
        assert len(rows_of(snapshot)) == snapshot.rows
    assert_no_leftovers(home)


def test_a_file_that_changes_while_it_is_read_is_refused(
    home: Home, drop: Path
) -> None:
    path = put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")

    def append(doing: str, _done: int, _total: int) -> None:
        if doing.startswith("receive"):
            with path.open("a") as file:
                file.write("b,2\n")

    with pytest.raises(StoppedError, match="changed while it was read"):
        land(home, drop, progress=append)
    assert newest_snapshots(home, ENTITY) == []
    assert_no_leftovers(home)


def test_a_file_rewritten_in_its_own_size_while_it_is_read_is_refused(
    home: Home, drop: Path
) -> None:
    path = put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    os.utime(path, (1_000_000_000, 1_000_000_000))

    def rewrite(*_: object) -> None:
        path.write_text(HEADER + "b,2\n")

    with pytest.raises(StoppedError, match="changed while it was read"):
        land(home, drop, progress=rewrite)


def test_a_part_that_arrives_meanwhile_is_noticed(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}/part-1.csv", HEADER + "a,1\n")

    def arrive(*_: object) -> None:
        put(drop, f"{ENTITY}/{DAY}/part-2.csv", HEADER + "b,2\n")

    with pytest.raises(StoppedError, match=f"{DAY}: changed while it was read"):
        land(home, drop, progress=arrive)
    assert newest_snapshots(home, ENTITY) == []


def test_what_cannot_be_read_is_refused(home: Home, drop: Path) -> None:
    folder = drop / ENTITY
    folder.mkdir()
    (folder / f"{DAY}.csv").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "2020-04-19.csv")
    with pytest.raises(StoppedError) as stopped:
        land(home, drop)
    for day in (DAY, "2020-04-19"):
        assert f"{ENTITY}/{day}.csv: is not a regular file" in str(stopped.value)


def test_a_message_names_the_first_of_many_refusals(home: Home, drop: Path) -> None:
    for day in range(1, 14):
        put(drop, f"{ENTITY}/2020-04-{day:02}.csv", "")
    said: list[str] = []
    with pytest.raises(StoppedError) as stopped:
        land(home, drop, say=said.append)
    message = str(stopped.value)
    assert f"{ENTITY}/2020-04-10.csv: is empty: zero bytes; and 3 more" in message
    assert "2020-04-11" not in message
    assert f"refused: {ENTITY}/2020-04-13.csv: is empty: zero bytes" in said


def test_a_source_that_cannot_be_read_is_refused(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(drop, f"{ENTITY}/{DAY}.csv", HEADER)
    put(drop, f"kato/{DAY}.csv", "kato,name_ru\n")
    real = Path.open

    def denied(self: Path, *arguments: object, **named: object) -> object:
        if self == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return real(self, *arguments, **named)

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(StoppedError) as stopped:
        land(home, drop)
    said = f"refused at landing: {ENTITY}/{DAY}.csv: cannot be read: Permission denied"
    assert str(stopped.value) == said
    assert len(newest_snapshots(home, "kato")) == 1


# Revisions


def test_the_same_bytes_are_not_landed_again(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    (first,) = land(home, drop)
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    assert land(home, drop) == []
    assert newest_snapshots(home, ENTITY) == [first]


def test_other_bytes_are_a_new_revision(home: Home, drop: Path) -> None:
    versions = [HEADER + "a,1\n", HEADER + "a,2\n", HEADER + "a,1\n"]
    landed = []
    for content in versions:
        put(drop, f"{ENTITY}/{DAY}.csv", content)
        landed += land(home, drop)
    assert [s.revision for s in landed] == [1, 2, 3]
    assert [s.folder.name for s in landed] == ["r0001", "r0002", "r0003"]
    assert [rows_of(s)[0][1] for s in landed] == ["1", "2", "1"]
    assert newest_snapshots(home, ENTITY) == [landed[2]]


def test_another_part_is_a_new_revision(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}/part-1.csv", HEADER)
    (snapshot,) = land(home, drop)
    line = f"part-1.csv {sha256_of(HEADER.encode())}\n"
    assert snapshot.sha256 == sha256_of(line.encode())
    assert land(home, drop) == []
    put(drop, f"{ENTITY}/{DAY}/part-2.csv", HEADER)
    (snapshot,) = land(home, drop)
    assert snapshot.revision == 2


def test_a_refused_redelivery_leaves_the_landed_revision(
    home: Home, drop: Path
) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    (first,) = land(home, drop)
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a")
    with pytest.raises(StoppedError):
        land(home, drop)
    assert newest_snapshots(home, ENTITY) == [first]
    assert verify_snapshot(first) == []


def test_revisions_are_ordered_as_numbers(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    (first,) = land(home, drop)
    manifest = first.folder / MANIFEST
    manifest.write_text(
        manifest.read_text().replace('"revision": 1', '"revision": 9999')
    )
    first.folder.rename(first.folder.with_name("r9999"))
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,2\n")
    (next_one,) = land(home, drop)
    assert next_one.folder.name == "r10000"
    assert newest_snapshots(home, ENTITY) == [next_one]


def test_the_snapshot_of_a_date(home: Home, drop: Path) -> None:
    for day in ("2020-03-31", "2020-04-18", "2020-04-10"):
        put(drop, f"{ENTITY}/{day}.csv", HEADER + f"a,{day}\n")
    land(home, drop)
    march, early, late = newest_snapshots(home, ENTITY)
    assert [str(s.snapshot_date) for s in (march, early, late)] == [
        "2020-03-31",
        "2020-04-10",
        "2020-04-18",
    ]
    assert latest_snapshot(home, ENTITY, date(2020, 3, 30)) is None
    assert latest_snapshot(home, ENTITY, date(2020, 3, 31)) == march
    assert latest_snapshot(home, ENTITY, date(2020, 4, 17)) == early
    assert latest_snapshot(home, ENTITY, date(2021, 1, 1)) == late
    assert previous_snapshot(home, late) == early
    assert previous_snapshot(home, march) is None
    assert latest_snapshot(home, "persons", date(2020, 4, 18)) is None


def test_a_lost_manifest_is_an_error_that_names_it(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER)
    put(drop, f"kato/{DAY}.csv", "kato,name_ru\n")
    (snapshot,) = land(home, drop, [ENTITY])
    (snapshot.folder / "manifest.json").write_text("{")
    with pytest.raises(StoppedError, match=f"{ENTITY}: the manifest of {DAY}"):
        newest_snapshots(home, ENTITY)
    with pytest.raises(StoppedError, match=f"{ENTITY}: the manifest of {DAY}"):
        land(home, drop)
    assert len(newest_snapshots(home, "kato")) == 1


def test_a_crash_leaves_nothing_visible_and_is_cleaned_up(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")

    class CrashError(BaseException):
        pass

    def crash(*_: object) -> None:
        raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", crash)
        patch.setattr(land_module.shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(CrashError):
            land(home, drop)
    scratch = home.entity(ENTITY) / ".landing"
    assert (scratch / "r0001" / "manifest.json").is_file()
    assert newest_snapshots(home, ENTITY) == []
    (snapshot,) = land(home, drop)
    assert snapshot.revision == 1
    assert not scratch.exists()


def test_one_process_lands_an_entity_at_a_time(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    held: list[bool] = []

    def try_lock(*_: object) -> None:
        with (home.entity(ENTITY) / ".lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held.append(False)
            except BlockingIOError:
                held.append(True)

    land(home, drop, progress=try_lock)
    assert held
    assert all(held)


def test_what_is_landed_is_private(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    put(drop, f"{ENTITY}/2020-04-19.parquet", parquet_bytes(members(("a", "1"))))
    umask = os.umask(0)
    try:
        land(home, drop)
    finally:
        os.umask(umask)
    written = [home.root, *home.root.rglob("*")]
    modes = {p: stat.S_IMODE(p.stat().st_mode) for p in written}
    assert len([p for p in written if p.suffix in (".parquet", ".json")]) == 4
    assert modes == {p: 0o700 if p.is_dir() else 0o600 for p in written}


def test_files_and_folders_are_on_disk_before_they_are_visible(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    land(home, drop)
    assert [name for name in synced if name != ENTITY][-4:] == [
        "00000.parquet",
        "manifest.json",
        "r0001",
        DAY,
    ]


def test_a_landed_file_that_differs_from_its_manifest_is_found(
    home: Home, drop: Path
) -> None:
    for part in ("a", "b", "c"):
        put(drop, f"{ENTITY}/{DAY}/{part}.csv", HEADER + f"{part},1\n")
    (snapshot,) = land(home, drop)
    assert verify_snapshot(snapshot) == []
    content = bytearray(snapshot.paths[1].read_bytes())
    content[len(content) // 2] ^= 1
    snapshot.paths[1].write_bytes(content)
    snapshot.paths[2].unlink()
    assert verify_snapshot(snapshot) == ["00001.parquet", "00002.parquet"]


# Where from, and what people see


def test_odd_names_are_harmless(tmp_path: Path) -> None:
    odd = tmp_path / 'it\'s "odd"; drop table x --' / "[ü] *? %20 ${x}"
    home = Home(tmp_path / "it's [ü] * %20 ${x} a=b" / "home")
    drop = odd / "drop"
    put(drop, f"{ENTITY}/{DAY}/it's [1] *; -- қ.csv", HEADER + "a,1\n")
    put(drop, f'{ENTITY}/{DAY}/q"2.parquet', parquet_bytes(members(("b", "2"))))
    (snapshot,) = land(home, drop)
    assert rows_of(snapshot, 0) == [("a", "1", None)]
    assert rows_of(snapshot, 1) == [("b", "2")]
    assert snapshot.files[0].file == f"{ENTITY}/{DAY}/it's [1] *; -- қ.csv"
    assert newest_snapshots(home, ENTITY) == [snapshot]


@pytest.mark.parametrize("name", [b"a\nb.csv", b"\xff.csv", b"\x1b[2J.csv"])
def test_an_unprintable_name_is_refused_in_print(
    home: Home, drop: Path, name: bytes
) -> None:
    folder = drop / ENTITY / DAY
    folder.mkdir(parents=True)
    (folder / os.fsdecode(name)).write_text(HEADER)
    with pytest.raises(StoppedError, match="not printable") as stopped:
        land(home, drop)
    assert str(stopped.value).isprintable()


def test_a_remote_drop_is_copied_first(home: Home) -> None:
    drop = UPath("memory://komek-drop")
    part = drop / ENTITY / DAY / "part-1.csv"
    part.parent.mkdir(parents=True)
    part.write_bytes((HEADER + "a,1\n").encode())
    file = drop / ENTITY / "2020-04-19.parquet"
    file.write_bytes(parquet_bytes(members(("b", "2"))))
    folder, parquet = land(home, "memory://komek-drop")
    assert rows_of(folder) == [("a", "1", None)]
    assert rows_of(parquet) == [("b", "2")]
    assert folder.files[0].file == f"{ENTITY}/{DAY}/part-1.csv"
    assert parquet.manifest.source == f"memory://komek-drop/{ENTITY}/2020-04-19.parquet"
    assert land(home, "memory://komek-drop") == []

    part.write_bytes((HEADER + "a,2\n").encode())

    def rewrite(*_: object) -> None:
        part.write_bytes((HEADER + "a,3\n").encode())

    with pytest.raises(StoppedError, match="changed while it was read"):
        land(home, "memory://komek-drop", progress=rewrite)


def test_a_remote_file_s_version_is_asked_for_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Remote file systems remember what they were told, unless told to forget."""
    file = UPath("memory://komek-cached") / ENTITY / f"{DAY}.csv"
    file.parent.mkdir(parents=True)
    file.write_bytes((HEADER + "a,1\n").encode())
    remembered: dict[str, dict] = {}
    real = MemoryFileSystem.info

    def info(self: MemoryFileSystem, path: str, **_: object) -> dict:
        return remembered.setdefault(path, real(self, path))

    monkeypatch.setattr(MemoryFileSystem, "info", info)
    monkeypatch.setattr(
        MemoryFileSystem, "invalidate_cache", lambda *_: remembered.clear()
    )

    def rewrite(*_: object) -> None:
        file.write_bytes((HEADER + "a,2\n").encode())

    with pytest.raises(StoppedError, match="changed while it was read"):
        land(home, "memory://komek-cached", progress=rewrite)


def test_a_file_url_is_a_drop(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    (snapshot,) = land(home, f"file://{drop}")
    assert rows_of(snapshot) == [("a", "1", None)]


def test_a_url_s_password_is_not_shown(home: Home) -> None:
    with pytest.raises(UsageError) as wrong:
        land(home, "nonsense://user:se@cret@host/drop")
    assert "cret" not in str(wrong.value)
    assert "nonsense://host/drop" in str(wrong.value)


def test_progress_ends_with_the_whole_file(home: Home, drop: Path) -> None:
    path = put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    size = path.stat().st_size
    seen: dict[str, tuple[int, int]] = {}

    def note(doing: str, done: int, total: int) -> None:
        seen[doing] = (done, total)

    land(home, drop, progress=note)
    assert seen == {
        f"receive {ENTITY}/{DAY}.csv": (size, size),
        f"read {ENTITY}/{DAY}.csv": (size, size),
    }


def test_the_configured_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KOMEK_DROP", raising=False)
    assert places.default_drop() == str(places.PROJECT / "data" / "drop")
    monkeypatch.setenv("KOMEK_DROP", "s3://registers/drop")
    assert places.default_drop() == "s3://registers/drop"


# Sizes and counts


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


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 100_000, "[]", "null", "{}", '{"sha256": "x", "rows": 0}'),
        '{"sha256": "x", "rows": 0, "files": [1]}',
        '{"sha256": "x", "rows": 9, "files": []}',
    ],
    ids=lambda text: text[:40],
)
def test_a_manifest_that_is_none_is_an_error_that_names_it(
    home: Home, drop: Path, text: str
) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER)
    (snapshot,) = land(home, drop)
    (snapshot.folder / "manifest.json").write_text(text)
    with pytest.raises(StoppedError, match=f"{ENTITY}: the manifest of {DAY}"):
        newest_snapshots(home, ENTITY)


@pytest.mark.parametrize("place", [f"{DAY}/r0002", "2020-01-01/r0001"])
def test_a_manifest_speaks_for_its_own_place(
    home: Home, drop: Path, place: str
) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER)
    (snapshot,) = land(home, drop)
    moved = home.landing / ENTITY / place
    moved.parent.mkdir(exist_ok=True)
    snapshot.folder.rename(moved)
    with pytest.raises(StoppedError, match=f"{ENTITY}: the manifest of {place[:10]}"):
        newest_snapshots(home, ENTITY)


def test_a_manifest_leads_to_no_file_elsewhere(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER)
    (snapshot,) = land(home, drop)
    path = snapshot.folder / "manifest.json"
    path.write_text(path.read_text().replace("00000.parquet", "../00000.parquet"))
    with pytest.raises(StoppedError, match=f"{ENTITY}: the manifest of {DAY}"):
        newest_snapshots(home, ENTITY)


@pytest.mark.parametrize(
    "name",
    [
        *("-rf.csv", "--.csv", "a\\b.csv", "a..csv", "[a]*?.csv", "%s%00.csv"),
        *("{{ x }}.csv", "'; drop table x; --.csv", "қ'\".csv", "~.csv", "$(id).csv"),
        *("a=b.csv", "#?.csv", f"{'x' * 251}.csv", "C:.csv", "&lt;b&gt;.csv"),
    ],
)
def test_a_part_may_have_any_printable_name(home: Home, drop: Path, name: str) -> None:
    put(drop, f"{ENTITY}/{DAY}/{name}", HEADER + "a,1\n")
    (snapshot,) = land(home, drop)
    assert snapshot.files[0].file == f"{ENTITY}/{DAY}/{name}"
    assert rows_of(snapshot) == [("a", "1", None)]
    landed = {path.name for path in snapshot.folder.iterdir()}
    assert landed == {"00000.parquet", "manifest.json"}


def test_a_column_may_have_any_name(home: Home, drop: Path) -> None:
    """What DuckDB adds of its own is not taken for what was delivered."""
    names = ("filename", "source_row", "malformed", "'; drop table x; --", "{{ x }}")
    quoted = (name.replace('"', '""') for name in (*names, 'a"b', "\x1b[2J", "a\nb"))
    header = ",".join(["award_id", "iin", *(f'"{name}"' for name in quoted)])
    rows = land_csv(home, drop, f"{header}\na,1{',x' * 8}\n")
    assert rows == [("a", "1", *"xxxxxxxx", None)]
