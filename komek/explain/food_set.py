"""What the list of food sets and the handing over compare, in the order of the law."""

from collections.abc import Callable, Mapping

from komek.explain.case import Asked, Case, Check, day_of, person_of, value_of


def _p26(case: Case) -> list[Asked]:
    """What makes a recipient, and how their region stands."""
    blocked_by = case.decision["blocked_by"] or ""
    return [
        (None, _meets_a_ground(case)),
        ("unassigned", _region_known(case)),
        ("no_norm", _norm_decided(case)),
        ("below_floor", _cost_at_least_floor(case)),
        (
            blocked_by if blocked_by.startswith("check:") else None,
            Check(
                "region_checked",
                {"expectation": blocked_by.removeprefix("check:") or None},
            ),
        ),
    ]


def _meets_a_ground(case: Case) -> Check:
    grounds = {"grounds": case.decision["grounds"]}
    return Check("meets_a_ground", grounds, rows=[person_of(case)])


def _region_known(case: Case) -> Check:
    person = person_of(case)
    return Check(
        "region_known",
        {
            "kato": value_of(person, "kato"),
            "region_kato": case.decision["region_kato"],
            "district_kato": case.decision["district_kato"],
        },
        {"as_of": case.as_of},
        [person, case.row("kato")],
    )


def _norm_decided(case: Case) -> Check:
    norm = case.row("food_set_norms")
    return Check(
        "norm_decided",
        {"mode": value_of(norm, "mode"), "act_ref": value_of(norm, "act_ref")},
        {"as_of": case.as_of},
        [norm],
    )


def _cost_at_least_floor(case: Case) -> Check:
    index = "monthly_calculation_index"
    return Check(
        "cost_at_least_floor",
        {"set_cost": case.decision["set_cost"]},
        {
            "floor_cost": case.decision["floor_cost"],
            "food_set_floor": case.context["food_set_floor"],
            index: case.context[index],
        },
        [case.row("food_set_norms")],
    )


def _p28_p29(case: Case) -> list[Asked]:
    if case.decision["mode"] == "cash":
        return [("no_account", _account_confirmed(case)), (None, _delivered(case))]
    return [("unallocated", _contract_has_sets(case)), (None, _delivered(case))]


def _account_confirmed(case: Case) -> Check:
    account = case.row("bank_accounts")
    return Check(
        "account_confirmed",
        {
            "iban": case.decision["iban"],
            "confirmed_on": day_of(account, "confirmed_on"),
        },
        {"as_of": case.as_of},
        [account],
    )


def _contract_has_sets(case: Case) -> Check:
    contract = case.row("supply_contracts")
    return Check(
        "contract_has_sets",
        {
            "contract_id": case.decision["contract_id"],
            "sets_total": value_of(contract, "sets_total"),
        },
        {"as_of": case.as_of},
        [contract],
    )


def _delivered(case: Case) -> Check:
    delivery = case.row("deliveries")
    return Check(
        "delivery_came_back",
        {
            "delivery_status": case.decision["delivery_status"],
            "delivered_on": day_of(delivery, "delivered_on"),
        },
        {"list_month": case.decision["list_month"]},
        [delivery],
    )


def _p30(case: Case) -> list[Asked]:
    delivery = case.row("deliveries", delivery_id=case.decision["delivery_id"])
    observed = {
        "delivered_on": day_of(delivery, "delivered_on"),
        "status": value_of(delivery, "status"),
    }
    threshold = {"list_month": case.context["list_month"]}
    return [
        (reason, Check(name, observed, threshold, [delivery]))
        for reason, name in (
            ("not_on_list", "delivery_to_recipient"),
            ("repeated", "delivery_not_repeated"),
        )
    ]


CHECKS: Mapping[str, Callable[[Case], list[Asked]]] = {
    "food_set_recipients": _p26,
    "delivery_plan": _p28_p29,
    "delivery_findings": _p30,
}
