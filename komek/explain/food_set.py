"""The conditions of the food set: the grounds of p25, the list, what is handed over."""

from collections.abc import Callable, Mapping

from komek.explain.case import (
    Case,
    Check,
    alive,
    birthday,
    day_of,
    in_register,
    last_of_all,
    not_resident,
    person_of,
    term_in_force,
    value_of,
)


def _p25_1(case: Case) -> list[Check]:
    person = person_of(case)
    member = case.row("asp_members", iin=case.iin)
    award_id = value_of(member, "award_id")
    award = case.row("asp_awards", award_id=award_id)
    family_id = value_of(award, "family_id")
    extension = case.awards.get(award_id or "", {})
    oldest = case.context["asp_child_age_to"]
    if case.context["food_set__age_upper"] == "through_age_18":
        oldest += 1
    youngest = case.context["asp_child_age_from"]
    return [
        in_register(person),
        alive(case, person),
        Check(
            "award_on",
            "award_not_active",
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
        ),
        birthday(case, "old_enough", "under_6", person, youngest),
        birthday(case, "young_enough", "age_18_or_over", person, oldest),
        *last_of_all(case),
    ]


def _p25_2(case: Case) -> list[Check]:
    person = person_of(case)
    age = case.context["disabled_child_age_to"]
    return [
        in_register(person),
        alive(case, person),
        term_in_force(case, "term_in_force", "term_not_in_force", case.iin),
        birthday(case, "young_enough", "age_16_or_over", person, age),
        not_resident(case, "not_resident", "resident_in_institution", case.iin),
    ]


def _p25_3(case: Case) -> list[Check]:
    person = person_of(case)
    return [
        in_register(person),
        alive(case, person),
        term_in_force(case, "term_in_force", "term_not_in_force", case.iin),
        not_resident(case, "not_resident", "resident_in_institution", case.iin),
    ]


def _p25_4(case: Case) -> list[Check]:
    person = person_of(case)
    award = case.row("benefit_awards", iin=case.iin)
    link = case.row("family_links", parent_iin=case.iin)
    child_iin = value_of(award, "dependant_iin") or value_of(link, "child_iin")
    child = case.row("persons", iin=child_iin) if child_iin else None
    checks = [in_register(person), alive(case, person)]
    if case.context["food_set__carer"] == "allowance_recipient":
        checks.append(
            Check(
                "allowance_covers_day",
                "award_not_active",
                {
                    "award_id": value_of(award, "award_id"),
                    "start_on": day_of(award, "start_on"),
                    "stop_on": day_of(award, "stop_on"),
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
                "death_date": day_of(child, "death_date"),
            },
            {"as_of": case.as_of},
            [award or link, child],
        ),
        birthday(
            case,
            "child_young_enough",
            "child_age_over_limit",
            child,
            int(case.context["food_set__carer_child_age_limit"]),
        ),
        term_in_force(case, "child_term_in_force", "child_not_disabled", child_iin),
    ]
    if case.context["food_set__carer_child_in_institution"] == "exclude":
        checks.append(
            not_resident(case, "child_not_resident", "child_in_institution", child_iin)
        )
    return [*checks, *last_of_all(case)]


def _p25_5(case: Case) -> list[Check]:
    person = person_of(case)
    seeker = case.row("jobseekers", iin=case.iin)
    return [
        in_register(person),
        alive(case, person),
        Check(
            "unemployed_decided",
            "not_registered_unemployed",
            {
                "case_id": value_of(seeker, "case_id"),
                "registered_on": day_of(seeker, "registered_on"),
                "unemployed_decided_on": day_of(seeker, "unemployed_decided_on"),
            },
            {"as_of": case.as_of},
            [seeker],
        ),
        Check(
            "not_deregistered",
            "deregistered",
            {
                "deregistered_on": day_of(seeker, "deregistered_on"),
                "deregistration_reason": value_of(seeker, "deregistration_reason"),
            },
            {"as_of": case.as_of},
            [seeker],
        ),
        *last_of_all(case),
    ]


def _p26(case: Case) -> list[Check]:
    """What makes a recipient, and how their region stands."""
    person = person_of(case)
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
                "kato": value_of(person, "kato"),
                "region_kato": case.decision["region_kato"],
                "district_kato": case.decision["district_kato"],
            },
            {"as_of": case.as_of},
            [person, unit],
        ),
        Check(
            "norm_decided",
            "no_norm",
            {"mode": value_of(norm, "mode"), "act_ref": value_of(norm, "act_ref")},
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
                {"iban": plan["iban"], "confirmed_on": day_of(account, "confirmed_on")},
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
                "sets_total": value_of(contract, "sets_total"),
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
            "delivered_on": day_of(delivery, "delivered_on"),
        },
        {"list_month": case.decision["list_month"]},
        [delivery],
    )


def _p30(case: Case) -> list[Check]:
    delivery = case.row("deliveries", delivery_id=case.decision["delivery_id"])
    observed = {
        "delivered_on": day_of(delivery, "delivered_on"),
        "status": value_of(delivery, "status"),
    }
    threshold = {"list_month": case.context["list_month"]}
    return [
        Check("delivery_to_recipient", "not_on_list", observed, threshold, [delivery]),
        Check("delivery_not_repeated", "repeated", observed, threshold, [delivery]),
    ]


CHECKS: Mapping[str, Callable[[Case], list[Check]]] = {
    "p25_1": _p25_1,
    "p25_2": _p25_2,
    "p25_3": _p25_3,
    "p25_4": _p25_4,
    "p25_5": _p25_5,
    "food_set_recipients": _p26,
    "delivery_plan": _p28_p29,
    "delivery_findings": _p30,
}
