"""The floor on p28, what contract a set is of: rows by hand, results from law.md."""

from dataclasses import replace
from datetime import date

import pytest

from floor_law import Law
from hand_nation import (
    AKMOLA,
    AKTOBE,
    ALMATY,
    Row,
    came,
    listed,
    unemployed_day,
)

D = "2020-04-20"
PLAN = "iin, allocation, contract_id, amount, delivery_status"


def _delivered(number: str, iin: str, contract: str | None, **given: object) -> Row:
    return {
        "delivery_id": number,
        "iin": iin,
        "delivered_on": D,
        "contract_id": contract,
        **given,
    }


def test_contracts_in_order_until_they_are_used_up() -> None:
    march, april, may = ("2020-03-01", "2020-04-01", "2020-05-01")
    decided = unemployed_day(
        ("a", "b", "c", "d"),
        {
            "supply_contracts": [
                {"contract_id": "a2", "signed_on": "2020-02-01", "sets_total": 1},
                {"contract_id": "b", "sets_total": 1},
                {"contract_id": "a", "sets_total": 2},
                {"contract_id": "0_tomorrow", "signed_on": "2020-04-21"},
                {"contract_id": "0_over", "valid_to": "2020-04-19"},
                {"contract_id": "0_not_yet", "valid_from": "2020-04-21"},
                {"contract_id": "0_elsewhere", "kato": AKTOBE},
            ],
            "deliveries": [
                # One of two sets was handed over in March; all else uses nothing up.
                _delivered("1", "x", "a", list_month=march),
                _delivered("2", "x", "a", list_month=march, status="failed"),
                _delivered("3", "x", "a", list_month=march, delivered_on="2020-04-21"),
                _delivered("4", "x", "a", list_month=april),
                _delivered("5", "x", "a", list_month=may),
            ],
        },
    )
    assert decided.rows("delivery_plan", PLAN) == [
        ("a", "allocated", "a", 6000, "outstanding"),
        ("b", "allocated", "b", 6000, "outstanding"),
        ("c", "allocated", "a2", 6000, "outstanding"),
        ("d", "unallocated", None, 6000, "outstanding"),
    ]


def test_the_amount_is_the_norm_s_never_the_contract_s() -> None:
    contract = {"contract_id": "c", "set_cost": 9000}
    decided = unemployed_day(("a",), {"supply_contracts": [contract]})
    assert decided.rows("delivery_plan", "contract_id, amount") == [("c", 6000)]


def test_a_set_handed_over_keeps_its_contract() -> None:
    decided = unemployed_day(
        ("a", "b", "c", "d", "e"),
        {
            "supply_contracts": [
                {"contract_id": "c1", "sets_total": 2},
                {"contract_id": "c2", "sets_total": 1},
            ],
            "deliveries": [
                # As written, in the register of contracts or not.
                _delivered("1", "e", "c1"),
                _delivered("2", "d", "no such"),
                # Without a contract it is of the rest; so is what was returned.
                _delivered("3", "c", None),
                _delivered("4", "b", "c2"),
                _delivered("5", "b", "c2", status="returned"),
            ],
        },
    )
    assert decided.rows("delivery_plan", PLAN) == [
        ("a", "allocated", "c1", 6000, "outstanding"),
        ("b", "allocated", "c2", 6000, "returned"),
        ("c", "unallocated", None, 6000, "delivered"),
        ("d", "allocated", "no such", 6000, "delivered"),
        ("e", "allocated", "c1", 6000, "delivered"),
    ]


