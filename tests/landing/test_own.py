"""What komek makes lands as what is delivered does: once, whole, and for its owner."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from komek.base import database, registries
from komek.base.database import KEY, LANDING
from komek.base.errors import UnwritableError
from komek.base.places import Home
from komek.landing import own, received, revisions
from komek.landing.own import land_own
from komek.landing.snapshots import (
    Snapshot,
    landed_revisions,
    newest_snapshots,
    verify_snapshot,
)
from landed_drop import sha256_of
from personal_data import open_to_others

LISTS = registries.entity("lists")
DAY = date(2020, 4, 20)
SOMEBODY = "850101300123"
SECRET = "correct-horse-battery"


class CrashError(BaseException):
    """The process ends here."""


def listing(*numbers: int) -> Callable[[Path], None]:
    """Return what writes lists of one person, a row per number of a list."""
    rows = [
        dict.fromkeys(LISTS.column_names, "x")
        | {"iin": SOMEBODY, "list_no": number, "list_month": date(2020, number, 1)}
        for number in numbers
    ]
    table = pa.Table.from_pylist(rows)
    return lambda path: pq.write_table(table, path, compression="none")


def landed(home: Home, *numbers: int, day: date = DAY) -> Snapshot:
    return land_own(home, LISTS, day, "publication-1", listing(*numbers))


def read(snapshot: Snapshot) -> list[tuple]:
    (path,) = snapshot.paths
    with database.connect() as connection:
        rows = database.scan_encrypted(path, LANDING)
        return connection.execute(
            f"select iin, list_no from {rows} order by list_no"
        ).fetchall()


def crash(*_: object) -> None:
    raise CrashError


def test_what_komek_makes_is_a_snapshot_as_any_other(home: Home) -> None:
    snapshot = landed(home, 1, 2)

    assert snapshot.folder == home.landing / "lists" / "2020-04-20" / "r0001"
    assert pq.read_table(snapshot.paths[0]).num_rows == snapshot.rows == 2
    assert newest_snapshots(home, "lists") == [snapshot]
    assert verify_snapshot(snapshot) == []
    (file,) = snapshot.files
    content = snapshot.paths[0].read_bytes()
    assert snapshot.sha256 == file.sha256 == file.landed_sha256 == sha256_of(content)
    assert file.bytes == len(content)
    assert snapshot.manifest.source == "publication-1"
    assert [column.name for column in file.columns] == [*LISTS.column_names]


def test_the_same_bytes_stay_the_revision_they_are(home: Home) -> None:
    first = landed(home, 1)

    assert landed(home, 1) == first
    assert landed_revisions(home, "lists") == [first]


def test_other_bytes_are_a_new_revision(home: Home) -> None:
    revisions = [landed(home, 1), landed(home, 1, 2), landed(home, 1)]

    assert [snapshot.revision for snapshot in revisions] == [1, 2, 3]
    assert newest_snapshots(home, "lists") == revisions[2:]
    assert [read(snapshot) for snapshot in revisions] == [
        [(SOMEBODY, 1)],
        [(SOMEBODY, 1), (SOMEBODY, 2)],
        [(SOMEBODY, 1)],
    ]


def test_each_day_has_revisions_of_its_own(home: Home) -> None:
    one = landed(home, 1)
    other = landed(home, 1, day=date(2020, 4, 21))

    assert (one.revision, other.revision) == (1, 1)
    assert newest_snapshots(home, "lists") == [one, other]


def test_under_a_key_it_is_readable_to_nobody_and_the_same_to_us(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, SECRET)

    snapshot = landed(home, 1)

    (path,) = snapshot.paths
    assert database.is_encrypted_parquet(path)
    assert SOMEBODY.encode() not in path.read_bytes()
    assert read(snapshot) == [(SOMEBODY, 1)]
    assert verify_snapshot(snapshot) == []
    # Known by what was made, which a key does not change.
    assert landed(home, 1) == snapshot
    assert landed(home, 1, 2).revision == 2


def test_a_key_does_not_make_it_other_rows(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = landed(home, 1)
    monkeypatch.setenv(KEY, SECRET)
    encrypted = landed(Home(tmp_path / "other"), 1)

    assert plain.sha256 == encrypted.sha256
    assert plain.files[0].columns == encrypted.files[0].columns
    assert plain.files[0].landed_sha256 != encrypted.files[0].landed_sha256


@pytest.mark.parametrize("secret", ["", SECRET])
def test_it_is_its_owners_alone(
    home: Home, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv(KEY, secret)
    umask = os.umask(0)
    try:
        landed(home, 1)
    finally:
        os.umask(umask)

    assert open_to_others(home.root) == []


def test_it_is_on_disk_before_it_is_visible(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    landed(home, 1)

    # The file under the name it had while it was made.
    assert [name for name in synced if name != "lists"][-4:] == [
        f"{DAY}.parquet",
        "manifest.json",
        "r0001",
        str(DAY),
    ]


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (own, "sha256"),
        (received, "check_parquet"),
        (received, "encrypt"),
        (revisions, "new_file"),
        (revisions, "_move_into"),
    ],
    ids=["made", "checked", "encrypted", "told", "moved"],
)
def test_a_crash_leaves_the_newest_as_it_was(
    home: Home, monkeypatch: pytest.MonkeyPatch, module: object, step: str
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    first = landed(home, 1)
    with monkeypatch.context() as patch:
        patch.setattr(module, step, crash)
        # A process that is killed does not clear away either.
        patch.setattr("komek.landing.revisions.shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(CrashError):
            landed(home, 1, 2)

    assert landed_revisions(home, "lists") == [first]
    second = landed(home, 1, 2)
    assert second.revision == 2
    assert verify_snapshot(second) == []
    assert {path.name for path in home.entity("lists").iterdir()} == {
        ".lock",
        str(DAY),
    }


def test_what_cannot_be_made_lands_not_at_all(home: Home) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise ValueError

    with pytest.raises(ValueError):
        land_own(home, LISTS, DAY, "publication-1", fail)

    assert newest_snapshots(home, "lists") == []
    assert [path.name for path in home.entity("lists").iterdir()] == [".lock"]


def test_a_full_disk_is_told_as_one(home: Home) -> None:
    def fill(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    with pytest.raises(UnwritableError, match="No space left on device"):
        land_own(home, LISTS, DAY, "publication-1", fill)

    assert newest_snapshots(home, "lists") == []
