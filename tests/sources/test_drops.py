"""Folders, object stores and SFTP servers, in the spelling of their owners."""

import gzip
import hashlib
import io
import os
import time
import zipfile
from pathlib import Path

import pytest

from komek.base.errors import UsageError
from komek.landing import drop
from komek.landing.snapshots import newest_snapshots
from landed_drop import HEADER, put
from pulled import MEMBERS, Pulls
from servers import S3, Sftp

PATTERN = "AM_{date:%d.%m.%Y}.csv"
NAME = "AM_18.04.2020.csv"
ROWS = HEADER + "a,1\n"


def zipped(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def beside(content: str, kind: str, name: str = NAME) -> str:
    return f"{hashlib.new(kind, content.encode()).hexdigest()}  {name}\n"


def folder(path: Path, **more: object) -> dict:
    return {"kind": "drop", "where": str(path), "pattern": PATTERN, **more}


def test_a_pattern_finds_days(pulls: Pulls, tmp_path: Path) -> None:
    put(tmp_path, f"in/{NAME}", ROWS)
    put(tmp_path, "in/AM_19.04.2020.csv", HEADER + "b,2\n")
    put(tmp_path, "in/other.csv", "x")
    first, second = pulls.pull(asp_members=folder(tmp_path / "in"))
    assert [str(one.snapshot_date) for one in (first, second)] == [
        "2020-04-18",
        "2020-04-19",
    ]
    assert first.files[0].file == NAME
    assert first.manifest.source == f"{tmp_path}/in/{NAME}"
    assert pulls.pull(asp_members=folder(tmp_path / "in")) == []


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{entity}/{date:%Y}/{date:%m%d}*.csv.gz", f"{MEMBERS}/2020/0418-x.csv.gz"),
        ("{date}?.csv.gz", "2020-04-18_.csv.gz"),
        ("[{date:%y%m%d}].csv.gz", "[200418].csv.gz"),
    ],
)
def test_a_pattern_may_be_any(
    pulls: Pulls, tmp_path: Path, pattern: str, name: str
) -> None:
    put(tmp_path, f"in/{name}", gzip.compress(ROWS.encode()))
    pulls.pull(asp_members=folder(tmp_path / "in", pattern=pattern))
    assert pulls.rows() == [("a", "1", None)]


def test_a_wildcard_finds_parts(pulls: Pulls, tmp_path: Path) -> None:
    source = folder(tmp_path / "in", pattern="AM_{date:%d.%m.%Y}_*.csv")
    source["complete"] = {"parts": 2}
    put(tmp_path, "in/AM_18.04.2020_1.csv", ROWS)
    assert pulls.pull(asp_members=source) == []
    assert "not complete yet, left alone: 1 of its 2 parts have come" in pulls.said[0]
    put(tmp_path, "in/AM_18.04.2020_2.csv", HEADER + "b,2\n")
    (snapshot,) = pulls.pull(asp_members=source)
    assert [file.rows for file in snapshot.files] == [1, 1]


def test_a_name_without_a_day_is_refused(pulls: Pulls, tmp_path: Path) -> None:
    put(tmp_path, "in/AM_31.02.2020.csv", ROWS)
    told = pulls.refused(asp_members=folder(tmp_path / "in"))
    assert "AM_31.02.2020.csv: its name has no date" in told


