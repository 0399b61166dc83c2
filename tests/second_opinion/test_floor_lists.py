"""The floor on the lists of a month (p26), one day after another: results by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

import floor
from hand_nation import AKMOLA, AKTOBE, Decided, Row, decide, listed, people, unemployed

ROW = "iin, list_no, listed_on, region_kato, standing, ended_on, ended_reason"
EARLY, LATER = "2020-04-10", "2020-04-15"


def _day(
    as_of: str,
    people_: Sequence[Row],
    lists: Sequence[Sequence[Any]] | None = None,
    *,
    norms: Sequence[str] = (AKMOLA,),
    more: dict[str, list[Row]] | None = None,
    **given: Any,
) -> Decided:
    """Decide a day on people who are all unemployed."""
    return decide(
        as_of,
        {
            "persons": list(people_),
            "jobseekers": unemployed(person["iin"] for person in people_),
            "food_set_norms": [{"norm_id": kato, "kato": kato} for kato in norms],
            **(more or {}),
        },
        lists=lists,
        **given,
    )


def test_the_first_list_of_a_month_is_number_one() -> None:
    decided = _day(EARLY, people("a", kato="111000000"))
    assert decided.rows(
        "food_set_lists", f"{ROW}, list_month, district_kato, primary_ground, grounds"
    ) == [
        ("a", 1, EARLY, AKMOLA, "entitled", None, None,
         "2020-04-01", "111000000", "p25_5", "p25_5"),
    ]  # fmt: skip


def test_a_newcomer_is_held_while_the_region_is_blocked() -> None:
    here, there = people("a"), people("b", kato=AKTOBE)
    first = _day(EARLY, [*here, *there])
    assert first.rows("food_set_lists", ROW) == [
        ("a", 1, EARLY, AKMOLA, "entitled", None, None),
        ("b", None, None, AKTOBE, "held", None, None),
    ]
    assert [row[1] for row in first.lists()] == ["a"]
    second = _day(LATER, [*here, *there], first.lists(), norms=(AKMOLA, AKTOBE))
    assert second.rows("food_set_lists", ROW) == [
        ("a", 1, EARLY, AKMOLA, "entitled", None, None),
        ("b", 2, LATER, AKTOBE, "entitled", None, None),
    ]


def test_a_check_holds_newcomers_back_as_a_missing_norm_does() -> None:
    first = _day(EARLY, people("a"))
    second = _day(LATER, people("a", "b"), first.lists(), blocked={AKMOLA: "rows"})
    assert second.rows("food_set_lists", "iin, list_no, standing") == [
        ("a", 1, "entitled"),
        ("b", None, "held"),
    ]


def test_newcomers_of_a_day_have_one_number_in_every_region() -> None:
    both = (AKMOLA, AKTOBE)
    first = _day(EARLY, people("a"), norms=both)
    # Nothing is new: no number is spent.
    second = _day("2020-04-12", people("a"), first.lists(), norms=both)
    new = [*people("a", "b"), *people("c", kato=AKTOBE)]
    third = _day(LATER, new, second.lists(), norms=both)
    assert third.rows("food_set_lists", "iin, list_no, listed_on") == [
        ("a", 1, EARLY),
        ("b", 2, LATER),
        ("c", 2, LATER),
    ]


def test_who_is_no_longer_a_recipient_has_ended_and_why() -> None:
    first = _day(EARLY, people("dies", "leaves", "lost", "stays"))
    second = decide(
        LATER,
        {
            "persons": [*people("leaves", "stays"), *people("dies", death_date=LATER)],
            "jobseekers": [
                *unemployed(("dies", "stays")),
                *unemployed(("leaves",), deregistered_on=LATER),
            ],
            "food_set_norms": [{"norm_id": "n"}],
        },
        lists=first.lists(),
    )  # fmt: skip
    ended = [
        ("dies", 1, EARLY, AKMOLA, "ended", LATER, "deceased"),
        ("leaves", 1, EARLY, AKMOLA, "ended", LATER, "deregistered"),
        ("lost", 1, EARLY, AKMOLA, "ended", LATER, "no_record"),
    ]
    stays = ("stays", 1, EARLY, AKMOLA, "entitled", None, None)
    assert second.rows("food_set_lists", ROW) == [*ended, stays]

    # An end stays as it was; one who is a recipient again has none.
    third = _day("2020-04-20", people("stays", "leaves"), second.lists())
    leaves = ("leaves", 1, EARLY, AKMOLA, "entitled", None, None)
    assert third.rows("food_set_lists", ROW) == [ended[0], leaves, ended[2], stays]


def test_the_cause_of_an_end_is_that_of_the_ground_first_listed_by() -> None:
    first = decide(
        EARLY,
        {
            "persons": people("a"),
            "disability_terms": [{"term_id": "t", "iin": "a"}],
            "food_set_norms": [{"norm_id": "n"}],
        },
    )
    # Now resident (p25_3); and a jobseeker who was never registered (p25_5).
    second = decide(
        LATER,
        {
            "persons": people("a"),
            "disability_terms": [{"term_id": "t", "iin": "a"}],
            "institution_stays": [{"stay_id": "s", "iin": "a"}],
            "jobseekers": [{"case_id": "j", "iin": "a"}],
            "food_set_norms": [{"norm_id": "n"}],
        },
        lists=first.lists(),
    )
    assert second.rows("food_set_lists", "ended_reason") == ["resident_in_institution"]


def test_who_moves_is_served_where_they_were_listed_on_the_grounds_of_then() -> None:
    both = (AKMOLA, AKTOBE)
    first = _day(EARLY, people("a", kato="111000000"), norms=both)
    moved = _day(
        LATER,
        people("a", kato=AKTOBE),
        first.lists(),
        norms=both,
        more={"disability_terms": [{"term_id": "t", "iin": "a"}]},
    )
    assert moved.rows("food_set_lists", f"{ROW}, primary_ground, grounds") == [
        ("a", 1, EARLY, AKMOLA, "entitled", None, None, "p25_5", "p25_5")
    ]
    assert moved.rows("food_set_recipients", "region_kato, grounds") == [
        (AKTOBE, "p25_3|p25_5")
    ]
    assert moved.rows("delivery_plan", "region_kato") == [AKMOLA]
    assert moved.rows("region_status", "region_kato, recipients", "recipients > 0") == [
        (AKTOBE, 1)
    ]


def test_an_earlier_row_stays_though_its_region_is_blocked_now() -> None:
    first = _day(EARLY, people("a"))
    second = _day(LATER, people("a"), first.lists(), norms=())
    assert second.rows("food_set_lists", ROW) == [
        ("a", 1, EARLY, AKMOLA, "entitled", None, None)
    ]
    assert second.rows("delivery_plan", "mode, allocation, amount, list_no") == [
        (None, "unallocated", None, 1)
    ]


GONE = {"ended_on": "2020-04-09", "ended_reason": "deceased"}
MAY = "2020-05-01"


def test_rows_of_another_month_pass_on_as_they_are() -> None:
    lists = [*listed("gone", list_no=3, **GONE), *listed("a", "is_away", list_no=3)]
    decided = _day("2020-05-04", people("a", "gone"), lists)
    assert decided.rows("food_set_lists", f"list_month, {ROW}") == [
        ("2020-04-01", "a", 3, "2020-04-05", AKMOLA, "entitled", None, None),
        ("2020-04-01", "gone", 3, "2020-04-05", AKMOLA, "ended", "2020-04-09",
         "deceased"),
        ("2020-04-01", "is_away", 3, "2020-04-05", AKMOLA, "entitled", None, None),
        # May counts its own lists.
        ("2020-05-01", "a", 1, "2020-05-04", AKMOLA, "entitled", None, None),
        ("2020-05-01", "gone", 1, "2020-05-04", AKMOLA, "entitled", None, None),
    ]  # fmt: skip
    assert decided.rows("delivery_plan", "list_month, iin") == [
        ("2020-05-01", "a"),
        ("2020-05-01", "gone"),
    ]


def test_where_no_list_is_drawn_every_row_passes_on_its_own_month_s_too() -> None:
    lists = [
        *listed("gone", list_month=MAY, **GONE),
        *listed("is_away", list_month=MAY),
    ]
    decided = _day("2020-05-11", people("gone", "new"), lists)
    assert decided.rows("food_set_lists", "iin, standing, ended_on") == [
        ("gone", "ended", "2020-04-09"),
        ("is_away", "entitled", None),
    ]


@pytest.mark.parametrize("known_at", ["2020-04-01", "2020-04-02"])
def test_there_are_no_rows_where_no_edition_applies(known_at: str) -> None:
    decided = _day("2020-04-01", (), listed("a"), known_at=known_at)
    rows = 1 if known_at == "2020-04-02" else 0
    assert len(decided.rows("food_set_lists", "1")) == rows
    assert len(decided.rows("list_reconciliation", "1")) == rows


# Files


def _filed(path: Path, *rows: tuple[object, ...]) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create schema floor; create table floor.food_set_lists ("
            + ", ".join(f"{name} {kind}" for name, kind in floor.LIST_COLUMNS.items())
            + ", standing varchar)"
        )
        connection.executemany(
            f"insert into floor.food_set_lists values ({'?, ' * 10}?)", rows
        )
    return path


def test_earlier_lists_are_read_from_a_file_without_what_was_held(
    tmp_path: Path,
) -> None:
    file = _filed(
        tmp_path / "earlier.duckdb",
        (*listed("a", list_no=3)[0], "entitled"),
        (*listed("b", list_no=None, listed_on=None)[0], "held"),
    )
    decided = _day(LATER, people("a", "b"), file)
    assert decided.rows("food_set_lists", "iin, list_no") == [("a", 3), ("b", 4)]


def test_earlier_lists_are_read_from_a_landed_snapshot(tmp_path: Path) -> None:
    file = _filed(tmp_path / "earlier.duckdb", (*listed("a", list_no=3)[0], "entitled"))
    landed = tmp_path / "lists.parquet"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            f"copy (select columns(*)::varchar from floor.food_set_lists) to '{landed}'"
        )
    decided = _day(LATER, people("b"), landed)
    assert decided.rows("food_set_lists", "iin, list_no, standing") == [
        ("a", 3, "ended"),
        ("b", 4, "entitled"),
    ]
