"""Bytes land once, whole, numbered and seen by nobody else."""

import fcntl
import os
import stat
from datetime import date
from pathlib import Path

import pytest

from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.landing import revisions
from komek.landing.land import land
from komek.landing.manifest import MANIFEST
from komek.landing.snapshots import (
    latest_snapshot,
    newest_snapshots,
    previous_snapshot,
    verify_snapshot,
)
from landed_drop import (
    DAY,
    ENTITY,
    HEADER,
    members,
    parquet_bytes,
    put,
    rows_of,
    sha256_of,
)


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
        patch.setattr(revisions.shutil, "rmtree", lambda *_, **__: None)
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
