"""The floor on p29, the account a set is paid on: rows by hand, results from law.md."""

import pytest

from hand_nation import AKTOBE, Row, came, listed, people, unemployed, unemployed_day

D = "2020-04-20"
IBAN = "KZ861250000000000001"
IBAN_A, IBAN_B = "KZ21125000000000000A", "KZ91125000000000000B"


def _paid(
    accounts: list[Row],
    *,
    born: str = "2010-01-01",
    links: list[Row] | None = None,
    **policies: str,
) -> tuple[str | None, ...]:
    """Return allocation, iban and account_iin of a child whose region pays in money."""
    decided = unemployed_day(
        (),
        {
            "persons": [
                *people("child", birth_date=born, kato=AKTOBE),
                *people("mother", "father", "stranger"),
                *people("dead", death_date=D),
                *people("dies_tomorrow", death_date="2020-04-21"),
            ],
            "jobseekers": unemployed(("child",)),
            "family_links": [
                {"child_iin": "child", **of}
                for of in links or [{"parent_iin": "mother"}, {"parent_iin": "father"}]
            ],
            "bank_accounts": accounts,
        },
        **policies,
    )
    (row,) = decided.rows("delivery_plan", "allocation, iban, account_iin")
    return tuple(row)


NONE = ("no_account", None, None)


def _of(iin: str, iban: str = IBAN, confirmed_on: str = "2020-01-01") -> Row:
    return {"iin": iin, "iban": iban, "confirmed_on": confirmed_on}


@pytest.mark.parametrize(
    ("accounts", "paid"),
    [
        ([_of("child")], IBAN),
        ([], None),
        ([_of("child", confirmed_on=D)], IBAN),
        ([_of("child", confirmed_on="2020-04-21")], None),
        ([_of("child", IBAN_A), _of("child", IBAN_B)], IBAN_A),
        ([_of("child", IBAN_A), _of("child", IBAN_B, "2020-01-02")], IBAN_B),
        ([_of("child", "KZ861250000000000002")], None),
        ([_of("child", IBAN_A.lower())], None),
        ([_of("child", f"{IBAN}0")], None),
        ([_of("child", "KZ32125ZZZZZZZZZZZZZ")], "KZ32125ZZZZZZZZZZZZZ"),
    ],
)
def test_one_s_own_account(accounts: list[Row], paid: str | None) -> None:
    assert _paid(accounts) == (("account", paid, "child") if paid else NONE)


def test_a_representative_s_account_is_paid_on_for_someone_under_18() -> None:
    mother = [_of("mother")]
    assert _paid(mother) == ("account", IBAN, "mother")
    assert _paid(mother, born="2002-04-21") == ("account", IBAN, "mother")
    assert _paid(mother, born="2002-04-20") == NONE
    assert _paid(mother, **{"food_set.account_of": "own"}) == NONE
    # One's own comes first, however old.
    own = [_of("child", IBAN_B, "2019-01-01"), _of("mother", IBAN_A)]
    assert _paid(own) == ("account", IBAN_B, "child")
    assert _paid([_of("child", "KZ"), *mother]) == ("account", IBAN, "mother")


@pytest.mark.parametrize(
    ("accounts", "paid"),
    [
        ([_of("mother", IBAN_A), _of("father", IBAN_B, "2020-01-02")], "father"),
        ([_of("mother", IBAN_A), _of("father", IBAN_B)], "mother"),
        ([_of("mother", IBAN_B), _of("father", IBAN_A)], "father"),
        ([_of("mother"), _of("father")], "father"),
        ([_of("mother", confirmed_on="2020-04-21"), _of("father")], "father"),
    ],
)
def test_of_several_representatives(accounts: list[Row], paid: str) -> None:
    assert _paid(accounts)[2] == paid


@pytest.mark.parametrize(
    ("link", "paid"),
    [
        ({"parent_iin": "mother", "link_kind": "guardianship"}, True),
        ({"parent_iin": "mother", "valid_from": D, "valid_to": D}, True),
        ({"parent_iin": "mother", "valid_from": "2020-04-21"}, False),
        ({"parent_iin": "mother", "valid_to": "2020-04-19"}, False),
        ({"parent_iin": "dead"}, False),
        ({"parent_iin": "dies_tomorrow"}, True),
        ({"parent_iin": "ghost"}, False),
    ],
)
def test_who_represents_a_child(link: Row, paid: bool) -> None:
    iin = str(link["parent_iin"])
    accounts = [_of(iin), _of("stranger")]
    assert _paid(accounts, links=[link]) == (("account", IBAN, iin) if paid else NONE)


def test_who_is_not_in_the_register_is_not_known_to_be_under_18() -> None:
    decided = unemployed_day(
        (),
        {
            "persons": people("mother"),
            "family_links": [{"child_iin": "x", "parent_iin": "mother"}],
            "bank_accounts": [_of("mother")],
            "deliveries": came(("x", "delivered", D)),
        },
        listed("x", region_kato=AKTOBE),
    )
    # Ended, but handed over: planned like any other.
    assert decided.rows("delivery_plan", "standing, allocation, amount") == [
        ("ended", "no_account", 6000)
    ]
