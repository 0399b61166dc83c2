"""The floor on terms and jobseekers (p5, p6, p18 to p22): rows and results by hand."""

from dataclasses import replace
from datetime import date

import duckdb
import pytest

from floor_law import Law
from hand_nation import Decided, decide


def _deadlines(
    applications: dict[str, dict[str, object]] | None = None,
    cases: dict[str, dict[str, object]] | None = None,
    as_of: str = "2020-04-20",
    law: Law | None = None,
    known_at: str | None = None,
    **policies: str,
) -> Decided:
    return decide(
        as_of,
        {
            "applications": [
                {"application_id": name, **of}
                for name, of in (applications or {}).items()
            ],
            "jobseekers": [
                {"case_id": name, "iin": f"of_{name}", **of}
                for name, of in (cases or {}).items()
            ],
        },
        policies=policies,
        law=law or Law(),
        known_at=known_at,
    )


def test_p5_p6_two_working_days() -> None:
    decided = _deadlines(
        {
            "holidays": {"submitted_on": "2020-04-30", "forwarded_on": "2020-05-06"},
            "friday": {"submitted_on": "2020-04-17", "forwarded_on": "2020-04-21",
                       "checked_on": "2020-04-24"},
            "last_day": {"submitted_on": "2020-05-10"},
        },
        as_of="2020-05-12",
    )  # fmt: skip
    assert decided.rows(
        "case_deadlines", "case_id, step, started_on, due_on, done_on, status"
    ) == [
        ("friday", "check", "2020-04-21", "2020-04-23", "2020-04-24", "late"),
        ("friday", "forward", "2020-04-17", "2020-04-21", "2020-04-21", "met"),
        ("holidays", "check", "2020-05-06", "2020-05-12", None, "open"),
        ("holidays", "forward", "2020-04-30", "2020-05-05", "2020-05-06", "late"),
        ("last_day", "forward", "2020-05-10", "2020-05-12", None, "open"),
    ]


def test_sla_start_the_same_day_counts_if_it_is_worked() -> None:
    decided = _deadlines(
        {
            "thursday": {"submitted_on": "2020-04-16"},
            "saturday": {"submitted_on": "2020-04-18"},
        },
        **{"sla.start": "same_day"},
    )
    assert decided.rows("case_deadlines", "case_id, due_on, status") == [
        ("saturday", "2020-04-21", "open"),
        ("thursday", "2020-04-17", "overdue"),
    ]


JOB_CASES: dict[str, dict[str, object]] = {
    # Registered on Monday 6 April: an offer is due on Tuesday, a draft on Wednesday.
    "offered": {"work_offered_on": "2020-04-07"},
    "offered_late": {"work_offered_on": "2020-04-08"},
    "offered_tomorrow": {"work_offered_on": "2020-04-21"},
    "drafted": {
        "draft_decision_on": "2020-04-08",
        "unemployed_decided_on": "2020-04-09",
    },
    "drafted_late": {"draft_decision_on": "2020-04-09"},
    "due_today": {"registered_on": "2020-04-17"},
    "drafted_all_the_same": {
        "work_offered_on": "2020-04-06",
        "draft_decision_on": "2020-04-17",
    },
}


def test_p20_p21_p22_the_steps_of_a_jobseeker() -> None:
    decided = _deadlines(cases=JOB_CASES)
    assert decided.rows("case_deadlines", "case_id, step, due_on, status") == [
        ("drafted", "draft", "2020-04-08", "met"),
        ("drafted", "match", "2020-04-07", "no_match"),
        ("drafted", "sign", "2020-04-09", "met"),
        ("drafted_all_the_same", "draft", None, "not_applicable"),
        ("drafted_all_the_same", "match", "2020-04-07", "met"),
        ("drafted_all_the_same", "sign", "2020-04-20", "open"),
        ("drafted_late", "draft", "2020-04-08", "late"),
        ("drafted_late", "match", "2020-04-07", "no_match"),
        ("drafted_late", "sign", "2020-04-10", "overdue"),
        ("due_today", "draft", "2020-04-21", "open"),
        ("due_today", "match", "2020-04-20", "open"),
        ("offered", "draft", None, "not_applicable"),
        ("offered", "match", "2020-04-07", "met"),
        ("offered_late", "draft", "2020-04-08", "overdue"),
        ("offered_late", "match", "2020-04-07", "late"),
        ("offered_tomorrow", "draft", "2020-04-08", "overdue"),
        ("offered_tomorrow", "match", "2020-04-07", "no_match"),
    ]
    drafts = dict(
        decided.rows("case_deadlines", "case_id, started_on", "step = 'draft'")
    )
    assert drafts["offered_late"] == "2020-04-07"
    assert drafts["offered"] is None


