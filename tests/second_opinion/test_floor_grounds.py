"""The floor on p25 to p27, who is a recipient and where: rows and results by hand."""

from collections.abc import Mapping

import pytest

from hand_nation import (
    AKMOLA,
    AKTOBE,
    ALMATY,
    Decided,
    Row,
    decide,
    people,
    unemployed,
    units,
)

D = "2020-04-20"
Rows = Mapping[str, list[Row]]


def _reasons(rows: Rows, ground: str, **policies: str) -> dict[str, str | None]:
    decided = decide(D, rows, policies=policies)
    found = decided.rows(
        "food_set_decisions", "iin, outcome, reason", f"ground = '{ground}'"
    )
    for _, outcome, reason in found:
        absent = reason == "not_in_population_register"
        assert outcome == (
            "met" if reason is None else "undetermined" if absent else "not_met"
        )
    return {iin: reason for iin, _, reason in found}


def test_p25_1_a_child_of_a_family_on_assistance() -> None:
    born = {
        "turns_6": "2014-04-20",
        "six_tomorrow": "2014-04-21",
        "turns_18": "2002-04-20",
        "eighteen_tomorrow": "2002-04-21",
        "turns_19": "2001-04-20",
        "of_suspended": "2010-01-01",
        "of_both": "2010-01-01",
        "in_new_period": "2010-01-01",
        "of_ended": "2010-01-01",
    }
    awards = {
        "suspended": {"status": "suspended"},
        "extended": {"period_end": "2020-04-19"},
        "ended": {"period_end": "2020-04-19", "status": "terminated"},
    }
    members = {
        "of_suspended": ("suspended",),
        "of_both": ("suspended", "active"),
        "in_new_period": ("extended",),
        "of_ended": ("ended",),
    }
    rows: Rows = {
        "persons": [
            *(
                {"iin": iin, "birth_date": birth_date}
                for iin, birth_date in born.items()
            ),
            *people("dead", birth_date="2010-01-01", death_date=D),
        ],
        "asp_awards": [
            {"award_id": name, "family_id": name, **awards.get(name, {})}
            for name in ("active", *awards)
        ],
        "asp_members": [
            {"award_id": award, "iin": iin}
            for iin in (*born, "dead", "ghost")
            for award in members.get(iin, ("active",))
        ],
    }
    reasons = {
        "turns_6": None,
        "six_tomorrow": "under_6",
        "turns_18": "age_18_or_over",
        "eighteen_tomorrow": None,
        "turns_19": "age_18_or_over",
        "of_suspended": "award_not_active",
        "of_both": None,
        "in_new_period": None,
        "dead": "deceased",
        "ghost": "not_in_population_register",
    }
    assert _reasons(rows, "p25_1") == reasons
    through_18 = {"food_set.age_upper": "through_age_18"}
    assert _reasons(rows, "p25_1", **through_18) == {**reasons, "turns_18": None}


def test_p25_2_and_p25_3_disability() -> None:
    def term(iin: str, **given: object) -> Row:
        return {"term_id": f"{iin}{len(given)}", "iin": iin, **given}

    child = {"category": "child"}
    rows: Rows = {
        "persons": [
            *people("child", "over", "resident", birth_date="2010-01-01"),
            *people("sixteen", birth_date="2004-04-20"),
            *people("not_yet_sixteen", birth_date="2004-04-21"),
            *people("adult", "adult_resident", "guest", "was_resident", "extended"),
        ],
        "disability_terms": [
            term("child", **child),
            term("over", **child, valid_until="2020-02-01"),
            term("resident", **child),
            term("sixteen", **child),
            term("not_yet_sixteen", **child),
            term("adult"),
            term("adult", category="group_2", valid_until="2020-01-01"),
            term("adult_resident"),
            term("guest"),
            term("was_resident"),
            term("extended", valid_until="2020-02-16"),
        ],
        "institution_stays": [
            {"stay_id": "1", "iin": "resident"},
            {"stay_id": "2", "iin": "adult_resident", "discharged_on": "2020-04-21"},
            {"stay_id": "3", "iin": "was_resident", "discharged_on": D},
            {"stay_id": "4", "iin": "guest", "stay_kind": "temporary"},
            {"stay_id": "5", "iin": "child", "admitted_on": "2020-04-21"},
        ],
    }
    assert _reasons(rows, "p25_2") == {
        "child": None,
        "over": "term_not_in_force",
        "resident": "resident_in_institution",
        "sixteen": "age_16_or_over",
        "not_yet_sixteen": None,
    }
    assert _reasons(rows, "p25_3") == {
        "adult": None,
        "adult_resident": "resident_in_institution",
        "guest": None,
        "was_resident": None,
        "extended": None,
    }


