"""The comparison itself, between states written by hand."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from komek.base import database, registries
from komek.diff.changes import changes_between
from komek.diff.moments import Days
from komek.diff.steps import State
from komek.diff.text import render
from komek.runs.landed_views import ROWS_PER_FILE

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
create table facts.applications (application_id varchar, iin varchar);
create table facts.jobseeker_cases (case_id varchar, iin varchar);
insert into facts.jobseeker_cases values ('J', '1');
create table marts.food_set_lists (
    list_month date, iin varchar, list_no integer, listed_on date, region_kato varchar,
    district_kato varchar, primary_ground varchar, grounds varchar, standing varchar,
    ended_on date, ended_reason varchar, delivery_status varchar
);
create table marts.mse_queue (iin varchar, term_id varchar, cause varchar, due_on date);
create table marts.mse_findings (
    term_id varchar, iin varchar, "check" varchar, outcome varchar, finding varchar,
    due_on date
);
create table marts.case_deadlines (
    case_kind varchar, case_id varchar, step varchar, started_on date, due_on date,
    done_on date, status varchar
);
create table marts.application_findings (application_id varchar, finding varchar);
create table marts.jobseeker_findings (case_id varchar, iin varchar, finding varchar);
create table marts.delivery_findings (
    delivery_id varchar, iin varchar, finding varchar
);
create table marts.contract_findings (
    contract_id varchar, region_kato varchar, finding varchar
);
-- The source rows behind the rows above, as a run knows them.
create schema landing;
create schema staging;
create table landing.landed_files (file_no bigint, file varchar);
create table marts.lineage (
    table_name varchar, row_key varchar, entity varchar, file varchar, row_number bigint
);
create table facts.run_context (
    list_month date, covered_until date, asp_child_age_from integer,
    asp_child_age_to integer, disabled_child_age_to integer,
    food_set__age_upper varchar, food_set__carer_child_age_limit varchar
);
insert into facts.run_context values
    ('2020-04-01', '2020-05-01', 6, 18, 16, 'before_18th_birthday', '18');
"""
DAYS = Days(date(2020, 4, 15), date(2020, 4, 20))
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
        return changes_between(self.connection, ends, chain, ["law"], [], DAYS)

    def over_time(
        self,
        before: Mapping[str, Sequence[Row]],
        after: Mapping[str, Sequence[Row]],
        days: Days = DAYS,
        rests_on: Sequence[tuple[str, str, str, Row]] = (),
    ) -> list[dict[str, Any]]:
        """Compare two states that only time is between.

        `rests_on`: mart, key, entity and values of each source row.
        """
        chain = [
            State("first", "", self.written("first", before)),
            State("second", "time", self.written("second", after)),
        ]
        for state in chain:
            self.rest_on(state.file, rests_on)
        found = changes_between(self.connection, chain, chain, ["time"], [], days)
        return found["changes"]

    def rest_on(self, path: Path, rows: Sequence[tuple[str, str, str, Row]]) -> None:
        with duckdb.connect(path) as file:
            for number, (mart, key, name, values) in enumerate(rows):
                names = registries.entity(name).columns
                columns = ", ".join(
                    f"{one.name} {'date' if one.type == 'date' else 'varchar'}"
                    for one in names
                )
                file.execute(
                    f"create table if not exists staging.stg_{name}"
                    f" (source_row bigint, {columns})"
                )
                source_row = ROWS_PER_FILE * number + 1
                file.execute(
                    f"insert into staging.stg_{name} (source_row, {', '.join(values)})"
                    f" values ({', '.join('?' * (len(values) + 1))})",
                    [source_row, *values.values()],
                )
                file.execute(
                    "insert into landing.landed_files values (?, ?)",
                    [number, f"{name}/{number}"],
                )
                file.execute(
                    "insert into marts.lineage values (?, ?, ?, ?, 1)",
                    [mart, key, name, f"{name}/{number}"],
                )

    def written(self, name: str, tables: Mapping[str, Sequence[Row]]) -> Path:
        path = self.root / f"{name}.duckdb"
        with duckdb.connect(path) as file:
            file.execute(SCHEMA)
            for table, rows in tables.items():
                for row in rows:
                    columns = ", ".join(f'"{name}"' for name in row)
                    marks = ", ".join("?" * len(row))
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
    found = changes_between(
        compare.connection, ends, chain, ["policy", "time"], [], DAYS
    )
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