def test_a_zip_is_what_is_in_it(pulls: Pulls, tmp_path: Path) -> None:
    source = folder(tmp_path / "in", pattern="{date}.zip", complete={"parts": 2})
    files = {"b/part2.csv": HEADER + "b,2\n", "part1.txt": ROWS, "readme.doc": "x"}
    put(tmp_path, "in/2020-04-18.zip", zipped(files))
    (snapshot,) = pulls.pull(asp_members=source)
    assert [file.file for file in snapshot.files] == [
        "2020-04-18.zip/b/part2.csv",
        "2020-04-18.zip/part1.txt",
    ]
    assert snapshot.rows == 2
    put(tmp_path, "in/2020-04-19.zip", zipped({"../../etc/x.csv": ROWS}))
    assert "has 1 parts, not 2" in pulls.refused(asp_members=source)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped({"a.csv": ROWS * 99})[:-30], "is no whole zip"),
        (zipped({}), "is empty: a zip without a part"),
        (zipped({"a.csv": ""}), "which is empty: zero bytes"),
        (zipped({"a.csv": ROWS}).replace(b"a,1", b"a,2", 1), "is no whole zip"),
    ],
    ids=["cut", "empty", "nothing in it", "damaged"],
)
def test_a_zip_that_is_none_is_refused(
    pulls: Pulls, tmp_path: Path, content: bytes, said: str
) -> None:
    put(tmp_path, "in/2020-04-18.zip", content)
    source = folder(tmp_path / "in", pattern="{date}.zip")
    assert said in pulls.refused(asp_members=source)


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_a_checksum_is_honoured_wherever_it_lies(
    pulls: Pulls, tmp_path: Path, kind: str
) -> None:
    there = tmp_path / "drop"
    put(there, f"{MEMBERS}/2020-04-18.csv", ROWS)
    wrong = beside(ROWS + " ", kind, "2020-04-18.csv")
    put(there, f"{MEMBERS}/2020-04-18.csv.{kind}", wrong)
    told = pulls.refused(asp_members={})
    assert f"is not what its checksum file 2020-04-18.csv.{kind} says" in told
    put(there, f"{MEMBERS}/2020-04-18.csv.{kind}", beside(ROWS, kind).upper())
    assert len(pulls.pull(asp_members={})) == 1
    assert not any("ignored" in line for line in pulls.said)


def test_a_snapshot_waits_for_its_checksum(pulls: Pulls, tmp_path: Path) -> None:
    source = folder(tmp_path / "in", complete={"checksum": "{name}.sum"})
    put(tmp_path, f"in/{NAME}", ROWS)
    assert pulls.pull(asp_members=source) == []
    assert f"its checksum file {NAME}.sum has not come" in pulls.said[0]
    put(tmp_path, f"in/{NAME}.sum", "nothing")
    assert "says nothing about it" in pulls.refused(asp_members=source)
    put(tmp_path, f"in/{NAME}.sum", beside(ROWS, "sha256"))
    assert len(pulls.pull(asp_members=source)) == 1


def test_a_snapshot_waits_for_its_marker(pulls: Pulls, tmp_path: Path) -> None:
    source = folder(tmp_path / "in", complete={"marker": "{date}.ok"})
    put(tmp_path, f"in/{NAME}", ROWS)
    assert pulls.pull(asp_members=source) == []
    assert "its marker 2020-04-18.ok has not come" in pulls.said[0]
    put(tmp_path, "in/2020-04-18.ok", "")
    assert len(pulls.pull(asp_members=source)) == 1


def test_a_snapshot_waits_until_it_holds_still(pulls: Pulls, tmp_path: Path) -> None:
    source = folder(tmp_path / "in", complete={"still_for": "10m"})
    file = put(tmp_path, f"in/{NAME}", ROWS)
    assert pulls.pull(asp_members=source) == []
    assert "it has changed in the last 600 seconds" in pulls.said[0]
    os.utime(file, (time.time() - 601,) * 2)
    assert len(pulls.pull(asp_members=source)) == 1


# SFTP


@pytest.fixture
def outgoing(sftp: Sftp, pulls: Pulls, tmp_path: Path) -> tuple[Path, dict]:
    where = sftp.root / tmp_path.name
    where.mkdir()
    extra = f"?key_file={sftp.key}&host_key={sftp.host_key.replace('+', '%2B')}"
    pulls.connect("labour", f"sftp://{extra}")
    source = folder(where, where=f"{sftp.url}{where}", connection="labour")
    return where, source