def test_p19_p21_findings_once_unemployment_was_decided() -> None:
    signed = {"unemployed_decided_on": "2020-04-20", "draft_decision_on": "2020-04-08"}
    decided = _deadlines(
        cases={
            "plain": signed,
            "no_centre": {**signed, "centre_id": None},
            "no_centre_not_yet": {
                "centre_id": None,
                "unemployed_decided_on": "2020-04-21",
            },
            "no_draft": {**signed, "draft_decision_on": None},
            "draft_tomorrow": {**signed, "draft_decision_on": "2020-04-21"},
            "offered": {**signed, "work_offered_on": "2020-04-07"},
            "offered_late": {**signed, "work_offered_on": "2020-04-08"},
            "all_of_it": {
                "unemployed_decided_on": "2020-04-08",
                "centre_id": None,
                "work_offered_on": "2020-04-06",
            },
            "before_the_rules": {
                "registered_on": "2020-03-31",
                "unemployed_decided_on": "2020-04-03",
                "centre_id": None,
            },
        }
    )
    assert decided.rows("jobseeker_findings", "case_id, finding, paragraph") == [
        ("all_of_it", "decision_without_centre", "p19"),
        ("all_of_it", "signed_despite_offer", "p21"),
        ("all_of_it", "signed_without_draft", "p21"),
        ("draft_tomorrow", "signed_without_draft", "p21"),
        ("no_centre", "decision_without_centre", "p19"),
        ("no_draft", "signed_without_draft", "p21"),
        ("offered", "signed_despite_offer", "p21"),
    ]
    assert ("no_centre", "of_no_centre") in decided.rows(
        "jobseeker_findings", "case_id, iin"
    )
    assert not decided.rows("case_deadlines", "1", "case_id = 'before_the_rules'")


@pytest.mark.parametrize(
    ("registered", "as_of", "judged"),
    [
        ("2020-03-31", "2020-05-20", False),
        ("2020-04-01", "2020-05-20", True),
        ("2020-05-10", "2020-05-20", True),
        ("2020-05-11", "2020-05-20", False),
        ("2020-04-21", "2020-04-20", False),
    ],
)
def test_which_jobseekers_are_judged(registered: str, as_of: str, judged: bool) -> None:
    decided = _deadlines(cases={"j": {"registered_on": registered}}, as_of=as_of)
    assert bool(decided.rows("case_deadlines", "step")) is judged


def _amended(*rows: tuple[str, tuple[date, date, int]]) -> Law:
    return replace(Law(), step_days=(*Law().step_days, *rows))


def test_a_term_is_that_of_the_day_the_step_started() -> None:
    law = _amended(
        ("forward", (date(2020, 4, 9), date(2020, 4, 8), 1)),
        ("forward", (date(2020, 4, 14), date(2020, 4, 8), 3)),
        # A correction, known from 18 April.
        ("forward", (date(2020, 4, 14), date(2020, 4, 18), 4)),
    )
    cases = {
        day: {"submitted_on": day} for day in ("2020-04-08", "2020-04-09", "2020-04-14")
    }
    for known_at, last in (("2020-04-17", "2020-04-17"), ("2020-04-18", "2020-04-20")):
        decided = _deadlines(cases, as_of="2020-04-20", law=law, known_at=known_at)
        assert decided.rows("case_deadlines", "case_id, due_on") == [
            ("2020-04-08", "2020-04-10"),
            ("2020-04-09", "2020-04-10"),
            ("2020-04-14", last),
        ]


def test_a_step_from_before_the_edition_has_the_term_of_its_first_day() -> None:
    law = _amended(("forward", (date(2020, 4, 2), date(2020, 4, 2), 5)))
    decided = _deadlines(
        {"early": {"submitted_on": "2020-03-30"}},
        law=law,
        **{"procedure.from": "emergency"},
    )
    assert decided.rows("case_deadlines", "due_on") == ["2020-04-01"]


def test_a_step_without_a_term_is_an_error() -> None:
    law = replace(Law(), step_days=())
    with pytest.raises(duckdb.Error, match="no number of working days"):
        _deadlines({"x": {}}, law=law)
