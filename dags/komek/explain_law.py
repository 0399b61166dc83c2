"""The conditions of each decision in the order of the law, with what each compared.

What was decided, and by which condition, is the run's word: the reason it recorded says
which condition failed, those before it held and those after it were not reached. Here
only the values that a condition compares are put beside it, from the source rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from komek.errors import KomekError
from komek.explain_rows import Row, SourceRow, as_json

GROUPS = ("group_1", "group_2", "group_3")
GROUNDS = ("p25_1", "p25_2", "p25_3", "p25_4", "p25_5")

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


@dataclass(frozen=True)
class Check:
    """A condition: the reason its failure gives, and what it compares with what."""

    name: str
    reason: str | None = None
    observed: Mapping[str, object] = field(default_factory=dict)
    threshold: Mapping[str, object] = field(default_factory=dict)
    rows: Sequence[SourceRow | None] = ()


@dataclass(frozen=True)
class Case:
    """A decision with all that its conditions read.

    Attributes:
        iin: the person.
        kind: the ground, or the mart the decision stands in.
        decision: the mart's row.
        rows: the source rows it cites.
        context: the run's dates, values of law and policies (`facts.run_context`).
        terms: what p17 decided on the terms among the rows, by term_id.
        awards: what p12 decided on the awards among the rows, by award_id.
        addressees: who each service belongs to, by its code.
    """

    iin: str
    kind: str
    decision: Row
    rows: Sequence[SourceRow]
    context: Row
    terms: Mapping[str, Row]
    awards: Mapping[str, Row]
    addressees: Mapping[str, str]

    @property
    def as_of(self) -> date:
        """The day the run decides for."""
        return self.context["as_of"]

    def row(self, entity: str, **values: str | None) -> SourceRow | None:
        """Return the first cited row of an entity with these values."""
        return next(iter(self.all_rows(entity, **values)), None)

    def all_rows(self, entity: str, **values: str | None) -> list[SourceRow]:
        """Return the cited rows of an entity with these values."""
        return [
            row
            for row in self.rows
            if row.entity == entity
            and all(row.values.get(name) == value for name, value in values.items())
        ]

    def event(self, row: SourceRow | None, column: str) -> date | None:
        """Return a row's date; one after the run's day has not happened."""
        day = row.day(column) if row else None
        return day if day and day <= self.as_of else None


def add_months(day: date, months: int) -> date:
    """Return the day so many months on, the month's last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (31, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise ValueError(day)


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
        "observed": _values(check.observed) if reached else {},
        "threshold": _values(check.threshold),
        "rows": [row.tag for row in check.rows if row is not None] if reached else [],
    }


def _values(values: Mapping[str, object]) -> dict[str, object]:
    return {name: as_json(value) for name, value in values.items()}


def _value(row: SourceRow | None, column: str) -> str | None:
    return row.values.get(column) if row else None


def _day(row: SourceRow | None, column: str) -> date | None:
    return row.day(column) if row else None


def _person(case: Case) -> SourceRow | None:
    return case.row("persons", iin=case.iin)


def _in_register(person: SourceRow | None) -> Check:
    return Check(
        "in_register",
        "not_in_population_register",
        {"in_register": person is not None},
        rows=[person],
    )


def _alive(case: Case, person: SourceRow | None) -> Check:
    return Check(
        "alive",
        "deceased",
        {"death_date": _day(person, "death_date")},
        {"as_of": case.as_of},
        [person],
    )


def _birthday(
    case: Case, name: str, reason: str, person: SourceRow | None, age: int
) -> Check:
    born = _day(person, "birth_date")
    return Check(
        name,
        reason,
        {"birth_date": born, "birthday_on": born and add_months(born, 12 * age)},
        {"age": age, "as_of": case.as_of},
        [person],
    )


def _stay(case: Case, iin: str | None) -> SourceRow | None:
    return case.row("institution_stays", iin=iin)


def _at_home(case: Case, name: str, reason: str, iin: str | None) -> Check:
    stay = _stay(case, iin)
    return Check(
        name,
        reason,
        {
            "institution_id": _value(stay, "institution_id"),
            "admitted_on": _day(stay, "admitted_on"),
            "discharged_on": _day(stay, "discharged_on"),
        },
        {"as_of": case.as_of},
        [stay],
    )


