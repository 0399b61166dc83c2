"""The golden nation with more people in it: one per row that it does not have."""

import csv
import shutil
from collections.abc import Mapping
from pathlib import Path

from registry_rules import check_digit

CASH, IN_KIND = "271010000", "111010000"
Row = Mapping[str, str]


def iin(born: str, number: int) -> str:
    """An IIN with this birth date (YYMMDD); a number that has no check digit fails."""
    digits = f"{born}4{number:04}"
    check = check_digit([int(digit) for digit in digits])
    assert check is not None
    return f"{digits}{check}"


def iban(number: int) -> str:
    """A valid account."""
    account = f"125KZT{number:010}"
    as_number = "".join(str(int(one, 36)) for one in f"{account}KZ00")
    return f"KZ{98 - int(as_number) % 97:02}{account}"


MINOR, PARENT = iin("120101", 9101), iin("850101", 9102)
LONE_MINOR, POOR_PARENT = iin("120102", 9103), iin("850102", 9104)
OFTEN_SERVED, DIED_BETWEEN = iin("700101", 9105), iin("700102", 9106)
SEEKER, WIDOWER, APPLICANT = (
    iin("750101", 9107),
    iin("500101", 9109),
    iin("800101", 9110),
)
EXAMINED_EARLY, CAME_BACK = iin("760101", 9111), iin("760102", 9112)
GONE, MARCH = iin("760103", 9114), iin("760104", 9115)
CARER, NAMELESS = iin("830101", 9116), iin("830102", 9117)
UNKNOWN_CHILD = iin("130101", 9118)


def person(one: str, born: str, kato: str = CASH, death_date: str = "") -> Row:
    return {
        "iin": one,
        "last_name": "More",
        "first_name": "Golden",
        "birth_date": born,
        "sex": "F",
        "death_date": death_date,
        "kato": kato,
        "address": "Street 1",
    }


def term(one: str, category: str, **values: str) -> Row:
    return {
        "term_id": f"M-{one[7:11]}",
        "iin": one,
        "kind": "disability",
        "category": category,
        "established_on": "2019-01-01",
        "decided_on": "2019-01-01",
        "decision_mode": "in_person",
        **values,
    }


def application(number: int, **values: str) -> Row:
    return {
        "application_id": f"APP-M{number}",
        "iin": APPLICANT,
        "last_name": "More",
        "first_name": "Golden",
        "postal_address": "Street 1",
        "phone": "+77010000000",
        "service_code": "7",
        "region_kato": "270000000",
        "addressee": "local_executive_body",
        "content": "Прошу",
        "attachment_count": "1",
        "signed": "true",
        "submitted_on": "2020-04-06",
        "forwarded_on": "2020-04-07",
        "forwarded_to_kato": CASH,
        "checked_on": "2020-04-08",
        **values,
    }


def seeker(number: int, **values: str) -> Row:
    return {
        "case_id": f"J-M{number}",
        "iin": SEEKER,
        "centre_id": "CENTRE-27",
        "kato": "271000000",
        "registered_on": "2020-04-06",
        **values,
    }


def delivery(number: int, one: str, status: str, day: str, contract: str = "") -> Row:
    return {
        "delivery_id": f"D-M{number}",
        "iin": one,
        "list_month": "2020-04-01",
        "mode": "in_kind",
        "contract_id": contract,
        "status": status,
        "delivered_on": day,
        "amount": "6000.00",
    }


def carer(one: str, child: str) -> Row:
    return {
        "award_id": f"B-M{one[7:11]}",
        "iin": one,
        "benefit": "child_carer_allowance",
        "dependant_iin": child,
        "monthly_amount": "40000",
        "start_on": "2019-01-01",
    }


