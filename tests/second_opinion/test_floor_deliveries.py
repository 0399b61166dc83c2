"""The floor on p30 and after the month: rows by hand, results from law.md."""

from hand_nation import AKMOLA, AKTOBE, came, decide, listed, people, unemployed_day

D = "2020-04-20"
APRIL = "2020-04-01"


NET: dict[str, tuple[str, ...]] = {
    "delivered": ("delivered",),
    "failed": ("failed",),
    "failed_then_delivered": ("failed", "delivered"),
    "delivered_then_failed": ("delivered", "failed"),
    "given_back": ("delivered", "returned"),
    "given_back_then_delivered": ("delivered", "returned", "delivered"),
    # Nothing to take back: never below none.
    "returned_then_delivered": ("returned", "delivered"),
    "twice_then_returned": ("delivered", "delivered", "returned"),
    "returned_then_failed": ("delivered", "returned", "failed"),
    "nothing": (),
}


def test_p30_a_set_is_handed_over_by_net() -> None:
    events = [
        (iin, status, f"2020-04-{10 + number}")
        for iin, statuses in NET.items()
        for number, status in enumerate(statuses)
    ]
    decided = unemployed_day(tuple(NET), {"deliveries": came(*events)})
    expected = {
        "delivered": "delivered",
        "failed": "failed",
        "failed_then_delivered": "delivered",
        "delivered_then_failed": "delivered",
        "given_back": "returned",
        "given_back_then_delivered": "delivered",
        "returned_then_delivered": "delivered",
        "twice_then_returned": "delivered",
        "returned_then_failed": "failed",
        "nothing": "outstanding",
    }
    for table in ("delivery_plan", "food_set_lists"):
        assert dict(decided.rows(table, "iin, delivery_status")) == expected
    assert decided.rows("delivery_findings", "iin, finding") == [
        ("twice_then_returned", "repeated")
    ]


def test_p30_only_what_came_back_by_d_in_order_of_day_and_delivery() -> None:
    decided = unemployed_day(
        ("a", "b"),
        {
            "deliveries": [
                *came(("a", "delivered", D)),
                {**came(("b", "delivered", D))[0], "delivery_id": "z"},
                # Of the same day the lower delivery first: returned, then delivered.
                {**came(("b", "returned", D))[0], "delivery_id": "y"},
                {**came(("a", "returned", "2020-04-21"))[0], "delivery_id": "x"},
                *came(("a", "returned", D), list_month="2020-04-02"),
            ]
        },
    )
    assert decided.rows("delivery_plan", "iin, delivery_status") == [
        ("a", "delivered"),
        ("b", "delivered"),
    ]


def test_p30_of_several_sets_the_first_net_are_delivered() -> None:
    lists = listed("one", "both", "back", "more", grounds="p25_3|p25_5",
                    primary_ground="p25_3")  # fmt: skip
    decided = unemployed_day(
        ("one", "both", "back", "more"),
        {
            "deliveries": came(
                ("one", "failed", "2020-04-10"),
                ("one", "delivered", "2020-04-11"),
                ("both", "delivered", "2020-04-10"),
                ("both", "delivered", "2020-04-11"),
                ("back", "delivered", "2020-04-10"),
                ("back", "delivered", "2020-04-11"),
                ("back", "returned", "2020-04-12"),
                ("more", "delivered", "2020-04-10"),
                ("more", "delivered", "2020-04-11"),
                ("more", "delivered", "2020-04-12"),
            )
        },
        lists,
        **{"food_set.sets_per_person": "one_per_ground"},
    )
    assert decided.rows("delivery_plan", "iin, number, delivery_status") == [
        ("back", 1, "delivered"),
        ("back", 2, "returned"),
        ("both", 1, "delivered"),
        ("both", 2, "delivered"),
        ("more", 1, "delivered"),
        ("more", 2, "delivered"),
        ("one", 1, "delivered"),
        ("one", 2, "failed"),
    ]
    assert decided.rows("delivery_findings", "delivery_id, finding") == [
        ("d9", "repeated")
    ]


