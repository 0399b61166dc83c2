"""What of the landing may go, and what a kept receipt or the next run needs."""

import json
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
import pytest

from komek.base import files, registries
from komek.base.errors import KomekError, StoppedError
from komek.base.places import Home
from komek.landing import revisions
from komek.landing.land import land
from komek.landing.manifest import MANIFEST
from komek.landing.own import land_own
from komek.landing.snapshots import (
    landed_revisions,
    latest_snapshot,
    newest_snapshots,
    previous_snapshot,
    verify_snapshot,
)
from komek.runs.inputs import LISTS
from komek.trust.chain import receipt_path
from komek.trust.retention import retire

DAYS = ("2020-03-01", "2020-03-08", "2020-03-15", "2020-03-22", "2020-03-29")
LATER = date(2021, 1, 1)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    return tmp_path / "drop"


@pytest.fixture
def home(tmp_path: Path, drop: Path) -> Home:
    """A home with five snapshots of kato and of bank_accounts each, all of one row."""
    home = Home(tmp_path / "home")
    for day in DAYS:
        deliver(drop, "kato", day)
        deliver(drop, "bank_accounts", day)
    land(home, drop)
    return home


def deliver(drop: Path, entity: str, day: str, content: str = "1") -> None:
    columns = {"kato": "kato", "bank_accounts": "iin"}
    (drop / entity).mkdir(parents=True, exist_ok=True)
    text = f"{columns[entity]}\n{content}\n"
    (drop / entity / f"{day}.csv").write_text(text, encoding="utf-8")


def file_receipt(home: Home, run_id: str, *used: tuple[str, str, int]) -> Path:
    """Write as much of a receipt as retention reads."""
    return write_inputs(receipt_path(home, run_id), *used)


def write_inputs(path: Path, *used: tuple[str, str, int]) -> Path:
    inputs = [
        {
            "entity": entity,
            "snapshot_date": day,
            "revision": revision,
            "sha256": "",
            "files": [],
        }
        for entity, day, revision in used
    ]
    calendar = {"entity": "working_days", "version": "1", "sha256": ""}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"inputs": [*inputs, calendar]}), encoding="utf-8")
    return path


def landed(home: Home, entity: str = "kato") -> list[tuple[str, int]]:
    return [
        (str(snapshot.snapshot_date), snapshot.revision)
        for snapshot in landed_revisions(home, entity)
    ]


def quiet(_line: str) -> None:
    """Say nothing."""


def test_the_newest_and_the_one_before_it_stay(home: Home) -> None:
    removed = retire(home, LATER, quiet)

    assert landed(home) == landed(home, "bank_accounts") == [(DAYS[3], 1), (DAYS[4], 1)]
    assert sorted(removed) == [
        f"{entity}/{day}/r0001"
        for entity in ("bank_accounts", "kato")
        for day in DAYS[:3]
    ]
    assert not any(home.entity("kato").glob("2020-03-0*"))
    assert not (home.entity("kato") / ".landing").exists()


def test_what_stays_is_whole(home: Home) -> None:
    retire(home, LATER, quiet)

    newest = latest_snapshot(home, "kato", LATER)
    assert newest is not None
    assert verify_snapshot(newest) == []
    before = previous_snapshot(home, newest)
    assert before is not None
    assert before.rows == 1


@pytest.mark.parametrize(("before", "left"), [(DAYS[1], 4), (DAYS[0], 5)])
def test_only_what_is_dated_before_the_day_goes(
    home: Home, before: str, left: int
) -> None:
    retire(home, date.fromisoformat(before), quiet)

    assert landed(home) == [(day, 1) for day in DAYS[-left:]]


def test_a_dry_run_only_says_it(home: Home) -> None:
    said: list[str] = []

    removed = retire(home, date(2020, 3, 8), said.append, dry_run=True)

    assert sorted(removed) == [
        "bank_accounts/2020-03-01/r0001",
        "kato/2020-03-01/r0001",
    ]
    assert "kato 2020-03-01: revision 1, 1 rows, to be removed" in said
    assert landed(home) == [(day, 1) for day in DAYS]
    assert retire(home, date(2020, 3, 8), quiet) == removed


def test_a_second_time_there_is_nothing_to_do(home: Home) -> None:
    retire(home, LATER, quiet)

    assert retire(home, LATER, quiet) == []


def test_an_empty_home_has_nothing_to_remove(tmp_path: Path) -> None:
    assert retire(Home(tmp_path), LATER, quiet) == []


# Receipts


def test_what_a_receipt_names_stays_and_what_it_was_compared_with(home: Home) -> None:
    file_receipt(home, "r1", ("kato", DAYS[2], 1))

    retire(home, LATER, quiet)

    assert landed(home) == [(day, 1) for day in DAYS[1:]]
    assert landed(home, "bank_accounts") == [(day, 1) for day in DAYS[3:]]