# --- findings, steps and lists


@pytest.mark.parametrize(
    ("table", "row", "what", "key"),
    [
        (
            "case_deadlines",
            {"case_kind": "jobseeker", "case_id": "J", "step": "sign"},
            "case",
            "jobseeker|J|sign",
        ),
        (
            "application_findings",
            {"application_id": "A", "finding": "no_channel"},
            "application",
            "A|no_channel",
        ),
        (
            "jobseeker_findings",
            {"case_id": "J", "iin": "1", "finding": "signed_without_draft"},
            "case",
            "J|signed_without_draft",
        ),
        (
            "mse_findings",
            {"term_id": "t", "iin": "1", "check": "mode", "outcome": "finding"},
            "term",
            "t|mode",
        ),
        ("mse_queue", {"iin": "1", "cause": "turns_16"}, "person", "1|turns_16"),
        (
            "delivery_findings",
            {"delivery_id": "d", "iin": "1", "finding": "repeated"},
            "delivery",
            "d",
        ),
        (
            "contract_findings",
            {"contract_id": "c", "region_kato": "110000000", "finding": "below_floor"},
            "contract",
            "c|below_floor",
        ),
        (
            "food_set_lists",
            {"iin": "1", "list_month": "2020-04-01", "region_kato": "110000000"},
            "person",
            "1|2020-04-01",
        ),
    ],
)
def test_every_finding_step_and_row_of_a_list_is_counted(
    compare: Compare, table: str, row: Row, what: str, key: str
) -> None:
    found = compare({}, {table: [row]})
    (change,) = found["changes"]
    assert (change["table"], change["what"], change["key"]) == (table, what, key)
    assert change["change"] == "added"
    (total,) = found["sums"]
    assert (total["table"], total["added"]) == (table, 1)


def test_a_step_is_of_the_region_of_whose_case_it_is(compare: Compare) -> None:
    step = {"case_kind": "jobseeker", "case_id": "J", "step": "sign"}
    (change,) = compare({}, {"case_deadlines": [step]})["changes"]
    assert change["region_kato"] == "110000000"


def test_a_mart_that_a_run_of_an_earlier_version_lacks_is_not_compared(
    compare: Compare,
) -> None:
    finding = {"case_id": "J", "iin": "1", "finding": "signed_without_draft"}
    ends = [
        State(name, cause, compare.written(name, rows))
        for name, cause, rows in (
            ("first", "", listed()),
            ("second", "code", listed(person()) | {"jobseeker_findings": [finding]}),
        )
    ]
    with duckdb.connect(ends[0].file) as older:
        older.execute("drop table marts.jobseeker_findings")
    found = changes_between(compare.connection, ends, ends, ["code"], [], DAYS)
    assert [change["table"] for change in found["changes"]] == ["food_set_recipients"]


