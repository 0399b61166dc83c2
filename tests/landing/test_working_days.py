"""The landed calendar counts the working days of 2020 as the country did."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from komek.base.places import Home
from komek.landing.working_days import WorkingDays, land_working_days


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> WorkingDays:
    return land_working_days(Home(tmp_path_factory.mktemp("calendar")))


def _working(calendar: WorkingDays, first: date, last: date) -> list[date]:
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select calendar_on from read_parquet(?)"
            " where is_working and calendar_on between ? and ? order by 1",
            [str(calendar.path), first, last],
        ).fetchall()
    return [day for (day,) in rows]


@pytest.mark.parametrize(
    ("started_on", "days", "due_on"),
    [
        (date(2020, 4, 30), 2, date(2020, 5, 5)),  # over 1 May
        (date(2020, 5, 6), 2, date(2020, 5, 12)),  # over 7 to 10 May
        (date(2020, 5, 6), 1, date(2020, 5, 11)),  # 8 May is off in place of the 9th
        (date(2020, 3, 20), 2, date(2020, 3, 27)),  # over Nauryz, 21 to 25 March
        (date(2020, 3, 20), 1, date(2020, 3, 26)),
        (date(2020, 1, 3), 2, date(2020, 1, 6)),  # a Friday off, Sunday worked
        (date(2020, 1, 5), 2, date(2020, 1, 8)),  # over 7 January
        (date(2020, 12, 18), 1, date(2020, 12, 20)),
        (date(2020, 4, 17), 1, date(2020, 4, 20)),  # over a plain weekend
    ],
)
def test_due_date(
    calendar: WorkingDays, started_on: date, days: int, due_on: date
) -> None:
    after = [
        day
        for day in _working(calendar, started_on, date(2020, 12, 31))
        if day > started_on
    ]
    assert after[days - 1] == due_on


def test_emergency_has_34_working_days(calendar: WorkingDays) -> None:
    assert len(_working(calendar, date(2020, 3, 16), date(2020, 5, 10))) == 34


def test_two_sundays_of_2020_are_worked(calendar: WorkingDays) -> None:
    working = _working(calendar, date(2020, 1, 1), date(2020, 12, 31))
    assert [day for day in working if day.isoweekday() == 7] == [
        date(2020, 1, 5),
        date(2020, 12, 20),
    ]


@pytest.mark.parametrize(
    "day",
    [
        date(2020, 1, 3),
        date(2020, 3, 9),
        date(2020, 3, 23),
        date(2020, 3, 25),
        date(2020, 5, 1),
        date(2020, 5, 7),
        date(2020, 5, 8),
        date(2020, 12, 18),
    ],
)
def test_weekday_off(calendar: WorkingDays, day: date) -> None:
    assert _working(calendar, day, day) == []


def test_every_day_is_there_once(calendar: WorkingDays) -> None:
    with duckdb.connect() as connection:
        rows, days, span = connection.execute(
            "select count(*), count(distinct calendar_on),"
            " max(calendar_on) - min(calendar_on) + 1 from read_parquet(?)",
            [str(calendar.path)],
        ).fetchone() or (0, 0, 0)
    assert rows == days == span


def test_landing_again_keeps_the_file(calendar: WorkingDays) -> None:
    home = Home(Path(calendar.path).parents[3])
    before = calendar.path.stat().st_mtime_ns
    assert land_working_days(home) == calendar
    assert calendar.path.stat().st_mtime_ns == before