def _last_of_all(case: Case) -> list[Check]:
    """Return the check that policy food_set.institution_scope puts at the end."""
    if case.context["food_set__institution_scope"] != "all_grounds":
        return []
    return [_at_home(case, "not_resident", "resident_in_institution", case.iin)]


def _term(case: Case, iin: str | None) -> SourceRow | None:
    """Return the term that was judged; a later one is there for superseding it."""
    terms = case.all_rows("disability_terms", iin=iin, kind="disability")
    return min(terms, key=lambda term: term.values["decided_on"] or "", default=None)


def _term_in_force(case: Case, name: str, reason: str, iin: str | None) -> Check:
    term = _term(case, iin)
    extension = case.terms.get(_value(term, "term_id") or "", {})
    return Check(
        name,
        reason,
        {
            "term_id": _value(term, "term_id"),
            "category": _value(term, "category"),
            "established_on": _day(term, "established_on"),
            "valid_until": _day(term, "valid_until"),
            "extension": extension.get("outcome"),
            "extension_reason": extension.get("reason"),
            "extended_until": extension.get("new_valid_until"),
        },
        {"as_of": case.as_of},
        case.all_rows("disability_terms", iin=iin),
    )


def _p25_1(case: Case) -> list[Check]:
    person = _person(case)
    member = case.row("asp_members", iin=case.iin)
    award_id = _value(member, "award_id")
    award = case.row("asp_awards", award_id=award_id)
    extension = case.awards.get(award_id or "", {})
    oldest = case.context["asp_child_age_to"]
    if case.context["food_set__age_upper"] == "through_age_18":
        oldest += 1
    youngest = case.context["asp_child_age_from"]
    return [
        _in_register(person),
        _alive(case, person),
        Check(
            "award_on",
            "award_not_active",
            {
                "award_id": award_id,
                "status": _value(award, "status"),
                "period_start": _day(award, "period_start"),
                "period_end": _day(award, "period_end"),
                "extension": extension.get("outcome"),
                "extension_reason": extension.get("reason"),
                "new_period_start": extension.get("new_period_start"),
                "new_period_end": extension.get("new_period_end"),
            },
            {"as_of": case.as_of},
            [member, *case.all_rows("asp_awards")],
        ),
        _birthday(case, "old_enough", "under_6", person, youngest),
        _birthday(case, "young_enough", "age_18_or_over", person, oldest),
        *_last_of_all(case),
    ]


def _p25_2(case: Case) -> list[Check]:
    person = _person(case)
    age = case.context["disabled_child_age_to"]
    return [
        _in_register(person),
        _alive(case, person),
        _term_in_force(case, "term_in_force", "term_not_in_force", case.iin),
        _birthday(case, "young_enough", "age_16_or_over", person, age),
        _at_home(case, "not_resident", "resident_in_institution", case.iin),
    ]


def _p25_3(case: Case) -> list[Check]:
    person = _person(case)
    return [
        _in_register(person),
        _alive(case, person),
        _term_in_force(case, "term_in_force", "term_not_in_force", case.iin),
        _at_home(case, "not_resident", "resident_in_institution", case.iin),
    ]


def _p25_4(case: Case) -> list[Check]:
    person = _person(case)
    award = case.row("benefit_awards", iin=case.iin)
    link = case.row("family_links", parent_iin=case.iin)
    child_iin = _value(award, "dependant_iin") or _value(link, "child_iin")
    child = case.row("persons", iin=child_iin) if child_iin else None
    checks = [_in_register(person), _alive(case, person)]
    if case.context["food_set__carer"] == "allowance_recipient":
        checks.append(
            Check(
                "allowance_covers_day",
                "award_not_active",
                {
                    "award_id": _value(award, "award_id"),
                    "start_on": _day(award, "start_on"),
                    "stop_on": _day(award, "stop_on"),
                },
                {"as_of": case.as_of},
                [award],
            )
        )
    checks += [
        Check(
            "child_alive",
            "child_deceased",
            {
                "child_named": child_iin is not None,
                "in_register": child is not None,
                "death_date": _day(child, "death_date"),
            },
            {"as_of": case.as_of},
            [award or link, child],
        ),
        _birthday(
            case,
            "child_young_enough",
            "child_age_over_limit",
            child,
            int(case.context["food_set__carer_child_age_limit"]),
        ),
        _term_in_force(case, "child_term_in_force", "child_not_disabled", child_iin),
    ]
    if case.context["food_set__carer_child_in_institution"] == "exclude":
        checks.append(
            _at_home(case, "child_not_resident", "child_in_institution", child_iin)
        )
    return [*checks, *_last_of_all(case)]


