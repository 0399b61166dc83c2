"""What the list of food sets and the handing over compare, in the order of the law."""

from collections.abc import Callable, Mapping

from komek.explain.case import Case, Condition, Reasoned, day_of, person_of, value_of


def _p26(case: Case) -> list[Reasoned]:
    """What makes a recipient, and how their region stands."""
    blocked_by = case.decision["blocked_by"] or ""
    return [
        (None, _meets_a_ground(case)),
        ("unassigned", _region_known(case)),
        ("no_norm", _norm_decided(case)),
        ("below_floor", _cost_at_least_floor(case)),
        (
            blocked_by if blocked_by.startswith("check:") else None,
            Condition(
                "region_checked",
                {"expectation": blocked_by.removeprefix("check:") or None},
            ),
        ),
    ]


def _meets_a_ground(case: Case) -> Condition:
    grounds = {"grounds": case.decision["grounds"]}
    return Condition("meets_a_ground", grounds, rows=[person_of(case)])


def _region_known(case: Case) -> Condition:
    person = person_of(case)
    return Condition(
        "region_known",
        {
            "kato": value_of(person, "kato"),
            "region_kato": case.decision["region_kato"],
            "district_kato": case.decision["district_kato"],
        },
        {"as_of": case.as_of},
        [person, case.row("kato")],
    )


def _norm_decided(case: Case) -> Condition:
    norm = case.row("food_set_norms")
    return Condition(
        "norm_decided",
        {"mode": value_of(norm, "mode"), "act_ref": value_of(norm, "act_ref")},
        {"as_of": case.as_of},
        [norm],
    )


def _cost_at_least_floor(case: Case) -> Condition:
    index = "monthly_calculation_index"
    return Condition(
        "cost_at_least_floor",
        {"set_cost": case.decision["set_cost"]},
        {
            "floor_cost": case.decision["floor_cost"],
            "food_set_floor": case.context["food_set_floor"],
            index: case.context[index],
        },
        [case.row("food_set_norms")],
    )


def _p28_p29(case: Case) -> list[Reasoned]:
    if case.decision["mode"] == "cash":
        return [("no_account", _account_confirmed(case)), (None, _delivered(case))]
    return [("unallocated", _contract_has_sets(case)), (None, _delivered(case))]


def _account_confirmed(case: Case) -> Condition:
    account = case.row("bank_accounts")
    return Condition(
        "account_confirmed",
        {
            "iban": case.decision["iban"],
            "confirmed_on": day_of(account, "confirmed_on"),
        },
        {"as_of": case.as_of},
        [account],
    )


def _contract_has_sets(case: Case) -> Condition:
    contract = case.row("supply_contracts")
    return Condition(
        "contract_has_sets",
        {
            "contract_id": case.decision["contract_id"],
            "sets_total": value_of(contract, "sets_total"),
        },
        {"as_of": case.as_of},
        [contract],
    )


def _delivered(case: Case) -> Condition:
    delivery = case.row("deliveries")
    return Condition(
        "delivery_came_back",
        {
            "delivery_status": case.decision["delivery_status"],
            "delivered_on": day_of(delivery, "delivered_on"),
        },
        {"list_month": case.decision["list_month"]},
        [delivery],
    )


def _p30(case: Case) -> list[Reasoned]:
    delivery = case.row("deliveries", delivery_id=case.decision["delivery_id"])
    observed = {
        "delivered_on": day_of(delivery, "delivered_on"),
        "status": value_of(delivery, "status"),
    }
    threshold = {"list_month": case.context["list_month"]}
    return [
        (reason, Condition(name, observed, threshold, [delivery]))
        for reason, name in (
            ("not_on_list", "delivery_to_recipient"),
            ("repeated", "delivery_not_repeated"),
        )
    ]


CONDITIONS: Mapping[str, Callable[[Case], list[Reasoned]]] = {
    "food_set_recipients": _p26,
    "delivery_plan": _p28_p29,
    "delivery_findings": _p30,
}
