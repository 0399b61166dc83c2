"""What is compared of what is extended, examined and paid: p12, p16, p17, p24."""

from collections.abc import Callable, Mapping

from komek.explain.case import (
    Case,
    Compare,
    Condition,
    Reasoned,
    add_months,
    alive,
    day_of,
    in_register,
    next_day,
    person_of,
    value_of,
)
from komek.explain.rows import SourceRow

# p12: assistance, by the reason of the condition


def _award_ends_in_emergency(case: Case) -> Condition:
    award = _award(case)
    return Condition(
        "award_ends_in_emergency",
        {
            "award_id": case.decision["award_id"],
            "period_end": day_of(award, "period_end"),
        },
        {
            "from": case.context["emergency_starts_on"],
            "to": case.context["covered_until"],
        },
        [award],
    )


def _award_not_terminated(case: Case) -> Condition:
    award = _award(case)
    status = value_of(award, "status")
    return Condition("award_not_terminated", {"status": status}, rows=[award])


def _award_not_suspended(case: Case) -> Condition | None:
    if case.context["asp__base"] == "any_status":
        return None
    award = _award(case)
    status = value_of(award, "status")
    return Condition("award_not_suspended", {"status": status}, rows=[award])


def _award_not_renewed(case: Case) -> Condition:
    award = _award(case)
    end = day_of(award, "period_end")
    renewals = [row for row in case.all_rows("asp_awards") if row is not award]
    return Condition(
        "award_not_renewed",
        {"renewals": ", ".join(row.values["award_id"] or "" for row in renewals)},
        {"new_period_start": end and next_day(end)},
        renewals,
    )


def _someone_lives(case: Case) -> Condition:
    """Condition that a member lives, or may: one that the register does not have."""
    members = case.all_rows("asp_members")
    people = [case.row("persons", iin=one.values["iin"]) for one in members]
    dead = [one for one in people if case.event(one, "death_date")]
    return Condition(
        "someone_lives",
        {"members": len(members), "members_deceased": len(dead)},
        {"as_of": case.as_of},
        [*members, *people],
    )


def _award(case: Case) -> SourceRow | None:
    return case.row("asp_awards", award_id=case.decision["award_id"])


# p17: terms, by the reason of the condition


def _term_runs_out_in_window(case: Case) -> Condition:
    term = _term(case)
    return Condition(
        "term_runs_out_in_window",
        {"valid_until": day_of(term, "valid_until")},
        {
            "from": case.context["window_starts_on"],
            "to": case.context["covered_until"],
        },
        [term],
    )


def _term_not_superseded(case: Case) -> Condition:
    term = _term(case)
    newer = [row for row in case.all_rows("disability_terms") if row is not term]
    return Condition(
        "term_not_superseded",
        {
            "decided_on": day_of(term, "decided_on"),
            "newer": ", ".join(row.values["term_id"] or "" for row in newer),
        },
        rows=[term, *newer],
    )


def _child_stays_one(case: Case) -> Condition | None:
    return _no_birthday(case, "turns_16")


def _minor_stays_one(case: Case) -> Condition | None:
    return _no_birthday(case, "turns_18")


def _no_birthday(case: Case, cause: str) -> Condition | None:
    """Condition that a birthday does not fall in the time in which terms are extended.

    It is asked only of whom it does.
    """
    if cause not in (case.decision.get("examined_for"), case.decision["reason"]):
        return None
    if case.decision["outcome"] == "extended":
        return None
    return _birthday(case, f"not_{cause}", cause)


def _birthday(case: Case, name: str, cause: str) -> Condition:
    person, term = person_of(case), _term(case)
    age = case.context[_AGES[cause]]
    born = day_of(person, "birth_date")
    return Condition(
        name,
        {
            "birth_date": born,
            "birthday_on": born and add_months(born, 12 * age),
            "established_on": day_of(term, "established_on"),
            "valid_until": day_of(term, "valid_until"),
        },
        {
            "age": age,
            "from": case.context["window_starts_on"],
            "to": case.context["covered_until"],
        },
        [person, term],
    )


def _term(case: Case) -> SourceRow | None:
    return case.row("disability_terms", term_id=case.decision["term_id"])


_AGES = {"turns_16": "child_category_age", "turns_18": "group_category_age"}
COMPARED: Mapping[str, Mapping[str, Compare]] = {
    "asp_extensions": {
        "ends_outside_emergency": _award_ends_in_emergency,
        "terminated": _award_not_terminated,
        "suspended": _award_not_suspended,
        "already_renewed": _award_not_renewed,
        "no_living_member": _someone_lives,
    },
    "disability_extensions": {
        "ends_outside_window": _term_runs_out_in_window,
        "not_in_population_register": in_register,
        "deceased": alive,
        "superseded": _term_not_superseded,
        "turns_16": _child_stays_one,
        "turns_18": _minor_stays_one,
    },
}

