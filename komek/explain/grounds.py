"""What the conditions of the grounds of p25 compare, by the reason each can give."""

from collections.abc import Mapping

from komek.explain.case import (
    Case,
    Compare,
    Condition,
    alive,
    birthday,
    day_of,
    in_register,
    person_of,
    value_of,
)
from komek.explain.rows import SourceRow

# p25_1: children of families on targeted social assistance


def _award_on(case: Case) -> Condition:
    member = case.row("asp_members", iin=case.iin)
    award_id = value_of(member, "award_id")
    award = case.row("asp_awards", award_id=award_id)
    family_id = value_of(award, "family_id")
    extension = case.awards.get(award_id or "", {})
    return Condition(
        "award_on",
        {
            "award_id": award_id,
            "status": value_of(award, "status"),
            "period_start": day_of(award, "period_start"),
            "period_end": day_of(award, "period_end"),
            "extension": extension.get("outcome"),
            "extension_reason": extension.get("reason"),
            "new_period_start": extension.get("new_period_start"),
            "new_period_end": extension.get("new_period_end"),
        },
        {"as_of": case.as_of},
        [member, *case.all_rows("asp_awards", family_id=family_id)],
    )


def _six_or_over(case: Case) -> Condition:
    age = case.context["asp_child_age_from"]
    return birthday(case, "old_enough", person_of(case), age)


def _under_eighteen(case: Case) -> Condition:
    age = case.context["asp_child_age_to"]
    if case.context["food_set__age_upper"] == "through_age_18":
        age += 1
    return birthday(case, "young_enough", person_of(case), age)


# p25_2, p25_3: children with a disability, people of a disability group


def _term_in_force(case: Case) -> Condition:
    return _disability(case, "term_in_force", case.iin)


def _under_sixteen(case: Case) -> Condition:
    age = case.context["disabled_child_age_to"]
    return birthday(case, "young_enough", person_of(case), age)


def _not_resident(case: Case) -> Condition:
    return _stay(case, "not_resident", case.iin)


# p25_4: those who raise a child with a disability


def _allowance_covers_day(case: Case) -> Condition | None:
    if case.context["food_set__carer"] != "allowance_recipient":
        return None
    award = _allowance(case)
    return Condition(
        "allowance_covers_day",
        {
            "award_id": value_of(award, "award_id"),
            "start_on": day_of(award, "start_on"),
            "stop_on": day_of(award, "stop_on"),
        },
        {"as_of": case.as_of},
        [award],
    )


def _child_alive(case: Case) -> Condition:
    child = _child(case)
    return Condition(
        "child_alive",
        {
            "child_named": _child_iin(case) is not None,
            "in_register": child is not None,
            "death_date": day_of(child, "death_date"),
        },
        {"as_of": case.as_of},
        [_allowance(case) or _link(case), child],
    )


def _child_young_enough(case: Case) -> Condition:
    limit = int(case.context["food_set__carer_child_age_limit"])
    return birthday(case, "child_young_enough", _child(case), limit)


def _child_disabled(case: Case) -> Condition:
    return _disability(case, "child_term_in_force", _child_iin(case))


def _child_not_resident(case: Case) -> Condition | None:
    if case.context["food_set__carer_child_in_institution"] != "exclude":
        return None
    return _stay(case, "child_not_resident", _child_iin(case))


def _allowance(case: Case) -> SourceRow | None:
    return case.row("benefit_awards", iin=case.iin)


def _link(case: Case) -> SourceRow | None:
    return case.row("family_links", parent_iin=case.iin)


def _child_iin(case: Case) -> str | None:
    return value_of(_allowance(case), "dependant_iin") or value_of(
        _link(case), "child_iin"
    )


def _child(case: Case) -> SourceRow | None:
    child_iin = _child_iin(case)
    return case.row("persons", iin=child_iin) if child_iin else None


# p25_5: the unemployed


