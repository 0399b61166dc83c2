"""Only the readings that mattered are told: the day before, on and after each edge."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from komek.explain import readings
from komek.explain.case import Case
from komek.explain.readings import policies_read
from komek.explain.rows import SourceRow

ME, CHILD = "1", "2"
CONTEXT = {
    "as_of": date(2020, 4, 20),
    "emergency_starts_on": date(2020, 3, 16),
    "rules_first_on": date(2020, 4, 1),
    "asp_child_age_to": 18,
    "account_age": 18,
    "look_back_months": 1,
    "look_back_days": 30,
    "disability__until": "emergency_end",
    "end_instant_month": date(2020, 5, 1),
    "last_full_day_month": date(2020, 4, 1),
}
Row = tuple[str, Mapping[str, str]]


def mattered(
    kind: str,
    rows: Sequence[Row] = (),
    *,
    reached: Sequence[str] = (),
    residents: Sequence[str] = (),
    terms: Mapping[str, Mapping[str, Any]] | None = None,
    context: Mapping[str, Any] | None = None,
    **decision: object,
) -> set[str]:
    """The policies that mattered to a decision made of these."""
    case = Case(
        iin=ME,
        kind=kind,
        decision={"outcome": "met", "reason": None, **decision},
        rows=[
            SourceRow(tag, entity, dict.fromkeys(NAMES) | dict(values))
            for tag, (entity, values) in enumerate(rows)
        ],
        context={**CONTEXT, **(context or {})},
        terms=terms or {},
        awards={},
        addressees={},
        residents=residents,
    )
    return set(policies_read(case, reached, compares=True))


NAMES = (
    "award_id",
    "birth_date",
    "child_iin",
    "decided_on",
    "dependant_iin",
    "iin",
    "registered_on",
    "status",
    "submitted_on",
    "term_id",
    "valid_until",
)


def born(day: str, iin: str = ME) -> Row:
    return "persons", {"iin": iin, "birth_date": day}


def award(child: str = CHILD) -> Row:
    return "benefit_awards", {"iin": ME, "dependant_iin": child}


def term(valid_until: str = "") -> Row:
    values = {"term_id": "T", "iin": ME}
    return "disability_terms", values | (
        {"valid_until": valid_until} if valid_until else {}
    )


@pytest.mark.parametrize(
    ("birth_date", "expected"),
    [
        ("2002-04-21", False),  # 17
        ("2002-04-20", True),
        ("2001-04-21", True),
        ("2001-04-20", False),  # 19
    ],
)
def test_the_upper_age_mattered_to_who_is_18(birth_date: str, expected: bool) -> None:
    rows = [born(birth_date)]
    asked = mattered("p25_1", rows, reached=["young_enough"])
    assert ("food_set.age_upper" in asked) is expected
    assert "food_set.age_upper" not in mattered("p25_1", rows)


@pytest.mark.parametrize(
    ("birth_date", "expected"),
    [
        ("2004-04-21", False),  # 15
        ("2004-04-20", True),
        ("2002-04-21", True),
        ("2002-04-20", False),  # 18
    ],
)
def test_the_childs_age_limit_mattered_from_16_to_18(
    birth_date: str, expected: bool
) -> None:
    rows = [award(), born(birth_date, CHILD)]
    asked = mattered("p25_4", rows, reached=["child_young_enough"])
    assert ("food_set.carer_child_age_limit" in asked) is expected


@pytest.mark.parametrize("kind", ["p25_1", "p25_4", "p25_5"])
@pytest.mark.parametrize(
    ("residents", "reason", "expected"),
    [
        ([ME], None, True),
        ([ME], "resident_in_institution", True),
        ([ME], "deceased", False),
        ([], None, False),
        ([CHILD], None, False),
    ],
)
def test_the_scope_mattered_to_residents_alone(
    kind: str, residents: Sequence[str], reason: str | None, expected: bool
) -> None:
    asked = mattered(kind, reached=["alive"], residents=residents, reason=reason)
    assert ("food_set.institution_scope" in asked) is expected


@pytest.mark.parametrize(("residents", "expected"), [([CHILD], True), ([ME], False)])
def test_a_child_in_an_institution_mattered(
    residents: Sequence[str], expected: bool
) -> None:
    rows = [award(), born("2010-01-01", CHILD)]
    reached = ["child_term_in_force"]
    asked = mattered("p25_4", rows, reached=reached, residents=residents)
    assert ("food_set.carer_child_in_institution" in asked) is expected


@pytest.mark.parametrize(
    ("valid_until", "expected"),
    [("2020-02-14", False), ("2020-02-15", True), ("2020-02-16", False), ("", False)],
)
@pytest.mark.parametrize(
    ("kind", "asks"),
    [
        ("p25_2", "term_in_force"),
        ("p25_4", "child_term_in_force"),
        ("disability_extensions", "term_runs_out_in_window"),
        ("payout_schedule", "term_extended"),
    ],
)
def test_the_window_mattered_to_terms_between_its_two_edges(
    kind: str, asks: str, valid_until: str, expected: bool
) -> None:
    asked = mattered(kind, [term(valid_until)], reached=[asks])
    assert ("disability.window" in asked) is expected


@pytest.mark.parametrize(
    ("kind", "asks", "valid_until", "outcome", "expected"),
    [
        ("p25_3", "term_in_force", "2020-04-19", "extended", True),
        ("p25_3", "term_in_force", "2020-04-20", "extended", False),
        ("p25_3", "term_in_force", "2020-04-19", "not_extended", False),
        (
            "disability_extensions",
            "term_runs_out_in_window",
            "2020-04-20",
            "extended",
            True,
        ),
    ],
)
def test_until_when_mattered_where_only_the_extension_is_in_force(
    kind: str, asks: str, valid_until: str, outcome: str, expected: bool
) -> None:
    terms = {"T": {"outcome": outcome}}
    asked = mattered(kind, [term(valid_until)], reached=[asks], terms=terms)
    assert ("disability.until" in asked) is expected
    assert "disability.plus_months" not in asked
    by_months = mattered(
        kind,
        [term(valid_until)],
        reached=[asks],
        terms=terms,
        context={"disability__until": "plus_months"},
    )
    assert ("disability.plus_months" in by_months) is expected


@pytest.mark.parametrize(
    ("kind", "valid_until", "cause", "expected"),
    [
        ("disability_extensions", "2020-04-20", "turns_16", True),
        ("disability_extensions", "2020-04-20", None, False),
        ("p25_2", "2020-04-19", "turns_16", True),
        ("p25_2", "2020-04-20", "turns_16", False),
        ("payout_schedule", "2020-04-20", "turns_16", True),
        ("mse_queue", "2020-04-20", None, True),
    ],
)
def test_the_reading_of_age_mattered_to_who_comes_of_it(
    kind: str, valid_until: str, cause: str | None, expected: bool
) -> None:
    terms = {"T": {"outcome": "extended", "examined_for": cause}}
    reached = ["term_in_force", "term_extended", "term_runs_out_in_window"]
    asked = mattered(kind, [term(valid_until)], reached=reached, terms=terms)
    assert ("disability.age_transition" in asked) is expected


@pytest.mark.parametrize("kind", ["p25_1", "asp_extensions", "application_findings"])
@pytest.mark.parametrize(
    ("status", "expected"), [("suspended", True), ("active", False)]
)
def test_which_awards_mattered_to_suspended_ones(
    kind: str, status: str, expected: bool
) -> None:
    asked = mattered(kind, [("asp_awards", {"status": status})])
    assert ("asp.base" in asked) is expected


@pytest.mark.parametrize(
    ("kind", "of_row"),
    [
        ("food_set_recipients", {"grounds": "p25_2|p25_4"}),
        ("food_set_lists", {"grounds": "p25_2|p25_4"}),
        ("delivery_findings", {"sets": 2}),
    ],
)
def test_how_many_sets_mattered_to_who_has_several_grounds(
    kind: str, of_row: Mapping[str, Any]
) -> None:
    assert "food_set.sets_per_person" in mattered(kind, **of_row)
    assert "food_set.sets_per_person" not in mattered(kind, grounds="p25_2", sets=1)


@pytest.mark.parametrize(
    ("birth_date", "account_of", "expected"),
    [
        ("2002-04-21", None, True),
        ("2002-04-21", "representative", True),
        ("2002-04-21", "own", False),
        ("2002-04-20", None, False),  # 18
    ],
)
def test_whose_account_mattered_to_minors_without_one(
    birth_date: str, account_of: str | None, expected: bool
) -> None:
    rows, reached = [born(birth_date)], ["account_confirmed"]
    asked = mattered("delivery_plan", rows, reached=reached, account_of=account_of)
    assert ("food_set.account_of" in asked) is expected


@pytest.mark.parametrize(
    ("month", "context", "expected"),
    [
        (date(2020, 5, 1), {}, True),
        (date(2020, 4, 1), {}, False),
        (date(2020, 5, 1), {"last_full_day_month": date(2020, 5, 1)}, False),
    ],
)
def test_the_last_month_mattered_where_the_two_differ(
    month: date, context: Mapping[str, Any], expected: bool
) -> None:
    asked = mattered("payout_schedule", month=month, context=context, outcome="payable")
    assert ("payout.end_month" in asked) is expected
    assert "payout.day" in asked


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2020-03-15", False),
        ("2020-03-16", True),
        ("2020-03-31", True),
        ("2020-04-01", False),
    ],
)
@pytest.mark.parametrize(
    ("kind", "entity", "column"),
    [
        ("case_deadlines", "applications", "submitted_on"),
        ("application_findings", "applications", "submitted_on"),
        ("jobseeker_findings", "jobseekers", "registered_on"),
        ("mse_findings", "disability_terms", "decided_on"),
    ],
)
def test_from_when_the_rules_govern_mattered_before_they_were_in_force(
    kind: str, entity: str, column: str, day: str, expected: bool
) -> None:
    asked = mattered(kind, [(entity, {column: day})])
    assert ("procedure.from" in asked) is expected


@pytest.mark.parametrize("is_working", [True, False])
def test_the_first_day_mattered_where_it_was_a_working_day(is_working: bool) -> None:
    asked = mattered("case_deadlines", started_on_working_day=is_working)
    assert ("sla.start" in asked) is is_working


def test_who_is_a_candidate_is_all_that_was_read_where_nothing_is_compared() -> None:
    case = Case(ME, "p25_4", {"reason": None}, [], CONTEXT, {}, {}, {})
    assert policies_read(case, [], compares=False) == ("food_set.carer",)


def test_a_policy_that_is_not_known_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(readings.POLICIES, "p25_5", ("amended.policy",))
    assert mattered("p25_5") == {"amended.policy"}