def test_p30_findings_on_deliveries_the_first_that_holds() -> None:
    persons = [
        *people("listed", "again"),
        *people("dead", "dead_before", death_date="2020-04-12"),
    ]
    decided = decide(
        D,
        {
            "persons": persons,
            "jobseekers": [{"case_id": "j", "iin": "again",
                            "unemployed_decided_on": "2020-04-06"}],
            "food_set_norms": [{"norm_id": "1", "kato": AKTOBE}],
            "deliveries": came(
                ("stranger", "failed", "2020-04-10"),
                ("stranger", "delivered", "2020-04-11"),
                ("dead", "delivered", "2020-04-12"),
                ("dead", "delivered", "2020-04-13"),
                ("dead", "failed", "2020-04-14"),
                ("dead", "returned", "2020-04-14"),
                ("again", "delivered", "2020-04-10"),
                ("again", "delivered", "2020-04-11"),
                ("again", "returned", "2020-04-12"),
                ("again", "returned", "2020-04-13"),
                ("again", "delivered", "2020-04-14"),
                ("again", "delivered", "2020-04-15"),
                ("again", "delivered", "2020-04-21"),
                ("listed", "delivered", "2020-04-10"),
            ),
        },
        lists=listed("listed", "dead"),
    )  # fmt: skip
    # "again" is held back, for Akmola has no norm, and has a row all the same.
    assert decided.rows("food_set_lists", "iin, standing", "list_no is null") == [
        ("again", "held")
    ]
    assert decided.rows("delivery_findings", "delivery_id, iin, finding") == [
        ("d0", "stranger", "not_on_list"),
        ("d1", "stranger", "not_on_list"),
        ("d11", "again", "repeated"),
        ("d3", "dead", "after_death"),
        ("d7", "again", "repeated"),
    ]


# After the month


def test_list_reconciliation_settles_every_month() -> None:
    lists = [
        *listed("a", "b", "c"),
        *listed("d", ended_on="2020-04-09", ended_reason="deceased"),
        *listed("e", ended_on="2020-04-09", ended_reason="deceased"),
        *listed("f", region_kato=AKTOBE, list_no=2),
        *listed("g", list_month="2020-05-01"),
    ]
    deliveries = [
        *came(
            ("a", "delivered", "2020-05-02"),
            ("b", "delivered", "2020-04-10"),
            ("b", "returned", "2020-05-20"),
            ("c", "failed", "2020-04-10"),
            ("d", "delivered", "2020-04-08"),
            ("f", "returned", "2020-04-10"),
            ("stranger", "delivered", "2020-04-10"),
            ("a", "delivered", "2020-05-21"),
        ),
    ]
    decided = unemployed_day(
        rows={"deliveries": deliveries}, lists=lists, as_of="2020-05-20"
    )
    columns = (
        "list_month, region_kato, listed, ended, sets, delivered, failed, returned,"
        " outstanding, withdrawn, amount_delivered"
    )
    assert decided.rows("list_reconciliation", columns) == [
        (APRIL, AKMOLA, 5, 2, 5, 2, 1, 1, 1, 1, 12000),
        (APRIL, AKTOBE, 1, 0, 1, 0, 0, 1, 0, 0, -6000),
        ("2020-05-01", AKMOLA, 1, 0, 1, 0, 0, 0, 1, 0, 0),
    ]
    each = unemployed_day(
        rows={"deliveries": deliveries},
        lists=listed("a", "d", grounds="p25_1|p25_5|p25_3"),
        as_of="2020-05-20",
        **{"food_set.sets_per_person": "one_per_ground"},
    )
    assert each.rows("list_reconciliation", "listed, sets, delivered, outstanding") == [
        (2, 6, 2, 4)
    ]


def test_list_reconciliation_leaves_out_what_is_held() -> None:
    decided = unemployed_day(("a", "b"), {"food_set_norms": []}, listed("b"))
    assert decided.rows("food_set_lists", "standing") == ["entitled", "held"]
    assert decided.rows("list_reconciliation", "listed, sets") == [(1, 1)]
    alone = unemployed_day(("a",), {"food_set_norms": []})
    assert alone.rows("list_reconciliation", "1") == []