def _p25_5(case: Case) -> list[Check]:
    person = _person(case)
    seeker = case.row("jobseekers", iin=case.iin)
    return [
        _in_register(person),
        _alive(case, person),
        Check(
            "unemployed_decided",
            "not_registered_unemployed",
            {
                "case_id": _value(seeker, "case_id"),
                "registered_on": _day(seeker, "registered_on"),
                "unemployed_decided_on": _day(seeker, "unemployed_decided_on"),
            },
            {"as_of": case.as_of},
            [seeker],
        ),
        Check(
            "not_deregistered",
            "deregistered",
            {
                "deregistered_on": _day(seeker, "deregistered_on"),
                "deregistration_reason": _value(seeker, "deregistration_reason"),
            },
            {"as_of": case.as_of},
            [seeker],
        ),
        *_last_of_all(case),
    ]


def _p26(case: Case) -> list[Check]:
    """What makes a recipient, and how their region stands."""
    person = _person(case)
    blocked_by = case.decision["blocked_by"] or ""
    unit = case.row("kato")
    norm = case.row("food_set_norms")
    return [
        Check(
            "meets_a_ground", None, {"grounds": case.decision["grounds"]}, rows=[person]
        ),
        Check(
            "region_known",
            "unassigned",
            {
                "kato": _value(person, "kato"),
                "region_kato": case.decision["region_kato"],
                "district_kato": case.decision["district_kato"],
            },
            {"as_of": case.as_of},
            [person, unit],
        ),
        Check(
            "norm_decided",
            "no_norm",
            {"mode": _value(norm, "mode"), "act_ref": _value(norm, "act_ref")},
            {"as_of": case.as_of},
            [norm],
        ),
        Check(
            "cost_at_least_floor",
            "below_floor",
            {"set_cost": case.decision["set_cost"]},
            {
                "floor_cost": case.decision["floor_cost"],
                "food_set_floor": case.context["food_set_floor"],
                "monthly_calculation_index": case.context["monthly_calculation_index"],
            },
            [norm],
        ),
        Check(
            "region_checked",
            blocked_by if blocked_by.startswith("check:") else None,
            {"expectation": blocked_by.removeprefix("check:") or None},
        ),
    ]


def _p28_p29(case: Case) -> list[Check]:
    plan = case.decision
    if plan["mode"] == "cash":
        account = case.row("bank_accounts")
        return [
            Check(
                "account_confirmed",
                "no_account",
                {"iban": plan["iban"], "confirmed_on": _day(account, "confirmed_on")},
                {"as_of": case.as_of},
                [account],
            ),
            _delivered(case),
        ]
    contract = case.row("supply_contracts")
    return [
        Check(
            "contract_has_sets",
            "unallocated",
            {
                "contract_id": plan["contract_id"],
                "sets_total": _value(contract, "sets_total"),
            },
            {"as_of": case.as_of},
            [contract],
        ),
        _delivered(case),
    ]


def _delivered(case: Case) -> Check:
    delivery = case.row("deliveries")
    return Check(
        "delivery_came_back",
        None,
        {
            "delivery_status": case.decision["delivery_status"],
            "delivered_on": _day(delivery, "delivered_on"),
        },
        {"list_month": case.decision["list_month"]},
        [delivery],
    )


def _p30(case: Case) -> list[Check]:
    delivery = case.row("deliveries")
    observed = {
        "delivered_on": _day(delivery, "delivered_on"),
        "status": _value(delivery, "status"),
    }
    threshold = {"list_month": case.context["list_month"]}
    return [
        Check("delivery_to_recipient", "not_on_list", observed, threshold, [delivery]),
        Check("delivery_not_repeated", "repeated", observed, threshold, [delivery]),
    ]