MORE: Mapping[str, list[Row]] = {
    "persons": [
        person(MINOR, "2012-01-01"),
        person(PARENT, "1985-01-01"),
        person(LONE_MINOR, "2012-01-02"),
        person(POOR_PARENT, "1985-01-02"),
        person(OFTEN_SERVED, "1970-01-01", IN_KIND),
        person(DIED_BETWEEN, "1970-01-02", IN_KIND, "2020-04-10"),
        person(SEEKER, "1975-01-01"),
        person(WIDOWER, "1950-01-01", death_date="2020-03-01"),
        person(APPLICANT, "1980-01-01"),
        person(EXAMINED_EARLY, "1976-01-01"),
        person(CAME_BACK, "1976-01-02"),
        person(GONE, "1976-01-03"),
        person(MARCH, "1976-01-04"),
        person(CARER, "1983-01-01"),
        person(NAMELESS, "1983-01-02"),
    ],
    "family_links": [
        {
            "child_iin": child,
            "parent_iin": parent,
            "link_kind": "birth",
            "valid_from": "2012-01-01",
        }
        for child, parent in ((MINOR, PARENT), (LONE_MINOR, POOR_PARENT))
    ],
    "bank_accounts": [
        {"iin": PARENT, "iban": iban(9102), "confirmed_on": "2020-04-01"}
    ],
    "disability_terms": [
        term(MINOR, "child"),
        term(LONE_MINOR, "child"),
        term(OFTEN_SERVED, "group_3"),
        term(DIED_BETWEEN, "group_3"),
        term(CAME_BACK, "group_2"),
        term(
            EXAMINED_EARLY,
            "group_3",
            established_on="2019-10-05",
            decided_on="2020-04-02",
            decision_mode="in_absentia",
            valid_until="2020-10-04",
            control_exam_on="2019-09-30",
        ),
    ],
    "asp_awards": [
        {
            "award_id": "W-M1",
            "family_id": "F-M1",
            "applicant_iin": WIDOWER,
            "aid_kind": "unconditional",
            "period_start": "2020-01-01",
            "period_end": "2020-03-31",
            "monthly_amount": "30000.00",
            "status": "active",
        }
    ],
    "asp_members": [{"award_id": "W-M1", "iin": WIDOWER}],
    "benefit_awards": [carer(CARER, UNKNOWN_CHILD), carer(NAMELESS, "")],
    "jobseekers": [
        seeker(1, draft_decision_on="2020-04-08", unemployed_decided_on="2020-04-09")
        | {"centre_id": ""},
        seeker(2, unemployed_decided_on="2020-04-09"),
        seeker(
            3,
            work_offered_on="2020-04-07",
            draft_decision_on="2020-04-08",
            unemployed_decided_on="2020-04-09",
        ),
        seeker(4, draft_decision_on="2020-04-08"),
        seeker(5, registered_on="2020-03-25"),
    ],
    "applications": [
        application(1, forwarded_to_kato=IN_KIND),
        application(2, phone=""),
        application(3, phone="", email="more@example.kz"),
        application(4, submitted_on="2020-03-20"),
        application(5, decided_on="2020-04-10"),
        application(6, decided_on="2020-04-10", notified_on="2020-04-10"),
        application(
            7,
            decided_on="2020-04-10",
            notified_on="2020-04-10",
            notification_channel="sms",
            reply_in_document_system="true",
        ),
    ],
    "deliveries": [
        delivery(1, OFTEN_SERVED, "failed", "2020-04-06"),
        delivery(2, OFTEN_SERVED, "delivered", "2020-04-07", "C-11-1"),
        delivery(3, OFTEN_SERVED, "returned", "2020-04-08", "C-11-1"),
        delivery(4, OFTEN_SERVED, "delivered", "2020-04-09", "C-11-2"),
        delivery(5, OFTEN_SERVED, "delivered", "2020-04-10", "C-11-2"),
        delivery(6, DIED_BETWEEN, "delivered", "2020-04-12"),
        delivery(7, CAME_BACK, "failed", "2020-04-12"),
    ],
}
# Rows of the lists that no run of this nation leaves.
LISTED: list[Row] = [
    # nothing makes them a candidate any more
    {"iin": GONE, "list_month": "2020-04-01"},
    # not a recipient on the list before, and one again
    {
        "iin": CAME_BACK,
        "list_month": "2020-04-01",
        "ended_on": "2020-04-03",
        "ended_reason": "term_not_in_force",
    },
    # ended on a list before, for what is not so any more
    {
        "iin": APPLICANT,
        "list_month": "2020-04-01",
        "ended_on": "2020-04-03",
        "ended_reason": "deregistered",
    },
    # of a month that is over
    {"iin": MARCH, "list_month": "2020-03-01"},
    {
        "iin": GONE,
        "list_month": "2020-03-01",
        "ended_on": "2020-03-20",
        "ended_reason": "deceased",
    },
]


def listed_before(row: Row) -> Row:
    """A row of the lists, with what is the same for all of them."""
    return {
        "list_no": "1",
        "listed_on": row["list_month"],
        "region_kato": "270000000",
        "district_kato": "271000000",
        "primary_ground": "p25_3",
        "grounds": "p25_3",
        "ended_on": "",
        "ended_reason": "",
        **row,
    }


def write_drop(golden: Path, drop: Path) -> None:
    """Write the golden nation with all of these in it."""
    shutil.copytree(golden, drop)
    for entity, rows in MORE.items():
        path = drop / entity / "2020-04-01.csv"
        # A folder of parts has its rows in any of them.
        _append(path if path.exists() else path.with_suffix("") / "part-1.csv", rows)


def _append(path: Path, rows: list[Row]) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = next(csv.reader(file))
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, names, restval="", lineterminator="\n").writerows(rows)