def test_a_whole_nation_is_compared_in_little_memory(
    compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOMEK_MEMORY_LIMIT", "48MB")
    ends = []
    for name, cause, modes in (("first", "", ["cash"]), ("second", "law", ["in_kind"])):
        ends.append(State(name, cause, compare.written(name, listed())))
        with duckdb.connect(ends[-1].file) as file:
            file.execute(
                "insert into marts.food_set_recipients (iin, region_kato, mode)"
                " select number, '110000000', ?[1 + number % 50] from range(80_000)"
                " as numbers (number)",
                [modes + ["cash"] * 49],
            )
    with database.connect(tmp_path / "diff.duckdb") as connection:
        found = changes_between(connection, ends, ends, ["law"], [], DAYS)
    assert len(found["changes"]) == 1600


# --- what time was


def because(change: Mapping[str, Any]) -> list[tuple[str, str, int | None]]:
    return [(one["event"], one["on"], one["age"]) for one in change["because"]]


def of(entity: str, values: Row) -> list[tuple[str, str, str, Row]]:
    return [("food_set_recipients", "1", entity, values)]


@pytest.mark.parametrize(
    ("entity", "column", "day", "told"),
    [
        ("jobseekers", "unemployed_decided_on", "2020-04-15", False),
        ("jobseekers", "unemployed_decided_on", "2020-04-16", True),
        ("jobseekers", "unemployed_decided_on", "2020-04-20", True),
        ("jobseekers", "unemployed_decided_on", "2020-04-21", False),
        # the last day of a term: it is over the day after
        ("disability_terms", "valid_until", "2020-04-14", False),
        ("disability_terms", "valid_until", "2020-04-15", True),
        ("disability_terms", "valid_until", "2020-04-19", True),
        ("disability_terms", "valid_until", "2020-04-20", False),
        ("asp_awards", "period_end", "2020-04-17", True),
        ("benefit_awards", "stop_on", "2020-04-17", True),
        ("persons", "death_date", "2020-04-17", True),
        ("institution_stays", "admitted_on", "2020-04-17", True),
        # what was decided is notified by the day after
        ("applications", "decided_on", "2020-04-14", False),
        ("applications", "decided_on", "2020-04-15", True),
        ("disability_terms", "decided_on", "2020-04-15", False),
        # by the call alone nothing is decided
        ("applications", "contacted_on", "2020-04-17", False),
        ("deliveries", "list_month", "2020-04-17", False),
    ],
)
def test_time_is_what_happened_between_the_days(
    compare: Compare, entity: str, column: str, day: str, told: bool
) -> None:
    (change,) = compare.over_time(
        listed(), listed(person()), rests_on=of(entity, {column: day})
    )
    assert change["cause"] == "time"
    assert because(change) == ([(column, day, None)] if told else [])


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("2014-04-15", None),
        ("2014-04-16", 6),
        ("2014-04-20", 6),
        ("2014-04-21", None),
        ("2004-04-17", 16),
        ("2002-04-17", 18),
        ("2003-04-17", None),
    ],
)
def test_time_is_a_birthday_that_the_grounds_ask_for(
    compare: Compare, born: str, age: int | None
) -> None:
    (change,) = compare.over_time(
        listed(), listed(person()), rests_on=of("persons", {"birth_date": born})
    )
    day = f"2020-04-{born[8:]}"
    assert because(change) == ([("birthday", day, age)] if age else [])
    if age:
        (line,) = render_changes([change])
        assert f"time, turned {age} on {day}" in line


def test_time_is_the_day_by_which_a_step_was_due(compare: Compare) -> None:
    step = {
        "case_kind": "jobseeker",
        "case_id": "J",
        "step": "sign",
        "due_on": "2020-04-17",
    }
    (change,) = compare.over_time(
        {"case_deadlines": [step | {"status": "open"}]},
        {"case_deadlines": [step | {"status": "overdue"}]},
    )
    assert because(change) == [("due_on", "2020-04-17", None)]
    (line,) = render_changes([change])
    assert "time, status 'open' -> 'overdue', the term ran out on 2020-04-17" in line


def test_time_is_the_day_on_which_the_list_was_drawn(compare: Compare) -> None:
    row = {"iin": "1", "list_month": "2020-04-01", "region_kato": "110000000"}
    (change,) = compare.over_time(
        {"food_set_lists": [row | {"listed_on": "2020-04-15"}]},
        {"food_set_lists": [row | {"listed_on": "2020-04-20"}]},
    )
    assert because(change) == [("listed_on", "2020-04-20", None)]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (date(2020, 4, 20), date(2020, 4, 30), []),
        (date(2020, 4, 30), date(2020, 5, 1), [("list_month", "2020-05-01")]),
        (date(2020, 5, 1), date(2020, 5, 2), [("covered_until", "2020-05-01")]),
        # the other way round, the same happened between the two
        (date(2020, 5, 2), date(2020, 5, 1), [("covered_until", "2020-05-01")]),
    ],
)
def test_time_is_another_month_or_the_end_of_the_emergency(
    compare: Compare, first: date, second: date, told: list[tuple[str, str]]
) -> None:
    (change,) = compare.over_time(listed(), listed(person()), Days(first, second))
    assert because(change) == [(event, day, None) for event, day in told]


def render_changes(changes: Sequence[Mapping[str, Any]]) -> list[str]:
    run = {"run_id": "r", "as_of": "d", "known_at": "k"}
    found = {
        "first": run,
        "second": run,
        "differ": ["time"],
        "sums": [],
        "changes": changes,
    }
    return render(found)[-len(changes) :]
