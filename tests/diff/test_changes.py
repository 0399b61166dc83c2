"""The comparison itself, between states written by hand."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from komek.diff.changes import changes_between
from komek.diff.steps import State

SCHEMA = """
create schema marts;
create schema law;
create schema facts;
create table facts.people (iin varchar, region_kato varchar);
insert into facts.people values ('1', '110000000');
create table law.p12_asp_extension (award_id varchar, applicant_iin varchar);
create table marts.food_set_recipients (
    iin varchar, region_kato varchar, district_kato varchar, primary_ground varchar,
    grounds varchar, mode varchar, set_cost decimal(18, 2)
);
create table marts.asp_extensions (
    award_id varchar, family_id varchar, outcome varchar, reason varchar,
    review_reasons varchar, old_period_start date, old_period_end date,
    new_period_start date, new_period_end date, monthly_amount decimal(18, 2)
);
create table marts.payout_schedule (
    award_id varchar, iin varchar, benefit varchar, month date, basis varchar,
    amount decimal(18, 2), paid_amount decimal(18, 2), due_amount decimal(18, 2),
    overpaid_amount decimal(18, 2), pay_on date
);
create table marts.disability_extensions (
    term_id varchar, iin varchar, kind varchar, category varchar, outcome varchar,
    reason varchar, old_valid_until date, new_valid_until date
);
"""
CAUSES = ("", "law", "policy", "time")
Row = Mapping[str, Any]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


class Compare:
    """Compares states, each given as rows by table; the first and last are the ends."""

    def __init__(self, root: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.root, self.connection = root, connection

    def __call__(self, *states: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
        names = ["first", *(f"step_{n}" for n in range(1, len(states) - 1)), "second"]
        chain = [
            State(name, cause, self.written(name, rows))
            for name, cause, rows in zip(names, CAUSES, states, strict=False)
        ]
        ends = [chain[0], chain[-1]]
        return changes_between(self.connection, ends, chain, ["law"], [])

    def written(self, name: str, tables: Mapping[str, Sequence[Row]]) -> Path:
        path = self.root / f"{name}.duckdb"
        with duckdb.connect(path) as file:
            file.execute(SCHEMA)
            for table, rows in tables.items():
                for row in rows:
                    columns, marks = ", ".join(row), ", ".join("?" * len(row))
                    file.execute(
                        f"insert into marts.{table} ({columns}) values ({marks})",
                        list(row.values()),
                    )
        return path


@pytest.fixture
def compare(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> Compare:
    return Compare(tmp_path, connection)


def person(iin: str = "1", **values: Any) -> Row:
    return {
        "iin": iin,
        "region_kato": "110000000",
        "primary_ground": "p25_2",
        "mode": "cash",
        "set_cost": Decimal("5302.00"),
        **values,
    }


def listed(*people: Row) -> dict[str, Sequence[Row]]:
    return {"food_set_recipients": people}


def cause_of(found: dict[str, Any]) -> tuple[str, str]:
    (change,) = found["changes"]
    return change["change"], change["cause"]


def test_who_comes_and_goes_came_by_the_last_step_that_brought_them(
    compare: Compare,
) -> None:
    found = compare(listed(), listed(person()), listed(), listed(person()))
    assert cause_of(found) == ("added", "time")


def test_what_changed_after_it_came_still_came_by_the_step_that_brought_it(
    compare: Compare,
) -> None:
    found = compare(listed(), listed(person()), listed(person(mode="in_kind")))
    assert cause_of(found) == ("added", "law")


def test_a_change_was_made_by_the_last_step_that_changed_it(compare: Compare) -> None:
    found = compare(
        listed(person()),
        listed(person(mode="in_kind")),
        listed(person(mode=None)),
        listed(person(mode=None)),
    )
    assert cause_of(found) == ("changed", "policy")
    assert found["changes"][0]["columns"] == [
        {"column": "mode", "before": "cash", "after": None}
    ]


def test_who_left_left_by_the_last_step_that_took_them_off(compare: Compare) -> None:
    found = compare(listed(person()), listed(), listed(person()), listed())
    assert cause_of(found) == ("removed", "time")
    assert found["changes"][0]["columns"] == []


def test_what_comes_back_to_what_it_was_is_no_difference(compare: Compare) -> None:
    found = compare(listed(person()), listed(), listed(person()))
    assert found == {"changes": [], "sums": []}


def test_what_no_step_shows_is_put_down_to_the_first_thing(compare: Compare) -> None:
    same = compare.written("computed", listed(person()))
    ends = [
        State("first", "", compare.written("first", listed())),
        State("second", "", compare.written("second", listed(person()))),
    ]
    chain = [State("step_0", "", same), State("step_1", "time", same)]
    found = changes_between(compare.connection, ends, chain, ["policy", "time"], [])
    assert cause_of(found) == ("added", "policy")


def test_a_persons_sets_are_told_together_by_ground(compare: Compare) -> None:
    second = person(primary_ground="p25_5", mode=None)
    found = compare(listed(person()), listed(second, person()))
    assert cause_of(found) == ("changed", "law")
    assert found["changes"][0]["columns"] == [
        {
            "column": "region_kato",
            "before": "110000000",
            "after": "110000000 + 110000000",
        },
        {"column": "district_kato", "before": None, "after": " + "},
        {"column": "primary_ground", "before": "p25_2", "after": "p25_2 + p25_5"},
        {"column": "grounds", "before": None, "after": " + "},
        {"column": "mode", "before": "cash", "after": "cash + "},
        {"column": "set_cost", "before": "5302.00", "after": "5302.00 + 5302.00"},
    ]
    (total,) = found["sums"]
    assert total["amount_change"] == "5302.00"


def test_what_has_no_amount_has_none_to_add_up(compare: Compare) -> None:
    term = {"term_id": "t", "iin": "2", "kind": "disability", "outcome": "extended"}
    month = {"award_id": "a", "iin": "1", "month": "2020-04-01", "basis": "award"}
    found = compare(
        {"payout_schedule": [month]},
        {
            "payout_schedule": [{**month, "basis": "extension"}],
            "disability_extensions": [term],
        },
    )
    assert [
        (total["table"], total["region_kato"], total["amount_change"])
        for total in found["sums"]
    ] == [
        ("disability_extensions", "unassigned", None),
        ("payout_schedule", "110000000", "0.00"),
    ]
    assert [(change["what"], change["key"]) for change in found["changes"]] == [
        ("term", "t"),
        ("award", "a|2020-04-01"),
    ]
