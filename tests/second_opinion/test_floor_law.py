"""What the law says to the floor, value by value, as law.md has it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from floor import Day, newest_lists
from floor_law import Law, resolve, value_on, variables

LAW = Law()


def _said(as_of: str, known_at: str | None = None, **policies: str) -> dict[str, str]:
    asked = {name.replace("__", "."): value for name, value in policies.items()}
    return variables(
        LAW,
        date.fromisoformat(as_of),
        date.fromisoformat(known_at or as_of),
        resolve(asked),
    )


@pytest.mark.parametrize(
    ("known_at", "covered_until", "end_month"),
    [
        ("2020-04-13", "2020-04-15", "2020-04-01"),
        ("2020-04-14", "2020-05-01", "2020-05-01"),
        ("2020-04-28", "2020-05-01", "2020-05-01"),
        ("2020-04-29", "2020-05-10", "2020-05-01"),
    ],
)
def test_the_end_of_the_emergency_as_known(
    known_at: str, covered_until: str, end_month: str
) -> None:
    said = _said("2020-04-20", known_at)
    assert said["starts_on"] == "date '2020-03-16'"
    assert said["covered_until"] == f"date '{covered_until}'"
    assert said["end_month"] == f"date '{end_month}'"


def test_the_last_full_day_may_be_of_the_month_before() -> None:
    said = _said("2020-04-20", payout__end_month="last_full_day")
    assert said["end_month"] == "date '2020-04-01'"


@pytest.mark.parametrize(
    ("as_of", "known_at", "applies"),
    [
        ("2020-03-31", "2020-04-20", "false"),
        ("2020-04-01", "2020-04-01", "false"),
        ("2020-04-01", "2020-04-02", "true"),
    ],
)
def test_no_edition_before_its_first_day_or_its_registration(
    as_of: str, known_at: str, applies: str
) -> None:
    assert _said(as_of, known_at)["applies"] == applies


@pytest.mark.parametrize(
    ("as_of", "known_at", "drawn"),
    [
        ("2020-05-01", "2020-05-01", "true"),
        ("2020-05-10", "2020-05-10", "true"),
        ("2020-05-11", "2020-05-11", "false"),
        ("2020-05-02", "2020-04-28", "false"),
    ],
)
def test_a_list_is_drawn_through_the_last_covered_day(
    as_of: str, known_at: str, drawn: str
) -> None:
    assert _said(as_of, known_at)["list_drawn"] == drawn


def test_what_the_rules_govern_begins_with_the_edition_or_the_emergency() -> None:
    assert _said("2020-04-20")["procedure_from"] == "date '2020-04-01'"
    said = _said("2020-04-20", procedure__from="emergency")
    assert said["procedure_from"] == "date '2020-03-16'"


def test_the_emergency_may_begin_after_the_edition() -> None:
    later = tuple(
        (on, at.replace(month=4, day=3), end) for on, at, end in LAW.emergency
    )
    day = date(2020, 4, 20)
    said = variables(replace(LAW, emergency=later), day, day, resolve({}))
    assert said["procedure_from"] == "date '2020-04-03'"


def test_the_window_is_a_calendar_month_or_thirty_days() -> None:
    assert _said("2020-04-20")["window_start"] == "date '2020-02-16'"
    said = _said("2020-04-20", disability__window="thirty_days")
    assert said["window_start"] == "date '2020-02-15'"


@pytest.mark.parametrize(
    ("known_at", "floor_cost"), [("2020-04-07", 5302), ("2020-04-08", 5556)]
)
def test_the_floor_is_two_mrp_as_known(known_at: str, floor_cost: int) -> None:
    # Known on 7 April, the emergency ends on 15 April: no list after it, and no floor.
    said = _said("2020-04-10", known_at)
    assert said["floor_cost"] == f"{floor_cost}::decimal(18, 2)"


def test_the_multiple_is_that_of_the_day_the_mrp_that_of_the_month() -> None:
    raised = replace(
        LAW,
        food_set_floor=(
            *LAW.food_set_floor,
            (date(2020, 4, 20), date(2020, 4, 18), 3),
        ),
        mrp=(*LAW.mrp, (date(2020, 4, 2), date(2020, 4, 8), 9999)),
    )
    for as_of, cost in ((date(2020, 4, 19), 2 * 2778), (date(2020, 4, 20), 3 * 2778)):
        said = variables(raised, as_of, as_of, resolve({}))
        assert said["floor_cost"] == f"{cost}::decimal(18, 2)"


def test_a_value_that_covers_no_day_is_an_error() -> None:
    with pytest.raises(LookupError, match="2018-12-31"):
        value_on(LAW.mrp, date(2018, 12, 31), date(2020, 5, 1))


def test_the_last_record_of_a_value_counts_once_it_is_known() -> None:
    rows = (
        (date(2020, 4, 1), date(2020, 4, 2), 5),
        (date(2020, 4, 1), date(2020, 4, 9), 4),
    )
    assert value_on(rows, date(2020, 4, 1), date(2020, 4, 8)) == 5
    assert value_on(rows, date(2020, 4, 1), date(2020, 4, 9)) == 4


def test_an_unknown_policy_or_value_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown policy"):
        resolve({"food_set.colour": "red"})
    with pytest.raises(ValueError, match=r"payout\.day"):
        resolve({"payout.day": "29"})
    assert resolve({"payout.day": "28"})["payout.day"] == "28"


def test_the_newest_lists_are_of_an_earlier_day_and_known() -> None:
    landed = {date(2020, 4, day): Path(str(day)) for day in (10, 15, 20)}

    def newest(as_of: int, known_at: int) -> Path | None:
        return newest_lists(landed, Day(date(2020, 4, as_of), date(2020, 4, known_at)))

    assert newest(10, 30) is None
    assert newest(11, 11) == Path("10")
    assert newest(20, 30) == Path("15")
    assert newest(21, 19) == Path("15")
    assert newest(21, 20) == Path("20")