def _unemployed_decided(case: Case) -> Condition:
    seeker = case.row("jobseekers", iin=case.iin)
    return Condition(
        "unemployed_decided",
        {
            "case_id": value_of(seeker, "case_id"),
            "registered_on": day_of(seeker, "registered_on"),
            "unemployed_decided_on": day_of(seeker, "unemployed_decided_on"),
        },
        {"as_of": case.as_of},
        [seeker],
    )


def _not_deregistered(case: Case) -> Condition:
    seeker = case.row("jobseekers", iin=case.iin)
    return Condition(
        "not_deregistered",
        {
            "deregistered_on": day_of(seeker, "deregistered_on"),
            "deregistration_reason": value_of(seeker, "deregistration_reason"),
        },
        {"as_of": case.as_of},
        [seeker],
    )


# What several grounds ask


def _not_resident_on_any_ground(case: Case) -> Condition | None:
    if case.context["food_set__institution_scope"] != "all_grounds":
        return None
    return _not_resident(case)


def _stay(case: Case, name: str, iin: str | None) -> Condition:
    """Condition that someone has no open permanent stay in an institution."""
    stay = case.row("institution_stays", iin=iin)
    return Condition(
        name,
        {
            "institution_id": value_of(stay, "institution_id"),
            "admitted_on": day_of(stay, "admitted_on"),
            "discharged_on": day_of(stay, "discharged_on"),
        },
        {"as_of": case.as_of},
        [stay],
    )


def _disability(case: Case, name: str, iin: str | None) -> Condition:
    """Condition that someone's disability term, as extended, is in force."""
    term = _term(case, iin)
    extension = case.terms.get(value_of(term, "term_id") or "", {})
    return Condition(
        name,
        {
            "term_id": value_of(term, "term_id"),
            "category": value_of(term, "category"),
            "established_on": day_of(term, "established_on"),
            "valid_until": day_of(term, "valid_until"),
            "extension": extension.get("outcome"),
            "extension_reason": extension.get("reason"),
            "extended_until": extension.get("new_valid_until"),
        },
        {"as_of": case.as_of},
        case.all_rows("disability_terms", iin=iin),
    )


def _term(case: Case, iin: str | None) -> SourceRow | None:
    """Return the term that was judged: the record, or of a child's one in force."""
    terms = case.all_rows("disability_terms", iin=iin, kind="disability")
    if iin != case.iin:
        terms.sort(key=lambda term: not _is_in_force(case, term))
    return next(iter(terms), None)


def _is_in_force(case: Case, term: SourceRow) -> bool:
    extension = case.terms.get(term.values["term_id"] or "", {})
    until = extension.get("new_valid_until") or term.day("valid_until")
    established = term.day("established_on")
    return (
        established is not None
        and established <= case.as_of
        and (until is None or until >= case.as_of)
    )


_OF_EVERYONE: Mapping[str, Compare] = {
    "not_in_population_register": in_register,
    "deceased": alive,
}
COMPARED: Mapping[str, Mapping[str, Compare]] = {
    "p25_1": {
        **_OF_EVERYONE,
        "award_not_active": _award_on,
        "under_6": _six_or_over,
        "age_18_or_over": _under_eighteen,
        "resident_in_institution": _not_resident_on_any_ground,
    },
    "p25_2": {
        **_OF_EVERYONE,
        "term_not_in_force": _term_in_force,
        "age_16_or_over": _under_sixteen,
        "resident_in_institution": _not_resident,
    },
    "p25_3": {
        **_OF_EVERYONE,
        "term_not_in_force": _term_in_force,
        "resident_in_institution": _not_resident,
    },
    "p25_4": {
        **_OF_EVERYONE,
        "award_not_active": _allowance_covers_day,
        "child_deceased": _child_alive,
        "child_age_over_limit": _child_young_enough,
        "child_not_disabled": _child_disabled,
        "child_in_institution": _child_not_resident,
        "resident_in_institution": _not_resident_on_any_ground,
    },
    "p25_5": {
        **_OF_EVERYONE,
        "not_registered_unemployed": _unemployed_decided,
        "deregistered": _not_deregistered,
        "resident_in_institution": _not_resident_on_any_ground,
    },
}