# p16, p17, p24: examinations and payouts


def _queue(case: Case) -> list[Reasoned]:
    """Who comes of age, and when the examination is due: extended first, or instead."""
    cause = case.decision["cause"]
    term_id = case.decision["term_id"]
    extension = case.terms.get(term_id, {})
    until = extension.get("new_valid_until")
    due = Condition(
        "examination_due",
        {
            "term_id": term_id,
            "valid_until": day_of(_term(case), "valid_until"),
            "extended_until": until,
            "due_on": case.decision["due_on"],
        },
        {} if until else {"emergency_starts_on": case.context["emergency_starts_on"]},
        case.all_rows("disability_terms"),
    )
    return [(None, _birthday(case, "comes_of_age", cause)), (None, due)]


def _p16(case: Case) -> list[Reasoned]:
    asked: Mapping[str, tuple[str, Callable[[Case], Condition]]] = {
        "mode": ("wrong_mode", _decided_in_absentia),
        "term": ("term_over_one_year", _term_within_a_year),
        "control_exam": ("control_exam_overdue", _control_exam_held),
    }
    reason, compare = asked[case.decision["check"]]
    return [(reason, compare(case))]


def _decided_in_absentia(case: Case) -> Condition:
    term = _term(case)
    return Condition(
        "decided_in_absentia",
        {"decision_mode": value_of(term, "decision_mode")},
        {"decision_mode": "in_absentia"},
        [term],
    )


def _term_within_a_year(case: Case) -> Condition:
    term = _term(case)
    established = day_of(term, "established_on")
    months = case.context["in_absentia_term_months"]
    return Condition(
        "term_within_a_year",
        {"valid_until": day_of(term, "valid_until"), "established_on": established},
        {"longest": established and add_months(established, months)},
        [term],
    )


def _control_exam_held(case: Case) -> Condition:
    term = _term(case)
    return Condition(
        "control_exam_held",
        {"control_exam_on": case.event(term, "control_exam_on")},
        {
            "established_on": day_of(term, "established_on"),
            "due_on": case.decision["due_on"],
            "as_of": case.as_of,
        },
        [term],
    )


def _p24(case: Case) -> list[Reasoned]:
    return [
        ("no_benefit_award", _on_benefit(case)),
        ("no_extended_term", _term_extended(case)),
        ("award_outside_emergency", _award_runs_in_emergency(case)),
        ("no_month_to_pay", _month_to_be_paid(case)),
    ]


def _on_benefit(case: Case) -> Condition:
    award = case.row("benefit_awards")
    return Condition(
        "on_benefit",
        {
            "award_id": value_of(award, "award_id"),
            "benefit": case.decision["benefit"],
        },
        rows=[award],
    )


def _term_extended(case: Case) -> Condition:
    terms = case.all_rows("disability_terms")
    term = next(iter(terms), None)
    extension = case.terms.get(value_of(term, "term_id") or "", {})
    return Condition(
        "term_extended",
        {
            "term_id": value_of(term, "term_id"),
            "valid_until": day_of(term, "valid_until"),
            "extension": extension.get("outcome"),
            "extension_reason": extension.get("reason"),
            "extended_until": extension.get("new_valid_until"),
        },
        rows=terms,
    )


def _award_runs_in_emergency(case: Case) -> Condition:
    award = case.row("benefit_awards")
    return Condition(
        "award_runs_in_emergency",
        {name: day_of(award, name) for name in ("start_on", "stop_on")},
        {
            "from": case.context["window_starts_on"],
            "to": case.context["covered_until"],
        },
        [award],
    )


def _month_to_be_paid(case: Case) -> Condition:
    person, award = person_of(case), case.row("benefit_awards")
    return Condition(
        "month_to_be_paid",
        {
            "month": case.decision["month"],
            "start_on": day_of(award, "start_on"),
            "death_date": day_of(person, "death_date"),
        },
        {
            "first_month": case.context["emergency_starts_on"].replace(day=1),
            "last_month": case.context["payout_end_month"],
        },
        [award, person],
    )


CONDITIONS: Mapping[str, Callable[[Case], list[Reasoned]]] = {
    "mse_queue": _queue,
    "mse_findings": _p16,
    "payout_schedule": _p24,
}
