"""What a pull refused is told until it goes, and holds up no newer snapshot."""

from datetime import date
from pathlib import Path

import pytest

from komek import pipeline, scheduled
from komek.base.errors import RefusedError
from komek.base.places import Home
from komek.runs.refusals import refusals_of

DAY = date(2020, 4, 20)
TOLD: list[str] = []
GOOD, BAD = "kato\n110000000\n", "kato\n\x00\n"


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KOMEK_DROP", str(tmp_path / "drop"))
    return tmp_path / "drop"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def deliver(drop: Path, day: str, text: str) -> None:
    (drop / "kato").mkdir(parents=True, exist_ok=True)
    (drop / "kato" / f"{day}.csv").write_text(text, encoding="utf-8")


def pull(home: Home, day: date = DAY) -> int:
    return scheduled.pull_for_day(home, "kato", day, TOLD.append, lambda _: None)


def test_an_old_bad_file_does_not_hold_up_a_newer_one(home: Home, drop: Path) -> None:
    deliver(drop, "2020-04-19", BAD)
    deliver(drop, "2020-04-20", GOOD)

    assert pull(home) == 1
    assert pull(home) == 0
    assert TOLD[-1].startswith("refused at landing: kato/2020-04-19.csv: ")
    (refused,) = refusals_of(home, "kato")
    assert (refused.day, refused.entity) == (date(2020, 4, 19), "kato")
    assert "2020-04-19.csv" in refused.text


def test_a_bad_newest_file_is_waited_for(home: Home, drop: Path) -> None:
    deliver(drop, "2020-04-19", GOOD)
    deliver(drop, "2020-04-20", BAD)

    with pytest.raises(RefusedError, match="2020-04-20") as caught:
        pull(home)

    assert caught.value.landed == 1
    # Of an earlier day it is not looked at.
    assert pull(home, date(2020, 4, 19)) == 0
    assert [one.day for one in refusals_of(home, "kato")] == [DAY]


def test_a_bad_file_of_the_day_before_does_not_hold_up_the_next(
    home: Home, drop: Path
) -> None:
    """A registry that delivers every week would hold the nation up for one."""
    deliver(drop, "2020-04-18", GOOD)
    deliver(drop, "2020-04-19", BAD)

    assert pull(home) == 1


def test_nothing_but_bad_files_is_waited_for(home: Home, drop: Path) -> None:
    deliver(drop, "2020-04-19", BAD)

    with pytest.raises(RefusedError):
        pull(home)


def test_a_name_that_is_no_date_is_of_no_day_that_waits(home: Home, drop: Path) -> None:
    deliver(drop, "2020-13-45", GOOD)
    with pytest.raises(RefusedError, match="its name is not a date"):
        pull(home)

    deliver(drop, "2020-04-20", GOOD)

    assert pull(home) == 1


def test_what_was_refused_is_told_until_it_goes(home: Home, drop: Path) -> None:
    deliver(drop, "2020-04-20", BAD)
    with pytest.raises(RefusedError):
        pipeline.pull(home, drop, ["kato"], say=lambda _: None)
    assert refusals_of(home, "kato")

    deliver(drop, "2020-04-20", GOOD)
    pipeline.pull(home, drop, say=lambda _: None)

    assert refusals_of(home, "kato") == []


def test_a_folder_in_the_place_of_a_registry_that_is_gone_is_nobodys(
    home: Home, drop: Path
) -> None:
    deliver(drop, "2020-04-20", GOOD)
    (drop / "persons").write_text("no folder")

    assert pipeline.pull(home, drop, say=lambda _: None) == 1
    assert refusals_of(home, "persons") == []