def _p12(case: Case) -> list[Check]:
    award_id = case.decision["award_id"]
    award = case.row("asp_awards", award_id=award_id)
    renewals = [row for row in case.all_rows("asp_awards") if row is not award]
    status = {"status": _value(award, "status")}
    end = _day(award, "period_end")
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
    person = _person(case)
    term = case.row("disability_terms", term_id=case.decision["term_id"])
    newer = [row for row in case.all_rows("disability_terms") if row is not term]
    until = case.context["covered_until"]
    category = _value(term, "category")
    is_disability = _value(term, "kind") == "disability"
    checks = [
        Check(
            "term_runs_out_in_window",
            "ends_outside_window",
            {"valid_until": _day(term, "valid_until")},
            {"from": case.context["window_starts_on"], "to": until},
            [term],
        ),
        _in_register(person),
        _alive(case, person),
        Check(
            "term_not_superseded",
            "superseded",
            {
                "decided_on": _day(term, "decided_on"),
                "newer": ", ".join(row.values["term_id"] or "" for row in newer),
            },
            rows=[term, *newer],
        ),
    ]
    born = _day(person, "birth_date")
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
                    "established_on": _day(term, "established_on"),
                },
                {"age": age, "covered_until": until},
                [person, term],
            )
        )
    return checks


def _queue(case: Case) -> list[Check]:
    person = _person(case)
    term = case.row("disability_terms", term_id=case.decision["term_id"])
    ages = {"turns_16": "child_category_age", "turns_18": "group_category_age"}
    age = case.context[ages[case.decision["cause"]]]
    born = _day(person, "birth_date")
    return [
        Check(
            "comes_of_age",
            None,
            {
                "birth_date": born,
                "birthday_on": born and add_months(born, 12 * age),
                "valid_until": _day(term, "valid_until"),
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
    established = _day(term, "established_on")
    longest = case.context["in_absentia_term_months"]
    check: Mapping[str, Callable[[], Check]] = {
        "mode": lambda: Check(
            "decided_in_absentia",
            "wrong_mode",
            {"decision_mode": _value(term, "decision_mode")},
            {"decision_mode": "in_absentia"},
            [term],
        ),
        "term": lambda: Check(
            "term_within_a_year",
            "term_over_one_year",
            {"valid_until": _day(term, "valid_until"), "established_on": established},
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
    person = _person(case)
    award = case.row("benefit_awards")
    terms = case.all_rows("disability_terms")
    term = terms[0] if terms else None
    extension = case.terms.get(_value(term, "term_id") or "", {})
    month = case.decision["month"]
    return [
        Check(
            "on_benefit",
            "no_benefit_award",
            {
                "award_id": _value(award, "award_id"),
                "benefit": _value(award, "benefit"),
            },
            rows=[award],
        ),
        Check(
            "term_extended",
            "no_extended_term",
            {
                "term_id": _value(term, "term_id"),
                "valid_until": _day(term, "valid_until"),
                "extension": extension.get("outcome"),
                "extension_reason": extension.get("reason"),
                "extended_until": extension.get("new_valid_until"),
            },
            rows=terms,
        ),
        Check(
            "award_runs_in_emergency",
            "award_outside_emergency",
            {"start_on": _day(award, "start_on"), "stop_on": _day(award, "stop_on")},
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
                "start_on": _day(award, "start_on"),
                "death_date": _day(person, "death_date"),
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
    observed: dict[str, object] = {name: _value(application, name) for name in columns}
    threshold: dict[str, object] = {}
    if finding == "wrong_addressee":
        code = _value(application, "service_code") or ""
        threshold["addressee"] = case.addressees.get(code)
    if finding == "extended_automatically":
        extension = case.awards.get(_value(award, "award_id") or "", {})
        threshold["period_start"] = _day(award, "period_start")
        threshold["period_end"] = extension.get("new_period_end") or _day(
            award, "period_end"
        )
    reason = case.decision["finding"]
    return [Check(finding, reason, observed, threshold, [application, award])]


CHECKS: Mapping[str, Callable[[Case], list[Check]]] = {
    "p25_1": _p25_1,
    "p25_2": _p25_2,
    "p25_3": _p25_3,
    "p25_4": _p25_4,
    "p25_5": _p25_5,
    "food_set_recipients": _p26,
    "delivery_plan": _p28_p29,
    "delivery_findings": _p30,
    "asp_extensions": _p12,
    "disability_extensions": _p17,
    "mse_queue": _queue,
    "mse_findings": _p16,
    "payout_schedule": _p24,
    "case_deadlines": _deadline,
    "application_findings": _finding,
}