CARERS: Rows = {
    "persons": [
        *people("carer", "late", "of_dead", "of_old", "of_healthy", "of_resident"),
        *people("mother", "father", "of_nobody"),
        *people("a_dead_parent", death_date="2020-04-01"),
        *people("child", "healthy", "resident", birth_date="2010-01-01"),
        *people("dead_child", birth_date="2010-01-01", death_date=D),
        *people("old", birth_date="2002-04-20"),
    ],
    "disability_terms": [
        {"term_id": iin, "iin": iin, "category": "child"}
        for iin in ("child", "dead_child", "old", "resident")
    ],
    "institution_stays": [{"stay_id": "1", "iin": "resident"}],
    "benefit_awards": [
        {
            "award_id": iin,
            "iin": iin,
            "benefit": "child_carer_allowance",
            "dependant_iin": child,
            "stop_on": "2020-04-19" if iin == "late" else None,
        }
        for iin, child in {
            "carer": "child",
            "late": "child",
            "of_dead": "dead_child",
            "of_old": "old",
            "of_healthy": "healthy",
            "of_resident": "resident",
            "of_nobody": None,
        }.items()
    ],
    "family_links": [
        {"child_iin": "child", "parent_iin": iin}
        for iin in ("mother", "father", "a_dead_parent", "a_ghost")
    ],
}


def test_p25_4_who_raises_a_child_with_a_disability() -> None:
    assert _reasons(CARERS, "p25_4") == {
        "carer": None,
        "late": "award_not_active",
        "of_dead": "child_deceased",
        "of_old": "child_age_over_limit",
        "of_healthy": "child_not_disabled",
        "of_resident": "child_in_institution",
        "of_nobody": "child_deceased",
    }


@pytest.mark.parametrize(
    ("carer", "reasons"),
    [
        ("one_parent", {"father": None}),
        (
            "both_parents",
            {
                "mother": None,
                "father": None,
                "a_dead_parent": "deceased",
                "a_ghost": "not_in_population_register",
            },
        ),
    ],
)
def test_p25_4_parents_by_the_other_readings(
    carer: str, reasons: dict[str, str | None]
) -> None:
    assert _reasons(CARERS, "p25_4", **{"food_set.carer": carer}) == reasons


def test_p25_5_registered_unemployed_whenever_registered() -> None:
    signed = {"unemployed_decided_on": D}
    cases: dict[str, dict[str, object]] = {
        "signed_today": signed,
        "signed_tomorrow": {"unemployed_decided_on": "2020-04-21"},
        "deregistered_today": {**signed, "deregistered_on": D},
        "deregistered_tomorrow": {**signed, "deregistered_on": "2020-04-21"},
        "long_before_the_rules": {**signed, "registered_on": "2019-05-01"},
    }
    rows: Rows = {
        "persons": people(*cases),
        "jobseekers": [{"case_id": iin, "iin": iin, **of} for iin, of in cases.items()],
    }
    assert _reasons(rows, "p25_5") == {
        "signed_today": None,
        "signed_tomorrow": "not_registered_unemployed",
        "deregistered_today": "deregistered",
        "deregistered_tomorrow": None,
        "long_before_the_rules": None,
    }


def _unemployed(**kato: str | None) -> dict[str, list[Row]]:
    """Return people who get a set as unemployed, by where they live."""
    return {
        "persons": [{"iin": iin, "kato": code} for iin, code in kato.items()],
        "jobseekers": unemployed(kato),
    }


def test_p26_where_no_unit_is_in_force_people_are_unassigned() -> None:
    decided = decide(
        D,
        {
            **_unemployed(
                here="111010100",
                nowhere=None,
                unknown="999999999",
                over="113000000",
                last_day="114000000",
                not_yet="115000000",
            ),
            "kato": [
                *units(AKMOLA, "111010100"),
                {"kato": "113000000", "valid_to": "2020-04-19"},
                {"kato": "114000000", "valid_to": D},
                {"kato": "115000000", "valid_from": "2020-04-21"},
            ],
            "food_set_norms": [
                {"norm_id": "n"},
                # Nobody can decide on a set for no region.
                {"norm_id": "u", "kato": "unassigned"},
            ],
        },
    )
    assert decided.rows(
        "food_set_recipients", "iin, region_kato, district_kato, mode, set_cost"
    ) == [
        ("here", AKMOLA, "111000000", "in_kind", 6000),
        ("last_day", AKMOLA, "114000000", "in_kind", 6000),
        *(
            (iin, "unassigned", None, None, None)
            for iin in ("not_yet", "nowhere", "over", "unknown")
        ),
    ]
    assert decided.rows(
        "region_status", "region_kato, recipients, amount_total, blocked_by"
    ) == [(AKMOLA, 2, 12000, None), ("unassigned", 4, 0, "no_norm")]


