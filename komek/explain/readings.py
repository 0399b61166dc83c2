"""Which policies mattered to a decision: those that another value might have changed.

A reading of the law that came to nothing in a case is not told. One that is not known
here, which an amendment may add, is told wherever it stands.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta

from komek.explain.case import Case, add_months, day_of, person_of, value_of
from komek.explain.rows import SourceRow

_OF_TERMS = (
    "disability.window",
    "disability.until",
    "disability.plus_months",
    "disability.age_transition",
)
# The policies that a decision reads, by what decides it.
POLICIES: Mapping[str, tuple[str, ...]] = {
    "p25_1": ("food_set.age_upper", "food_set.institution_scope", "asp.base"),
    "p25_2": _OF_TERMS,
    "p25_3": _OF_TERMS,
    "p25_4": (
        "food_set.carer",
        "food_set.carer_child_age_limit",
        "food_set.carer_child_in_institution",
        "food_set.institution_scope",
        *_OF_TERMS,
    ),
    "p25_5": ("food_set.institution_scope",),
    "food_set_recipients": ("food_set.sets_per_person",),
    "food_set_lists": ("food_set.sets_per_person",),
    "delivery_plan": ("food_set.sets_per_person", "food_set.account_of"),
    "delivery_findings": ("food_set.sets_per_person",),
    "asp_extensions": ("asp.base",),
    "disability_extensions": _OF_TERMS,
    "mse_queue": _OF_TERMS,
    "mse_findings": ("procedure.from",),
    "payout_schedule": (
        "payout.end_month",
        "payout.day",
        "disability.window",
        "disability.age_transition",
    ),
    "case_deadlines": ("procedure.from", "sla.start"),
    "jobseeker_findings": ("procedure.from", "sla.start"),
    "application_findings": ("procedure.from", "asp.base"),
}
# Kinds that are about a term's new end itself, not about whether it is in force.
_OF_THE_END = ("disability_extensions", "mse_queue")

Reached = Collection[str]


def policies_read(case: Case, reached: Reached, *, compares: bool) -> tuple[str, ...]:
    """Return the policies that mattered to a decision.

    Args:
        case: the decision with all that its conditions read.
        reached: the names of the conditions that were asked.
        compares: whether there was a record to compare; where not, only who is a
            candidate was decided.
    """
    if not compares:
        return ("food_set.carer",) if case.kind == "p25_4" else ()
    return tuple(
        policy
        for policy in POLICIES.get(case.kind, ())
        if policy not in _MATTERED or _MATTERED[policy](case, reached)
    )


def _age_upper(case: Case, reached: Reached) -> bool:
    """Someone of 18: a year more would count them in."""
    birthday = _birthday(person_of(case), case.context["asp_child_age_to"])
    return "young_enough" in reached and _is_in_year(case.as_of, birthday)


def _carer_child_age(case: Case, reached: Reached) -> bool:
    """A child between the two limits there are."""
    born = day_of(_child(case), "birth_date")
    limits = [born and add_months(born, 12 * age) for age in (16, 18)]
    return (
        "child_young_enough" in reached
        and born is not None
        and limits[0] <= case.as_of < limits[1]  # type: ignore[operator]
    )


def _carer(_case: Case, _reached: Reached) -> bool:
    return True


def _child_in_institution(case: Case, reached: Reached) -> bool:
    child = _child(case)
    asked = "child_term_in_force" in reached
    return asked and value_of(child, "iin") in case.residents


def _institution_scope(case: Case, reached: Reached) -> bool:
    """A resident, whom nothing else rules out."""
    others_hold = case.decision["reason"] in (None, "resident_in_institution")
    return bool(reached) and others_hold and case.iin in case.residents


def _window(case: Case, reached: Reached) -> bool:
    """A term that ran out between the two days from which the window may run."""
    starts = case.context["emergency_starts_on"]
    months, days = (case.context[f"look_back_{unit}"] for unit in ("months", "days"))
    edges = sorted([add_months(starts, -months), starts - timedelta(days)])
    ends = [day_of(term, "valid_until") for term in _terms(case, reached)]
    return any(end is not None and edges[0] <= end < edges[1] for end in ends)


def _until(case: Case, reached: Reached) -> bool:
    return any(
        case.kind in _OF_THE_END or _has_run_out(case, term)
        for term in _terms(case, reached)
        if _extension(case, term).get("outcome") == "extended"
    )


def _plus_months(case: Case, reached: Reached) -> bool:
    by_months = case.context["disability__until"] == "plus_months"
    return by_months and _until(case, reached)


def _age_transition(case: Case, reached: Reached) -> bool:
    """Someone who comes of age: extended or not, and examined when."""
    return case.kind == "mse_queue" or any(
        _extension(case, term).get("examined_for") is not None
        and (case.kind in (*_OF_THE_END, "payout_schedule") or _has_run_out(case, term))
        for term in _terms(case, reached)
    )


def _asp_base(case: Case, _reached: Reached) -> bool:
    awards = case.all_rows("asp_awards")
    return any(award.values["status"] == "suspended" for award in awards)


def _sets_per_person(case: Case, _reached: Reached) -> bool:
    """Someone with several grounds; a delivery does not say how many."""
    several = "|" in (case.decision.get("grounds") or "")
    return several or (case.decision.get("sets") or 1) > 1


def _account_of(case: Case, reached: Reached) -> bool:
    """A minor without an account of their own."""
    adult_on = _birthday(person_of(case), case.context.get("account_age"))
    is_minor = adult_on is not None and adult_on > case.as_of
    without_own = case.decision.get("account_of") != "own"
    return "account_confirmed" in reached and is_minor and without_own


def _end_month(case: Case, _reached: Reached) -> bool:
    ends = [case.context[f"{name}_month"] for name in ("end_instant", "last_full_day")]
    month = case.decision.get("month")
    return bool(min(ends) < max(ends) and (month is None or month > min(ends)))


def _payout_day(case: Case, _reached: Reached) -> bool:
    return bool(case.decision["outcome"] == "payable")


def _procedure_from(case: Case, _reached: Reached) -> bool:
    """What began in the emergency, before the Rules were in force."""
    starts = case.context.get("emergency_starts_on")
    rules = case.context.get("rules_first_on")
    begun = next((day for day in map(_begun_on, case.rows) if day), None)
    return bool(starts and rules and begun and starts <= begun < rules)


def _sla_start(case: Case, _reached: Reached) -> bool:
    """A term that began on a working day: it counts as the first, or does not."""
    if case.kind == "jobseeker_findings":
        return bool(case.decision["reason"] == "signed_despite_offer")
    return case.decision.get("started_on_working_day") is True


_MATTERED: Mapping[str, Callable[[Case, Reached], bool]] = {
    "food_set.age_upper": _age_upper,
    "food_set.carer": _carer,
    "food_set.carer_child_age_limit": _carer_child_age,
    "food_set.carer_child_in_institution": _child_in_institution,
    "food_set.institution_scope": _institution_scope,
    "food_set.sets_per_person": _sets_per_person,
    "food_set.account_of": _account_of,
    "disability.window": _window,
    "disability.until": _until,
    "disability.plus_months": _plus_months,
    "disability.age_transition": _age_transition,
    "payout.end_month": _end_month,
    "payout.day": _payout_day,
    "asp.base": _asp_base,
    "procedure.from": _procedure_from,
    "sla.start": _sla_start,
}


_BEGINS = {
    "applications": "submitted_on",
    "jobseekers": "registered_on",
    "disability_terms": "decided_on",
}
# Once any of these was asked, a term of the case was looked at.
_ASKS_TERMS = {
    "term_in_force",
    "child_term_in_force",
    "term_runs_out_in_window",
    "term_extended",
    "comes_of_age",
}


def _terms(case: Case, reached: Reached) -> list[SourceRow]:
    return case.all_rows("disability_terms") if _ASKS_TERMS & set(reached) else []


def _extension(case: Case, term: SourceRow) -> Mapping[str, object]:
    return case.terms.get(term.values["term_id"] or "", {})


def _has_run_out(case: Case, term: SourceRow) -> bool:
    """Whether only an extension keeps a term in force."""
    until = term.day("valid_until")
    return until is not None and until < case.as_of


def _child(case: Case) -> SourceRow | None:
    award, link = case.row("benefit_awards"), case.row("family_links")
    iin = value_of(award, "dependant_iin") or value_of(link, "child_iin")
    return case.row("persons", iin=iin) if iin else None


def _begun_on(row: SourceRow) -> date | None:
    return row.day(_BEGINS[row.entity]) if row.entity in _BEGINS else None


def _birthday(person: SourceRow | None, age: int | None) -> date | None:
    born = day_of(person, "birth_date")
    return add_months(born, 12 * age) if born and age is not None else None


def _is_in_year(day: date, first: date | None) -> bool:
    return first is not None and first <= day < add_months(first, 12)