def test_sftp_is_a_folder(pulls: Pulls, outgoing: tuple[Path, dict]) -> None:
    where, source = outgoing
    file = put(where, NAME, ROWS)
    os.utime(file, (time.time() - 120,) * 2)
    (snapshot,) = pulls.pull(asp_members=source)
    assert pulls.rows() == [("a", "1", None)]
    assert "@" not in snapshot.manifest.source
    # What has not changed is not read: not even that this is the same.
    times = file.stat()
    put(where, NAME, HEADER + "a,2\n")
    os.utime(file, (times.st_atime, times.st_mtime))
    assert pulls.pull(asp_members=source) == []
    put(where, NAME, HEADER + "a,3\n")
    assert len(pulls.pull(asp_members=source)) == 1


def test_a_host_that_is_another_is_refused(
    sftp: Sftp, pulls: Pulls, outgoing: tuple[Path, dict]
) -> None:
    where, source = outgoing
    put(where, NAME, ROWS)
    pulls.connect("labour", f"sftp://?key_file={sftp.key}&host_key=AAAA")
    told = pulls.refused(asp_members=source)
    assert "its credentials are refused (not tried again)" in told
    pulls.connect("labour", f"sftp://?key_file={sftp.key}")
    assert len(pulls.pull(asp_members=source)) == 1
    assert any("its host key is not known here" in line for line in pulls.said)


def test_sftp_faults_are_told_apart(
    sftp: Sftp, pulls: Pulls, outgoing: tuple[Path, dict]
) -> None:
    _, source = outgoing
    told = pulls.refused(asp_members=source | {"where": f"{sftp.url}/nowhere"})
    assert "is not there (not tried again)" in told
    away = source | {"where": "sftp://root@127.0.0.1:1/x", "retries": 1}
    assert "(tried 2 times)" in pulls.refused(asp_members=away)
    pulls.connect("labour", "sftp://:wr0ng-one@")
    told = pulls.refused(asp_members=source)
    assert "its credentials are refused (not tried again)" in told
    assert "wr0ng-one" not in told


def test_a_transfer_that_breaks_off_is_tried_again(
    pulls: Pulls, outgoing: tuple[Path, dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    where, source = outgoing
    put(where, NAME, ROWS)
    real = drop._chunks
    broken = []

    def chunks(path, name):
        yield from real(path, name)
        if not broken:
            broken.append(name)
            path.fs.client.close()

    monkeypatch.setattr(drop, "_chunks", chunks)
    assert len(pulls.pull(asp_members=source)) == 1
    assert any("trying again" in line for line in pulls.said)


# S3


def test_s3_is_a_folder(s3: S3, pulls: Pulls) -> None:
    s3.put("social", {f"out/{NAME}": ROWS.encode()})
    pulls.connect("store", s3.connection)
    source = {"kind": "drop", "where": "s3://social/out", "connection": "store"}
    (snapshot,) = pulls.pull(asp_members=source | {"pattern": PATTERN})
    assert pulls.rows() == [("a", "1", None)]
    assert snapshot.manifest.source == f"s3://social/out/{NAME}"
    s3.put("social", {f"{MEMBERS}/2020-04-19.csv": ROWS.encode()})
    assert len(pulls.pull(asp_members=source | {"where": "s3://social"})) == 1
    assert len(newest_snapshots(pulls.home, MEMBERS)) == 2


def test_s3_faults_are_told_apart(s3: S3, pulls: Pulls) -> None:
    pulls.connect("store", s3.connection)
    source = {"kind": "drop", "where": "s3://nobucket/out", "connection": "store"}
    assert "(not tried again)" in pulls.refused(asp_members=source)
    pulls.connect("store", "aws://id:wr0ng-one@/?endpoint_url=http://127.0.0.1:1")
    told = pulls.refused(asp_members=source | {"retries": 1})
    assert "(tried 2 times)" in told
    assert "wr0ng-one" not in told


def test_a_folder_that_is_not_there_is_wrong_usage(pulls: Pulls) -> None:
    with pytest.raises(UsageError, match="there is no drop folder /nowhere"):
        pulls.pull(asp_members={"kind": "drop", "where": "/nowhere"})
