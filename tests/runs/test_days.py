"""When a day is decided: once its registries have come, once more for each change."""

from datetime import date, timedelta
from itertools import count
from pathlib import Path

import pytest

from komek.base import registries
from komek.base.places import Home
from komek.landing.land import land
from komek.runs import days
from komek.runs.days import go_on_without, pull_ended, run_begins, scheduled_day

DAY = date(2020, 4, 20)
NEXT = DAY + timedelta(days=1)
PULLS = count(1)
NAMES = [entity.name for entity in registries.entities()]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def pulled(
    home: Home,
    *names: str,
    day: date = DAY,
    landed: int = 1,
    to_come: bool = True,
    by: str = "",
) -> list[date]:
    """End the pulls of registries; return the days that a run was asked for."""
    asked: list[date] = []
    for name in names:
        pull = by or f"pull {next(PULLS)}"
        asked += pull_ended(home, day, name, pull, landed, lambda: to_come)
    return asked


def begin(home: Home, day: date = DAY) -> None:
    run_begins(home, day)


def test_fourteen_of_fifteen_start_nothing(home: Home) -> None:
    assert pulled(home, *NAMES[:14]) == []
    assert scheduled_day(home, DAY).missing == NAMES[14:]


def test_a_registry_pulled_twice_is_not_two(home: Home) -> None:
    assert pulled(home, *NAMES[:14], *NAMES[:14]) == []


@pytest.mark.parametrize("order", [NAMES, NAMES[::-1], NAMES[7:] + NAMES[:7]])
def test_the_fifteenth_starts_one_run(home: Home, order: list[str]) -> None:
    assert pulled(home, *order) == [DAY]
    assert pulled(home, *order[:14]) == []


def test_what_lands_before_the_run_begins_starts_no_other(home: Home) -> None:
    pulled(home, *NAMES)

    assert pulled(home, *NAMES) == []


def test_what_lands_while_a_run_is_on_starts_exactly_one_more(home: Home) -> None:
    pulled(home, *NAMES)
    begin(home)

    assert pulled(home, *NAMES) == [DAY]
    begin(home)
    assert pulled(home, "persons", landed=0) == []


def test_a_second_round_starts_one_more_whatever_has_changed(home: Home) -> None:
    pulled(home, *NAMES)
    begin(home)

    assert pulled(home, *NAMES[:14], landed=0) == []
    assert pulled(home, NAMES[14], landed=0) == [DAY]


def test_one_change_alone_starts_one_more(home: Home) -> None:
    pulled(home, *NAMES)
    begin(home)

    assert pulled(home, "deliveries", landed=0) == []
    assert pulled(home, "deliveries") == [DAY]
    assert pulled(home, "persons") == []


def test_each_day_waits_for_its_own_pulls(home: Home) -> None:
    """A registry that failed on one day does not move the days after it."""
    assert pulled(home, *NAMES[1:]) == []
    assert pulled(home, *NAMES[:10], day=NEXT) == []
    assert pulled(home, *NAMES[10:], day=NEXT) == [NEXT]
    assert scheduled_day(home, DAY).missing == NAMES[:1]


def test_a_pull_that_is_tried_again_asks_again(home: Home) -> None:
    """Killed after it asked, before the scheduler heard of it."""
    assert pulled(home, *NAMES[:14]) == []
    assert pulled(home, NAMES[14], by="run 1") == [DAY]
    assert pulled(home, NAMES[14], by="run 1") == [DAY]
    assert pulled(home, NAMES[14], by="run 2") == []


def test_a_run_that_got_lost_is_asked_for_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a scheduler whose database is another."""
    pulled(home, *NAMES)
    assert pulled(home, "kato", to_come=False, landed=0) == []

    monkeypatch.setattr(days, "_ON_ITS_WAY", timedelta(0))

    assert pulled(home, "kato", to_come=True, landed=0) == []
    assert pulled(home, "kato", to_come=False, landed=0, by="later") == [DAY]


def test_a_day_that_went_on_without_is_decided_again_when_it_comes(home: Home) -> None:
    pulled(home, *NAMES[1:])
    assert go_on_without(home, DAY, "deadline") == NAMES[:1]
    assert scheduled_day(home, DAY).without == tuple(NAMES[:1])
    begin(home)

    assert pulled(home, NAMES[0]) == [DAY]


def deliver(home: Home, drop: Path, day: date) -> None:
    (drop / "kato").mkdir(parents=True, exist_ok=True)
    (drop / "kato" / f"{day}.csv").write_text("kato\n1\n", encoding="utf-8")
    land(home, drop, ["kato"])


def test_a_snapshot_that_comes_late_completes_its_day(
    home: Home, tmp_path: Path
) -> None:
    others = [name for name in NAMES if name != "kato"]
    pulled(home, *others)
    pulled(home, *others, day=NEXT)
    deliver(home, tmp_path / "drop", NEXT)
    assert pulled(home, "kato", day=NEXT) == [NEXT]

    deliver(home, tmp_path / "drop", DAY)

    assert pulled(home, "kato", day=NEXT, by="late") == [DAY]
    assert scheduled_day(home, DAY).missing == []


def test_what_is_too_old_to_go_on_with_is_named(home: Home, tmp_path: Path) -> None:
    tolerated = registries.entity("kato").tolerance.max_age_days
    deliver(home, tmp_path / "drop", DAY - timedelta(days=tolerated))

    assert days.too_old(home, DAY, ["kato", "persons"]) == ["persons"]
    assert days.too_old(home, NEXT, ["kato"]) == ["kato"]
    assert days.last_landed(home, "persons", DAY) == "no snapshot"
    assert "snapshot 2019-" in days.last_landed(home, "kato", DAY)


def test_a_damaged_note_of_a_day_is_a_day_at_its_beginning(home: Home) -> None:
    pulled(home, "persons")
    (home.days / f"{DAY}.json").write_text("{")

    assert scheduled_day(home, DAY).missing == NAMES
