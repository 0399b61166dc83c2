"""What official publications listed, landed for the runs of later days (p26)."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from finished_run import AKTOBE, PEOPLE, Recipient, finish_run
from komek.base import database
from komek.base.errors import UnwritableError
from komek.base.places import Home
from komek.base.settings import KEY
from komek.landing import revisions
from komek.landing.snapshots import (
    Snapshot,
    landed_revisions,
    newest_revision,
    verify_snapshot,
)
from komek.publishing.lists import land_lists
from komek.publishing.publication import current_publication
from komek.publishing.publish import publish
from komek.runs.inputs import LISTS
from published_runs import quiet

DAY = date(2020, 4, 20)
HELD = Recipient(
    "000000000909",
    AKTOBE,
    "151000000",
    list_no=None,
    listed_on=None,
    standing="held",
)
ENDED = Recipient(
    "000000000808",
    standing="ended",
    ended_on=DAY,
    ended_reason="deceased",
    listed_on=date(2020, 4, 2),
    amount=None,
    allocation="withdrawn",
)


def publish_and_land(
    home: Home, run_id: str, official: bool = True, **made: object
) -> list[str]:
    """Publish a run made by hand, land its lists; return what was said of them."""
    finish_run(home, run_id, **made)
    publish(home, run_id, official, quiet)
    return land_again(home)


def land_again(home: Home) -> list[str]:
    said = []
    land_lists(home, current_publication(home), said.append)
    return said


def landed(home: Home) -> list[tuple[date, int, str, int]]:
    return [
        (one.snapshot_date, one.revision, one.manifest.source, one.rows)
        for one in landed_revisions(home, LISTS)
    ]


def rows(snapshot: Snapshot) -> list[tuple[object, ...]]:
    file = database.scan([*snapshot.folder.glob("*.parquet")])
    with database.connect() as connection:
        return connection.execute(f"from {file}").fetchall()


def test_it_lands_once(home: Home) -> None:
    assert publish_and_land(home, "r1") == ["lists 2020-04-20: revision 1, 3 rows"]
    assert land_again(home) == []
    # Run again, it is published already.
    assert publish_and_land(home, "r1") == []
    assert landed(home) == [(DAY, 1, "run r1", 3)]


def test_rows_land_as_the_registry_has_them(home: Home) -> None:
    publish_and_land(home, "r1", people=(ENDED, *PEOPLE[:1]))

    assert rows(newest_revision(home, LISTS, DAY)) == [
        (
            date(2020, 4, 1),
            "000000000101",
            1,
            DAY,
            "110000000",
            "111200000",
            "p25_2",
            "p25_2",
            None,
            None,
        ),
        (
            date(2020, 4, 1),
            ENDED.iin,
            1,
            date(2020, 4, 2),
            "110000000",
            "111000000",
            "p25_2",
            "p25_2",
            DAY,
            "deceased",
        ),
    ]


def test_other_rows_of_the_same_day_are_a_new_revision(home: Home) -> None:
    publish_and_land(home, "r1")
    publish_and_land(home, "r2", people=PEOPLE[1:])
    assert landed(home) == [(DAY, 1, "run r1", 3), (DAY, 2, "run r2", 2)]

    # The first published again is the newest again.
    publish_and_land(home, "r1")
    assert landed(home)[2:] == [(DAY, 3, "run r1", 3)]


def test_the_same_rows_of_another_run_are_what_has_landed(home: Home) -> None:
    publish_and_land(home, "r1")
    publish_and_land(home, "r2")
    assert landed(home) == [(DAY, 1, "run r1", 3)]


def test_each_day_has_a_snapshot_of_its_own(home: Home) -> None:
    publish_and_land(home, "r1")
    publish_and_land(home, "r2", as_of=date(2020, 4, 28))
    assert [one[:2] for one in landed(home)] == [(DAY, 1), (date(2020, 4, 28), 1)]


def test_who_is_held_back_does_not_pass_on(home: Home) -> None:
    publish_and_land(
        home, "r1", people=(*PEOPLE[:2], HELD), blocked={AKTOBE: "no_norm"}
    )
    assert [row[1] for row in rows(newest_revision(home, LISTS, DAY))] == [
        person.iin for person in PEOPLE[:2]
    ]


def test_a_list_of_nobody_lands_too(home: Home) -> None:
    publish_and_land(home, "r1", people=())
    assert landed(home) == [(DAY, 1, "run r1", 0)]


def test_what_is_not_published_officially_lands_nothing(home: Home) -> None:
    assert land_again(home) == []
    publish_and_land(home, "u1", official=False)
    publish_and_land(home, "r1", list_drawn=False)
    # What is only filed.
    finish_run(home, "r2")
    assert land_again(home) == []
    assert landed(home) == []


def test_a_home_of_a_version_without_lists_starts_anew(home: Home) -> None:
    finish_run(home, "r1")
    publish(home, "r1", True, quiet)
    with duckdb.connect(str(home.run_file("r1"))) as run:
        run.execute("drop view marts.list_reconciliation")
        run.execute("drop table marts.food_set_lists")

    assert land_again(home) == []
    assert landed(home) == []


def test_what_a_crash_kept_from_landing_lands_with_the_next_command(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_arguments: object) -> None:
        raise UnwritableError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(revisions, "_move_into", crash)
        with pytest.raises(UnwritableError):
            publish_and_land(home, "r1")
    # It is published, and its lists have not landed, not in part either.
    assert current_publication(home).run.run_id == "r1"
    assert landed(home) == []

    assert land_again(home) == ["lists 2020-04-20: revision 1, 3 rows"]
    assert landed(home) == [(DAY, 1, "run r1", 3)]


def test_under_a_key_it_lands_encrypted(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, "correct-horse-battery")
    publish_and_land(home, "r1")

    snapshot = newest_revision(home, LISTS, DAY)
    (file,) = snapshot.folder.glob("*.parquet")
    assert database.is_encrypted_parquet(file)
    for person in PEOPLE:
        assert person.iin.encode() not in file.read_bytes()
    assert verify_snapshot(snapshot) == []
    assert land_again(home) == []


def test_its_bytes_do_not_hang_on_the_key(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is named by the hash of what it reads, encrypted or not."""
    publish_and_land(home, "r1")
    monkeypatch.setenv(KEY, "correct-horse-battery")
    other = Home(tmp_path / "other")
    publish_and_land(other, "r1")

    assert (
        newest_revision(home, LISTS, DAY).sha256
        == newest_revision(other, LISTS, DAY).sha256
    )
