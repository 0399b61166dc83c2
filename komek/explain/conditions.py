"""The conditions of each decision in the order of the law, with what each compared.

What was decided, and by which condition, is the run's word: the reason it recorded says
which condition failed, those before it held and those after it were not reached. Here
only the values that a condition compares are put beside it, from the source rows.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from komek.base.errors import KomekError
from komek.explain.case import (
    GROUPS,
    Case,
    Check,
    add_months,
    alive,
    day_of,
    in_register,
    person_of,
    value_of,
)
from komek.explain.food_set import CHECKS
from komek.explain.rows import as_json

_OF_TERMS = ("disability.window", "disability.until", "disability.plus_months")
# The policies that a decision reads, by what decides it.
POLICIES: Mapping[str, tuple[str, ...]] = {
    "p25_1": ("food_set.age_upper", "food_set.institution_scope", "asp.base"),
    "p25_2": ("food_set.institution_scope", *_OF_TERMS),
    "p25_3": ("food_set.institution_scope", *_OF_TERMS),
    "p25_4": (
        "food_set.carer",
        "food_set.carer_child_age_limit",
        "food_set.carer_child_in_institution",
        "food_set.institution_scope",
        *_OF_TERMS,
    ),
    "p25_5": ("food_set.institution_scope",),
    "food_set_recipients": ("food_set.sets_per_person",),
    "delivery_plan": ("food_set.sets_per_person",),
    "delivery_findings": ("food_set.sets_per_person",),
    "asp_extensions": ("asp.base",),
    "disability_extensions": _OF_TERMS,
    "mse_queue": ("disability.window",),
    "payout_schedule": ("payout.end_month", "payout.day", *_OF_TERMS),
    "case_deadlines": ("sla.start",),
    "application_findings": ("asp.base",),
}
# What neither holds nor fails.
_UNDECIDED = {
    "pending": "pending",
    "open": "pending",
    "not_applicable": "not_applicable",
}


def policies_read(kind: str, compared: bool) -> tuple[str, ...]:
    """Return the policies read: those of who is a candidate, where nothing is compared.

    Args:
        kind: the ground of p25, or the mart.
        compared: whether there was a record to compare.
    """
    if compared:
        return POLICIES.get(kind, ())
    return ("food_set.carer",) if kind == "p25_4" else ()


def conditions(case: Case) -> list[dict[str, Any]]:
    """Return a decision's conditions up to the one that decided it, and those after.

    Raises:
        KomekError: the run gives a reason that no condition here gives.
    """
    checks = CHECKS[case.kind](case)
    reason = case.decision.get("reason")
    if reason is not None and reason not in {check.reason for check in checks}:
        raise KomekError(
            f"the run decides by other law than this version explains ({reason});"
            " use the version its receipt names"
        )
    verdict, explained = _UNDECIDED.get(case.decision["outcome"], "holds"), []
    for check in checks:
        if check.reason is not None and check.reason == reason:
            verdict = "fails"
        explained.append(_condition(check, verdict))
        if verdict == "fails":
            verdict = "not_reached"
    return explained


def _condition(check: Check, verdict: str) -> dict[str, Any]:
    reached = verdict != "not_reached"
    return {
        "condition": check.name,
        "reason": check.reason,
        "verdict": verdict,
        "observed": _as_json(check.observed) if reached else {},
        "threshold": _as_json(check.threshold),
        "rows": [row.tag for row in check.rows if row is not None] if reached else [],
    }


def _as_json(values: Mapping[str, object]) -> dict[str, object]:
    return {name: as_json(value) for name, value in values.items()}


def _p12(case: Case) -> list[Check]:
    award_id = case.decision["award_id"]
    award = case.row("asp_awards", award_id=award_id)
    renewals = [row for row in case.all_rows("asp_awards") if row is not award]
    status = {"status": value_of(award, "status")}
    end = day_of(award, "period_end")
    checks = [
        Check(
            "award_ends_in_emergency",
            "ends_outside_emergency",
            {"award_id": award_id, "period_end": end},
            {
                "from": case.context["emergency_starts_on"],
                "to": case.context["covered_until"],
            },
            [award],
        ),
        Check("award_not_terminated", "terminated", status, rows=[award]),
    ]
    if case.context["asp__base"] != "any_status":
        checks.append(Check("award_not_suspended", "suspended", status, rows=[award]))
    return [
        *checks,
        Check(
            "award_not_renewed",
            "already_renewed",
            {"renewals": ", ".join(row.values["award_id"] or "" for row in renewals)},
            {"new_period_start": end and date.fromordinal(end.toordinal() + 1)},
            renewals,
        ),
    ]


def _p17(case: Case) -> list[Check]:
    person = person_of(case)
    term = case.row("disability_terms", term_id=case.decision["term_id"])
    newer = [row for row in case.all_rows("disability_terms") if row is not term]
    until = case.context["covered_until"]
    category = value_of(term, "category")
    is_disability = value_of(term, "kind") == "disability"
    checks = [
        Check(
            "term_runs_out_in_window",
            "ends_outside_window",
            {"valid_until": day_of(term, "valid_until")},
            {"from": case.context["window_starts_on"], "to": until},
            [term],
        ),
        in_register(person),
        alive(case, person),
        Check(
            "term_not_superseded",
            "superseded",
            {
                "decided_on": day_of(term, "decided_on"),
                "newer": ", ".join(row.values["term_id"] or "" for row in newer),
            },
            rows=[term, *newer],
        ),
    ]
    born = day_of(person, "birth_date")
    for name, ages, applies in (
        ("turns_16", "child_category_age", category == "child"),
        ("turns_18", "group_category_age", category in GROUPS),
    ):
        if not (is_disability and applies):
            continue
        age = case.context[ages]
        checks.append(
            Check(
                f"not_{name}",
                name,
                {
                    "birth_date": born,
                    "birthday_on": born and add_months(born, 12 * age),
                    "established_on": day_of(term, "established_on"),
                },
                {"age": age, "covered_until": until},
                [person, term],
            )
        )
    return checks


def _queue(case: Case) -> list[Check]:
    person = person_of(case)
    term = case.row("disability_terms", term_id=case.decision["term_id"])
    ages = {"turns_16": "child_category_age", "turns_18": "group_category_age"}
    age = case.context[ages[case.decision["cause"]]]
    born = day_of(person, "birth_date")
    return [
        Check(
            "comes_of_age",
            None,
            {
                "birth_date": born,
                "birthday_on": born and add_months(born, 12 * age),
                "valid_until": day_of(term, "valid_until"),
                "due_on": case.decision["due_on"],
            },
            {
                "age": age,
                "covered_until": case.context["covered_until"],
                "emergency_starts_on": case.context["emergency_starts_on"],
            },
            [person, term],
        )
    ]


def _p16(case: Case) -> list[Check]:
    term = case.row("disability_terms", term_id=case.decision["term_id"])
    established = day_of(term, "established_on")
    longest = case.context["in_absentia_term_months"]
    check: Mapping[str, Callable[[], Check]] = {
        "mode": lambda: Check(
            "decided_in_absentia",
            "wrong_mode",
            {"decision_mode": value_of(term, "decision_mode")},
            {"decision_mode": "in_absentia"},
            [term],
        ),
        "term": lambda: Check(
            "term_within_a_year",
            "term_over_one_year",
            {"valid_until": day_of(term, "valid_until"), "established_on": established},
            {"longest": established and add_months(established, longest)},
            [term],
        ),
        "control_exam": lambda: Check(
            "control_exam_held",
            "control_exam_overdue",
            {"control_exam_on": case.event(term, "control_exam_on")},
            {"due_on": case.decision["due_on"], "as_of": case.as_of},
            [term],
        ),
    }
    return [check[case.decision["check"]]()]


def _p24(case: Case) -> list[Check]:
    person = person_of(case)
    award = case.row("benefit_awards")
    terms = case.all_rows("disability_terms")
    term = terms[0] if terms else None
    extension = case.terms.get(value_of(term, "term_id") or "", {})
    month = case.decision["month"]
    return [
        Check(
            "on_benefit",
            "no_benefit_award",
            {
                "award_id": value_of(award, "award_id"),
                "benefit": case.decision["benefit"],
            },
            rows=[award],
        ),
        Check(
            "term_extended",
            "no_extended_term",
            {
                "term_id": value_of(term, "term_id"),
                "valid_until": day_of(term, "valid_until"),
                "extension": extension.get("outcome"),
                "extension_reason": extension.get("reason"),
                "extended_until": extension.get("new_valid_until"),
            },
            rows=terms,
        ),
        Check(
            "award_runs_in_emergency",
            "award_outside_emergency",
            {name: day_of(award, name) for name in ("start_on", "stop_on")},
            {
                "from": case.context["window_starts_on"],
                "to": case.context["covered_until"],
            },
            [award],
        ),
        Check(
            "month_to_be_paid",
            "no_month_to_pay",
            {
                "month": month,
                "start_on": day_of(award, "start_on"),
                "death_date": day_of(person, "death_date"),
            },
            {
                "first_month": case.context["emergency_starts_on"].replace(day=1),
                "last_month": case.context["payout_end_month"],
            },
            [award, person],
        ),
    ]


def _deadline(case: Case) -> list[Check]:
    step = case.decision
    return [
        Check(
            "step_in_time",
            step["reason"],
            {"started_on": step["started_on"], "done_on": step["done_on"]},
            {"due_on": step["due_on"], "as_of": case.as_of},
            list(case.rows),
        )
    ]


# What an application's finding was judged by.
_JUDGED_BY: Mapping[str, tuple[str, ...]] = {
    "service_not_covered": ("service_code",),
    "not_signed": ("signed",),
    "no_attachment": ("attachment_count",),
    "wrong_addressee": ("service_code", "addressee"),
    "case_before_check": ("case_formed_on", "checked_on"),
    "duplicate_notification": (
        "notified_on",
        "notification_channel",
        "reply_in_document_system",
    ),
    "extended_automatically": ("service_code", "submitted_on"),
    "survey_not_remote": ("survey_mode", "decided_on"),
    "result_not_electronic": ("notification_channel", "notified_on"),
}


def _finding(case: Case) -> list[Check]:
    finding, _, column = case.decision["finding"].partition(":")
    application = case.row("applications")
    award = case.row("asp_awards")
    columns = (column,) if column else _JUDGED_BY[finding]
    observed: dict[str, object] = {
        name: value_of(application, name) for name in columns
    }
    threshold: dict[str, object] = {}
    if finding == "wrong_addressee":
        code = value_of(application, "service_code") or ""
        threshold["addressee"] = case.addressees.get(code)
    if finding == "extended_automatically":
        extension = case.awards.get(value_of(award, "award_id") or "", {})
        threshold["period_start"] = day_of(award, "period_start")
        threshold["period_end"] = extension.get("new_period_end") or day_of(
            award, "period_end"
        )
    reason = case.decision["finding"]
    return [Check(finding, reason, observed, threshold, [application, award])]


CHECKS: Mapping[str, Callable[[Case], list[Check]]] = {
    **CHECKS,
    "asp_extensions": _p12,
    "disability_extensions": _p17,
    "mse_queue": _queue,
    "mse_findings": _p16,
    "payout_schedule": _p24,
    "case_deadlines": _deadline,
    "application_findings": _finding,
}