def _norm_of(*norms: Row) -> Decided:
    return decide(
        D,
        {
            **_unemployed(a=AKMOLA),
            "food_set_norms": [{"norm_id": str(n), **of} for n, of in enumerate(norms)],
        },
    )


@pytest.mark.parametrize(
    ("norms", "cost"),
    [
        ([{"set_cost": 5556, "valid_from": D}, {"set_cost": 6000}], 5556),
        ([{"set_cost": 5556, "valid_from": "2020-04-21"}, {"set_cost": 6000}], 6000),
        ([{"set_cost": 6000, "valid_to": D}], 6000),
        ([{"set_cost": 6000, "valid_to": "2020-04-19"}], None),
        ([{"set_cost": 6000, "decided_on": D}], 6000),
        ([{"set_cost": 6000, "decided_on": "2020-04-21"}], None),
        ([{"set_cost": 6000, "decided_on": "2020-02-01"}, {"set_cost": 7000}], 6000),
        ([{"set_cost": 6000}, {"set_cost": 7000}], 7000),
        ([{"set_cost": 6000, "kato": "111000000"}], None),
    ],
)
def test_p27_the_norm_of_a_region(norms: list[Row], cost: int | None) -> None:
    decided = _norm_of(*norms)
    assert decided.rows("region_status", "norm_cost", f"region_kato = '{AKMOLA}'") == [
        cost
    ]


def test_p27_what_blocks_a_region() -> None:
    decided = decide(
        D,
        {
            **_unemployed(a=AKMOLA),
            "food_set_norms": [
                {"norm_id": "1", "set_cost": 5556},
                {"norm_id": "2", "set_cost": "5555.99", "kato": AKTOBE},
            ],
        },
        blocked={AKMOLA: "few_rows", AKTOBE: "few_rows", ALMATY: "few_rows"},
    )
    assert decided.rows(
        "region_status",
        "region_kato, publication, blocked_by, floor_cost, amount_total",
    ) == [
        (AKMOLA, "blocked", "check:few_rows", 5556, 5556),
        (AKTOBE, "blocked", "below_floor", 5556, 0),
        (ALMATY, "blocked", "no_norm", 5556, 0),
    ]


def test_a_recipient_by_several_grounds_has_one_set_or_one_for_each() -> None:
    rows: Rows = {
        **_unemployed(a=AKMOLA),
        "disability_terms": [{"term_id": "t", "iin": "a"}],
        "food_set_norms": [{"norm_id": "n"}],
    }
    columns = "primary_ground, grounds"
    both = "p25_3|p25_5"
    decided = decide(D, rows)
    assert decided.rows("food_set_recipients", columns) == [("p25_3", both)]
    each = decide(D, rows, policies={"food_set.sets_per_person": "one_per_ground"})
    assert each.rows("food_set_recipients", columns) == [
        ("p25_3", both),
        ("p25_5", both),
    ]
    assert each.rows("region_status", "recipients", "recipients > 0") == [2]


@pytest.mark.parametrize("as_of", ["2020-03-31", "2020-05-11"])
def test_no_list_outside_the_emergency_or_the_edition(as_of: str) -> None:
    rows: Rows = {**_unemployed(a=AKMOLA), "food_set_norms": [{"norm_id": "n"}],
                  "supply_contracts": [{"contract_id": "c", "supplier_bin": "0"}],
                  "deliveries": [{"delivery_id": "d", "iin": "x",
                                  "list_month": f"{as_of[:7]}-01",
                                  "delivered_on": as_of}]}  # fmt: skip
    decided = decide(as_of, rows)
    for table in (
        *("food_set_decisions", "food_set_recipients", "delivery_plan"),
        *("delivery_findings", "contract_findings", "region_status", "food_set_lists"),
    ):
        assert decided.rows(table, "1") == [], table