def test_lists_that_a_receipt_names_stay(home: Home) -> None:
    """What komek landed itself goes like a registry's, and stays like one."""
    lists = registries.entity(LISTS)
    for day in DAYS:
        make = partial(write_lists, day=day)
        land_own(home, lists, date.fromisoformat(day), f"run {day}", make)
    file_receipt(home, "r1", (LISTS, DAYS[1], 1))

    removed = retire(home, LATER, quiet)

    kept = [DAYS[0], DAYS[1], DAYS[3], DAYS[4]]
    assert landed(home, LISTS) == [(day, 1) for day in kept]
    assert f"{LISTS}/{DAYS[2]}/r0001" in removed


def write_lists(file: Path, day: str) -> None:
    columns = ", ".join(
        f"'{day}' as {name}" for name in registries.entity(LISTS).column_names
    )
    duckdb.execute(f"copy (select {columns}) to '{file}' (format parquet)")


def test_without_its_receipt_a_snapshot_goes(home: Home) -> None:
    receipt = file_receipt(home, "r1", ("kato", DAYS[0], 1))
    retire(home, LATER, quiet)
    assert (DAYS[0], 1) in landed(home)

    receipt.unlink()
    retire(home, LATER, quiet)

    assert (DAYS[0], 1) not in landed(home)


def test_what_a_run_being_built_reads_stays(home: Home) -> None:
    write_inputs(home.scratch / "r1" / "run.json", ("kato", DAYS[0], 1))

    retire(home, LATER, quiet)

    assert (DAYS[0], 1) in landed(home)


@pytest.mark.parametrize("text", ["{", "{}", '{"inputs": [{"snapshot_date": 1}]}'])
def test_a_receipt_that_cannot_be_read_keeps_everything(home: Home, text: str) -> None:
    file_receipt(home, "r1").write_text(text, encoding="utf-8")

    with pytest.raises(KomekError, match=r"r1/receipt\.json"):
        retire(home, LATER, quiet)

    assert landed(home) == [(day, 1) for day in DAYS]


def test_a_manifest_that_cannot_be_read_keeps_everything(home: Home) -> None:
    (home.entity("kato") / DAYS[0] / "r0001" / MANIFEST).write_text("{")

    with pytest.raises(StoppedError, match=f"kato: the manifest of {DAYS[0]}"):
        retire(home, LATER, quiet)

    assert len(landed(home, "bank_accounts")) == 5


# Revisions


def test_superseded_revisions_go(home: Home, drop: Path) -> None:
    deliver(drop, "kato", DAYS[4], "2")
    land(home, drop)
    assert landed(home)[-2:] == [(DAYS[4], 1), (DAYS[4], 2)]

    retire(home, LATER, quiet)

    assert landed(home) == [(DAYS[3], 1), (DAYS[4], 2)]


def test_a_superseded_revision_never_passes_for_the_newest(
    home: Home, drop: Path
) -> None:
    """The receipt names revision 1; without 3 a new run would take it for the truth."""
    for content in ("2", "3"):
        deliver(drop, "kato", DAYS[1], content)
        land(home, drop)
    file_receipt(home, "r1", ("kato", DAYS[1], 1))

    retire(home, LATER, quiet)

    assert landed(home)[:3] == [(DAYS[0], 1), (DAYS[1], 1), (DAYS[1], 3)]
    assert newest_snapshots(home, "kato")[1].revision == 3


# Crashes


@pytest.fixture
def killed_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def arm(nth: int) -> None:
        """Die as by kill -9 before the nth folder is synced: no clean-up happens."""
        calls = iter(range(1, 1000))

        def dying(folder: Path) -> None:
            if next(calls) == nth:
                monkeypatch.setattr(revisions.shutil, "rmtree", lambda *_, **__: None)
                raise KeyboardInterrupt
            files.sync(folder)

        monkeypatch.setattr(revisions, "sync", dying)

    return arm


@pytest.mark.parametrize("nth", [1, 2, 3, 5])
def test_killed_anywhere_it_leaves_whole_revisions_and_can_be_repeated(
    home: Home,
    drop: Path,
    killed_at: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    nth: int,
) -> None:
    with monkeypatch.context():
        killed_at(nth)
        with pytest.raises(KeyboardInterrupt):
            retire(home, LATER, quiet)
    monkeypatch.undo()

    for entity in ("kato", "bank_accounts"):
        for snapshot in landed_revisions(home, entity):
            assert verify_snapshot(snapshot) == []
    retire(home, LATER, quiet)
    assert landed(home) == landed(home, "bank_accounts") == [(DAYS[3], 1), (DAYS[4], 1)]
    for entity in ("kato", "bank_accounts"):
        land(home, drop, [entity], until=date(2020, 2, 1))
        assert not (home.entity(entity) / ".landing").exists()
