"""What the lists of food sets and the handing over compare, in the order of the law."""

from collections.abc import Callable, Mapping

from komek.explain.case import Case, Condition, Reasoned, day_of, person_of, value_of
from komek.explain.rows import SourceRow


def _p26(case: Case) -> list[Reasoned]:
    """What makes a recipient, and how their region stands."""
    return [
        (None, _meets_a_ground(case)),
        ("unassigned", _region_known(case)),
        ("no_norm", _norm_decided(case)),
        ("below_floor", _cost_at_least_floor(case)),
        _region_checked(case),
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


def _region_checked(case: Case) -> Reasoned:
    blocked_by = case.decision["blocked_by"] or ""
    return (
        blocked_by if blocked_by.startswith("check:") else None,
        Condition(
            "region_checked", {"expectation": blocked_by.removeprefix("check:") or None}
        ),
    )


def _p26_lists(case: Case) -> list[Reasoned]:
    """How a person stands on the lists of a month, and what came of their sets."""
    standing, reason = case.decision["standing"], case.decision["reason"]
    asked: list[Reasoned] = [(None, _listed(case))]
    asked += [(None, one) for one in _deliveries(case)]
    if not case.decision["is_judged"]:
        return [*asked, (reason, _passed_on(case))]
    asked.append((reason if standing == "ended" else None, _still_recipient(case)))
    if case.row("lists") is None:
        asked.append((reason if standing == "held" else None, _region_published(case)))
    return asked


def _listed(case: Case) -> Condition:
    """Condition that the list has the person, since which list and day and where."""
    names = ("list_no", "listed_on", "region_kato", "district_kato", "grounds")
    return Condition(
        "listed",
        {name: case.decision[name] for name in names if name in case.decision},
        {"list_month": case.decision["list_month"]},
        [case.row("lists") or person_of(case)],
    )


def _deliveries(case: Case) -> list[Condition]:
    """What was told of each delivery, and how many sets were in hand after it."""
    rows = sorted(
        case.all_rows("deliveries"),
        key=lambda row: (row.values["delivered_on"] or "", row.values["delivery_id"]),
    )
    in_hand = case.in_hand
    return [
        Condition(
            "delivery_came_back",
            {
                "delivery_id": row.values["delivery_id"],
                "status": row.values["status"],
                "delivered_on": day_of(row, "delivered_on"),
                "in_hand": in_hand.get(row.values["delivery_id"] or ""),
            },
            {"sets": case.decision.get("sets")},
            [row],
        )
        for row in rows
    ]


def _still_recipient(case: Case) -> Condition:
    decision = case.decision
    return Condition(
        "still_recipient",
        {
            "primary_ground": decision["primary_ground"],
            "ground_outcome": decision["ground_outcome"],
            "ground_reason": decision["ground_reason"],
            "ended_on": decision["ended_on"],
        },
        {"as_of": case.as_of},
        [row for row in case.rows if row.entity not in ("lists", "deliveries")],
    )


def _passed_on(case: Case) -> Condition:
    """Condition of a row that is not judged: its month is over, or no list is drawn."""
    return Condition(
        "passed_on",
        {name: case.decision[name] for name in ("ended_on", "ended_reason")},
        {"as_of": case.as_of},
        [case.row("lists")],
    )


def _region_published(case: Case) -> Condition:
    return Condition(
        "region_published",
        {"blocked_by": case.decision["blocked_by"]},
        {"region_kato": case.decision["region_kato"]},
        [person_of(case), case.row("kato")],
    )


def _p28_p29(case: Case) -> list[Reasoned]:
    source: Reasoned = ("unallocated", _contract_has_sets(case))
    if case.decision["mode"] == "cash":
        source = ("no_account", _account_confirmed(case))
    return [
        (None, _listed(case)),
        (None, _handed_over(case)),
        ("withdrawn", _right_goes_on(case)),
        ("no_norm", _norm_decided(case)),
        source,
    ]


def _handed_over(case: Case) -> Condition:
    """What is known of this set: the delivery that handed it over, if one did."""
    decision = case.decision
    delivery = _delivery(case, decision.get("delivery_id"))
    return Condition(
        "set_handed_over",
        {
            "delivery_status": decision["delivery_status"],
            "delivery_id": decision.get("delivery_id"),
            "delivered_on": day_of(delivery, "delivered_on"),
        },
        {"list_month": decision["list_month"]},
        [delivery],
    )


def _right_goes_on(case: Case) -> Condition:
    decision = case.decision
    names = ("standing", "ended_on", "ended_reason", "delivery_status")
    return Condition(
        "right_goes_on",
        {name: decision.get(name) for name in names},
        {"as_of": case.as_of},
        [case.row("lists")],
    )


def _account_confirmed(case: Case) -> Condition:
    """Condition that there is an account: their own, or a parent's or guardian's."""
    account = case.row("bank_accounts")
    whose: list[SourceRow | None] = []
    if case.decision.get("account_of") == "representative":
        whose = [*case.all_rows("family_links"), *case.all_rows("persons")]
    return Condition(
        "account_confirmed",
        {
            "iban": case.decision["iban"],
            "account_of": case.decision.get("account_of"),
            "confirmed_on": day_of(account, "confirmed_on"),
        },
        {"as_of": case.as_of},
        [account, *whose],
    )


def _contract_has_sets(case: Case) -> Condition:
    contract_id = case.decision["contract_id"]
    contract = case.row("supply_contracts", contract_id=contract_id)
    return Condition(
        "contract_has_sets",
        {
            "contract_id": contract_id,
            "contract_of_delivery": case.decision.get("contract_of_delivery"),
            "sets_total": value_of(contract, "sets_total"),
        },
        {"as_of": case.as_of},
        [contract],
    )


def _delivery(case: Case, delivery_id: str | None) -> SourceRow | None:
    if delivery_id is None:
        return None
    return case.row("deliveries", delivery_id=delivery_id)


def _p30(case: Case) -> list[Reasoned]:
    """The findings of a delivery, the first that holds."""
    delivery = _delivery(case, case.decision["delivery_id"])
    person = person_of(case)
    told = {
        "delivered_on": day_of(delivery, "delivered_on"),
        "status": value_of(delivery, "status"),
    }
    return [
        (
            "not_on_list",
            Condition(
                "delivery_to_listed",
                told,
                {"list_month": case.context["list_month"]},
                [delivery],
            ),
        ),
        (
            "after_death",
            Condition(
                "delivered_in_lifetime",
                {"death_date": day_of(person, "death_date")},
                {"delivered_on": told["delivered_on"]},
                [delivery, person],
            ),
        ),
        (
            "repeated",
            Condition(
                "delivery_not_repeated",
                {"in_hand": case.decision.get("in_hand")},
                {"sets": case.decision.get("sets")},
                case.all_rows("deliveries"),
            ),
        ),
    ]


CONDITIONS: Mapping[str, Callable[[Case], list[Reasoned]]] = {
    "food_set_recipients": _p26,
    "food_set_lists": _p26_lists,
    "delivery_plan": _p28_p29,
    "delivery_findings": _p30,
}