def test_a_kept_contract_is_used_up_from_any_region_and_never_below_nothing() -> None:
    decided = unemployed_day(
        ("a", "b"),
        {
            "food_set_norms": [{"norm_id": "1"}, {"norm_id": "3", "kato": ALMATY}],
            "supply_contracts": [
                {"contract_id": "c1", "sets_total": 1},
                {"contract_id": "c2", "signed_on": "2020-02-01", "sets_total": 1},
            ],
            "deliveries": [_delivered("1", "x", "c1"), _delivered("2", "y", "c1")],
        },
        listed("x", "y", region_kato=ALMATY),
    )
    assert decided.rows("delivery_plan", "iin, contract_id, standing") == [
        ("a", "c2", "entitled"),
        ("b", None, "entitled"),
        ("x", "c1", "ended"),
        ("y", "c1", "ended"),
    ]


def test_a_set_handed_over_in_money_keeps_no_contract_and_uses_none_up() -> None:
    decided = unemployed_day(
        ("a",),
        {
            "supply_contracts": [{"contract_id": "c", "sets_total": 1}],
            "deliveries": [_delivered("1", "x", "c")],
        },
        listed("x", region_kato=AKTOBE),
    )
    assert decided.rows("delivery_plan", "iin, contract_id, allocation") == [
        ("a", "c", "allocated"),
        ("x", None, "no_account"),
    ]


def test_the_kth_set_is_of_the_kth_delivered_delivery() -> None:
    decided = unemployed_day(
        ("a",),
        {
            "deliveries": [
                _delivered(str(number), "a", contract, status=status)
                for number, (status, contract) in enumerate(
                    [
                        ("delivered", "c1"),
                        ("returned", "c8"),
                        ("failed", "c9"),
                        ("delivered", "c2"),
                        ("delivered", "c3"),
                    ]
                )
            ],
        },
        listed("a", grounds="p25_2|p25_4|p25_5", primary_ground="p25_2"),
        **{"food_set.sets_per_person": "one_per_ground"},
    )
    assert decided.rows("delivery_plan", "number, contract_id, delivery_status") == [
        (1, "c1", "delivered"),
        (2, "c2", "delivered"),
        # Nothing is left of the third: one of three was returned.
        (3, None, "failed"),
    ]


def test_what_has_ended_and_was_not_handed_over_is_withdrawn() -> None:
    decided = unemployed_day(
        ("stays",),
        {
            "supply_contracts": [{"contract_id": "c", "sets_total": 2}],
            "deliveries": came(("had_it", "delivered", D), ("fails", "failed", D)),
            "bank_accounts": [{"iin": "in_cash", "iban": "KZ861250000000000001"}],
        },
        [
            *listed("gone", "had_it", "fails", "stays"),
            *listed("in_cash", region_kato=AKTOBE),
            *listed("no_norm", region_kato=ALMATY),
        ],
    )
    assert decided.rows("delivery_plan", f"{PLAN}, mode, iban, account_iin") == [
        ("fails", "withdrawn", None, None, "failed", "in_kind", None, None),
        ("gone", "withdrawn", None, None, "outstanding", "in_kind", None, None),
        # Handed over, with no contract said: of the rest.
        ("had_it", "allocated", "c", 6000, "delivered", "in_kind", None, None),
        ("in_cash", "withdrawn", None, None, "outstanding", "cash", None, None),
        ("no_norm", "withdrawn", None, None, "outstanding", None, None, None),
        ("stays", "allocated", "c", 6000, "outstanding", "in_kind", None, None),
    ]


def test_a_set_handed_over_where_there_is_no_norm_is_unallocated() -> None:
    decided = unemployed_day(
        (),
        {"deliveries": [_delivered("1", "x", "c")]},
        listed("x", region_kato=ALMATY),
    )
    assert decided.rows("delivery_plan", f"{PLAN}, mode") == [
        ("x", "unallocated", None, None, "delivered", None)
    ]


def test_held_rows_are_planned_like_any_other() -> None:
    decided = unemployed_day(
        ("a",),
        {
            "food_set_norms": [{"norm_id": "1", "set_cost": 1}],
            "supply_contracts": [{"contract_id": "c"}],
        },
    )
    assert decided.rows("delivery_plan", f"{PLAN}, standing, list_no") == [
        ("a", "allocated", "c", 1, "outstanding", "held", None)
    ]


def test_findings_on_contracts_in_force() -> None:
    contracts: dict[str, Row] = {
        "plain": {},
        "elsewhere": {"kato": ALMATY, "set_cost": 9000},
        "of_cash": {"kato": AKTOBE, "set_cost": 9000},
        "price": {"set_cost": "6000.01"},
        "floor": {"set_cost": 5556, "kato": ALMATY},
        "below": {"set_cost": "5555.99", "kato": ALMATY},
        "digit": {"supplier_bin": "123456789012"},
        "short": {"supplier_bin": "12345678901"},
        "letter": {"supplier_bin": "12345678901x"},
        "zeros": {"supplier_bin": "000000000000"},
        # By the weights 1 to 11 alone; their sum is 10 in `plain`, and 10 again by the
        # second weights in the last.
        "first_weights": {"supplier_bin": "100000000001"},
        "no_weights": {"supplier_bin": "901341176390"},
        "full": {"sets_total": 2},
        "over": {"sets_total": 1},
        "not_in_force": {"supplier_bin": "0", "valid_to": "2020-04-19"},
        "not_signed": {"supplier_bin": "0", "signed_on": "2020-04-21"},
    }
    came_back = (
        ("2020-03-01", D, "delivered"),
        ("2020-05-01", D, "delivered"),
        ("2020-04-01", D, "returned"),
        ("2020-04-01", "2020-04-21", "delivered"),
    )
    decided = unemployed_day(
        rows={
            "supply_contracts": [
                {"contract_id": name, **of} for name, of in contracts.items()
            ],
            "deliveries": [
                _delivered(f"{contract}{day}{month}{status}", "x", contract,
                           list_month=month, delivered_on=day, status=status)
                for contract in ("full", "over")
                for month, day, status in came_back
            ],
        },
    )  # fmt: skip
    assert decided.rows(
        "contract_findings", "contract_id, finding, paragraph, region_kato"
    ) == [
        ("below", "below_floor", "p27", ALMATY),
        ("digit", "invalid_bin", "p28", AKMOLA),
        ("letter", "invalid_bin", "p28", AKMOLA),
        ("no_weights", "invalid_bin", "p28", AKMOLA),
        ("over", "over_delivered", "p28", AKMOLA),
        ("price", "price_differs", "p28", AKMOLA),
        ("short", "invalid_bin", "p28", AKMOLA),
        ("zeros", "invalid_bin", "p28", AKMOLA),
    ]


BIN = "123456789013"


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], False),
        ([("other", "2020-01-01", None, "2020-04-21")], False),
        ([("other", "2020-01-01", None, "2020-04-20")], True),
        ([(BIN, "2020-01-01", None, "2020-04-20")], False),
        ([(BIN, "2020-04-21", None, "2020-04-20")], True),
        ([(BIN, "2020-01-01", "2020-04-20", "2020-04-20")], False),
        ([(BIN, "2020-01-01", "2020-04-19", "2020-04-20")], True),
        (
            [
                ("other", "2020-01-01", None, "2020-04-20"),
                (BIN, "2020-01-01", None, "2020-04-21"),
            ],
            True,
        ),
    ],
)
def test_suppliers_determined_by_the_government(
    rows: list[tuple[str, str, str | None, str]], found: bool
) -> None:
    law = replace(
        Law(),
        determined_suppliers=tuple(
            (
                number,
                date.fromisoformat(first),
                date.fromisoformat(last) if last else None,
                date.fromisoformat(recorded),
            )
            for number, first, last, recorded in rows
        ),
    )
    contract = {"contract_id": "c", "supplier_bin": BIN}
    decided = unemployed_day(rows={"supply_contracts": [contract]}, law=law)
    assert decided.rows("contract_findings", "finding") == (
        ["supplier_not_determined"] if found else []
    )
